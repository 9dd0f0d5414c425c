/**
 * Owns `select` over candidates: the best by score, and the gate that alone moves the pointer in use (law 1).
 * Pure: it is handed evaluations and decides. A candidate is accepted only when the paired interval of its gain is above 0.
 */
import { pairedGain } from '../measure/gain.ts';
import type { Candidate, Evaluation, Gain } from '../model/candidate.ts';

/** The k candidates with the highest mean, ties in the order they were made. Each needs an evaluation. */
export function topCandidates(
  contenders: readonly Candidate[],
  evaluationOf: (candidate: Candidate) => Evaluation | undefined,
  k: number,
): Candidate[] {
  return contenders
    .map((candidate, index) => ({ candidate, index, mean: evaluationOf(candidate)?.mean ?? -1 }))
    .sort((a, b) => b.mean - a.mean || a.index - b.index)
    .slice(0, k)
    .map(({ candidate }) => candidate);
}

export interface GateDecision {
  readonly accepted: boolean;
  readonly gain: Gain;
  readonly reason: string;
}

/**
 * Compares a candidate with the one in use on the same tasks. Confidence in (0, 1), two-sided; `maxRegressions` is the most
 * tasks, as a share, that may get worse however much others gain, null for no such bound.
 */
export function gate(
  inUse: Evaluation,
  contender: Evaluation,
  confidence: number,
  maxRegressions: number | null = null,
): GateDecision {
  const gain = pairedGain(inUse.scores, contender.scores, confidence);
  const better = gain.interval.low > 0;
  if (better && maxRegressions !== null && gain.worse > maxRegressions * gain.tasks) {
    const allowed = Math.floor(maxRegressions * gain.tasks);
    return {
      accepted: false,
      gain,
      reason: `${gain.worse} tasks got worse, more than the ${allowed} allowed`,
    };
  }
  const accepted = better;
  const range = `${points(gain.gain)} [${points(gain.interval.low)}, ${points(gain.interval.high)}] on ${gain.tasks} tasks`;
  const reason = accepted
    ? `better: ${range}`
    : gain.interval.high < 0
      ? `worse: ${range}`
      : `not shown to be better: ${range}; ${gain.tasks} tasks show gains from ${points(gain.smallestVisible)}`;
  return { accepted, gain, reason };
}

/** A difference of scores in percentage points, signed. */
function points(value: number): string {
  const rounded = (value * 100).toFixed(1);
  return value > 0 ? `+${rounded}` : rounded;
}
