/** Owns the rows of a run's ledger. Deliberately no rule of when one may be made: that is core/loop. */
import type { Position } from './event.ts';
import type { EffectKey } from './ids.ts';
import type { TokenUsage } from './task.ts';

/**
 * `batch` notes what became of a provider's batch, so that it is not submitted twice; it costs nothing itself.
 * `reused` is an answer another run paid for. `session` and `reservation` are the run's account (core/loop/journal.ts):
 * how each of its sessions began, and which calls may have been made since.
 */
export type EffectKind =
  | 'model'
  | 'training'
  | 'annotations'
  | 'batch'
  | 'reused'
  | 'session'
  | 'reservation';

/** A settled effect: what was asked and what came back, durable before the engine used it. */
export interface EffectRecord {
  readonly key: EffectKey;
  readonly kind: EffectKind;
  readonly at: Position;
  /** JSON of the answer. */
  readonly result: string;
  readonly usage: TokenUsage;
  readonly ms: number;
}

export interface EffectPage {
  readonly items: readonly EffectRecord[];
  /** Pass as `after` to get the next page; null at the end. */
  readonly next: number | null;
}

/** Sums over the answers of one step of a run that said what they used. */
export interface StepUsage {
  readonly step: string;
  readonly calls: number;
  readonly input: number;
  readonly output: number;
  readonly outputSquares: number;
  /** From taking a call to its answer, milliseconds. */
  readonly ms: number;
}
