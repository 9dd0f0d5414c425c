/** Owns one batch of each long proof, all its draws from its seed. Deliberately keeps nothing over batches (run.ts). */
import { stream } from '../../src/core/measure/random.ts';
import { bundleProblem } from '../store/bundleStore.ts';
import { crashEverywhere, createSession } from '../store/crashRun.ts';
import { damages } from '../store/damage.ts';
import { judge, makeStores } from '../store/damageRun.ts';
import { pocketRecipe } from '../store/killRecipes.ts';
import { killMoments, runThroughKills } from '../store/killRun.ts';
import { paidKills } from '../store/paidKills.ts';
import { record } from '../store/recordings.ts';

export interface Tally {
  readonly figures: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
  /** What was met, where the same counts once however many batches meet it. */
  readonly keys?: readonly string[];
}

const WORKER_EVERY = 500;
/** More than there are systematic ways; the rest is random. */
const DAMAGED_A_BATCH = 2_500;
const KILLS_A_RUN = 25;
const ROUNDS_OF_A_KILLED_RUN = 8;
const CALLS_OF_A_KILLED_RUN = 1_700;

const PLAN = { telling: 12, sampled: 10, thoroughEvery: 40, doubleEvery: 400 };

/** So much of a state's hash tells it from all others. */
export const KEY_LENGTH = 16;

async function crashBatch(seed: number): Promise<Tally> {
  const session = createSession();
  let byWorker = 0;
  const counts = await crashEverywhere(
    await record(seed),
    {
      ...PLAN,
      seed,
      onState: async (state, expected, number) => {
        if (number % WORKER_EVERY !== 0) return null;
        byWorker++;
        return bundleProblem(state, expected);
      },
    },
    session,
  );
  const { opened, crashPoints, doubleCrashes, thorough, falseAlarms, problems } = counts;
  return {
    figures: { opened, crashPoints, doubleCrashes, thorough, falseAlarms, onRealFilesByTheWorker: byWorker },
    problems,
    keys: [...session.contents].map((key) => key.slice(0, KEY_LENGTH)),
  };
}

async function damageBatch(seed: number): Promise<Tally> {
  const { stores, saved } = await makeStores(seed);
  const figures = { stores: 0, refused: 0, harmless: 0, named: 0 };
  const problems: string[] = [];
  for (const damaged of damages(stores, seed, DAMAGED_A_BATCH)) {
    const { verdict, problem } = await judge(damaged, saved, stores.now);
    figures.stores++;
    figures[verdict]++;
    if (problem !== null) problems.push(problem);
  }
  return { figures, problems };
}

async function pocketBatch(seed: number): Promise<Tally> {
  const recipe = pocketRecipe(ROUNDS_OF_A_KILLED_RUN);
  const whole = await runThroughKills({ recipe, nextKill: () => null });
  const random = stream(seed, 'kill');
  const nextKill = killMoments(random, whole.events.length, KILLS_A_RUN);
  const killed = await runThroughKills({ recipe, nextKill });
  const { kills, acknowledged, problems, events } = killed;
  const same = JSON.stringify(events) === JSON.stringify(whole.events);
  const differs = same || problems.length > 0 ? [] : ['the events are not those of the unkilled run'];
  return {
    figures: { kills, runs: 1, eventsSeenAsSaved: acknowledged },
    problems: [...whole.problems, ...problems, ...differs],
  };
}

async function endpointBatch(seed: number): Promise<Tally> {
  const plan = { rounds: ROUNDS_OF_A_KILLED_RUN, calls: CALLS_OF_A_KILLED_RUN, kills: KILLS_A_RUN };
  const { problems, ...figures } = await paidKills(stream(seed, 'kill'), plan);
  return { figures: { runs: 1, ...figures }, problems };
}

export const BATCHES: Readonly<Record<string, (seed: number) => Promise<Tally>>> = {
  'crash states': crashBatch,
  'damaged stores': damageBatch,
  'kills on Pocket': pocketBatch,
  'kills on an endpoint': endpointBatch,
};
