/**
 * Owns the value of a formula: as an exact fraction where it has one, else as a floating-point number.
 * Deliberately real: a root of a negative number has no value here.
 */
import type { Expression, FunctionName } from './expression.ts';

/** Lowest terms, positive denominator. */
export interface Fraction {
  readonly over: bigint;
  readonly under: bigint;
}

/** Larger numerators and denominators are left to floating point. Bits, roughly. */
const largest = 20_000;

function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

function reduced(over: bigint, under: bigint): Fraction | null {
  if (under === 0n) return null;
  const divisor = gcd(over, under) * (under < 0n ? -1n : 1n);
  return { over: over / divisor, under: under / divisor };
}

/** 0.125 as 1/8, 1e-3 as 1/1000; null for a text that is no plain decimal. */
export function decimalFraction(text: string): Fraction | null {
  const match = /^(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d{1,3}))?$/.exec(text);
  if (match === null || text.length > 1_000) return null;
  const [whole, decimals] = [match[1] ?? '', match[2] ?? ''];
  if (whole === '' && decimals === '') return null;
  const shift = Number(match[3] ?? 0) - decimals.length;
  const digits = BigInt(whole + decimals);
  return shift >= 0 ? reduced(digits * 10n ** BigInt(shift), 1n) : reduced(digits, 10n ** BigInt(-shift));
}

const bits = ({ over, under }: Fraction): number =>
  over.toString(16).length * 4 + under.toString(16).length * 4;

function exactPower(base: Fraction, exponent: Fraction): Fraction | null {
  if (exponent.under !== 1n) return null;
  const size = exponent.over < 0n ? -exponent.over : exponent.over;
  if (size > 10_000n || bits(base) * Number(size) > largest) return null;
  const [over, under] = [base.over ** size, base.under ** size];
  return exponent.over < 0n ? reduced(under, over) : reduced(over, under);
}

function exactRoot({ over, under }: Fraction): Fraction | null {
  const root = (value: bigint): bigint | null => {
    if (value < 0n) return null;
    if (value < 2n) return value;
    let guess = 1n << BigInt(Math.ceil((value.toString(16).length * 4) / 2));
    for (;;) {
      const next = (guess + value / guess) >> 1n;
      if (next >= guess) return guess * guess === value ? guess : null;
      guess = next;
    }
  };
  const [top, bottom] = [root(over), root(under)];
  return top === null || bottom === null ? null : { over: top, under: bottom };
}

function exactCall(name: FunctionName, value: Fraction): Fraction | null {
  if (name === 'negate') return { over: -value.over, under: value.under };
  if (name === 'abs') return { over: value.over < 0n ? -value.over : value.over, under: value.under };
  if (name === 'sqrt') return exactRoot(value);
  if (name !== 'factorial' || value.under !== 1n || value.over < 0n || value.over > 500n) return null;
  let product = 1n;
  for (let factor = 2n; factor <= value.over; factor++) product *= factor;
  return { over: product, under: 1n };
}

/** The exact value; null where there is none (variables, irrational parts, division by zero) or it is too large. */
export function exactValue(expression: Expression): Fraction | null {
  switch (expression.kind) {
    case 'number':
      return decimalFraction(expression.text);
    case 'constant':
    case 'variable':
      return null;
    case 'call': {
      const value = exactValue(expression.argument);
      return value === null ? null : exactCall(expression.name, value);
    }
    case 'binary': {
      const [a, b] = [exactValue(expression.left), exactValue(expression.right)];
      if (a === null || b === null || bits(a) + bits(b) > largest) return null;
      switch (expression.operator) {
        case '+':
          return reduced(a.over * b.under + b.over * a.under, a.under * b.under);
        case '-':
          return reduced(a.over * b.under - b.over * a.under, a.under * b.under);
        case '*':
          return reduced(a.over * b.over, a.under * b.under);
        case '/':
          return reduced(a.over * b.under, a.under * b.over);
        case '^':
          return exactPower(a, b);
      }
    }
  }
}

const functions: Readonly<Record<FunctionName, (value: number) => number>> = {
  negate: (value) => -value,
  abs: Math.abs,
  sqrt: Math.sqrt,
  exp: Math.exp,
  ln: Math.log,
  log: Math.log10,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  factorial: (value) => {
    if (!Number.isInteger(value) || value < 0 || value > 170) return NaN;
    let product = 1;
    for (let factor = 2; factor <= value; factor++) product *= factor;
    return product;
  },
};

/** A real power; an odd root of a negative number is real: (-8)^(1/3) is -2. */
function realPower(base: number, exponent: number): number {
  const degree = 1 / exponent;
  const rounded = Math.round(degree);
  const oddRoot = base < 0 && Math.abs(degree - rounded) < 1e-12 && Math.abs(rounded % 2) === 1;
  return oddRoot ? -((-base) ** exponent) : base ** exponent;
}

/** The value with these variables; NaN where it has none. */
export function floatValue(expression: Expression, variables: ReadonlyMap<string, number>): number {
  switch (expression.kind) {
    case 'number':
      return Number(expression.text);
    case 'constant':
      if (expression.name === 'i') return NaN;
      return expression.name === 'pi' ? Math.PI : expression.name === 'e' ? Math.E : Infinity;
    case 'variable':
      return variables.get(expression.name) ?? NaN;
    case 'call':
      return functions[expression.name](floatValue(expression.argument, variables));
    case 'binary': {
      const [a, b] = [floatValue(expression.left, variables), floatValue(expression.right, variables)];
      switch (expression.operator) {
        case '+':
          return a + b;
        case '-':
          return a - b;
        case '*':
          return a * b;
        case '/':
          return b === 0 ? NaN : a / b;
        case '^':
          return realPower(a, b);
      }
    }
  }
}

/** Every node of a tree, in no particular order. */
export function parts(expression: Expression): readonly Expression[] {
  const found: Expression[] = [];
  const open = [expression];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    found.push(node);
    if (node.kind === 'call') open.push(node.argument);
    if (node.kind === 'binary') open.push(node.left, node.right);
  }
  return found;
}
