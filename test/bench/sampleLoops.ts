/**
 * Owns the figures of the sample loops, through the product's own engine, store and Pocket: hint-free STaR on 5 run seeds
 * with its control, at the recipe's 5 rounds and once more at 6, and instruction search from 4 starting instructions.
 * Prints JSON and keeps it in results/sampleLoops.json; exits with 1 when a figure misses its goal.
 * Usage: node test/bench/sampleLoops.ts
 */
import { devCurve, readRecipe, runRecipe, testScores } from './workspace.ts';
import { writeResult } from './results.ts';

const STARTS = [
  ['you are a helpful assistant', 'compute the sum', 'answer now'],
  ['please', 'only the number', 'be careful'],
  ['solve', 'quick reply', 'thank you', 'do not explain'],
  ['here is a task', 'be brief'],
];

async function star(seed: number, rounds: number) {
  const text = readRecipe('hint-free-star').replace(/^rounds: \d+/m, `rounds: ${rounds}`);
  const run = await runRecipe(text, seed);
  const { wallSeconds, cpuSeconds, events } = run;
  return {
    seed,
    rounds,
    main: devCurve(events, 'main'),
    control: devCurve(events, 'control'),
    test: testScores(events),
    wallSeconds,
    cpuSeconds,
  };
}

async function search(start: readonly string[]) {
  const lines = start.map((phrase) => `  ${phrase}\n`).join('');
  const text = readRecipe('instruction-search').replace(
    /^instruction: \|-\n( {2}.*\n)+/m,
    `instruction: |-\n${lines}`,
  );
  const { events, wallSeconds, cpuSeconds } = await runRecipe(text, 1);
  const calls = events
    .flatMap(({ event }) => (event.kind === 'evaluationMade' ? [event.tasks] : []))
    .reduce((a, b) => a + b, 0);
  return {
    start: start.join(' / '),
    dev: devCurve(events, 'main'),
    test: testScores(events),
    evaluatedTasks: calls,
    wallSeconds,
    cpuSeconds,
  };
}

const stars = [];
for (const seed of [1, 2, 3, 4, 5]) stars.push(await star(seed, 5));
stars.push(await star(1, 6));
const searches = [];
for (const start of STARTS) searches.push(await search(start));

const goals = {
  'hint-free STaR: start under 0.10 on the sealed test': stars.every(({ test }) => (test?.start ?? 1) < 0.1),
  'hint-free STaR: kept candidate over 0.90 on the sealed test, every seed': stars.every(
    ({ test }) => (test?.final ?? 0) > 0.9,
  ),
  'hint-free STaR: last point of the curve over 0.90, every seed': stars.every(
    ({ main }) => (main.at(-1) ?? 0) > 0.9,
  ),
  'hint-free STaR: control under 0.15 at every round': stars.every(
    ({ control }) => Math.max(...control) < 0.15,
  ),
  'hint-free STaR: loop, control and evaluation under 30 s of one core': stars.every(
    ({ cpuSeconds }) => cpuSeconds < 30,
  ),
  'instruction search: sealed test up by at least 0.35 from every start': searches.every(
    ({ test }) => (test?.final ?? 0) - (test?.start ?? 1) >= 0.35,
  ),
};
writeResult('sampleLoops', { stars, searches, goals });
if (!Object.values(goals).every(Boolean)) process.exitCode = 1;
