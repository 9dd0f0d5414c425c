/**
 * Owns how different things are from each other: spread-out choices, shares of new word runs, distance to an archive.
 * Deliberately knows no embedding model: vectors are given.
 */
import { commonSubsequence } from './sequences.ts';
import { mean } from './statistics.ts';
import { numberer, type Tokenizer, unicodeWords, wordRuns } from './words.ts';

/**
 * Greedy k-center: starting from what is chosen already, always the item farthest from all chosen ones; the choice of
 * DiverseEvol, Wu et al. (2023), after Sener and Savarese (2018). At most twice as bad as the best choice. `count` items
 * are named 0 to count - 1; `distance` is symmetric and not negative. With nothing chosen it begins at item 0. Ties go
 * to the lower number. Gives up to k new items, in order of choice; O(count k) distances.
 */
export function kCenter(
  count: number,
  k: number,
  distance: (a: number, b: number) => number,
  chosen: readonly number[] = [],
): readonly number[] {
  const nearest = new Float64Array(count).fill(Infinity);
  const taken = new Set<number>();
  const take = (item: number): void => {
    taken.add(item);
    for (let other = 0; other < count; other++)
      if (!taken.has(other)) nearest[other] = Math.min(nearest[other] as number, distance(item, other));
  };
  for (const item of chosen) take(item);
  const picked: number[] = [];
  while (picked.length < k && taken.size < count) {
    let best = -1;
    for (let item = 0; item < count; item++)
      if (!taken.has(item) && (best < 0 || (nearest[item] as number) > (nearest[best] as number)))
        best = item;
    picked.push(best);
    take(best);
  }
  return picked;
}

/** Cosine of the angle between two vectors, in [-1, 1]; null where a length is 0, not finite, or they do not fit. */
export function cosine(a: readonly number[], b: readonly number[]): number | null {
  if (a.length !== b.length || a.length === 0) return null;
  // Scaled by the largest part first, so that squares neither overflow nor vanish.
  const scale = (vector: readonly number[]): number =>
    vector.reduce((largest, part) => Math.max(largest, Math.abs(part)), 0);
  const [largestA, largestB] = [scale(a), scale(b)];
  let [dot, squareA, squareB] = [0, 0, 0];
  for (let index = 0; index < a.length; index++) {
    const [x, y] = [(a[index] as number) / largestA, (b[index] as number) / largestB];
    dot += x * y;
    squareA += x * x;
    squareB += y * y;
  }
  const value = dot / Math.sqrt(squareA * squareB);
  return Number.isFinite(value) ? Math.min(1, Math.max(-1, value)) : null;
}

/**
 * Share of word runs of length n that are not repeats, over all texts, in [0, 1]: distinct-n, Li et al. (2016), "A
 * diversity-promoting objective function for neural conversation models". Null when no text has n words.
 */
export function distinctRuns(
  texts: readonly string[],
  n: number,
  words: Tokenizer = unicodeWords,
): number | null {
  const runs = texts.flatMap((text) => wordRuns(words(text), n));
  return runs.length === 0 ? null : new Set(runs).size / runs.length;
}

/** Share of the word runs of a text that another text holds as well, in [0, 1]; null when it has fewer than n words. */
export function runOverlap(
  text: string,
  other: string,
  n: number,
  words: Tokenizer = unicodeWords,
): number | null {
  const runs = wordRuns(words(text), n);
  const there = new Set(wordRuns(words(other), n));
  return runs.length === 0 ? null : runs.filter((run) => there.has(run)).length / runs.length;
}

/** A similarity in [0, 1] of words in order (ROUGE-L f), between prepared texts. */
function similarity(a: Int32Array, b: Int32Array): number {
  return a.length + b.length === 0 ? 1 : (2 * commonSubsequence(a, b)) / (a.length + b.length);
}

/**
 * How new texts are on average: 1 minus the similarity to the nearest text of the whole archive, in [0, 1]. Against the
 * whole archive, because novelty against the last round alone lets a loop walk in circles (R-Diverse, OpenSIR). Null
 * without texts or without an archive.
 */
export function noveltyAgainst(
  texts: readonly string[],
  archive: readonly string[],
  words: Tokenizer = unicodeWords,
): number | null {
  if (texts.length === 0 || archive.length === 0) return null;
  const numbers = numberer<string>();
  const old = archive.map((text) => numbers(words(text)));
  return mean(
    texts.map((text) => {
      const own = numbers(words(text));
      return 1 - old.reduce((most, other) => Math.max(most, boundedSimilarity(own, other, most)), 0);
    }),
  );
}

/** The similarity, or 0 at once where the lengths alone keep it from exceeding `atLeast`. */
function boundedSimilarity(a: Int32Array, b: Int32Array, atLeast: number): number {
  const together = a.length + b.length;
  if (together > 0 && (2 * Math.min(a.length, b.length)) / together <= atLeast) return 0;
  return similarity(a, b);
}

/** Mean difference between any two of the texts, in [0, 1]; null for fewer than two. O(n^2) comparisons. */
export function spread(texts: readonly string[], words: Tokenizer = unicodeWords): number | null {
  if (texts.length < 2) return null;
  const numbers = numberer<string>();
  const own = texts.map((text) => numbers(words(text)));
  const differences = own.flatMap((a, index) => own.slice(index + 1).map((b) => 1 - similarity(a, b)));
  return mean(differences);
}
