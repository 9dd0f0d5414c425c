/**
 * Owns the policies of `select` that look at several items at once: bands, best of each, majority, extremes, softmax,
 * tournaments, k-center, Pareto fronts. Pure given its stream; each returns indices, in the order of the items.
 */
import type { Random } from '../measure/random.ts';
import { answerEntropy } from '../measure/votes.ts';

/** Indices of the `k` highest, ties in order. Scores may be null: those are never among them. */
export function topOf(scores: readonly (number | null)[], k: number): number[] {
  return scores
    .flatMap((score, index) => (score === null ? [] : [{ score, index }]))
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, k)
    .map(({ index }) => index)
    .sort((a, b) => a - b);
}

/** Indices of the highest and of the lowest; none where all are equal (Self-Rewarding, Yuan et al. 2024). */
export function extremesOf(
  scores: readonly (number | null)[],
): readonly [best: number, worst: number] | null {
  const known = scores.flatMap((score, index) => (score === null ? [] : [{ score, index }]));
  const best = known.toSorted((a, b) => b.score - a.score || a.index - b.index)[0];
  const worst = known.toSorted((a, b) => a.score - b.score || a.index - b.index)[0];
  return best === undefined || worst === undefined || best.score === worst.score
    ? null
    : [best.index, worst.index];
}

/** The label most have, the first such among equals; null labels do not count (self-consistency, Wang et al. 2022). */
export function majorityOf(labels: readonly (string | null)[]): string | null {
  const counts = new Map<string, number>();
  for (const label of labels) if (label !== null) counts.set(label, (counts.get(label) ?? 0) + 1);
  let best: string | null = null;
  for (const [label, count] of counts) if (best === null || count > (counts.get(best) ?? 0)) best = label;
  return best;
}

/** Entropy of the labels in bits; each null label counts as one of its own. */
export function entropyOf(labels: readonly (string | null)[]): number {
  return answerEntropy(labels) / Math.LN2;
}

/** Draws `k` different indices, each with weight exp(score / temperature). */
export function softmaxOf(
  scores: readonly (number | null)[],
  k: number,
  temperature: number,
  random: Random,
): number[] {
  const known = scores.flatMap((score, index) => (score === null ? [] : [{ score, index }]));
  const highest = Math.max(...known.map(({ score }) => score));
  const pool = known.map(({ score, index }) => ({
    index,
    weight: Math.exp((score - highest) / temperature),
  }));
  const drawn: number[] = [];
  while (drawn.length < k && pool.length > 0) {
    let left = random.unit() * pool.reduce((sum, { weight }) => sum + weight, 0);
    const at = pool.findIndex(({ weight }) => (left -= weight) < 0);
    const [taken] = pool.splice(at < 0 ? pool.length - 1 : at, 1);
    if (taken !== undefined) drawn.push(taken.index);
  }
  return drawn.sort((a, b) => a - b);
}

/** `k` winners, each the best of `size` drawn; one may win more than once. */
export function tournamentOf(
  scores: readonly (number | null)[],
  k: number,
  size: number,
  random: Random,
): number[] {
  const known = scores.flatMap((score, index) => (score === null ? [] : [{ score, index }]));
  if (known.length === 0) return [];
  return Array.from({ length: k }, () => {
    let best = known[random.int(known.length)];
    for (let met = 1; met < size; met++) {
      const other = known[random.int(known.length)];
      if (best === undefined || (other !== undefined && other.score > best.score)) best = other;
    }
    return best?.index ?? 0;
  });
}

/** Keeps an item unless it is more alike to one kept before than `maxOverlap`. */
export function distinctOf(
  count: number,
  similarity: (a: number, b: number) => number,
  maxOverlap: number,
): number[] {
  const kept: number[] = [];
  for (let index = 0; index < count; index++)
    if (kept.every((other) => similarity(index, other) <= maxOverlap)) kept.push(index);
  return kept;
}

/**
 * How many tasks each row is a best of, after rows that another row matches or beats everywhere are left out (GEPA's
 * frontier by instance, Agrawal et al. 2025). `scores[row][task]`; 0 for a dominated row.
 */
export function frontierShare(scores: readonly (readonly number[])[]): number[] {
  const tasks = scores[0]?.length ?? 0;
  const wins = scores.map(() => new Set<number>());
  for (let task = 0; task < tasks; task++) {
    const best = Math.max(...scores.map((row) => row[task] ?? 0));
    scores.forEach((row, index) => {
      if ((row[task] ?? 0) === best) wins[index]?.add(task);
    });
  }
  const dominated = wins.map((own, index) =>
    wins.some(
      (other, at) =>
        at !== index && [...own].every((task) => other.has(task)) && (other.size > own.size || at < index),
    ),
  );
  return wins.map((own, index) => (dominated[index] === true ? 0 : own.size));
}

/** Draws `k` different rows, each as likely as the number of tasks it is a best of. */
export function paretoOf(scores: readonly (readonly number[])[], k: number, random: Random): number[] {
  const pool = frontierShare(scores).flatMap((weight, index) => (weight > 0 ? [{ weight, index }] : []));
  const drawn: number[] = [];
  while (drawn.length < k && pool.length > 0) {
    let left = random.int(pool.reduce((sum, { weight }) => sum + weight, 0));
    const at = pool.findIndex(({ weight }) => (left -= weight) < 0);
    const [taken] = pool.splice(at, 1);
    if (taken !== undefined) drawn.push(taken.index);
  }
  return drawn.sort((a, b) => a - b);
}
