/**
 * Owns the figures of the built-in recipes' Pocket forms, through the product's own engine, store and Pocket, on 3 run seeds;
 * beside them what comes of a retry with the answer as its hint, which Pocket was never shown, and of no retry at all.
 * Prints JSON and keeps it in results/pocketRecipes.json; exits with 1 when a form is not better on every seed.
 * Usage: node test/bench/pocketRecipes.ts [--only NAME] [--seeds 1,2,3]
 */
import { parseArgs } from 'node:util';
import { devCurve, readRecipe, runRecipe, testScores, type BenchRun } from './workspace.ts';
import { writeResult } from './results.ts';

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, seeds: { type: 'string', default: '1,2,3' } },
});

const retry = readRecipe('hint-and-retry-pocket');
/** The second solve and what it is called, as lines of the recipe. */
const secondSolve = /^ {2}- solve: .*only: failures.*\n {4}as: retry\n/m;

/** What is run, by name; those with `control` are not meant to help. */
const forms: Readonly<Record<string, { readonly text: string; readonly control?: true }>> = {
  'vote-and-train': { text: readRecipe('vote-and-train') },
  'hint-and-retry-pocket': { text: retry },
  'contrast-pairs-pocket': { text: readRecipe('contrast-pairs-pocket') },
  'frontier-pocket': { text: readRecipe('frontier-pocket') },
  'hint-and-retry-pocket, the answer as hint': {
    text: retry.replace(
      secondSolve,
      '  - revise: { over: solutions, mode: hint, only: failures, temperature: 1, maxTokens: 80 }\n    as: retry\n',
    ),
    control: true,
  },
  'hint-and-retry-pocket, no retry': { text: retry.replace(secondSolve, ''), control: true },
};

interface Measured extends Pick<BenchRun, 'outcome' | 'wallSeconds' | 'cpuSeconds'> {
  readonly name: string;
  readonly control: boolean;
  readonly seed: number;
  readonly test: ReturnType<typeof testScores>;
  /** Score on dev by round, from the start. */
  readonly dev: readonly number[];
  /** Candidates the gate took. */
  readonly kept: number;
  /** Examples trained on, by round. */
  readonly packed: readonly number[];
}

const runs: Measured[] = [];
for (const [name, { text, control }] of Object.entries(forms)) {
  if (!name.startsWith(values.only)) continue;
  for (const seed of values.seeds.split(',').map(Number)) {
    const { events, outcome, wallSeconds, cpuSeconds } = await runRecipe(text, seed);
    const kept = events.filter(({ event }) => event.kind === 'candidateAccepted').length;
    const packed = events.flatMap(({ event }) => (event.kind === 'datasetPacked' ? [event.examples] : []));
    const run: Measured = {
      name,
      control: control === true,
      seed,
      test: testScores(events),
      dev: devCurve(events, 'main'),
      kept,
      packed,
      outcome,
      wallSeconds,
      cpuSeconds,
    };
    process.stderr.write(`${JSON.stringify(run)}\n`);
    runs.push(run);
  }
}

const gainOf = ({ test }: Measured) => (test?.final ?? 0) - (test?.start ?? 1);
const goals = Object.fromEntries(
  Object.entries(forms)
    .filter(([, { control }]) => control !== true)
    .map(([name]) => [
      `${name}: sealed test up by at least 0.5, every seed`,
      runs.filter((run) => run.name === name).every((run) => gainOf(run) >= 0.5),
    ]),
);
if (values.only === '' && values.seeds === '1,2,3') writeResult('pocketRecipes', { runs, goals });
if (!Object.values(goals).every(Boolean)) process.exitCode = 1;
