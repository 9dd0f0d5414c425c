/**
 * Owns finding the texts that fit a query: by words (BM25), or by given vectors. Deliberately keeps no index between
 * calls: a memory of a few thousand items is indexed in milliseconds.
 */
import { cosine } from './diversity.ts';
import { type Tokenizer, unicodeWords } from './words.ts';

export interface Found {
  /** Place of the text in the list it was given in. */
  readonly index: number;
  /** Higher fits better; comparable within one query only. */
  readonly score: number;
}

export interface Bm25Options {
  /** How soon more of the same word stops counting. Default 1.2. */
  readonly k1?: number;
  /** How much long texts are held back, in [0, 1]. Default 0.75. */
  readonly b?: number;
  readonly words?: Tokenizer;
}

export interface TextIndex {
  /** Up to k texts that share a word with the query, best first, ties by place. */
  search(query: string, k: number): readonly Found[];
}

/**
 * Okapi BM25: Robertson and Zaragoza (2009), "The probabilistic relevance framework: BM25 and beyond", with their usual
 * k1 = 1.2 and b = 0.75, and ln(1 + (N - n + 0.5) / (n + 0.5)) as the weight of a word that n of N texts hold, which
 * unlike the original is never negative. A word that the query repeats counts that often.
 */
export function bm25(
  texts: readonly string[],
  { k1 = 1.2, b = 0.75, words = unicodeWords }: Bm25Options = {},
): TextIndex {
  const postings = new Map<string, Map<number, number>>();
  const lengths = texts.map((text, index) => {
    const own = words(text);
    for (const word of own) {
      const posting = postings.get(word) ?? new Map<number, number>();
      postings.set(word, posting);
      posting.set(index, (posting.get(index) ?? 0) + 1);
    }
    return own.length;
  });
  const average = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, texts.length);
  return {
    search: (query, k) => {
      const scores = new Map<number, number>();
      for (const word of words(query)) {
        const posting = postings.get(word);
        if (posting === undefined) continue;
        const weight = Math.log(1 + (texts.length - posting.size + 0.5) / (posting.size + 0.5));
        for (const [index, frequency] of posting) {
          const length = (lengths[index] as number) / average;
          const saturated = (frequency * (k1 + 1)) / (frequency + k1 * (1 - b + b * length));
          scores.set(index, (scores.get(index) ?? 0) + weight * saturated);
        }
      }
      return best([...scores], k);
    },
  };
}

function best(scores: readonly (readonly [number, number])[], k: number): readonly Found[] {
  return scores
    .map(([index, score]) => ({ index, score }))
    .sort((x, y) => y.score - x.score || x.index - y.index)
    .slice(0, Math.max(0, k));
}

/** Up to k vectors nearest in angle to the query, best first, ties by place; those without an angle are left out. */
export function nearestVectors(
  query: readonly number[],
  vectors: readonly (readonly number[])[],
  k: number,
): readonly Found[] {
  const scores = vectors.flatMap((vector, index) => {
    const angle = cosine(query, vector);
    return angle === null ? [] : [[index, angle] as const];
  });
  return best(scores, k);
}
