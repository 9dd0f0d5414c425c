/**
 * Owns means of scores and their confidence intervals.
 * Deliberately does not compare two candidates: that is paired and lives in gain.ts.
 */
import type { Interval } from '../model/candidate.ts';
import type { TaskId } from '../model/ids.ts';
import { normalQuantile, studentQuantile } from './quantile.ts';

/** The part of a TaskScore that statistics need. */
export interface Scored {
  readonly taskId: TaskId;
  /** In [0, 1]. */
  readonly score: number;
}

/** Scores are compared with this tolerance, so that averages of equal scores in another order stay equal. */
const equalWithin = 1e-12;

/** Arithmetic mean. Throws RangeError on an empty list. */
export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('A mean needs at least one value.');
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation with n - 1 in the denominator; 0 for fewer than two values. */
export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

/** z for a two-sided interval, 1.959964 at 0.95. Throws RangeError unless 0 < confidence < 1. */
export function twoSidedZ(confidence: number): number {
  checkConfidence(confidence);
  return normalQuantile(0.5 + confidence / 2);
}

export function checkConfidence(confidence: number): void {
  if (!(confidence > 0 && confidence < 1))
    throw new RangeError(`A confidence must lie strictly between 0 and 1, not ${confidence}.`);
}

export function checkScores(scores: readonly number[]): void {
  if (scores.length === 0) throw new RangeError('An interval needs at least one score.');
  const outside = scores.find((score) => !(score >= 0 && score <= 1));
  if (outside !== undefined) throw new RangeError(`A score must lie in [0, 1], not ${outside}.`);
}

export function isBinary(scores: readonly number[]): boolean {
  return scores.every((score) => score === 0 || score === 1);
}

/**
 * Limits of the score interval of Wilson (1927), without continuity correction (Newcombe 1998, method 3).
 * `proportion` in [0, 1] of `n` >= 1; any mean of [0, 1] scores may stand in for it, which is then conservative,
 * because no such score varies more than a 0/1 score of the same mean.
 */
export function wilsonLimits(
  proportion: number,
  n: number,
  z: number,
): { readonly low: number; readonly high: number } {
  const z2 = z * z;
  const centre = proportion + z2 / (2 * n);
  const half = z * Math.sqrt((proportion * (1 - proportion)) / n + z2 / (4 * n * n));
  const scale = 1 + z2 / n;
  // Rounding must not push a limit past the mean or out of [0, 1]; at 0 and 1 the exact limit is the mean itself.
  return {
    low: proportion === 0 ? 0 : Math.max(0, Math.min(proportion, (centre - half) / scale)),
    high: proportion === 1 ? 1 : Math.min(1, Math.max(proportion, (centre + half) / scale)),
  };
}

/**
 * Two-sided interval on the mean of independent scores in [0, 1]: Wilson's for 0/1 scores, else Student's t clipped
 * to [0, 1]. Scores that do not vary at all (or a single one) say nothing about their spread, so Wilson's interval on
 * their mean is given as a bound instead of a point. Repeated scores of one task are not independent: pass
 * `meanByTask` of them. Throws RangeError on no scores, a score outside [0, 1] or a confidence outside (0, 1).
 */
export function interval(scores: readonly number[], confidence: number): Interval {
  checkScores(scores);
  const z = twoSidedZ(confidence);
  const centre = mean(scores);
  if (isBinary(scores)) {
    return { ...wilsonLimits(centre, scores.length, z), confidence, method: 'Wilson score' };
  }
  const spread = standardDeviation(scores);
  if (spread <= equalWithin) {
    return {
      ...wilsonLimits(centre, scores.length, z),
      confidence,
      method: 'Wilson score, as a bound: the scores do not vary',
    };
  }
  const half = (studentQuantile(0.5 + confidence / 2, scores.length - 1) * spread) / Math.sqrt(scores.length);
  return {
    low: Math.max(0, centre - half),
    high: Math.min(1, centre + half),
    confidence,
    method: "Student's t, clipped to [0, 1]",
  };
}

/** One score a task, in order of first appearance: the mean of its scores where it was answered more than once. */
export function meanByTask(scores: readonly Scored[]): ReadonlyMap<TaskId, number> {
  const sums = new Map<TaskId, { total: number; count: number }>();
  for (const { taskId, score } of scores) {
    const entry = sums.get(taskId);
    if (entry === undefined) sums.set(taskId, { total: score, count: 1 });
    else {
      entry.total += score;
      entry.count += 1;
    }
  }
  return new Map([...sums].map(([taskId, { total, count }]) => [taskId, total / count]));
}
