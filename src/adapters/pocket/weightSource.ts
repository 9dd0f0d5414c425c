/**
 * Owns turning a weights' hash into weights: the base from the extension's files, others from the blob store, the
 * latest few kept at hand. Deliberately accepts no blob of another size than the network's.
 */
import type { ContentHash } from '../../core/model/ids.ts';
import type { Blobs } from '../../core/ports.ts';
import { ProviderError } from '../../core/ports.ts';
import { layoutOf, pocketShape } from './shape.ts';

type Weights = Float32Array<ArrayBuffer>;

/** Sets of weights kept at hand, 0.8 MB each. */
const keptSets = 4;

export interface WeightSource {
  /** Null means the base. Throws ProviderError when there are no such weights or they are not Pocket's. */
  readonly get: (
    hash: ContentHash | null,
  ) => Promise<{ readonly hash: ContentHash; readonly weights: Weights }>;
  /** Stores new weights, float32 little-endian, and returns their hash. */
  readonly put: (weights: Weights) => Promise<ContentHash>;
}

/** Weights from a blob. Throws ProviderError when the size is not the network's. */
export function weightsOf(bytes: Uint8Array): Weights {
  const expected = layoutOf(pocketShape).count * 4;
  if (bytes.length !== expected)
    throw new ProviderError(
      `These weights are not Pocket's: ${bytes.length} bytes where it has ${expected}. Start from the base weights.`,
    );
  // A copy, since a view needs its bytes aligned.
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

export function weightSource(
  base: { readonly hash: ContentHash; readonly load: () => Promise<Weights> },
  blobs: Blobs,
): WeightSource {
  const kept = new Map<ContentHash, Weights>();
  const keep = (hash: ContentHash, weights: Weights) => {
    kept.delete(hash);
    kept.set(hash, weights);
    const [oldest] = kept.keys();
    if (kept.size > keptSets && oldest !== undefined) kept.delete(oldest);
    return { hash, weights };
  };
  return {
    get: async (asked) => {
      const hash = asked ?? base.hash;
      const known = kept.get(hash);
      if (known) return keep(hash, known);
      if (hash === base.hash) return keep(hash, await base.load());
      const bytes = await blobs.get(hash);
      if (bytes === null)
        throw new ProviderError(
          `The weights ${hash.slice(0, 12)} are not in this workspace. Run the loop again to train them.`,
        );
      return keep(hash, weightsOf(bytes));
    },
    put: async (weights) => {
      const hash = await blobs.put(new Uint8Array(weights.buffer));
      keep(hash, weights);
      return hash;
    },
  };
}
