/**
 * Owns keeping only texts that say something new: nothing too much like a text that is there already. Deliberately
 * compares words, not meanings; paraphrases pass.
 */
import { commonSubsequence } from './sequences.ts';
import { numberer, type Tokenizer, unicodeWords } from './words.ts';

export interface NoveltyOptions {
  /** A text more alike than this to one that is kept is dropped. Default 0.7, as in Self-Instruct. In [0, 1]. */
  readonly limit?: number;
  /** Default: words of any script. Self-Instruct's own are `asciiWords`, to which a Korean text has no words at all. */
  readonly words?: Tokenizer;
}

export type Novelty =
  | { readonly kept: true }
  /** `near` is the kept or pooled text it resembles most, `similarity` their ROUGE-L f. */
  | { readonly kept: false; readonly near: string; readonly similarity: number };

interface Known {
  readonly text: string;
  readonly numbers: Int32Array;
}

/**
 * Whether each text is new, one after the other, against the pool and the texts kept before it: the filter of
 * Self-Instruct, Wang et al. (2022), "Self-Instruct: aligning language models with self-generated instructions". A text
 * without words is new only if the very same text is not there yet.
 */
export function filterNovel(
  texts: readonly string[],
  pool: readonly string[],
  { limit = 0.7, words = unicodeWords }: NoveltyOptions = {},
): readonly Novelty[] {
  const numbers = numberer<string>();
  const known: Known[] = pool.map((text) => ({ text, numbers: numbers(words(text)) }));
  const verbatim = new Set(pool.map((text) => text.trim()));
  return texts.map((text): Novelty => {
    const own = numbers(words(text));
    if (own.length === 0 && verbatim.has(text.trim())) return { kept: false, near: text, similarity: 1 };
    const nearest = nearestOver(own, known, limit);
    if (nearest !== null) return { kept: false, ...nearest };
    known.push({ text, numbers: own });
    verbatim.add(text.trim());
    return { kept: true };
  });
}

/** The most similar text above the limit. What its length alone keeps below the limit is not compared. */
function nearestOver(
  own: Int32Array,
  known: readonly Known[],
  limit: number,
): { readonly near: string; readonly similarity: number } | null {
  let best: { near: string; similarity: number } | null = null;
  for (const { text, numbers } of known) {
    const bound = best?.similarity ?? limit;
    const together = own.length + numbers.length;
    if (together === 0 || (2 * Math.min(own.length, numbers.length)) / together <= bound) continue;
    const common = commonSubsequence(own, numbers);
    if (common === 0) continue;
    // The very arithmetic of ROUGE-L, so that a similarity at the limit falls on the same side.
    const [precision, recall] = [common / own.length, common / numbers.length];
    const similarity = (2 * precision * recall) / (precision + recall);
    if (similarity > bound) best = { near: text, similarity };
  }
  return best;
}
