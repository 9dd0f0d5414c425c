/**
 * Owns whether two mathematical answers mean the same, with a third answer where that is not certain: "unknown" goes to
 * a judge. Deliberately no computer algebra: numbers are compared exactly, formulas with variables at sample points.
 */
import { type Expression, parseExpression } from './expression.ts';
import { exactValue, floatValue, type Fraction, parts } from './expressionValue.ts';
import { noAnswer, type OpenGrade, right, shown, unknown, wrong } from './grade.ts';
import { asciiDigits } from './numbers.ts';

type Verdict = boolean | null;

/** Values of the variables at each sample point: no round numbers, both signs, small and larger. */
const samples = [0.6180339, -0.7320508, 1.2599211, -1.9129312, 2.3784142, 3.1622777, -4.3267487, 7.3890561];
/** Relative. Formulas that agree to `same` everywhere are equal, that differ by `apart` anywhere are not. */
const same = 1e-9;
const apart = 1e-6;

/** Takes off what says nothing about the value: $, text commands, degrees, spaces, a full stop. */
function bare(answer: string): string {
  return asciiDigits(answer.slice(0, 4_000))
    .normalize('NFC')
    .replace(/\\(?:text|mathrm|mbox|textbf|mathbf)\s?\{([^{}]{0,200})\}/g, ' $1 ')
    .replace(/\\(?:left|right)(?![A-Za-z])/g, '')
    .replace(/\^\s?\{?\\circ\}?|°/g, '')
    .replace(/\\\$|\$|\\\(|\\\)|\\\[|\\\]/g, '')
    .replace(/\\([%{}])/g, '$1')
    .replace(/\s+/gu, ' ')
    .trim()
    .replace(/(?<=[^.])\.$/u, '')
    .trim();
}

function closeness(a: number, b: number): number {
  return a === b ? 0 : Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b));
}

/** Digits after the point where the formula is one plain decimal; null for anything else. */
function decimals(expression: Expression): number | null {
  const inner = expression.kind === 'call' && expression.name === 'negate' ? expression.argument : expression;
  if (inner.kind !== 'number') return null;
  return inner.text.includes('.') ? inner.text.length - inner.text.indexOf('.') - 1 : null;
}

/** Whether one value may be the other, rounded or cut off after as many digits as it shows. */
function mayBeRounded(a: Expression, x: number, b: Expression, y: number): boolean {
  const of = (digits: number | null, short: number, full: number): boolean => {
    if (digits === null) return false;
    const unit = 10 ** -digits * (1 + 1e-9);
    const cutOff = Math.abs(full) - Math.abs(short);
    return Math.abs(full - short) <= unit / 2 || (short * full > 0 && cutOff >= 0 && cutOff < unit);
  };
  return of(decimals(a), x, y) || of(decimals(b), y, x);
}

const equalFractions = (a: Fraction, b: Fraction): boolean => a.over === b.over && a.under === b.under;

function sameNumber(a: Expression, b: Expression): Verdict {
  const [exactA, exactB] = [exactValue(a), exactValue(b)];
  if (exactA !== null && exactB !== null && equalFractions(exactA, exactB)) return true;
  const none = new Map<string, number>();
  const [x, y] = [floatValue(a, none), floatValue(b, none)];
  if (Number.isNaN(x) || Number.isNaN(y)) return null;
  if (!Number.isFinite(x) || !Number.isFinite(y)) return x === y;
  if (mayBeRounded(a, x, b, y)) return null;
  if (exactA !== null && exactB !== null) return false;
  const gap = closeness(x, y);
  return gap <= same ? true : gap >= apart ? false : null;
}

function variablesOf(expression: Expression): ReadonlySet<string> {
  return new Set(parts(expression).flatMap((node) => (node.kind === 'variable' ? [node.name] : [])));
}

/** Equal at every sample point where both have a value; at least three such points settle it. */
function sameFunction(a: Expression, b: Expression, names: readonly string[]): Verdict {
  let compared = 0;
  for (let point = 0; point < samples.length; point++) {
    const values = new Map(
      names.map((name, index) => [name, samples[(point + 3 * index) % samples.length] as number]),
    );
    const [x, y] = [floatValue(a, values), floatValue(b, values)];
    if (Number.isNaN(x) && Number.isNaN(y)) continue;
    if (!Number.isFinite(x) || !Number.isFinite(y)) return null;
    const gap = Math.max(Math.abs(x), Math.abs(y)) < 1e-9 ? 0 : closeness(x, y);
    if (gap >= apart) return false;
    if (gap > same) return null;
    compared++;
  }
  return compared >= 3 ? true : null;
}

function sameExpression(a: Expression, b: Expression): Verdict {
  const [own, other] = [variablesOf(a), variablesOf(b)];
  const names = [...new Set([...own, ...other])].sort();
  if (names.length === 0) return sameNumber(a, b);
  const verdict = sameFunction(a, b, names);
  // Other names for the variables are no other answer for certain: a person would ask.
  return verdict === false && [...own].sort().join() !== [...other].sort().join() ? null : verdict;
}

interface Listed {
  /** The brackets around the list, '' for none. */
  readonly brackets: string;
  readonly items: readonly string[];
}

/** A tuple, a set, an interval or a bare list: items between commas outside of any brackets. */
function listed(text: string): Listed {
  const opening = text[0] ?? '';
  const last = text.at(-1) ?? '';
  const inBrackets = '([{'.includes(opening) && opening !== '' && ')]}'.includes(last);
  const inner = inBrackets ? text.slice(1, -1) : text;
  const items: string[] = [];
  let [depth, start] = [0, 0];
  for (let at = 0; at < inner.length; at++) {
    const mark = inner[at] as string;
    if ('([{'.includes(mark)) depth++;
    if (')]}'.includes(mark)) depth--;
    if (depth < 0) return { brackets: '', items: [text] };
    const separates =
      depth === 0 && (mark === ';' || (mark === ',' && !/^\d,\d{3}(?!\d)/.test(inner.slice(at - 1, at + 5))));
    if (separates) {
      items.push(inner.slice(start, at));
      start = at + 1;
    }
  }
  items.push(inner.slice(start));
  return items.length > 1
    ? { brackets: inBrackets ? opening + last : '', items: items.map((item) => item.trim()) }
    : { brackets: '', items: [text] };
}

/** "x = 5" is 5 where the left side is one letter, as is "x \in ..."; anything else with a sign in it stays whole. */
function rightSide(text: string): string {
  const match = /^[A-Za-z](?:_\w)?(?:\([A-Za-z]\))?\s*(?:=|\\in(?![A-Za-z]))\s*([^=<>]+)$/u.exec(text);
  return match?.[1]?.trim() ?? text;
}

const squeezed = (text: string): string => text.replace(/\s+/gu, '');

function sameItem(a: string, b: string): Verdict {
  if (squeezed(a) === squeezed(b)) return true;
  if (/[=<>]|\\[gl]eq?/u.test(a + b)) return null;
  const [left, other] = [parseExpression(withoutPercent(a)), parseExpression(withoutPercent(b))];
  if (left === null || other === null) return null;
  const verdict = sameExpression(left, other);
  if (verdict !== false || a.endsWith('%') === b.endsWith('%')) return verdict;
  // "45%" answers both "what percentage" (45) and "what share" (0.45).
  return a.endsWith('%') ? sameExpression(hundredth(left), other) : sameExpression(left, hundredth(other));
}

const withoutPercent = (text: string): string => text.replace(/%$/u, '').trim();
const hundredth = (whole: Expression): Expression => ({
  kind: 'binary',
  operator: '/',
  left: whole,
  right: { kind: 'number', text: '100' },
});

/** Pairs each item of a set with one of the other; null when what is unknown could still make a pairing. */
function sameSet(a: readonly string[], b: readonly string[]): Verdict {
  const left = [...b];
  let open = false;
  for (const item of a) {
    const verdicts = left.map((other) => sameItem(item, other));
    const match = verdicts.indexOf(true);
    if (match >= 0) left.splice(match, 1);
    else if (verdicts.includes(null)) open = true;
    else return false;
  }
  return open ? null : true;
}

/** Lists longer than this are compared as text only. */
const longestList = 100;

/** Whether two answers mean the same: true, false, or null for "cannot be told". Symmetric. */
export function sameMath(a: string, b: string): Verdict {
  const [left, other] = [rightSide(bare(a)), rightSide(bare(b))];
  if (squeezed(left) === squeezed(other)) return squeezed(left) === '' ? null : true;
  const [one, two] = [listed(left), listed(other)];
  if (one.items.length === 1 && two.items.length === 1) return sameItem(left, other);
  if (one.items.length > longestList || two.items.length > longestList) return null;
  if (one.brackets !== two.brackets) return null;
  if (one.items.length !== two.items.length) return one.brackets === '' ? null : false;
  if (one.brackets === '{}' || one.brackets === '') return sameSet(one.items, two.items);
  const verdicts = one.items.map((item, index) => sameItem(item, two.items[index] ?? ''));
  if (verdicts.includes(false)) return false;
  return verdicts.includes(null) ? null : true;
}

/** 1 when the answer means what the reference means, 0 when it certainly does not, else unknown. */
export function gradeMath(answer: string | null, reference: string): OpenGrade {
  if (answer === null) return noAnswer;
  const verdict = sameMath(answer, reference);
  if (verdict === null) return unknown(`cannot tell whether ${shown(answer)} means ${shown(reference)}`);
  return verdict
    ? right(`means the same as ${shown(reference)}`)
    : wrong(`expected ${shown(reference)}, got ${shown(answer)}`);
}

/**
 * Whether a formula uses exactly these whole numbers, each once, and equals the target: the rule of the Game of 24 and
 * of Countdown tasks. The left side counts where the answer is an equation.
 */
export function gradeArithmetic(
  answer: string | null,
  numbers: readonly string[],
  target: string,
): OpenGrade {
  if (answer === null) return noAnswer;
  const wanted = parseExpression(target);
  const goal = wanted === null ? null : exactValue(wanted);
  if (goal === null) return unknown(`the target ${shown(target)} is not a number`);
  const formula = (answer.split('=', 1)[0] ?? '').trim();
  const expression = parseExpression(formula);
  if (expression === null) return wrong(`${shown(formula)} is not a formula`);
  const used = parts(expression).flatMap((node) => (node.kind === 'number' ? [node.text] : []));
  if ([...used].sort().join(' ') !== [...numbers].sort().join(' '))
    return wrong(`uses ${used.join(', ')} instead of ${numbers.join(', ')}`);
  const value = exactValue(expression);
  if (value === null) return wrong(`${shown(formula)} has no exact value`);
  return equalFractions(value, goal)
    ? right(`${shown(formula)} is ${target}`)
    : wrong(
        `${shown(formula)} is ${value.under === 1n ? value.over : `${value.over}/${value.under}`}, not ${target}`,
      );
}
