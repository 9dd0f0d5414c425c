/**
 * Owns random draws: named sub-streams of a run's seed (law 6), so that a result depends on what is drawn for,
 * never on how many draws came before it. Deliberately offers no global source.
 */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { hash32 } from './hash.ts';

export interface Random {
  /** Uniform integer in [0, below). */
  int(below: number): number;
  /** Uniform in [0, 1), 32 bits of it. */
  unit(): number;
}

/** Unsigned 32-bit seed of the stream with this name, for generators that live elsewhere (a model's sampler). */
export function streamSeed(seed: number, ...name: readonly (string | number)[]): number {
  return hash32([seed, ...name]);
}

/** The stream of draws with this name. Equal names give equal streams. */
export function stream(seed: number, ...name: readonly (string | number)[]): Random {
  const generator = xoroshiro128plus(streamSeed(seed, ...name));
  return {
    int: (below) => uniformInt(generator, 0, below - 1),
    unit: () => uniformInt(generator, 0, 0xffff_ffff) / 0x1_0000_0000,
  };
}

/** One item, uniformly. Throws RangeError on an empty list. */
export function pick<Item>(random: Random, items: readonly Item[]): Item {
  if (items.length === 0) throw new RangeError('Nothing to pick from.');
  return items[random.int(items.length)] as Item;
}

/** A new list in uniformly random order (Fisher-Yates). */
export function shuffle<Item>(random: Random, items: readonly Item[]): Item[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = random.int(i + 1);
    [out[i], out[j]] = [out[j] as Item, out[i] as Item];
  }
  return out;
}
