import { describe, expect, test } from 'vitest';
import { bundleProblem } from './bundleStore.ts';
import { crashEverywhere, createSession, type CrashPlan } from './crashRun.ts';
import { broken, MUTANTS } from './mutants.ts';
import { record } from './recordings.ts';
import type { Recording } from './workload.ts';

const STATES = 20_000;
const PLAN: CrashPlan = { seed: 1, telling: 10, sampled: 8, thoroughEvery: 40, doubleEvery: 600 };
/** A worker thread, real files and real syncs cost fifty times an opening in memory. */
const BUNDLE_EVERY = 200;

describe('a crash at any moment', () => {
  test('loses nothing that was promised, and nothing is half there', async () => {
    const session = createSession();
    const { counts } = session;
    let byBundle = 0;
    let seed = 0;
    while (counts.states < STATES && counts.problems.length === 0) {
      seed++;
      const recording = await record(seed);
      await crashEverywhere(
        recording,
        {
          ...PLAN,
          seed,
          onState: async (state, expected, number) => {
            if (number % BUNDLE_EVERY !== 0) return null;
            byBundle++;
            return bundleProblem(state, expected);
          },
        },
        session,
      );
    }
    console.log(
      `${counts.states} distinct crash states at ${counts.crashPoints} crash points of ${seed} recordings, ` +
        `${counts.doubleCrashes} of a second crash, ${counts.thorough} opened thoroughly, ${byBundle} by the shipped bundle, ${counts.falseAlarms} false alarms.`,
    );
    expect(counts.problems).toEqual([]);
    expect(counts.states).toBeGreaterThanOrEqual(STATES);
    expect(counts.doubleCrashes).toBeGreaterThan(500);
    expect(byBundle).toBeGreaterThan(50);
    // A crash is no damage: nothing is said to be missing, and nothing is kept aside.
    expect(counts.falseAlarms).toBe(0);
  });
});

describe('the model notices', () => {
  /** What a sync was to make durable is missed once something else relies on it. */
  const SOON = 12;
  const MOST = 12_000;
  const recordings = new Map<number, Promise<Recording>>();
  const recorded = (number: number): Promise<Recording> => {
    const known = recordings.get(number) ?? record(number);
    recordings.set(number, known);
    return known;
  };
  test.each(Object.entries(MUTANTS))('that %s', async (_name, mutant) => {
    const { recording, skipped } = broken(await recorded(mutant.recording), mutant);
    const near = new Set(skipped.flatMap((at) => Array.from({ length: SOON }, (_, after) => at + after)));
    const { problems, states } = await crashEverywhere(recording, {
      seed: 1,
      telling: Infinity,
      sampled: 10,
      thoroughEvery: Infinity,
      doubleEvery: Infinity,
      at: (operations) => near.has(operations),
      enough: (so) => so.states >= MOST || so.problems.length > 0,
    });
    console.log(`${states} states until: ${problems[0] ?? 'nothing'}`);
    expect(problems).toHaveLength(1);
  });
});
