/** Owns pass@k: how likely at least one of k draws passes. Deliberately knows nothing of what passing means. */
import { mean } from './statistics.ts';

/**
 * Unbiased estimate of pass@k of one task from n samples of which c passed: 1 - C(n-c, k) / C(n, k), as a product that
 * cannot overflow. Chen et al. (2021), "Evaluating large language models trained on code". In [0, 1]; null when there
 * are fewer than k samples, which do not determine it. Throws RangeError unless 0 <= c <= n and k >= 1, all whole.
 */
export function passAtK(n: number, c: number, k: number): number | null {
  if (![n, c, k].every(Number.isInteger) || c < 0 || c > n || k < 1)
    throw new RangeError(`pass@${k} cannot be taken of ${c} passes in ${n} samples.`);
  if (n < k) return null;
  if (n - c < k) return 1;
  let allFail = 1;
  for (let size = n - c + 1; size <= n; size++) allFail *= 1 - k / size;
  return 1 - allFail;
}

/** Samples of one task. */
export interface Sampled {
  readonly samples: number;
  readonly passed: number;
}

/** Mean pass@k over tasks; null when there is no task, or one with fewer than k samples. */
export function meanPassAtK(tasks: readonly Sampled[], k: number): number | null {
  const each = tasks.map(({ samples, passed }) => passAtK(samples, passed, k));
  return each.length > 0 && each.every((value) => value !== null) ? mean(each) : null;
}
