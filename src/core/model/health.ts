/** Owns the figures of a round's health as they are kept and shown. Deliberately computes none (core/measure/health.ts). */

/** Null wherever the round gives nothing to measure it by. */
export interface HealthFigures {
  /** Share of tasks solved sometimes but not always, in [0, 1]. */
  readonly signalShare: number | null;
  /** How new the tasks and lessons the round made are against all before, in [0, 1]. */
  readonly novelty: number | null;
  /** How divided the answers to one task are on average, in [0, 1]. */
  readonly answerEntropy: number | null;
  /** Characters of an output on average. */
  readonly meanLength: number | null;
  /** Share of the round's feedback that the model gave its own work, by judging or voting, in [0, 1]. */
  readonly selfShare: number | null;
  /** Share of twice judged items on which the model and somebody independent agree, in [0, 1]. */
  readonly selfAgreement: number | null;
  /** Tasks the candidate accepted in this round no longer solves that the one before did, and the other way round. */
  readonly regressions: number | null;
  readonly improvements: number | null;
  readonly passAt1: number | null;
  /** Samples a task has at least; 0 for none. */
  readonly k: number;
  readonly passAtK: number | null;
}
