import { describe, expect, test } from 'vitest';
import { openDatabase } from '../../../../src/adapters/store/database.ts';
import { createStore } from '../../../../src/adapters/store/localStore.ts';
import { nodeFiles } from '../../../../src/adapters/store/hostFiles.ts';
import { StoreError } from '../../../../src/core/ports.ts';
import { begun, inFolder, place, runId, sampleEffect, sampleFeedback, solve, wasm } from './samples.ts';

/** Counts how often the medium is waited for. */
function countingSyncs() {
  const counts = { syncs: 0 };
  const files = {
    ...nodeFiles,
    sync: (descriptor: number) => {
      counts.syncs++;
      nodeFiles.sync(descriptor);
    },
  };
  return { counts, files };
}

describe('writes that arrive together', () => {
  test('share one durable transaction and are each answered', () =>
    inFolder(async (folder) => {
      const { counts, files } = countingSyncs();
      const store = createStore(await openDatabase({ file: `${folder}/w.ratchetdb`, wasm, files }));
      await begun(store);
      const before = counts.syncs;
      await Promise.all(
        Array.from({ length: 64 }, (_, index) =>
          store.settleEffects(runId, [sampleEffect(`k${index}`, solve)]),
        ),
      );
      expect(counts.syncs - before).toBe(1);
      expect((await store.spent(runId)).calls).toBe(64);
      await store.settleEffects(runId, [sampleEffect('later', solve)]);
      expect(counts.syncs - before).toBe(2);
      await store.close();
    }));

  test('fail alone: the others of the group are kept', () =>
    inFolder(async (folder) => {
      const { files } = countingSyncs();
      const store = createStore(await openDatabase({ file: `${folder}/w.ratchetdb`, wasm, files }));
      await begun(store);
      const event = (round: number) => ({ kind: 'roundStarted' as const, at: place(round, '') });
      const results = await Promise.allSettled([
        store.commit({ runId, events: [event(1)] }),
        store.commit({ runId, events: [event(2)], feedback: [sampleFeedback('nobody', 1)] }),
        store.commit({ runId, events: [event(3)] }),
      ]);
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(results[1]?.status === 'rejected' && results[1].reason).toBeInstanceOf(StoreError);
      // Numbers have no gap where the failed one would have been.
      expect((await store.events(runId, 0, 10)).map(({ seq, event: { at } }) => [seq, at.round])).toEqual([
        [1, 1],
        [2, 3],
      ]);
      await store.close();
    }));

  test('before close are answered; after it nothing is', () =>
    inFolder(async (folder) => {
      const { files } = countingSyncs();
      const store = createStore(await openDatabase({ file: `${folder}/w.ratchetdb`, wasm, files }));
      await begun(store);
      const last = store.settleEffects(runId, [sampleEffect('last', solve)]);
      await store.close();
      await expect(last).resolves.toBeUndefined();
      await expect(store.runs()).rejects.toThrow('is closed');
      await expect(store.settleEffects(runId, [])).rejects.toThrow('is closed');
    }));
});

describe('the log', () => {
  test('is folded into the database when it grows and when nothing happens', () =>
    inFolder(async (folder) => {
      const { files } = countingSyncs();
      const file = `${folder}/w.ratchetdb`;
      const database = await openDatabase({ file, wasm, files });
      const store = createStore(database);
      await begun(store);
      const big = new Uint8Array(1 << 20);
      for (let index = 0; index < 12; index++) await store.put(big.fill(index));
      // Twelve MiB were written, but the log never held much more than four at a time.
      expect(Number(nodeFiles.factsAt(`${file}-log`).size)).toBeLessThan(8 << 20);
      await new Promise((resolve) => setTimeout(resolve, 900));
      expect(Number(nodeFiles.factsAt(`${file}-log`).size)).toBe(0);
      await store.close();
      expect(nodeFiles.exists(`${file}-log`)).toBe(false);
    }));
});
