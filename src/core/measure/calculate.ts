/**
 * Owns exact arithmetic on text: + - * / ^ ( ) over decimal numbers, as fractions of whole numbers, so that 0.1 + 0.2 is
 * 0.3. Deliberately no evaluator of code: what is not arithmetic is refused with the reason.
 */

export type Calculated =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: string };

interface Fraction {
  readonly top: bigint;
  /** Above 0. */
  readonly bottom: bigint;
}

class CalculationError extends Error {
  override readonly name = 'CalculationError';
}

/** Longest expression, most digits of a number on the way, highest power. */
const LIMITS = { characters: 1000, digits: 2000, power: 1000n };
/** Digits shown behind the point of what has no end. */
const DIGITS = 20;

function gcd(a: bigint, b: bigint): bigint {
  return b === 0n ? a : gcd(b, a % b);
}

function fraction(top: bigint, bottom: bigint): Fraction {
  if (bottom === 0n) throw new CalculationError('a division by zero');
  const sign = bottom < 0n ? -1n : 1n;
  const common = gcd(top < 0n ? -top : top, bottom * sign) || 1n;
  const reduced = { top: (sign * top) / common, bottom: (sign * bottom) / common };
  if (String(reduced.top).length + String(reduced.bottom).length > LIMITS.digits)
    throw new CalculationError('a number of too many digits');
  return reduced;
}

interface Reader {
  readonly tokens: readonly string[];
  at: number;
}

/** The value as a decimal, up to 20 digits behind the point. */
export function calculate(expression: string): Calculated {
  try {
    const reader: Reader = { tokens: tokensOf(expression), at: 0 };
    const value = sumOf(reader, 0);
    if (reader.at < reader.tokens.length)
      throw new CalculationError(`"${reader.tokens[reader.at] ?? ''}" was not expected`);
    return { ok: true, text: decimal(value) };
  } catch (error) {
    if (error instanceof CalculationError)
      return { ok: false, reason: `cannot be calculated: ${error.message}` };
    throw error;
  }
}

function tokensOf(expression: string): readonly string[] {
  if (expression.length > LIMITS.characters) throw new CalculationError('the expression is too long');
  const plain = expression
    .replace(/×/gu, '*')
    .replace(/÷/gu, '/')
    .replace(/[−–]/gu, '-')
    .replace(/\*\*/gu, '^');
  const tokens = plain.match(/\d+(?:,\d{3})*(?:\.\d+)?|\.\d+|[-+*/^()]|\S/gu) ?? [];
  const strange = tokens.find((token) => !/^[\d.,]+$|^[-+*/^()]$/u.test(token));
  if (strange !== undefined) throw new CalculationError(`"${strange}" is no arithmetic`);
  return tokens;
}

/** Deepest nesting of parentheses. */
const DEPTH = 100;

function sumOf(reader: Reader, depth: number): Fraction {
  if (depth > DEPTH) throw new CalculationError('too many parentheses');
  let value = productOf(reader, depth);
  for (;;) {
    const sign = reader.tokens[reader.at];
    if (sign !== '+' && sign !== '-') return value;
    reader.at++;
    const other = productOf(reader, depth);
    const top = other.top * value.bottom;
    value = fraction(value.top * other.bottom + (sign === '+' ? top : -top), value.bottom * other.bottom);
  }
}

function productOf(reader: Reader, depth: number): Fraction {
  let value = signed(reader, depth);
  for (;;) {
    const sign = reader.tokens[reader.at];
    if (sign !== '*' && sign !== '/') return value;
    reader.at++;
    const other = signed(reader, depth);
    value =
      sign === '*'
        ? fraction(value.top * other.top, value.bottom * other.bottom)
        : fraction(value.top * other.bottom, value.bottom * other.top);
  }
}

/** A sign binds less than a power: -2^2 is -4. */
function signed(reader: Reader, depth: number): Fraction {
  if (depth > DEPTH) throw new CalculationError('too many signs');
  const sign = reader.tokens[reader.at];
  if (sign !== '-' && sign !== '+') return powerOf(reader, depth);
  reader.at++;
  const value = signed(reader, depth + 1);
  return sign === '-' ? { ...value, top: -value.top } : value;
}

function powerOf(reader: Reader, depth: number): Fraction {
  const base = atom(reader, depth);
  if (reader.tokens[reader.at] !== '^') return base;
  reader.at++;
  const exponent = signed(reader, depth + 1);
  const size = exponent.top < 0n ? -exponent.top : exponent.top;
  if (exponent.bottom !== 1n || size > LIMITS.power)
    throw new CalculationError('a power that is not a small whole number');
  if (BigInt(Math.max(String(base.top).length, String(base.bottom).length)) * size > BigInt(LIMITS.digits))
    throw new CalculationError('a number of too many digits');
  return exponent.top < 0n
    ? fraction(base.bottom ** size, base.top ** size)
    : fraction(base.top ** size, base.bottom ** size);
}

function atom(reader: Reader, depth: number): Fraction {
  const token = reader.tokens[reader.at];
  if (token === undefined) throw new CalculationError('it ends too early');
  reader.at++;
  if (token === '(') {
    const value = sumOf(reader, depth + 1);
    if (reader.tokens[reader.at] !== ')') throw new CalculationError('a ")" is missing');
    reader.at++;
    return value;
  }
  if (!/^[\d.,]+$/u.test(token)) throw new CalculationError(`"${token}" was not expected`);
  const [whole = '0', rest = ''] = token.replaceAll(',', '').split('.');
  return fraction(BigInt(`${whole === '' ? '0' : whole}${rest}`), 10n ** BigInt(rest.length));
}

function decimal({ top, bottom }: Fraction): string {
  const scale = 10n ** BigInt(DIGITS);
  const size = top < 0n ? -top : top;
  const scaled = (size * scale * 2n + bottom) / (bottom * 2n);
  const whole = scaled / scale;
  const rest = String(scaled % scale)
    .padStart(DIGITS, '0')
    .replace(/0+$/u, '');
  const sign = top < 0n && scaled > 0n ? '-' : '';
  return `${sign}${whole}${rest === '' ? '' : `.${rest}`}`;
}
