/**
 * Owns finding answers that earlier runs of the workspace paid for (design: the ledger, cache), of the same model at the same
 * endpoint. At temperature 0 by the request alone (effectKeys.ts), in any run and wherever in it; above it by the whole key of
 * the effect, only in runs of the same seed, so that independent seeds stay independent. Only whole answers are taken: no
 * failure, no refusal, nothing that was cut.
 * Deliberately copies nothing and counts nothing: that is ledger.ts.
 */
import type { EffectRecord } from '../model/effect.ts';
import type { Position } from '../model/event.ts';
import { asId, type EffectKey, type RunId } from '../model/ids.ts';
import type { LanguageModel, ModelAnswer, RunStore } from '../ports.ts';
import type { KeyedCall } from './askBatches.ts';
import { requestKey } from './effectKeys.ts';

/** Another run of the workspace. */
export interface EarlierRun {
  readonly id: RunId;
  readonly seed: number;
}

export interface AnswerCache {
  /** Records of earlier runs, under the keys of these calls. Nothing for a model that does not say where it answers. */
  find(model: LanguageModel, calls: readonly KeyedCall[]): Promise<readonly EffectRecord[]>;
}

export interface CacheOf {
  readonly id: RunId;
  readonly seed: number;
  readonly store: Pick<RunStore, 'findEffects' | 'settleEffects'>;
  /** Newest first. */
  readonly earlierRuns: () => Promise<readonly EarlierRun[]>;
}

/** Runs of one model that are looked through at most, newest first. */
const MOST_RUNS = 8;
const LOOKUP = 500;
const at = { arm: 'main', round: 0, step: '' } as const;

/** Where a model of the run answers; a second row says that it was another place in a later session. */
const endpointKey = (model: string) => asId<EffectKey>(`endpoint/${model}`);
const movedKey = (model: string) => asId<EffectKey>(`endpoint/${model}/moved`);

export function createAnswerCache(of: CacheOf): AnswerCache {
  const sources = new Map<string, Promise<readonly EarlierRun[]>>();
  const sourcesOf = (model: string, endpoint: string): Promise<readonly EarlierRun[]> => {
    const name = JSON.stringify([model, endpoint]);
    const known = sources.get(name) ?? noteAndList(of, model, endpoint);
    sources.set(name, known);
    return known;
  };
  /** Rows of a run, by what they are wanted as. */
  const rowsOf = async (
    run: RunId,
    wanted: ReadonlyMap<EffectKey, EffectKey>,
  ): Promise<readonly (readonly [EffectKey, EffectRecord])[]> => {
    const rows: (readonly [EffectKey, EffectRecord])[] = [];
    const all = [...wanted];
    for (let start = 0; start < all.length; start += LOOKUP) {
      const some = all.slice(start, start + LOOKUP);
      const records = await of.store.findEffects(run, [...new Set(some.map(([, there]) => there))]);
      for (const [key, there] of some) {
        const record = records.get(there);
        if (record !== undefined) rows.push([key, record]);
      }
    }
    return rows;
  };
  /** Where a run made these calls, by the keys of their requests. */
  const placesIn = async (run: RunId, asked: ReadonlyMap<EffectKey, EffectKey>) =>
    new Map((await rowsOf(run, asked)).map(([key, { result }]) => [key, JSON.parse(result) as EffectKey]));
  const take = async (
    run: RunId,
    wanted: ReadonlyMap<EffectKey, EffectKey>,
    found: Map<EffectKey, EffectRecord>,
  ): Promise<void> => {
    for (const [key, record] of await rowsOf(run, wanted))
      if (isWhole(record)) found.set(key, { ...record, key });
  };
  return {
    async find({ name, endpoint }, calls) {
      if (endpoint === undefined || calls.length === 0) return [];
      const found = new Map<EffectKey, EffectRecord>();
      for (const { id, seed } of await sourcesOf(name, endpoint)) {
        const open = calls.filter(({ key }) => !found.has(key));
        const wanted = seed === of.seed ? open : open.filter(({ request }) => request.temperature === 0);
        await take(id, new Map(wanted.map(({ key }) => [key, key])), found);
        const rest = wanted.filter(({ key, attempt }) => attempt === 0 && !found.has(key));
        const same = rest.flatMap(({ key, request }) => {
          const asked = requestKey(request, name, endpoint);
          return asked === null ? [] : [[key, asked] as const];
        });
        await take(id, await placesIn(id, new Map(same)), found);
      }
      return [...found.values()];
    },
  };
}

const usable = (answer: ModelAnswer): boolean => answer.ok && answer.finish === 'stop';

function isWhole({ kind, result }: EffectRecord): boolean {
  return (kind === 'model' || kind === 'reused') && usable(JSON.parse(result) as ModelAnswer);
}

/** The row by which later runs find this answer by its request; null for one that they may not take. */
export function placeOf(
  { name, endpoint }: LanguageModel,
  { key, request, attempt }: Pick<KeyedCall, 'key' | 'request' | 'attempt'>,
  answer: ModelAnswer,
  place: Position,
): EffectRecord | null {
  // What an operator could not use and asked for once more is nobody else's answer.
  if (endpoint === undefined || attempt > 0 || !usable(answer)) return null;
  const same = requestKey(request, name, endpoint);
  if (same === null) return null;
  const usage = { input: null, output: null };
  return { key: same, kind: 'session', at: place, result: JSON.stringify(key), usage, ms: 0 };
}

async function noteAndList(
  { id, store, earlierRuns }: CacheOf,
  model: string,
  endpoint: string,
): Promise<readonly EarlierRun[]> {
  const rows = (run: RunId) => store.findEffects(run, [endpointKey(model), movedKey(model)]);
  const own = (await rows(id)).get(endpointKey(model));
  if (own === undefined) await store.settleEffects(id, [noteOf(endpointKey(model), endpoint)]);
  else if (own.result !== JSON.stringify(endpoint))
    await store.settleEffects(id, [noteOf(movedKey(model), endpoint)]);
  const sources: EarlierRun[] = [];
  for (const run of await earlierRuns()) {
    if (sources.length === MOST_RUNS) break;
    if (run.id === id) continue;
    const noted = await rows(run.id);
    const said = noted.get(endpointKey(model))?.result;
    if (said === JSON.stringify(endpoint) && !noted.has(movedKey(model))) sources.push(run);
  }
  return sources;
}

function noteOf(key: EffectKey, endpoint: string): EffectRecord {
  const usage = { input: null, output: null };
  return { key, kind: 'session', at, result: JSON.stringify(endpoint), usage, ms: 0 };
}
