/**
 * Owns the paired comparison of two candidates on the same tasks: the gain, its interval, and the smallest gain that
 * many tasks could have shown. Deliberately does not decide: a gate reads the interval and says what it accepts.
 */
import type { Gain, Interval } from '../model/candidate.ts';
import type { TaskId } from '../model/ids.ts';
import { normalQuantile, studentQuantile } from './quantile.ts';
import type { Scored } from './statistics.ts';
import {
  checkScores,
  isBinary,
  mean,
  meanByTask,
  standardDeviation,
  twoSidedZ,
  wilsonLimits,
} from './statistics.ts';

/** A difference this small is rounding of averages, not a change. */
const tieWithin = 1e-9;
/** Of a true gain of that size being seen as a gain; Gain documents it. */
const power = 0.8;

/** Which tasks come from one source (one document, one parent task): task -> name of its cluster. */
export type Clusters = ReadonlyMap<TaskId, string>;

interface Pairs {
  readonly tasks: readonly TaskId[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly differences: readonly number[];
}

function pairUp(baseline: readonly Scored[], candidate: readonly Scored[]): Pairs {
  if (baseline.length === 0 || candidate.length === 0)
    throw new RangeError('A paired comparison needs at least one score on each side.');
  checkScores(baseline.map((item) => item.score));
  checkScores(candidate.map((item) => item.score));
  const before = meanByTask(baseline);
  const after = meanByTask(candidate);
  const missing = [...before.keys()].filter((id) => !after.has(id)).length;
  const extra = [...after.keys()].filter((id) => !before.has(id)).length;
  if (missing > 0 || extra > 0)
    throw new RangeError(
      `A paired comparison needs the same tasks on both sides: ${missing} only in the baseline, ${extra} only in the candidate.`,
    );
  const ordered = [...before.keys()].map((id) => after.get(id) ?? 0);
  const first = [...before.values()];
  return {
    tasks: [...before.keys()],
    before: first,
    after: ordered,
    differences: first.map((score, index) => (ordered[index] as number) - score),
  };
}

/** Newcombe's estimate of the correlation of two binary outcomes, with his continuity correction where it is positive. */
function correctedPhi(before: readonly number[], after: readonly number[]): number {
  const n = before.length;
  const both = before.filter((score, index) => score === 1 && after[index] === 1).length;
  const first = before.filter((score) => score === 1).length;
  const second = after.filter((score) => score === 1).length;
  const marginals = first * (n - first) * second * (n - second);
  if (marginals === 0) return 0;
  const neither = n - first - second + both;
  const cross = both * neither - (first - both) * (second - both);
  const corrected = cross > n / 2 ? cross - n / 2 : Math.min(cross, 0);
  return corrected / Math.sqrt(marginals);
}

/**
 * Square-and-add interval on a difference of paired proportions: Newcombe (1998), "Improved confidence intervals for
 * the difference between binomial proportions based on paired data", Statistics in Medicine 17, 2635-2650, method 10.
 */
function squareAndAdd(pairs: Pairs, phi: number, z: number): { readonly low: number; readonly high: number } {
  const n = pairs.before.length;
  const [old, now] = [mean(pairs.before), mean(pairs.after)];
  const [first, second] = [wilsonLimits(old, n, z), wilsonLimits(now, n, z)];
  const combine = (a: number, b: number): number => Math.sqrt(Math.max(0, a * a - 2 * phi * a * b + b * b));
  return {
    low: Math.max(-1, now - old - combine(now - second.low, first.high - old)),
    high: Math.min(1, now - old + combine(second.high - now, old - first.low)),
  };
}

function gainInterval(pairs: Pairs, confidence: number): Interval {
  const z = twoSidedZ(confidence);
  if (isBinary(pairs.before) && isBinary(pairs.after)) {
    const limits = squareAndAdd(pairs, correctedPhi(pairs.before, pairs.after), z);
    return { ...limits, confidence, method: 'Newcombe square-and-add, paired (method 10)' };
  }
  const spread = standardDeviation(pairs.differences);
  if (spread <= tieWithin) {
    const method = 'Newcombe square-and-add, as a bound: the differences do not vary';
    return { ...squareAndAdd(pairs, 0, z), confidence, method };
  }
  const n = pairs.differences.length;
  const centre = mean(pairs.after) - mean(pairs.before);
  const half = (studentQuantile(0.5 + confidence / 2, n - 1) * spread) / Math.sqrt(n);
  return {
    low: Math.max(-1, centre - half),
    high: Math.min(1, centre + half),
    confidence,
    method: "Student's t on paired differences, clipped to [-1, 1]",
  };
}

/**
 * The smallest true gain that n tasks show with 80 % power in a two-sided test at this confidence.
 * Binary pairs: the smallest d with  d sqrt(n) >= z_c sqrt(q) + z_p sqrt(q - d^2),  where q is the share of tasks whose
 * score changes (Miettinen 1968; Connor, Biometrics 43 (1987) 207-211): the observed share, or d itself where that is
 * more, since a gain of d needs at least that many changes. Other scores: (z_c + z_p) s / sqrt(n), s the standard
 * deviation of the differences; where they do not vary, the binary bound. 1 where even a gain on every task would not do.
 */
function smallestVisible(pairs: Pairs, confidence: number): number {
  const n = pairs.differences.length;
  const zConfidence = twoSidedZ(confidence);
  const zPower = normalQuantile(power);
  const spread = standardDeviation(pairs.differences);
  const binary = isBinary(pairs.before) && isBinary(pairs.after);
  if (!binary && spread > tieWithin) return Math.min(1, ((zConfidence + zPower) * spread) / Math.sqrt(n));
  const observed = binary ? mean(pairs.differences.map((difference) => difference * difference)) : 0;
  const visible = (gain: number): boolean => {
    const changed = Math.max(observed, gain);
    return (
      gain * Math.sqrt(n) >= zConfidence * Math.sqrt(changed) + zPower * Math.sqrt(changed - gain * gain)
    );
  };
  if (!visible(1)) return 1;
  let [low, high] = [0, 1];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (visible(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** Places of the pairs of each cluster; a task without a name is a cluster of its own. */
function clustered(pairs: Pairs, clusters: Clusters): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>();
  pairs.tasks.forEach((task, index) => {
    const name = clusters.get(task);
    const key = name === undefined ? `task ${task}` : `cluster ${name}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [index]);
    else group.push(index);
  });
  return [...groups.values()];
}

/** Tasks of one cluster as one pair, by their means: what is left where clusters do not differ. */
function perCluster(pairs: Pairs, groups: readonly (readonly number[])[]): Pairs {
  const average = (values: readonly number[]): readonly number[] =>
    groups.map((group) => mean(group.map((index) => values[index] as number)));
  const tasks = groups.map((group) => pairs.tasks[group[0] as number] as TaskId);
  const [before, after] = [average(pairs.before), average(pairs.after)];
  return {
    tasks,
    before,
    after,
    differences: before.map((score, index) => (after[index] as number) - score),
  };
}

/**
 * Interval and smallest visible gain when tasks come in clusters, whose tasks rise and fall together: the sandwich
 * standard error of the mean over tasks, with G / (G - 1), and Student's t with G - 1 degrees of freedom for G clusters.
 * Liang and Zeger (1986); for evaluations of language models Miller (2024), "Adding error bars to evals", 2411.00640.
 */
function clusterInterval(
  pairs: Pairs,
  groups: readonly (readonly number[])[],
  confidence: number,
): Pick<Gain, 'interval' | 'smallestVisible'> {
  const count = groups.length;
  const centre = mean(pairs.after) - mean(pairs.before);
  if (count < 2)
    return {
      interval: { low: -1, high: 1, confidence, method: 'none: all tasks are of one cluster' },
      smallestVisible: 1,
    };
  const residuals = groups.map((group) =>
    group.reduce((sum, index) => sum + (pairs.differences[index] as number) - centre, 0),
  );
  const squares = residuals.reduce((sum, residual) => sum + residual * residual, 0);
  const error = Math.sqrt((squares * count) / (count - 1)) / pairs.differences.length;
  if (error <= tieWithin) {
    const reduced = perCluster(pairs, groups);
    const method = `Newcombe square-and-add on ${count} clusters, as a bound: the differences do not vary`;
    const limits = squareAndAdd(reduced, 0, twoSidedZ(confidence));
    return {
      interval: {
        low: Math.min(centre, limits.low),
        high: Math.max(centre, limits.high),
        confidence,
        method,
      },
      smallestVisible: smallestVisible(reduced, confidence),
    };
  }
  const half = studentQuantile(0.5 + confidence / 2, count - 1) * error;
  return {
    interval: {
      low: Math.max(-1, centre - half),
      high: Math.min(1, centre + half),
      confidence,
      method: `Student's t on ${count} clusters, clipped to [-1, 1]`,
    },
    smallestVisible: Math.min(1, (twoSidedZ(confidence) + normalQuantile(power)) * error),
  };
}

/**
 * Candidate minus baseline on the same tasks, matched by task id. A task answered more than once counts once, by its
 * mean, so repeats do not pass for tasks. Interval: Newcombe's method 10 when every task's score is 0 or 1 on both
 * sides, else Student's t on the differences; where `clusters` puts two tasks together, by clusters. Throws RangeError when a side is empty, when the two sides are not about
 * the same tasks, on a score outside [0, 1] and on a confidence outside (0, 1).
 */
export function pairedGain(
  baseline: readonly Scored[],
  candidate: readonly Scored[],
  confidence: number,
  clusters: Clusters = new Map(),
): Gain {
  const pairs = pairUp(baseline, candidate);
  const groups = clustered(pairs, clusters);
  const spread =
    groups.length < pairs.tasks.length
      ? clusterInterval(pairs, groups, confidence)
      : {
          interval: gainInterval(pairs, confidence),
          smallestVisible: smallestVisible(pairs, confidence),
        };
  const better = pairs.differences.filter((difference) => difference > tieWithin).length;
  const worse = pairs.differences.filter((difference) => difference < -tieWithin).length;
  return {
    tasks: pairs.differences.length,
    gain: mean(pairs.after) - mean(pairs.before),
    interval: spread.interval,
    better,
    worse,
    tied: pairs.differences.length - better - worse,
    smallestVisible: spread.smallestVisible,
  };
}
