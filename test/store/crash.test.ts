import { describe, expect, test } from 'vitest';
import { bundleProblem } from './bundleStore.ts';
import { crashEverywhere, createSession, type CrashPlan } from './crashRun.ts';
import { MUTANTS } from './mutants.ts';
import { record } from './recordings.ts';

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
  const NOTICED_WITHIN = 12_000;
  test.each(Object.entries(MUTANTS))('that %s', async (_name, { recording: number, around }) => {
    const recording = await record(number, around);
    const session = createSession();
    await crashEverywhere(
      recording,
      { ...PLAN, enough: ({ states, problems }) => states >= NOTICED_WITHIN || problems.length > 0 },
      session,
    );
    expect(session.counts.problems).toHaveLength(1);
  });
});
