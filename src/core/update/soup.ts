/**
 * Owns which trained candidates go into an average of weights: all of them, or one after the other from the best, each kept
 * only if the average is not worse with it (model soups, uniform and greedy: Wortsman et al. 2022, arXiv 2203.05482).
 * Deliberately averages nothing itself and asks nothing: it is handed how good an average is.
 */

export interface Soup<Item> {
  /** In the order they were taken in. */
  readonly parts: readonly Item[];
  /** Score in [0, 1] of the average of these parts. */
  readonly score: number;
}

/**
 * `parts` with the score of each alone, in [0, 1]; `scoreOf` measures an average on the same held-out tasks. Ties go to the
 * earlier one. Null where there are none.
 */
export async function greedySoup<Item>(
  parts: readonly { readonly item: Item; readonly score: number }[],
  scoreOf: (items: readonly Item[]) => Promise<number>,
): Promise<Soup<Item> | null> {
  const [first, ...rest] = parts.toSorted((a, b) => b.score - a.score);
  if (first === undefined) return null;
  let soup: Soup<Item> = { parts: [first.item], score: first.score };
  for (const { item } of rest) {
    const tried = [...soup.parts, item];
    const score = await scoreOf(tried);
    if (score >= soup.score) soup = { parts: tried, score };
  }
  return soup;
}
