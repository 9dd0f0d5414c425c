/**
 * Owns what the ledger remembers of a provider's batches: how a step's calls were cut, and for each attempt at a piece
 * that it was about to be submitted, as which batch it was, that it is over, or that it was cut instead. Each note is
 * durable when its method resolves, and is never changed. Deliberately decides nothing (askBatches.ts).
 */
import { hashOf } from '../measure/hash.ts';
import { asId, type ContentHash, type EffectKey, type RunId } from '../model/ids.ts';
import type { EffectPlace } from './ledger.ts';
import type { RunServices } from './services.ts';

/** What is noted of one attempt. */
export interface Attempt {
  /** A batch was about to be made, and may have been. */
  readonly intended: boolean;
  /** The provider's id of it. */
  readonly batch: string | null;
  /** How many calls it holds. */
  readonly count: number;
  /** It has ended, and what it brought is settled. */
  readonly over: boolean;
  /** Not asked as one: cut before the call with this index. */
  readonly cut: number | null;
}

export interface BatchNotes {
  /** Sizes of the pieces, in order; null before they were noted. */
  plan(digest: ContentHash): Promise<readonly number[] | null>;
  setPlan(digest: ContentHash, sizes: readonly number[]): Promise<void>;
  read(digest: ContentHash, attempt: number): Promise<Attempt>;
  setIntended(digest: ContentHash, attempt: number): Promise<void>;
  setBatch(digest: ContentHash, attempt: number, batch: string, count: number): Promise<void>;
  setOver(digest: ContentHash, attempt: number, reason: string): Promise<void>;
  setCut(digest: ContentHash, attempt: number, at: number): Promise<void>;
}

type What = 'plan' | 'intended' | 'submitted' | 'over' | 'cut';

export function batchNotes(services: RunServices, runId: RunId, place: EffectPlace): BatchNotes {
  const { store } = services;
  const keyOf = (digest: ContentHash, attempt: number, what: What): EffectKey =>
    asId<EffectKey>(hashOf(['batch', place.step, place.round, digest, attempt, what]));
  const note = async (
    digest: ContentHash,
    attempt: number,
    what: What,
    value: Readonly<Record<string, unknown>>,
  ): Promise<void> => {
    const key = keyOf(digest, attempt, what);
    const result = JSON.stringify({ what, ...value });
    const usage = { input: null, output: null };
    await store.settleEffects(runId, [{ key, kind: 'batch', at: place.at, result, usage, ms: 0 }]);
  };
  const find = async (digest: ContentHash, attempt: number, whats: readonly What[]) => {
    const keys = whats.map((what) => keyOf(digest, attempt, what));
    const found = await store.findEffects(runId, keys);
    return keys.map((key) => {
      const record = found.get(key);
      return record === undefined ? null : (JSON.parse(record.result) as Readonly<Record<string, unknown>>);
    });
  };
  return {
    async plan(digest) {
      const [plan] = await find(digest, 0, ['plan']);
      return (plan?.['sizes'] ?? null) as readonly number[] | null;
    },
    setPlan: (digest, sizes) => note(digest, 0, 'plan', { sizes }),
    async read(digest, attempt) {
      const [intended, submitted, over, cut] = await find(digest, attempt, [
        'intended',
        'submitted',
        'over',
        'cut',
      ]);
      return {
        intended: intended !== null,
        batch: (submitted?.['batch'] ?? null) as string | null,
        count: (submitted?.['count'] ?? 0) as number,
        over: over !== null,
        cut: (cut?.['at'] ?? null) as number | null,
      };
    },
    setIntended: (digest, attempt) => note(digest, attempt, 'intended', {}),
    setBatch: (digest, attempt, batch, count) => note(digest, attempt, 'submitted', { batch, count }),
    setOver: (digest, attempt, reason) => note(digest, attempt, 'over', { reason }),
    setCut: (digest, attempt, at) => note(digest, attempt, 'cut', { at }),
  };
}
