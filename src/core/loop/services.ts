/** Owns the record of services a run is given. Deliberately a plain record: no container, no registry. */
import type { StoredEvent } from '../model/event.ts';
import type { EarlierRun } from './answerCache.ts';
import type { Clock, LanguageModel, Log, ProgressListener, RunStore, TaskFiles, Trainer } from '../ports.ts';

/** Where data sets for training elsewhere are written. */
export interface ExportFiles {
  /** Writes a text beside the recipe, whole or not at all, in the place of an earlier one. Throws DataError with the reason. */
  write(file: string, text: string): Promise<void>;
}

export interface RunServices {
  readonly store: RunStore;
  /** Other runs of the workspace whose answers may be taken, newest first; absent where none may. */
  readonly earlierRuns?: () => Promise<readonly EarlierRun[]>;
  /** The product's, recorded with each session of a run. */
  readonly version?: string;
  /** The model a recipe names by provider id. Throws, or rejects with, ProviderError when there is none by that name. */
  readonly model: (provider: string) => LanguageModel | Promise<LanguageModel>;
  /** Null when that provider's weights cannot be trained here. */
  readonly trainer: (provider: string) => Trainer | null;
  readonly files: TaskFiles;
  readonly exports: ExportFiles;
  readonly clock: Clock;
  readonly log: Log;
  /** Called after the events are durable. */
  readonly onEvents: (events: readonly StoredEvent[]) => void;
  readonly onProgress: ProgressListener;
}

/** Set by whoever runs the loop: `finishing` lets the calls in flight end, `aborted` breaks them off. What was settled is kept. */
export interface RunControl {
  aborted: boolean;
  /** Nothing new is begun; what is in flight may still be answered. */
  finishing?: boolean;
  /** Why; pause and window loss can be resumed, stop ends the run for good. */
  reason: 'pause' | 'stop' | null;
}

/** True when nothing new may be begun. */
export function isStopping({ aborted, finishing }: RunControl): boolean {
  return aborted || finishing === true;
}

export type RunEnd =
  | { readonly kind: 'done'; readonly message: string }
  | { readonly kind: 'budget'; readonly message: string }
  | { readonly kind: 'paused'; readonly message: string }
  | { readonly kind: 'stopped'; readonly message: string }
  /** The provider could not answer at all; the run is paused and can be resumed. */
  | { readonly kind: 'provider'; readonly message: string }
  /** Bad data, or a defect of Ratchet; nothing already settled is lost. */
  | { readonly kind: 'failed'; readonly message: string; readonly defect?: boolean };
