/** Owns how alike two texts are by their words, in any script. Deliberately ROUGE-L itself (rouge.ts), over a bounded length. */
import { rougeL } from './rouge.ts';
import { unicodeWords } from './words.ts';

/** Words compared at most; what lies behind them does not count. */
const LONGEST = 2000;

const words = (text: string) => unicodeWords(text.normalize('NFKC')).slice(0, LONGEST);

/** In [0, 1]: 1 for the same words in the same order; 0 where one of them has no word. */
export function overlap(a: string, b: string): number {
  return rougeL(a, b, words).f;
}
