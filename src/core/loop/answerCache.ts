/**
 * Owns finding answers that earlier runs of the workspace paid for (design: the ledger, cache): the same call, by its effect
 * key, of the same model at the same endpoint. At temperature 0 in any run; above it only in runs of the same seed, so that
 * independent seeds stay independent. Only whole answers are taken: no failure, no refusal, nothing that was cut.
 * Deliberately copies nothing and counts nothing: that is ledger.ts.
 */
import type { EffectRecord } from '../model/effect.ts';
import { asId, type EffectKey, type RunId } from '../model/ids.ts';
import type { LanguageModel, ModelAnswer, RunStore } from '../ports.ts';
import type { KeyedCall } from './askBatches.ts';

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
  return {
    async find({ name, endpoint }, calls) {
      if (endpoint === undefined || calls.length === 0) return [];
      const found = new Map<EffectKey, EffectRecord>();
      for (const { id, seed } of await sourcesOf(name, endpoint)) {
        const wanted = calls.filter(
          ({ key, request }) => !found.has(key) && (seed === of.seed || request.temperature === 0),
        );
        for (let start = 0; start < wanted.length; start += LOOKUP) {
          const keys = wanted.slice(start, start + LOOKUP).map(({ key }) => key);
          for (const [key, record] of await of.store.findEffects(id, keys))
            if (isWhole(record)) found.set(key, record);
        }
      }
      return [...found.values()];
    },
  };
}

function isWhole({ kind, result }: EffectRecord): boolean {
  if (kind !== 'model' && kind !== 'reused') return false;
  const answer = JSON.parse(result) as ModelAnswer;
  return answer.ok && answer.finish === 'stop';
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
