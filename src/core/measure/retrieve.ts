/** Owns retrieval of memory items for a task, by BM25 (retrieval.ts). Deliberately pure: embeddings come as vectors elsewhere. */
import type { Knowledge } from '../model/knowledge.ts';
import { bm25 } from './retrieval.ts';

/** The `k` items that fit a text best, best first. */
export type Recall = (text: string, k: number) => readonly Knowledge[];

/**
 * Indexes a memory once, for many tasks. Items that share no word with a task come after those that do; among equals the
 * more helpful is first, then the newer.
 */
export function recallFrom(memory: readonly Knowledge[]): Recall {
  const index = bm25(memory.map(({ text }) => text));
  const order = memory.map((item, place) => ({ item, place, worth: item.helpful - item.harmful }));
  return (text, k) => {
    if (memory.length === 0) return [];
    const scores = new Map(index.search(text, memory.length).map(({ index: at, score }) => [at, score]));
    const fit = (place: number) => scores.get(place) ?? 0;
    return order
      .toSorted((a, b) => fit(b.place) - fit(a.place) || b.worth - a.worth || b.place - a.place)
      .slice(0, k)
      .map(({ item }) => item);
  };
}
