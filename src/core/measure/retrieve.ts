/** Owns retrieval of memory items for a task, by the words they share. Deliberately pure: embeddings come as vectors elsewhere. */
import type { Knowledge } from '../model/knowledge.ts';
import { overlap } from './overlap.ts';

/** The `k` items of a memory closest to the text, best first; among equals the more helpful, then the newer. */
export function recall(memory: readonly Knowledge[], text: string, k: number): readonly Knowledge[] {
  return memory
    .map((item, index) => ({
      item,
      index,
      like: overlap(item.text, text),
      worth: item.helpful - item.harmful,
    }))
    .sort((a, b) => b.like - a.like || b.worth - a.worth || b.index - a.index)
    .slice(0, k)
    .map(({ item }) => item);
}
