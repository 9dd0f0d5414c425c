/**
 * Owns how alike two texts are by their words: the F-measure of the longest common subsequence, which is what ROUGE-L
 * (Lin 2004) measures, over lower-case words of any script. Deliberately without stemming; the published ROUGE-L with its
 * own tokens is rouge.ts.
 */

/** Words compared at most; what lies behind them does not count. */
const LONGEST = 2000;

function wordsOf(text: string): readonly string[] {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+/gu)
      ?.slice(0, LONGEST) ?? []
  );
}

function common(a: readonly string[], b: readonly string[]): number {
  let before = new Uint16Array(b.length + 1);
  let now = new Uint16Array(b.length + 1);
  for (const word of a) {
    for (let column = 1; column <= b.length; column++)
      now[column] =
        word === b[column - 1]
          ? (before[column - 1] ?? 0) + 1
          : Math.max(before[column] ?? 0, now[column - 1] ?? 0);
    [before, now] = [now, before];
  }
  return before[b.length] ?? 0;
}

/** In [0, 1]: 1 for the same words in the same order; 0 where one of them has no word. */
export function overlap(a: string, b: string): number {
  const [left, right] = [wordsOf(a), wordsOf(b)];
  return left.length === 0 || right.length === 0
    ? 0
    : (2 * common(left, right)) / (left.length + right.length);
}
