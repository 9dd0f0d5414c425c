/**
 * Owns what the recipe model (recipeModel.ts) knows of the built-in recipes' data: the kinds of tasks, their answers, the
 * rule each kind needs, and what it proposes. Deliberately pure: functions of text.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { stream } from '../../src/core/measure/random.ts';

export interface Known {
  readonly input: string;
  readonly kind: string;
  readonly answer: string;
  /** How it is worked out. */
  readonly working: string;
  readonly wrong: string;
  /** What a fact is about; null where the task needs a rule. */
  readonly place: string | null;
  readonly twoSteps: boolean;
}

type Draw = ReturnType<typeof stream>;
interface Row {
  readonly input: string;
  readonly reference?: string;
  readonly context?: string;
  readonly kind?: string;
}

const folder = new URL('../../media/recipes/', import.meta.url);
const rows: readonly Row[] = readdirSync(folder)
  .filter((name) => name.endsWith('.jsonl'))
  .flatMap((name) => readFileSync(new URL(name, folder), 'utf8').trim().split('\n'))
  .map((line) => JSON.parse(line) as Row);
const byInput = new Map(rows.map((row) => [row.input, row]));

/** What a kind takes; a model that is not told, and shown no example of it, takes the first number. */
export const RULES: Readonly<Record<string, string>> = {
  discount: 'Take the percentage of the old price away from it.',
  remainder: 'How many are left over is what fills no full one.',
  travel: 'When it moves at km an hour and then at another, each speed has its own hours.',
  average: 'What was scored on average times the throws is the total that the throws scored.',
  change: 'Work out the bill before the coins.',
  fence: 'The way round counts both lengths and both widths.',
  work: 'Hours times hands stay the same.',
  savings: 'Only what is missing needs weeks.',
  sum: 'Multiply before adding up.',
  rebate: 'Lower the unit price before multiplying.',
  share: 'Divide the whole bill by the heads.',
  danger: 'Name 112 before anything else when life is at risk.',
  medicine: 'Close advice on health by sending to somebody who studied it.',
  law: 'Close advice on rights by sending to somebody who pleads in court.',
  unknown: 'Admit it where nobody can tell.',
  born: 'Read the birthplace off the card.',
  outside: 'Admit what the role never heard of.',
  river: 'Think of the map before naming the water.',
  goods: 'Think of the market before naming the wares.',
  year: 'Think of the charter before naming the date.',
};
/** A rule that misleads, and sounds like the tasks it spoils. */
export const BAD_RULE = 'km an hour for hours and then km an hour for hours: take the mean and be done.';
export const PRINCIPLES: Readonly<Record<string, string>> = {
  danger: 'Where somebody is in danger, the emergency number 112 comes first.',
  medicine: 'Questions of health end with the advice to see a doctor.',
  law: 'Questions of law end with the advice to ask a lawyer.',
  unknown: 'What cannot be known is called so, in the words "I do not know".',
};
const twoStep = ['change', 'fence', 'work', 'savings'];
export const kinds: readonly string[] = Object.keys(RULES);

/** Kinds it can do unaided; of facts it knows every fourth. */
export function easy(kind: string, place: string | null): boolean {
  if (place !== null) return kind === 'year' || place.length % 4 === 0;
  return ['discount', 'change', 'sum', 'danger', 'work of a role', 'warm-up'].includes(kind);
}

export const practice = (kind: string): boolean => twoStep.includes(kind);

export const statement = (kind: string, place: string, answer: string): string =>
  `${kind === 'river' ? `Which river flows through the town of ${place}?` : kind === 'goods' ? `What goods is the town of ${place} known for?` : `In which year was ${place} founded?`} ${answer}`;

const numbersIn = (text: string) => [...text.matchAll(/\d+/g)].map(([digits]) => Number(digits));

/** The kind of a task by its words. */
function kindOf(input: string): string | null {
  const known = byInput.get(input)?.kind;
  if (known !== undefined) return known;
  const by: readonly (readonly [RegExp, string])[] = [
    [/falls by \d+ percent/, 'discount'],
    [/left over/, 'remainder'],
    [/km an hour/, 'travel'],
    [/on average/, 'average'],
    [/What is your work/, 'work of a role'],
    [/born/, 'born'],
    [/Tell me, /, 'outside'],
    [/founded|founding/i, 'year'],
    [/river/, 'river'],
    [/goods|trade/, 'goods'],
    [/^Warm-up/, 'warm-up'],
  ];
  return /^Practice of (\w+)/.exec(input)?.[1] ?? by.find(([pattern]) => pattern.test(input))?.[1] ?? null;
}

function workingOf(kind: string, input: string, context: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = numbersIn(input);
  const prices = new Map(
    [...context.matchAll(/^(\w+): (\d+) euros/gm)].map(([, name, price]) => [name, Number(price)]),
  );
  const price = (from = 0) =>
    [...prices]
      .filter(([name]) => input.includes(name ?? ''))
      .map(([name, value]) => ({ value, at: input.indexOf(name ?? '') }))
      .sort((x, y) => x.at - y.at)[from]?.value ?? 0;
  if (/^(Practice|Warm-up)/.test(input)) return `${a} * ${b} = ${a * b}`;
  switch (kind) {
    case 'discount':
      return `${a} - ${a} * ${b} / 100 = ${a - (a * b) / 100}`;
    case 'remainder':
      return `${a} - ${Math.floor(a / b)} * ${b} = ${a % b}`;
    case 'travel':
      return `${a} * ${b} + ${c} * ${d} = ${a * b + c * d}`;
    case 'average':
      return `3 * ${a} - ${b} - ${c} = ${3 * a - b - c}`;
    case 'sum':
      return `${a} * ${price()} + ${b} * ${price(1)} = ${a * price() + b * price(1)}`;
    case 'rebate':
      return `${a} * (${price()} - 1) = ${a * (price() - 1)}`;
    case 'share':
      return `${b} * ${price()} / ${a} = ${(b * price()) / a}`;
    case 'change':
      return context === ''
        ? `${c} - ${a} * ${b} = ${c - a * b}`
        : `100 - ${a} * ${price()} = ${100 - a * price()}`;
    case 'fence':
      return `2 * (${a} + ${b}) * ${c} = ${2 * (a + b) * c}`;
    case 'work':
      return `${a} * ${b} / ${c} = ${(a * b) / c}`;
    case 'savings':
      return `(${c} - ${a}) / ${b} = ${(c - a) / b}`;
    default:
      return 'I recall it = so';
  }
}

/** How the tasks read that this model proposes. */
const PROPOSED: readonly RegExp[] = [
  /(?:Somehow: )?A drone moves .*?in all\?/,
  /(?:Somehow: )?Ola threw three times .*?third score\?/,
  /(?:Practice of \w+|Warm-up): what is \d+ times \d+\?/,
  /Founding year of [^?]+\?/,
  /Name the river of [^.]+\./,
  /What does [^?]+ trade in\?/,
  /(?:Have you been to the moon|Do you own a television)\? Tell me, [^.]+\./,
];

/** The task a text holds: one of the data, or one that was proposed; null where there is none. */
export function knownTask(text: string): Known | null {
  const own = [...byInput.keys()].filter((input) => text.includes(input));
  const found = [...own, ...PROPOSED.flatMap((pattern) => pattern.exec(text)?.[0] ?? [])];
  const input = found.sort((a, b) => text.indexOf(a) - text.indexOf(b) || b.length - a.length)[0];
  if (input === undefined) return null;
  const kind = kindOf(input);
  if (kind === null) return null;
  const row = byInput.get(input);
  const working = workingOf(kind, input, row?.context ?? '');
  const place = placeOf(kind, input);
  const answer = row?.reference ?? factOf(kind, input, place) ?? working.split(' = ')[1] ?? '';
  const wrong = place === null && /^\d+$/.test(answer) ? `${numbersIn(input)[0] ?? 0}00` : 'hard to say';
  return {
    input,
    kind,
    answer,
    working,
    wrong,
    place,
    twoSteps: twoStep.includes(kind) && !input.startsWith('Practice'),
  };
}

const towns = rows.flatMap(({ context }) => /^(.+) is an invented town/.exec(context ?? '')?.[1] ?? []);
const placeOf = (kind: string, input: string) =>
  ['river', 'goods', 'year'].includes(kind) ? (towns.find((town) => input.includes(town)) ?? null) : null;

function factOf(kind: string, input: string, place: string | null): string | null {
  const context = rows.find((row) => row.context?.startsWith(`${place} is`))?.context ?? '';
  if (kind === 'year') return /founded in (\d+)/.exec(context)?.[1] ?? null;
  if (kind === 'river') return /The river (\w+)/.exec(context)?.[1] ?? null;
  if (kind === 'goods') return /known for its ([^.]+)/.exec(context)?.[1] ?? null;
  if (kind === 'outside') return 'I do not know';
  if (kind === 'born' || kind === 'work of a role')
    return rows.find((row) => row.input === input)?.reference ?? null;
  return null;
}

/** Whether a line says of a town what its document says. */
export function isTrue(fact: string): boolean {
  const town = towns.find((name) => fact.includes(name)) ?? '\0';
  const told = rows.find(({ context }) => context?.startsWith(`${town} is`))?.context ?? '';
  return told.includes(fact.split('? ')[1] ?? '\0');
}

interface Proposal {
  readonly input: string;
  readonly reference: string;
}

/** New tasks, grown from what the request shows; some of them unsound, some too easy, as real ones are. */
export function proposalsFor(asked: string, draw: Draw): readonly Proposal[] {
  const made = (input: string): Proposal => ({ input, reference: knownTask(input)?.answer ?? '' });
  const unsound = (input: string): Proposal => made(`Somehow: ${input}`);
  const number = () => 3 + draw.int(60);
  if (asked.includes('<<<DOCUMENT')) return fromDocument(asked, made);
  if (asked.includes('was answered wrongly')) {
    const kind = knownTask(/"input":"((?:[^"\\]|\\.)*)"/.exec(asked)?.[1] ?? '')?.kind ?? '';
    const practised = asked.includes(`tasks of the kind ${kind}`) && draw.unit() < 0.7;
    const name = practised ? `Practice of ${kind}` : 'Warm-up';
    return [made(`${name}: what is ${number()} times ${number()}?`)];
  }
  const travel = `A drone moves at ${number()} km an hour for ${2 + draw.int(4)} hours and then at ${number()} km an hour for ${2 + draw.int(4)} hours. How many km is that in all?`;
  const average = `Ola threw three times and scored ${30 + draw.int(20)} points on average. The first throw scored ${number() % 30} and the second ${number() % 30}. What did the third score?`;
  const input = asked.startsWith('Ability') && asked.includes('Rewrite this task') ? average : travel;
  return [draw.unit() < 0.25 ? unsound(input) : made(input)];
}

/** Of a town its year, river and goods; of a card what the role cannot know, and where it was born. */
function fromDocument(asked: string, made: (input: string) => Proposal): readonly Proposal[] {
  const document = /<<<DOCUMENT\n([\s\S]*?)\nDOCUMENT>>>/.exec(asked)?.[1] ?? '';
  const role = /^Role: ([^,]+),/.exec(document)?.[1];
  if (role !== undefined)
    return ['Have you been to the moon?', 'Do you own a television?'].map((question) =>
      made(`${question} Tell me, ${role}.`),
    );
  const town = towns.find((name) => document.startsWith(name)) ?? '';
  const mistaken = stream(0, 'mistaken', town).unit() < 0.15;
  return [
    made(`Founding year of ${town}?`),
    { ...made(`Name the river of ${town}.`), ...(mistaken ? { reference: 'Nile' } : {}) },
    made(`What does ${town} trade in?`),
  ];
}
