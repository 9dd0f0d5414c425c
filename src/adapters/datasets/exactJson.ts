/**
 * Owns reading one JSON value without changing what it says: numbers a double cannot hold keep their digits as text, a
 * field that stands twice is refused rather than guessed, nesting is bounded. Deliberately knows no row and no task.
 */

export type ExactValue =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: string };

/** Deepest nesting of lists and objects that is read. */
export const deepest = 64;

const quote = 0x22;
const backslash = 0x5c;

interface Survey {
  readonly depth: number;
  /** Colons outside of text: members of objects, as many as the text says. */
  readonly members: number;
  /** There may be a number with more digits or a larger exponent than a double keeps. */
  readonly wide: boolean;
}

/** One look over the text, jumping over quoted parts; means something only where the text is valid JSON. */
function surveyOf(text: string): Survey {
  let depth = 0;
  let most = 0;
  let members = 0;
  let wide = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfQuoted(text, at);
    else if (code === 0x5b || code === 0x7b) most = Math.max(most, ++depth);
    else if (code === 0x5d || code === 0x7d) depth -= 1;
    else if (code === 0x3a) members += 1;
    else if (code >= 0x30 && code <= 0x39) {
      const from = at;
      while (at + 1 < text.length && isNumeral(text.charCodeAt(at + 1))) at += 1;
      // Fifteen significant digits always survive a double.
      wide ||= at - from >= 15 || /[eE]/.test(text.slice(from, at + 1));
    }
  }
  return { depth: most, members, wide };
}

function endOfQuoted(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes += 1;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}

function isNumeral(code: number): boolean {
  return (
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2e ||
    code === 0x65 ||
    code === 0x45 ||
    code === 0x2b ||
    code === 0x2d
  );
}

function membersOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const items: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  return items.reduce<number>((sum, item) => sum + membersOf(item), Array.isArray(value) ? 0 : items.length);
}

/** Digits without leading and trailing zeros, and the power of ten of the last one: equal for equal numbers. */
function decimal(source: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(source) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const kept = digits.replace(/0+$/, '');
  if (kept === '') return '0';
  return `${sign === '-' ? '-' : ''}${kept}e${BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - kept.length)}`;
}

/** Whether the double read from `source`, written out again, is the same number. */
export function keepsExactly(source: string, value: number): boolean {
  if (!Number.isFinite(value)) return false;
  // An exponent of thousands of digits is nothing a double holds, and slow to compare.
  if (source.length > 400) return false;
  return decimal(source) === decimal(String(value));
}

type SourceReviver = (
  this: unknown,
  key: string,
  value: unknown,
  context: { readonly source?: string },
) => unknown;

/** A number that would be rounded becomes the text it was written as. */
const keepDigits: SourceReviver = (_key, value, context) =>
  typeof value === 'number' && context.source !== undefined && !keepsExactly(context.source, value)
    ? context.source
    : value;

/** Reads strict JSON (RFC 8259). Never throws; `__proto__` is a field like any other. */
export function parseExact(text: string): ExactValue {
  const { depth, members, wide } = surveyOf(text);
  if (depth > deepest) return { ok: false, reason: `not valid JSON that is at most ${deepest} deep` };
  let value: unknown;
  try {
    value = wide
      ? JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown)
      : JSON.parse(text);
  } catch {
    return { ok: false, reason: 'not valid JSON' };
  }
  if (members !== membersOf(value)) return { ok: false, reason: 'a field stands in it twice' };
  return { ok: true, value };
}
