/**
 * Owns reading a formula, plain or in TeX, as a tree. Deliberately small: numbers, single-letter variables, the four
 * operations, powers, roots and a few functions. What it does not know it refuses; it never guesses.
 */

export type Expression =
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'constant'; readonly name: 'pi' | 'e' | 'i' | 'infinity' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly argument: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: '+' | '-' | '*' | '/' | '^';
      readonly left: Expression;
      readonly right: Expression;
    };

const functionNames = [
  'negate',
  'abs',
  'sqrt',
  'exp',
  'ln',
  'log',
  'sin',
  'cos',
  'tan',
  'factorial',
] as const;
export type FunctionName = (typeof functionNames)[number];

/** Longer formulas are not read. Characters. */
const longest = 2_000;
const deepest = 60;

type Token =
  | { readonly kind: 'number'; readonly text: string; readonly spaced: boolean }
  | { readonly kind: 'name'; readonly text: string; readonly spaced: boolean }
  | { readonly kind: 'mark'; readonly text: string; readonly spaced: boolean };

/** TeX spellings with the plain ones they stand for; sizes and spaces stand for nothing. */
const spellings: readonly (readonly [RegExp, string])[] = [
  [/\\(?:left|right|big|Big|bigg|Bigg|displaystyle|limits)(?![A-Za-z])/g, ''],
  [/\\[,;:!> ]|\\q?quad(?![A-Za-z])|~/g, ' '],
  [/\\(?:cdot|times|ast)(?![A-Za-z])|[×·⋅∗]/g, '*'],
  [/\\div(?![A-Za-z])|[÷∕]/g, '/'],
  [/[\u2212\u2013\u2010\u2011]/g, '-'],
  [/\\[dtc]?frac(?![A-Za-z])/g, '\\frac'],
  [/\\pi(?![A-Za-z])|π/g, ' pi '],
  [/\\infty(?![A-Za-z])|∞/g, ' infinity '],
  [/√/g, ' sqrt '],
  [/\\(sqrt|exp|ln|log|sin|cos|tan)(?![A-Za-z])/g, ' $1 '],
  [/\*\*/g, '^'],
  [/²/g, '^2'],
  [/³/g, '^3'],
];

function tokenize(source: string): readonly Token[] | null {
  const text = spellings.reduce((all, [pattern, plain]) => all.replace(pattern, plain), source);
  const pattern =
    /(\s*)(?:(\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d+(?:\.\d+)?(?:[eE][-+]?\d{1,3}(?![\dA-Za-z.]))?|\.\d+)|(\\frac|[A-Za-z]+)|([-+*/^(){}[\]|!]))/uy;
  const tokens: Token[] = [];
  const body = text.trim();
  for (pattern.lastIndex = 0; pattern.lastIndex < body.length; ) {
    const match = pattern.exec(body);
    if (match === null) return null;
    const spaced = match[1] !== '';
    if (match[2] !== undefined) tokens.push({ kind: 'number', text: match[2].replaceAll(',', ''), spaced });
    else if (match[3] !== undefined) tokens.push({ kind: 'name', text: match[3], spaced });
    else tokens.push({ kind: 'mark', text: match[4] ?? '', spaced });
  }
  return tokens;
}

class NotUnderstood extends Error {}

const binary = (operator: '+' | '-' | '*' | '/' | '^', left: Expression, right: Expression): Expression => ({
  kind: 'binary',
  operator,
  left,
  right,
});
const call = (name: FunctionName, argument: Expression): Expression => ({ kind: 'call', name, argument });
const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** Reads one formula; the state is the place in the list of tokens. */
interface Reader {
  readonly tokens: readonly Token[];
  at: number;
  depth: number;
}

const peek = (reader: Reader): Token | undefined => reader.tokens[reader.at];
const isMark = (token: Token | undefined, ...texts: readonly string[]): boolean =>
  token?.kind === 'mark' && texts.includes(token.text);

function take(reader: Reader, ...texts: readonly string[]): string | null {
  const token = peek(reader);
  if (!isMark(token, ...texts)) return null;
  reader.at++;
  return token?.text ?? null;
}

function expect(reader: Reader, text: string): void {
  if (take(reader, text) === null) throw new NotUnderstood(`expected ${text}`);
}

function sum(reader: Reader): Expression {
  if (++reader.depth > deepest) throw new NotUnderstood('nested too deeply');
  let left = product(reader);
  for (let sign = take(reader, '+', '-'); sign !== null; sign = take(reader, '+', '-'))
    left = binary(sign as '+' | '-', left, product(reader));
  reader.depth--;
  return left;
}

/** A factor that may follow another without a sign between them: 2x, 3(4), 2 sqrt 3. Never a number: "2 3" is no product. */
function startsFactor(token: Token | undefined): boolean {
  return token?.kind === 'name' || isMark(token, '(', '[', '{');
}

function product(reader: Reader): Expression {
  let left = signed(reader);
  for (;;) {
    const sign = take(reader, '*', '/');
    if (sign !== null) left = binary(sign as '*' | '/', left, signed(reader));
    else if (startsFactor(peek(reader))) left = binary('*', left, power(reader));
    else return left;
  }
}

function signed(reader: Reader): Expression {
  let negative = false;
  for (let sign = take(reader, '-', '+'); sign !== null; sign = take(reader, '-', '+'))
    if (sign === '-') negative = !negative;
  const value = power(reader);
  return negative ? call('negate', value) : value;
}

function power(reader: Reader): Expression {
  let base = atom(reader);
  while (take(reader, '!') !== null) base = call('factorial', base);
  if (take(reader, '^') === null) return base;
  if (++reader.depth > deepest) throw new NotUnderstood('nested too deeply');
  const exponent = signed(reader);
  reader.depth--;
  return binary('^', base, exponent);
}

function grouped(reader: Reader): Expression {
  const open = take(reader, '(', '[', '{');
  if (open === null) throw new NotUnderstood('expected an opening bracket');
  const inner = sum(reader);
  expect(reader, closing[open] as string);
  return inner;
}

/** What TeX takes as one argument: a group, or one digit or letter. */
function texArgument(reader: Reader): Expression {
  const token = peek(reader);
  if (isMark(token, '{')) return grouped(reader);
  if (token?.kind === 'number' && token.text.length === 1) {
    reader.at++;
    return { kind: 'number', text: token.text };
  }
  throw new NotUnderstood('expected an argument in braces');
}

function fraction(reader: Reader): Expression {
  const token = peek(reader);
  // \frac12 is one token of two digits.
  if (token?.kind === 'number' && /^\d\d$/.test(token.text)) {
    reader.at++;
    const [over, under] = [...token.text].map((text): Expression => ({ kind: 'number', text }));
    return binary('/', over as Expression, under as Expression);
  }
  const over = texArgument(reader);
  return binary('/', over, texArgument(reader));
}

/** "1\frac{3}{4}" and "1 3/4" are one and three quarters. */
function mixed(reader: Reader, whole: string): Expression {
  const number: Expression = { kind: 'number', text: whole };
  if (!/^\d+$/.test(whole)) return number;
  const next = peek(reader);
  if (next?.kind === 'name' && next.text === '\\frac') {
    reader.at++;
    return binary('+', number, fraction(reader));
  }
  const [over, slash, under] = reader.tokens.slice(reader.at, reader.at + 3);
  if (over?.kind === 'number' && over.spaced && isMark(slash, '/') && under?.kind === 'number') {
    reader.at += 3;
    return binary(
      '+',
      number,
      binary('/', { kind: 'number', text: over.text }, { kind: 'number', text: under.text }),
    );
  }
  return number;
}

function root(reader: Reader): Expression {
  if (!isMark(peek(reader), '[')) return call('sqrt', argument(reader));
  const degree = grouped(reader);
  return binary('^', argument(reader), binary('/', { kind: 'number', text: '1' }, degree));
}

function argument(reader: Reader): Expression {
  return isMark(peek(reader), '(', '{', '[') ? grouped(reader) : power(reader);
}

function named(reader: Reader, name: string): Expression {
  if (name === '\\frac') return fraction(reader);
  if (name === 'sqrt') return root(reader);
  if (name === 'pi' || name === 'e' || name === 'i') return { kind: 'constant', name };
  if (name === 'infinity') return { kind: 'constant', name };
  if ((functionNames as readonly string[]).includes(name))
    return call(name as FunctionName, argument(reader));
  // A run of letters is a product of variables; words of more than three letters are text, not algebra.
  if (name.length > 3) throw new NotUnderstood(`unknown word ${name}`);
  return [...name]
    .map(
      (letter): Expression =>
        letter === 'e' || letter === 'i'
          ? { kind: 'constant', name: letter }
          : { kind: 'variable', name: letter },
    )
    .reduce((left, right) => binary('*', left, right));
}

function atom(reader: Reader): Expression {
  const token = peek(reader);
  if (token === undefined) throw new NotUnderstood('the formula ends too early');
  if (take(reader, '|') !== null) {
    const inner = sum(reader);
    expect(reader, '|');
    return call('abs', inner);
  }
  if (isMark(token, '(', '[', '{')) return grouped(reader);
  reader.at++;
  if (token.kind === 'number') return mixed(reader, token.text);
  if (token.kind === 'name') return named(reader, token.text);
  throw new NotUnderstood(`unexpected ${token.text}`);
}

/** The tree of a formula; null when it is not understood to its end, over 2,000 characters or nested over 60 deep. */
export function parseExpression(source: string): Expression | null {
  if (source.length > longest) return null;
  const tokens = tokenize(source);
  if (tokens === null || tokens.length === 0) return null;
  const reader: Reader = { tokens, at: 0, depth: 0 };
  try {
    const expression = sum(reader);
    return reader.at === tokens.length ? expression : null;
  } catch (error) {
    if (error instanceof NotUnderstood) return null;
    throw error;
  }
}
