/**
 * Owns ROUGE-L: how much of two texts' words stand in the same order in both. Deliberately without the stemmer and the
 * summary-level form of the reference implementation: novelty filters and short answers use neither.
 */
import { commonSubsequence } from './sequences.ts';
import { numberer, type Tokenizer } from './words.ts';

/** Each in [0, 1]. */
export interface RougeL {
  /** Shared words over those of the prediction. */
  readonly precision: number;
  /** Shared words over those of the reference. */
  readonly recall: number;
  /** Harmonic mean of both. */
  readonly f: number;
}

function scoreOf(common: number, reference: number, prediction: number): RougeL {
  if (reference === 0 || prediction === 0) return { precision: 0, recall: 0, f: 0 };
  const precision = common / prediction;
  const recall = common / reference;
  const f = precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0;
  return { precision, recall, f };
}

/**
 * ROUGE-L of a prediction against a reference: Lin (2004), "ROUGE: a package for automatic evaluation of summaries",
 * with beta 1 and the arithmetic of rouge_score, so that equal words give the very same floating-point numbers. 0 where
 * either text has no words. `f` is symmetric.
 */
export function rougeL(reference: string, prediction: string, words: Tokenizer): RougeL {
  const numbers = numberer<string>();
  const [a, b] = [numbers(words(reference)), numbers(words(prediction))];
  return scoreOf(commonSubsequence(a, b), a.length, b.length);
}

/** Texts cut into words once, for comparing many with many. */
export interface RougePool {
  /** ROUGE-L f of a text with each text of the pool, in the order they were added. */
  similarities(text: string): readonly number[];
  add(text: string): void;
}

export function rougePool(words: Tokenizer): RougePool {
  const numbers = numberer<string>();
  const pool: Int32Array[] = [];
  return {
    similarities: (text) => {
      const own = numbers(words(text));
      return pool.map((other) => scoreOf(commonSubsequence(own, other), own.length, other.length).f);
    },
    add: (text) => {
      pool.push(numbers(words(text)));
    },
  };
}
