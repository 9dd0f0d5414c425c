/**
 * Owns what choosing does to a score: the best of many looks better than it is, so the winner is scored again on fresh
 * tasks. Deliberately does not draw the tasks or run them; it says how many are needed and what the result means.
 */
import type { Gain } from '../model/candidate.ts';
import { normalQuantile } from './quantile.ts';
import { twoSidedZ } from './statistics.ts';

/**
 * The mean of the largest of k independent standard normal draws: 0, 0.5642, 0.8463, 1.0294 for k = 1 to 4. As the mean
 * of the quantile at the k-th root of a uniform draw, by the midpoint rule; accurate to 1e-3 up to a million.
 */
export function expectedMaximum(k: number): number {
  if (!Number.isInteger(k) || k < 1) throw new RangeError(`The best of ${k} needs at least one.`);
  if (k === 1) return 0;
  const steps = 20_000;
  let total = 0;
  for (let step = 0; step < steps; step++) {
    // 1 - u^(1/k) in a form that keeps its digits where the root is near 1.
    const tail = -Math.expm1(Math.log((step + 0.5) / steps) / k);
    total += tail < 0.5 ? -normalQuantile(tail) : normalQuantile(1 - tail);
  }
  return total / steps;
}

/**
 * How much of the winner's gain to expect from luck alone: the standard error of one candidate's gain times the
 * expected maximum of k, as if all k were equally good and independent, which is the most it can be on average. The
 * winner's curse; Thaler (1988), and for model selection Cawley and Talbot (2010), JMLR 11, 2079-2107.
 */
export function expectedOptimism(standardError: number, candidates: number): number {
  return standardError * expectedMaximum(candidates);
}

/** The standard error that the interval of a gain stands for, taken as if it were normal. */
export function standardErrorOf(gain: Gain): number {
  return (gain.interval.high - gain.interval.low) / (2 * twoSidedZ(gain.interval.confidence));
}

/**
 * Tasks on which a true gain shows with 80 % power in a two-sided test at this confidence, where `changed` is the share
 * of tasks whose 0/1 score changes (at least the gain itself): ((z_c sqrt(q) + z_p sqrt(q - d^2)) / d)^2, Miettinen
 * (1968), Connor (1987), the same as behind Gain.smallestVisible. Throws RangeError unless 0 < gain <= 1.
 */
export function tasksToShow(gain: number, changed: number, confidence: number): number {
  if (!(gain > 0 && gain <= 1)) throw new RangeError(`A gain to show lies in (0, 1], not at ${gain}.`);
  const q = Math.min(1, Math.max(gain, changed));
  const root = twoSidedZ(confidence) * Math.sqrt(q) + normalQuantile(0.8) * Math.sqrt(q - gain * gain);
  return Math.ceil((root / gain) ** 2);
}

export interface Confirmation {
  /** The fresh interval lies above zero. */
  readonly confirmed: boolean;
  /** Gain where it was chosen minus gain on fresh tasks. */
  readonly shrinkage: number;
  /** What luck alone would make of it. */
  readonly expectedOptimism: number;
  /** For people. */
  readonly reason: string;
}

const points = (share: number): string => `${share >= 0 ? '+' : ''}${(100 * share).toFixed(1)} points`;

/**
 * Whether the best of `candidates` is better, by its gain on tasks that had no part in choosing it. The gain to report
 * is the fresh one; the other is kept to show how much choosing flattered it.
 */
export function confirmWinner(chosen: Gain, fresh: Gain, candidates: number): Confirmation {
  const confirmed = fresh.interval.low > 0;
  const shrinkage = chosen.gain - fresh.gain;
  const optimism = expectedOptimism(standardErrorOf(chosen), candidates);
  const scores = `${points(chosen.gain)} where it was chosen among ${candidates}, ${points(fresh.gain)} on ${fresh.tasks} fresh tasks`;
  const verdict = confirmed
    ? 'better on fresh tasks as well'
    : fresh.interval.high < 0
      ? 'worse on fresh tasks'
      : `not shown to be better: ${fresh.tasks} fresh tasks show gains from ${points(fresh.smallestVisible)}`;
  return { confirmed, shrinkage, expectedOptimism: optimism, reason: `${verdict} (${scores})` };
}
