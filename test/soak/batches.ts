/** Owns one batch of each long proof, all its draws from its seed. Deliberately keeps no count over batches (run.ts). */
import { stream } from '../../src/core/measure/random.ts';
import { bundleProblem } from '../store/bundleStore.ts';
import { crashEverywhere, createSession } from '../store/crashRun.ts';
import { damages } from '../store/damage.ts';
import { judge, makeStores } from '../store/damageRun.ts';
import { countingEndpoint, endpointRecipe, pocketRecipe } from '../store/killRecipes.ts';
import { killTimes, type KilledRun, runThroughKills } from '../store/killRun.ts';
import { recordWorkload } from '../store/workload.ts';

export interface Tally {
  readonly figures: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
}

const BUNDLE_EVERY = 500;
const DAMAGED_A_BATCH = 2_500;
const KILLS_A_RUN = 10;

/** Shared, so that states are distinct over all batches. */
const session = createSession();
let noted = 0;

const PLAN = { telling: 16, sampled: 14, thoroughEvery: 40, doubleEvery: 400 };

export async function crashBatch(seed: number): Promise<Tally> {
  // What an earlier process went through does not count again.
  for (; noted < seed - 1; noted++) {
    const plan = { ...PLAN, seed: noted + 1, dry: true };
    await crashEverywhere(await recordWorkload(plan.seed, 3), plan, session);
  }
  noted = seed;
  const before = { ...session.counts };
  let byBundle = 0;
  const { counts } = session;
  await crashEverywhere(
    await recordWorkload(seed, 3),
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
  const problems = counts.problems.splice(0).map((problem) => `seed ${seed}: ${problem}`);
  return {
    figures: {
      states: counts.states - before.states,
      opened: counts.opened - before.opened,
      crashPoints: counts.crashPoints - before.crashPoints,
      doubleCrashes: counts.doubleCrashes - before.doubleCrashes,
      thorough: counts.thorough - before.thorough,
      falseAlarms: counts.falseAlarms - before.falseAlarms,
      byShippedBundle: byBundle,
    },
    problems,
  };
}

export async function damageBatch(seed: number): Promise<Tally> {
  const { stores, saved } = await makeStores(seed);
  const figures = { stores: 0, refused: 0, harmless: 0, named: 0 };
  const problems: string[] = [];
  for (const damaged of damages(stores, seed, DAMAGED_A_BATCH)) {
    const { verdict, problem } = await judge(damaged, saved, stores.now);
    figures.stores++;
    figures[verdict]++;
    if (problem !== null) problems.push(`seed ${seed}: ${problem}`);
  }
  return { figures, problems };
}

let unkilled: { readonly run: KilledRun; readonly ms: number } | null = null;

async function unkilledRun(): Promise<{ readonly run: KilledRun; readonly ms: number }> {
  if (unkilled === null) {
    const began = performance.now();
    const run = await runThroughKills({ recipe: pocketRecipe(), killAfter: () => null });
    unkilled = { run, ms: performance.now() - began };
  }
  return unkilled;
}

export async function killBatch(seed: number): Promise<Tally> {
  const { run, ms } = await unkilledRun();
  const { kills, acknowledged, problems, events } = await runThroughKills({
    recipe: pocketRecipe(),
    killAfter: killTimes(stream(seed, 'kill'), ms, KILLS_A_RUN),
  });
  const same = JSON.stringify(events) === JSON.stringify(run.events);
  return {
    figures: { kills, runs: 1, eventsSeenAsSaved: acknowledged },
    problems: [
      ...problems,
      ...(same || problems.length > 0 ? [] : ['the events are not those of the unkilled run']),
    ].map((problem) => `seed ${seed}: ${problem}`),
  };
}

export async function endpointBatch(seed: number): Promise<Tally> {
  const endpoint = await countingEndpoint(60);
  try {
    let unsettled = 0;
    const { kills, problems } = await runThroughKills({
      recipe: endpointRecipe,
      environment: endpoint.environment,
      killAfter: killTimes(stream(seed, 'kill'), 3_000, KILLS_A_RUN),
      onKilled: (settled) => {
        unsettled += new Set(endpoint.asked).size - settled;
      },
    });
    const again = endpoint.asked.length - new Set(endpoint.asked).size;
    const paidTwice =
      again > unsettled ? [`${again} calls were asked again, ${unsettled} were not settled`] : [];
    return {
      figures: {
        kills,
        runs: 1,
        calls: endpoint.asked.length,
        askedAgain: again,
        unsettledAtKills: unsettled,
      },
      problems: [...problems, ...paidTwice].map((problem) => `seed ${seed}: ${problem}`),
    };
  } finally {
    await endpoint.close();
  }
}
