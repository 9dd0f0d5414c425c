/** Owns retrieval of memory items for a task, by BM25 (retrieval.ts) or by given vectors. Deliberately pure: vectors are asked for elsewhere. */
import type { Knowledge } from '../model/knowledge.ts';
import { bm25 } from './retrieval.ts';
import { cosine } from './vectors.ts';

/** The `k` items that fit a text best, best first. */
export type Recall = (text: string, k: number) => readonly Knowledge[];

/**
 * Indexes a memory once, for many tasks. Items that share no word with a task come after those that do; among equals the
 * more helpful is first, then the newer.
 */
export function recallFrom(memory: readonly Knowledge[]): Recall {
  const index = bm25(memory.map(({ text }) => text));
  return ranked(memory, (text) => {
    const scores = new Map(index.search(text, memory.length).map(({ index: at, score }) => [at, score]));
    return (place) => scores.get(place) ?? 0;
  });
}

/** The same by the angle between vectors (dense retrieval: Karpukhin et al. 2020). A text without one fits nothing. */
export function recallNear(
  memory: readonly Knowledge[],
  vectorOf: (text: string) => Float32Array | null,
): Recall {
  const vectors = memory.map(({ text }) => vectorOf(text));
  return ranked(memory, (text) => {
    const asked = vectorOf(text);
    return (place) => {
      const own = vectors[place] ?? null;
      return asked === null || own === null ? -1 : cosine(asked, own);
    };
  });
}

/** `fitOf` gives how well the item at each place fits a text. */
function ranked(memory: readonly Knowledge[], fitOf: (text: string) => (place: number) => number): Recall {
  const order = memory.map((item, place) => ({ item, place, worth: item.helpful - item.harmful }));
  return (text, k) => {
    if (memory.length === 0) return [];
    const fit = fitOf(text);
    const fits = memory.map((_, place) => fit(place));
    return order
      .toSorted(
        (a, b) => (fits[b.place] ?? 0) - (fits[a.place] ?? 0) || b.worth - a.worth || b.place - a.place,
      )
      .slice(0, k)
      .map(({ item }) => item);
  };
}
