/**
 * Owns cutting text into words for comparison, and whole numbers that stand for them.
 * Deliberately knows no language: no stemming, no stop words, no dictionary.
 */

export type Tokenizer = (text: string) => readonly string[];

/**
 * Words as the reference implementation of ROUGE cuts them (rouge_score 0.1, without its stemmer): lower case, runs of
 * a-z and 0-9. Text of other scripts has no such words at all; use `unicodeWords` for it.
 */
export const asciiWords: Tokenizer = (text) => text.toLowerCase().match(/[a-z0-9]+/g) ?? [];

/**
 * Words of any script, lower case, NFC: runs of letters, marks and numbers; where a script writes no spaces between
 * words (Han, Kana, Thai, Lao, Khmer, Burmese) every letter with its marks is a word of its own.
 */
export const unicodeWords: Tokenizer = (text) =>
  text
    .normalize('NFC')
    .toLowerCase()
    .match(
      /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]\p{M}*|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}])[\p{L}\p{M}\p{N}])+/gu,
    ) ?? [];

/** Equal items get equal numbers, from 0 in order of appearance: sequences are then compared as whole numbers. */
export function numberer<Item>(): (items: readonly Item[]) => Int32Array {
  const known = new Map<Item, number>();
  return (items) =>
    Int32Array.from(items, (item) => {
      const number = known.get(item) ?? known.size;
      known.set(item, number);
      return number;
    });
}

/** Runs of n consecutive words, each as one text; none when there are fewer than n words. */
export function wordRuns(words: readonly string[], n: number): readonly string[] {
  return words
    .slice(0, Math.max(0, words.length - n + 1))
    .map((_word, at) => words.slice(at, at + n).join(' '));
}

/**
 * The text without the characters at its end that are among `marks`, white space included. A loop, because a regular
 * expression for it is quadratic in runs of such characters that do not reach the end.
 */
export function trimEndOf(text: string, marks: string): string {
  let end = text.length;
  while (end > 0 && (marks.includes(text[end - 1] as string) || /\s/u.test(text[end - 1] as string))) end--;
  return text.slice(0, end);
}
