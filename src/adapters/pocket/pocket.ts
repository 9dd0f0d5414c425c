/**
 * Owns putting Pocket together: its files, its threads, and the two ports it meets. Deliberately starts nothing until
 * the first job, and keeps nothing of a workspace: each one's blobs are handed in.
 */
import type { Blobs, LanguageModel, Trainer } from '../../core/ports.ts';
import { baseHash, baseWeights, kernelBytes } from './baseModel.ts';
import type { WorkerStart } from './jobs.ts';
import { pocketModel } from './pocketModel.ts';
import { pocketTrainer } from './pocketTrainer.ts';
import { openPool } from './pool.ts';
import { weightSource } from './weightSource.ts';
import type { WeightSource } from './weightSource.ts';

export interface PocketOptions {
  /** The worker's entry: worker.ts, or the bundle made of it. */
  readonly worker: URL;
  /** media/pocket. */
  readonly folder: string;
  /** Threads at most, each on a core of its own; 1 unless told. */
  readonly workers?: number;
}

export interface Pocket {
  /** The two ports over one workspace's blobs; both share the threads. */
  readonly over: (blobs: Blobs) => { readonly model: LanguageModel; readonly trainer: Trainer };
  /** Ends the threads; a job in flight fails with ProviderError. */
  readonly close: () => Promise<void>;
}

/** Throws ProviderError when the folder holds no Pocket. */
export function openPocket({ worker, folder, workers = 1 }: PocketOptions): Pocket {
  const hash = baseHash(folder);
  const base = { hash, load: () => baseWeights(folder, hash) };
  let start: Promise<WorkerStart> | null = null;
  const pool = openPool(worker, workers, () => {
    start ??= kernelBytes(folder).then((kernels) => ({ kernels }));
    start.catch(() => {
      start = null;
    });
    return start;
  });
  const sources = new WeakMap<Blobs, WeightSource>();
  return {
    over: (blobs) => {
      const source = sources.get(blobs) ?? weightSource(base, blobs);
      sources.set(blobs, source);
      return {
        model: pocketModel(`pocket@${hash.slice(0, 12)}`, pool, source),
        trainer: pocketTrainer(pool, source),
      };
    },
    close: pool.close,
  };
}
