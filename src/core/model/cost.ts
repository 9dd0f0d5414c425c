/** Owns what a run has used and may use. Deliberately no prices: those are measure/prices.ts. */

/** What a run has used so far, counted as its caps count it. */
export interface RunCost {
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** US dollars; null where the price is not known. */
  readonly usd: number | null;
  /** Calls counted at their worst case, because their answer or its usage never came: with any, the rest is at most. */
  readonly worstCaseCalls: number;
  /** Answers taken from the run it branches from, which cost nothing. */
  readonly reused: number;
  /** Answers taken from earlier runs, which cost nothing; none when absent. */
  readonly cached?: number;
  /** Working time, milliseconds. */
  readonly ms: number;
}

/** The caps a run is under; what is absent has no limit. */
export interface RunCaps {
  readonly minutes?: number | undefined;
  readonly calls?: number | undefined;
  readonly tokens?: number | undefined;
  readonly usd?: number | undefined;
}
