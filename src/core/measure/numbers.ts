/**
 * Owns finding numbers in text the way people and models write them: thousands separators, currency, percent, fractions,
 * powers, scale words, digits of other scripts. Deliberately does not evaluate: `3 + 4`, a date, a time, a range is not
 * a number, and reading one of its parts as the answer would reward a guess.
 */

export interface FoundNumber {
  readonly value: number;
  /** The digits of a plain integer, so that integers beyond 2^53 still compare exactly; null for any other form. */
  readonly integer: string | null;
  readonly percent: boolean;
  /** As it stands in the text, with sign, percent and scale word, digits and signs in ASCII. */
  readonly text: string;
  /** Offsets in the text with its digits and signs turned into ASCII, which has the same length. */
  readonly start: number;
  readonly end: number;
}

const digitZeros = [0x0660, 0x06f0, 0x0966, 0x09e6, 0x0e50];
const vulgarFractions: Readonly<Record<string, number>> = {
  '¼': 1 / 4,
  '½': 1 / 2,
  '¾': 3 / 4,
  '⅐': 1 / 7,
  '⅑': 1 / 9,
  '⅒': 1 / 10,
  '⅓': 1 / 3,
  '⅔': 2 / 3,
  '⅕': 1 / 5,
  '⅖': 2 / 5,
  '⅗': 3 / 5,
  '⅘': 4 / 5,
  '⅙': 1 / 6,
  '⅚': 5 / 6,
  '⅛': 1 / 8,
  '⅜': 3 / 8,
  '⅝': 5 / 8,
  '⅞': 7 / 8,
};
const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const scales: Readonly<Record<string, number>> = {
  hundred: 1e2,
  thousand: 1e3,
  million: 1e6,
  billion: 1e9,
  trillion: 1e12,
};

/** ASCII digits, signs and punctuation, one code unit for one. Not NFKC: that would read 10² as 102. */
export function asciiDigits(text: string): string {
  return text
    .replace(/[\uff01-\uff5e]/g, (mark) => String.fromCharCode(mark.charCodeAt(0) - 0xfee0))
    .replace(/[٠-٩۰-۹०-९০-৯๐-๙]/g, (digit) => {
      const code = digit.charCodeAt(0);
      const zero = digitZeros.find((start) => code >= start && code < start + 10) ?? code;
      return String(code - zero);
    })
    .replace(/[\u2212\u2010\u2011\u2013]/g, '-');
}

// One plain number, most specific form first: 12,34,567.8 | 1.234,5 | 1.234.567 | 1'234.5 | 1,5 | 0,567 | 3.5 | .5
const grouped = [
  String.raw`[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}(?!\d)(?:\.\d+)?`,
  String.raw`[1-9]\d{0,2}(?:\.\d{3})+,\d+`,
  String.raw`[1-9]\d{0,2}(?:\.\d{3}){2,}(?!\d)`,
  String.raw`[1-9]\d{0,2}(?:[\u00a0\u202f\u2009'’]\d{3})+(?!\d)(?:[.,]\d+)?`,
  String.raw`(?<!\d,)\d+,\d{1,2}(?![\d,])`,
  String.raw`(?<!\d,)(?:0|\d{4,}),\d+(?![\d,])`,
];
const plain = `(?:${[...grouped, String.raw`\d+(?:\.\d+)?`, String.raw`\.\d+`].join('|')})(?!\\d)`;
const power = String.raw`(?:\^|\*\*) ?[{(]?(-?\d{1,4})[)}]?`;

function readPlain(text: string): number {
  if (/^\d{1,3}(?:\.\d{3})+(?:,\d+)?$/.test(text) && (text.includes(',') || text.split('.').length > 2))
    return Number(text.replaceAll('.', '').replace(',', '.'));
  const bare = text.replace(/[\u00a0\u202f\u2009'’]/g, '');
  const grouping = /^[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}(?:\.\d+)?$/.test(bare);
  return Number(grouping ? bare.replaceAll(',', '') : bare.replace(',', '.'));
}

function readSuperscript(text: string): number {
  const digits = [...text].map((mark) => (mark === '⁻' ? '-' : String(superscripts.indexOf(mark)))).join('');
  return Number(digits);
}

interface Form {
  readonly pattern: RegExp;
  readonly read: (groups: readonly string[]) => number;
}

const form = (source: string, read: Form['read']): Form => ({ pattern: new RegExp(source, 'uy'), read });
const at = (groups: readonly string[], index: number): string => groups[index] ?? '';

/** Tried in this order at every place a number may start. */
const forms: readonly Form[] = [
  form(
    String.raw`(\d*) ?([¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])`,
    (g) => Number(at(g, 1)) + (vulgarFractions[at(g, 2)] ?? NaN),
  ),
  form(
    String.raw`(\d*) ?\\[dt]?frac ?\{ ?(${plain}) ?\} ?\{ ?(${plain}) ?\}`,
    (g) => Number(at(g, 1)) + readPlain(at(g, 2)) / readPlain(at(g, 3)),
  ),
  form(
    String.raw`(\d+) (\d+) ?/ ?(\d+)(?! ?[\d/])`,
    (g) => Number(at(g, 1)) + Number(at(g, 2)) / Number(at(g, 3)),
  ),
  form(
    String.raw`(?<!\d ?/ ?)(${plain}) ?/ ?(${plain})(?! ?/ ?\d)`,
    (g) => readPlain(at(g, 1)) / readPlain(at(g, 2)),
  ),
  form(
    String.raw`(${plain}) ?(?:[×x*·]|\\times|\\cdot) ?10 ?${power}`,
    (g) => readPlain(at(g, 1)) * 10 ** Number(at(g, 2)),
  ),
  form(
    String.raw`(${plain}) ?(?:[×x*·]|\\times|\\cdot) ?10(⁻?[${superscripts}]+)`,
    (g) => readPlain(at(g, 1)) * 10 ** readSuperscript(at(g, 2)),
  ),
  form(String.raw`(${plain}) ?${power}`, (g) => readPlain(at(g, 1)) ** Number(at(g, 2))),
  form(String.raw`(${plain})(⁻?[${superscripts}]+)`, (g) => readPlain(at(g, 1)) ** readSuperscript(at(g, 2))),
  form(String.raw`(\d+(?:\.\d+)?)[eE]([-+]?\d{1,4})(?![\p{L}\d])`, (g) => Number(`${at(g, 1)}e${at(g, 2)}`)),
  form(`(${plain})`, (g) => readPlain(at(g, 1))),
];

const mayStart = /[\d.¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]|\\[dt]?frac/gu;
/** Everything that can stand inside one plain number; a longer run is data, not a number, and is passed over whole. */
const digitRun = /[\d.,'’\u00a0\u202f\u2009]+/uy;
const longestNumber = 400;
/** A letter of a script with spaces between words, a digit or an underscore just before: CO2, x1 and v2 hold no number. */
const insideWord = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{N}_]$/u;
const currencyCode = /(?:^|[^\p{L}])(?:USD|EUR|GBP|JPY|CNY|KRW|INR|CAD|AUD|CHF|Rs\.?|RM)$/u;
const signBefore =
  /(?:^|[^\p{L}\p{N}_)\]%\s]|[^\p{L}\p{N}_)\]%\s][ \t]+|^\s+|\p{L}\s+|\n\s*)(-[$€£¥₩₹]?|[$€£¥₩₹]-)$/u;
const joinedBefore = /[\d)][ \t]{0,2}[-+*×÷/^][ \t]{0,2}[$€£¥₩₹]?$|\d[ \t]x[ \t]$|\d:$/u;
const joinedAfter = /^(?:[ \t]{0,2}[-+*×÷/^][ \t]{0,2}[$€£¥₩₹]?[\d(.]|[ \t]x[ \t]\d|:\d)/u;
const suffix = /^(?: ?(hundred|thousand|million|billion|trillion)\b)?( ?(?:%|\\%|percent\b|per cent\b))?/iu;

/** The first form that fits here. Its value is not finite for 1e999 or 1/0: a number is written there, but none is meant. */
function matchAt(text: string, index: number): { readonly value: number; readonly length: number } | null {
  digitRun.lastIndex = index;
  if ((digitRun.exec(text)?.[0].length ?? 0) > longestNumber) return null;
  for (const { pattern, read } of forms) {
    pattern.lastIndex = index;
    const match = pattern.exec(text);
    if (match !== null) return { value: read(match), length: match[0].length };
  }
  return null;
}

/** How far back a sign, a currency or an operator can stand; keeps the scan linear on long texts. */
const lookBehind = 8;

/** Every number of the text, in order; parts of an expression, a date, a time or a range are left out. */
export function findNumbers(original: string): readonly FoundNumber[] {
  const text = asciiDigits(original);
  const found: FoundNumber[] = [];
  let from = 0;
  for (;;) {
    mayStart.lastIndex = from;
    const candidate = mayStart.exec(text);
    if (candidate === null) return found;
    const index = candidate.index;
    const before = text.slice(Math.max(0, index - lookBehind), index);
    const match = insideWord.test(before) && !currencyCode.test(before) ? null : matchAt(text, index);
    if (match === null) {
      // What is not a number here must not be read as one from its middle.
      digitRun.lastIndex = index;
      from = index + (digitRun.exec(text)?.[0].length ?? candidate[0].length);
      continue;
    }
    const end = index + match.length;
    const after = text.slice(end, end + 24);
    const sign = signBefore.exec(before)?.[1] ?? '';
    const start = index - sign.length;
    const joined = (sign === '' && joinedBefore.test(before)) || joinedAfter.test(after);
    from = end;
    if (joined || !Number.isFinite(match.value)) continue;
    const tail = suffix.exec(after);
    const scale = scales[tail?.[1]?.toLowerCase() ?? ''] ?? 1;
    const body = text.slice(index, end).replace(/[,\u00a0\u202f\u2009'’]/g, '');
    const negative = sign !== '';
    found.push({
      value: (negative ? -1 : 1) * match.value * scale,
      integer:
        /^\d+$/.test(body) && Number(body) === match.value && scale === 1 ? signed(body, negative) : null,
      percent: tail?.[2] !== undefined,
      text: text.slice(start, end + (tail?.[0].length ?? 0)),
      start,
      end,
    });
  }
}

function signed(digits: string, negative: boolean): string {
  const bare = digits.replace(/^0+(?=\d)/, '');
  return negative && bare !== '0' ? `-${bare}` : bare;
}

const decoration =
  /^[\s*_`"'“”‘’()[\]{}\\~≈:>$€£¥₩₹-]*(?:USD|EUR|GBP|JPY|CNY|KRW|INR|CAD|AUD|CHF|Rs\.?|RM)?\s*$/u;

/**
 * The number an answer stands for; null when there is none. After the last equals sign if there is one; else the first
 * number when the answer begins with it ("18 dollars a day for 5 days"), and the last one of a sentence otherwise.
 */
export function parseNumber(answer: string): FoundNumber | null {
  const equals = Math.max(answer.lastIndexOf('='), answer.lastIndexOf('≈'));
  if (equals >= 0) {
    const result = findNumbers(answer.slice(equals + 1))[0];
    if (result !== undefined) return result;
  }
  const numbers = findNumbers(answer);
  const first = numbers[0];
  if (first === undefined) return null;
  return decoration.test(answer.slice(0, first.start)) ? first : (numbers.at(-1) ?? null);
}

/** Equal as numbers, within 1e-9 relative or `tolerance` absolute, whichever is more; plain integers exactly. */
export function sameNumber(a: FoundNumber, b: FoundNumber, tolerance = 0): boolean {
  if (tolerance === 0 && a.integer !== null && b.integer !== null && a.percent === b.percent)
    return a.integer === b.integer;
  const near = (x: number, y: number): boolean =>
    Math.abs(x - y) <= Math.max(tolerance, 1e-9 * Math.max(Math.abs(x), Math.abs(y)));
  if (near(a.value, b.value)) return true;
  if (a.percent === b.percent) return false;
  // "45%" answers both "what percentage" (45) and "what share" (0.45).
  return a.percent ? near(a.value / 100, b.value) : near(a.value, b.value / 100);
}
