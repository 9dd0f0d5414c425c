/**
 * Owns two runs side by side: cost, outcome and score by round. Pure; the same for the command line and the editor.
 * Deliberately claims no winner: the suites of two recipes may differ, and two runs are one draw each.
 */
import type { RunCaps, RunCost } from '../core/model/cost.ts';
import type { RunDetail, RunSummary } from '../core/model/views.ts';
import { count, duration, percent, points, statusWord } from './wording.ts';

export interface ComparisonRow {
  readonly name: string;
  readonly one: string;
  readonly other: string;
  /** Other less one, where both are numbers that can be taken from each other; else ''. */
  readonly difference: string;
}

export interface Comparison {
  readonly rows: readonly ComparisonRow[];
  /** What must be said before the rows are believed; one sentence each. */
  readonly notes: readonly string[];
}

const unknown = 'unknown';

/** US dollars to the cent from a dollar up, to four places below: "$0.0312". */
export function dollars(usd: number): string {
  return usd === 0 || usd >= 1 ? `$${usd.toFixed(2)}` : `$${usd.toFixed(usd < 0.001 ? 6 : 4)}`;
}

/** What a run has used so far, in a few words: "412 calls · 98 123 tokens · $0.0312". An unknown price is said, never 0. */
export function costWords(cost: RunCost, caps: RunCaps | undefined = {}): string {
  const of = (cap: number | undefined) => (cap === undefined ? '' : ` of ${count(cap)}`);
  const atMost = cost.worstCaseCalls > 0 ? 'at most ' : '';
  const money =
    cost.usd === null
      ? 'cost unknown'
      : `${atMost}${dollars(cost.usd)}${caps.usd === undefined ? '' : ` of ${dollars(caps.usd)}`}`;
  const { cached = 0 } = cost;
  const reused = [
    ...(cost.reused === 0 ? [] : [`${count(cost.reused)} reused`]),
    ...(cached === 0 ? [] : [`${count(cached)} from cache`]),
  ];
  return [
    `${count(cost.calls)}${of(caps.calls)} calls`,
    `${atMost}${count(Math.round(cost.inputTokens + cost.outputTokens))}${of(caps.tokens)} tokens`,
    money,
    ...reused,
  ].join(' \u00b7 ');
}

export function compareRuns(one: RunDetail, other: RunDetail): Comparison {
  const row = (
    name: string,
    value: (run: RunSummary) => number | null,
    say: (value: number) => string,
    sayDifference: (value: number) => string = (value) => `${value > 0 ? '+' : ''}${say(value)}`,
  ): ComparisonRow => {
    const [a, b] = [value(one.run), value(other.run)];
    return {
      name,
      one: a === null ? unknown : say(a),
      other: b === null ? unknown : say(b),
      difference: a === null || b === null ? '' : sayDifference(b - a),
    };
  };
  const said = (name: string, value: (run: RunSummary) => string): ComparisonRow => ({
    name,
    one: value(one.run),
    other: value(other.run),
    difference: '',
  });
  const signed = (say: (value: number) => string) => (value: number) =>
    `${value > 0 ? '+' : value < 0 ? '\u2212' : ''}${say(Math.abs(value))}`;
  const rounds = Math.max(one.run.round, other.run.round);
  return {
    rows: [
      said('Recipe', ({ recipeName }) => recipeName),
      said('Seed', ({ seed }) => String(seed)),
      said('Outcome', ({ status }) => statusWord(status)),
      row('Sealed test', ({ testScore }) => testScore, percent, points),
      row('Score now', ({ score }) => score, percent, points),
      ...Array.from({ length: rounds + 1 }, (_, round) =>
        row(
          round === 0 ? 'Start' : `Round ${round}`,
          (run) => scoreAt(run === one.run ? one : other, round),
          percent,
          points,
        ),
      ),
      row('Calls', ({ cost }) => cost?.calls ?? null, count, signed(count)),
      row('Tokens read', ({ cost }) => cost?.inputTokens ?? null, count, signed(count)),
      row('Tokens written', ({ cost }) => cost?.outputTokens ?? null, count, signed(count)),
      row('US dollars', ({ cost }) => cost?.usd ?? null, dollars, signed(dollars)),
      row('Answers from cache', ({ cost }) => cost?.cached ?? null, count, signed(count)),
      row('Answers reused', ({ cost }) => cost?.reused ?? null, count, signed(count)),
      row('Working time', ({ cost }) => cost?.ms ?? null, duration, signed(duration)),
    ],
    notes: notesOn(one, other),
  };
}

function scoreAt({ rounds }: RunDetail, round: number): number | null {
  return rounds.find((item) => item.arm === 'main' && item.round === round)?.score ?? null;
}

function notesOn(one: RunDetail, other: RunDetail): readonly string[] {
  const notes: string[] = [];
  if (one.recipeText !== other.recipeText)
    notes.push('Their recipes differ, and so may what they were scored on.');
  if (one.run.seed === other.run.seed && one.recipeText === other.recipeText)
    notes.push('The same recipe and seed: what differs is what the model answered.');
  const unsure = [one, other].filter(({ run }) => (run.cost?.worstCaseCalls ?? 0) > 0);
  if (unsure.length > 0)
    notes.push('Calls whose answer or usage never came are counted at their worst case.');
  if (other.run.origin?.runId === one.run.id || one.run.origin?.runId === other.run.id)
    notes.push('One is a branch of the other: the rounds they share were paid for once.');
  return notes;
}
