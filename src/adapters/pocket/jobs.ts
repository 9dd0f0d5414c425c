/** Owns the messages between Pocket's client and its worker thread. Deliberately holds plain data only. */
import type { TrainingJob } from '../../core/ports.ts';
import type { SampleRequest, Sampled } from './sampler.ts';
import type { Trained } from './train.ts';

/** What a worker is started with. */
export interface WorkerStart {
  readonly kernels: Uint8Array<ArrayBuffer>;
}

/** Weights to use: null where the worker sampled with the same ones last. */
type SentWeights = Float32Array<ArrayBuffer> | null;

/** `stop` is one shared integer: the job ends early once it is not 0. */
export type Job =
  | {
      readonly kind: 'sample';
      readonly id: number;
      readonly stop: Int32Array<SharedArrayBuffer>;
      readonly weights: SentWeights;
      readonly requests: readonly SampleRequest[];
    }
  | {
      readonly kind: 'train';
      readonly id: number;
      readonly stop: Int32Array<SharedArrayBuffer>;
      readonly weights: Float32Array<ArrayBuffer>;
      readonly job: TrainingJob;
    };

export type Report =
  | { readonly kind: 'sampled'; readonly id: number; readonly answers: readonly Sampled[] }
  | { readonly kind: 'progress'; readonly id: number; readonly done: number; readonly total: number }
  | { readonly kind: 'ended'; readonly id: number; readonly trained: Trained | null };
