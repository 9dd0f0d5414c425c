/**
 * Owns what may be done to a memory: insert, patch, merge, decay, forget. Items are never rewritten in place: whole
 * rewrites lose detail (ACE, Zhang et al. 2025). Pure; deliberately calls no model.
 */
import type { Knowledge } from '../model/knowledge.ts';

/** How alike two texts are, in [0, 1]. */
export type Similarity = (a: string, b: string) => number;

/** What an item is worth in `round`: helpful - harmful, less by half each `halfLife` rounds it was not used. */
export function worth({ helpful, harmful, lastRound }: Knowledge, round: number, halfLife: number): number {
  // Strength fades with time and never with itself: exp(-t/S), Ebbinghaus as MemoryBank means it (Zhong et al. 2023).
  return (1 + helpful - harmful) * 2 ** (-Math.max(0, round - lastRound) / halfLife);
}

/** Puts items at the end. One that is there already, or nearly, joins it: counts add up, lineage is united. */
export function insertKnowledge(
  memory: readonly Knowledge[],
  items: readonly Knowledge[],
  similarity: Similarity,
  maxOverlap: number,
): readonly Knowledge[] {
  const out = [...memory];
  for (const item of items) {
    const at = out.findIndex(
      (known) =>
        known.id === item.id || (known.form === item.form && similarity(known.text, item.text) >= maxOverlap),
    );
    const known = out[at];
    if (known === undefined) out.push(item);
    else out[at] = joined(known, item);
  }
  return out;
}

function joined(known: Knowledge, item: Knowledge): Knowledge {
  return {
    ...known,
    helpful: known.helpful + item.helpful,
    harmful: known.harmful + item.harmful,
    lastRound: Math.max(known.lastRound, item.lastRound),
    from: [...new Set([...known.from, ...item.from])],
  };
}

/** Joins items of the memory that are nearly the same; the one of more worth keeps its words. */
export function mergeKnowledge(
  memory: readonly Knowledge[],
  similarity: Similarity,
  maxOverlap: number,
): readonly Knowledge[] {
  const byWorth = [...memory].sort((a, b) => b.helpful - b.harmful - (a.helpful - a.harmful));
  const kept = insertKnowledge([], byWorth, similarity, maxOverlap);
  const order = new Map(memory.map(({ id }, index) => [id, index]));
  return [...kept].sort((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0));
}

/** How an item did in the prompts it was in: in solved attempts, in failed ones, and in which round last. */
export interface ItemUse {
  readonly helpful: number;
  readonly harmful: number;
  readonly lastRound: number;
}

/** By the item's id. Never less with time; what candidates carry of it is a copy of when they were made. */
export type ItemUses = ReadonlyMap<string, ItemUse>;

/**
 * Counts each item that was in the prompt of a solved, or failed, attempt (ACE's helpful and harmful counts, Zhang et al.
 * 2025). `memory` is what the items were in: what it carries of them counts where it is more, as after a merge.
 */
export function addUses(
  known: ItemUses,
  memory: readonly Knowledge[],
  used: readonly { readonly id: string; readonly helped: boolean }[],
  round: number,
): ItemUses {
  const carried = new Map(withUses(memory, known).map((item) => [item.id, item]));
  const next = new Map(known);
  for (const { id, helped } of used) {
    const { helpful, harmful } = next.get(id) ?? { helpful: 0, harmful: 0 };
    const before = carried.get(id) ?? { helpful: 0, harmful: 0 };
    // What the memory carries is the floor of the first count only; later ones add to it.
    carried.delete(id);
    next.set(id, {
      helpful: Math.max(helpful, before.helpful) + Number(helped),
      harmful: Math.max(harmful, before.harmful) + Number(!helped),
      lastRound: round,
    });
  }
  return next;
}

/** The items with all that is known of their use: experience outlives a candidate that was refused. */
export function withUses(memory: readonly Knowledge[], uses: ItemUses): readonly Knowledge[] {
  return memory.map((item) => {
    const use = uses.get(item.id);
    return use === undefined
      ? item
      : {
          ...item,
          helpful: Math.max(item.helpful, use.helpful),
          harmful: Math.max(item.harmful, use.harmful),
          lastRound: Math.max(item.lastRound, use.lastRound),
        };
  });
}

/** The `maxItems` of most worth, in their order; those under `minWorth` go in any case. */
export function forgetKnowledge(
  memory: readonly Knowledge[],
  round: number,
  {
    maxItems,
    minWorth,
    halfLife,
  }: { readonly maxItems: number; readonly minWorth: number; readonly halfLife: number },
): readonly Knowledge[] {
  const ranked = memory
    .map((item, index) => ({ item, index, worth: worth(item, round, halfLife) }))
    .filter((entry) => entry.worth >= minWorth)
    .sort((a, b) => b.worth - a.worth || b.item.lastRound - a.item.lastRound || a.index - b.index)
    .slice(0, maxItems);
  return ranked.sort((a, b) => a.index - b.index).map(({ item }) => item);
}
