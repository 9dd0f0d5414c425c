/** Owns a blob store in memory, for benches and tests. Deliberately forgets everything with its process. */
import { createHash } from 'node:crypto';
import { asId } from '../../src/core/model/ids.ts';
import type { ContentHash } from '../../src/core/model/ids.ts';
import type { Blobs } from '../../src/core/ports.ts';

export function memoryBlobs(): Blobs {
  const kept = new Map<ContentHash, Uint8Array>();
  return {
    get: async (hash) => kept.get(hash) ?? null,
    put: async (bytes) => {
      const hash = asId<ContentHash>(createHash('sha256').update(bytes).digest('hex'));
      kept.set(hash, Uint8Array.from(bytes));
      return hash;
    },
  };
}
