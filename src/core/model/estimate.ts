/** Owns what a run is expected to use, before it begins. Deliberately no promise: every figure is a range. */

/** Both ends are counted in; `low` is never above `high`. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

export interface RunEstimate {
  readonly calls: Range;
  readonly inputTokens: Range;
  readonly outputTokens: Range;
  /** US dollars; null where the price of the model is not known. */
  readonly usd: Range | null;
  /** Working time, milliseconds; null where this model has answered nothing here yet. */
  readonly ms: Range | null;
  /** Answers of this model in earlier runs that the figures are drawn from; 0 makes the ranges wide. */
  readonly measured: number;
  /** The first cap of the recipe the run may meet, as a sentence; null where even the high end stays under all of them. */
  readonly cap: string | null;
}
