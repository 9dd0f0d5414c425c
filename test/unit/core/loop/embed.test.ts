/** Embeddings through the ledger: asked once, kept exactly, capped, and found again without a call. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { embeddingModel, embedTexts } from '../../../../src/core/loop/embed.ts';
import { readAccount } from '../../../../src/core/loop/journal.ts';
import { openLedger } from '../../../../src/core/loop/ledger.ts';
import { cosine, readVector, vectorText } from '../../../../src/core/measure/vectors.ts';
import { asId, type RunId } from '../../../../src/core/model/ids.ts';
import type { Embedder } from '../../../../src/core/ports.ts';
import { memoryStore, type MemoryStore } from '../../../fakes/memoryStore.ts';
import { testRun } from '../../../fakes/runServices.ts';

const at = { arm: 'main', round: 3, step: '2.assess' } as const;

function lengths(asked: string[], price: Embedder['price'] = { input: 1, output: 0 }): Embedder {
  return {
    name: 'local/vectors',
    price,
    endpoint: 'here',
    async *embed(texts, stop) {
      for (let next = await texts.next(); next !== null && !stop.aborted; next = await texts.next()) {
        const { index, text } = next;
        asked.push(text);
        const usage = { input: text.length, output: 0 };
        const vector = Float32Array.of(text.length / 3, -1);
        yield text === 'bad'
          ? { index, answer: { ok: false, reason: 'no' } as const }
          : { index, answer: { ok: true, vector, usage, model: 'v', requestId: null } as const };
      }
    },
  };
}

async function ledgerOf(store: MemoryStore, run: string, embedder: Embedder, caps = {}) {
  const id = asId<RunId>(run);
  const earlierRuns = async () => [{ id: asId<RunId>('first'), seed: 7 }];
  const services = { ...testRun({ store }).services, store, earlierRuns };
  const facts = { recipe: '', data: '', caps, origin: null, attempts: 0, cache: true };
  const account = await readAccount(store, id);
  const model = { ...embeddingModel(embedder), name: 'chat' };
  const ledger = await openLedger({ id, model, seed: 1, facts, account }, services, {
    aborted: false,
    reason: null,
  });
  return ledger.of(embeddingModel(embedder));
}

test('each text is asked once in a run, whatever the round, and comes back as it came', async () => {
  const store = memoryStore();
  const asked: string[] = [];
  const ledger = await ledgerOf(store, 'first', lengths(asked));
  const first = await embedTexts(ledger, at, ['a', 'bb', 'a', 'bad']);
  expect(first).toEqual([Float32Array.of(1 / 3, -1), Float32Array.of(2 / 3, -1), first[0], null]);
  await embedTexts(ledger, { ...at, round: 4, step: '5.select' }, ['bb', 'ccc']);
  expect(asked).toEqual(['a', 'bb', 'bad', 'ccc']);
  expect(ledger.meter()).toMatchObject({ calls: 4 });

  const again: string[] = [];
  const resumed = await ledgerOf(store, 'first', lengths(again));
  expect(await embedTexts(resumed, at, ['a', 'bb'])).toEqual(first.slice(0, 2));
  const other = await ledgerOf(store, 'second', lengths(again));
  expect(await embedTexts(other, at, ['a', 'bb'])).toEqual(first.slice(0, 2));
  expect(other.meter()).toMatchObject({ calls: 0, cached: 2 });
  expect(again).toEqual([]);
});

test('a cap holds for embeddings', async () => {
  const asked: string[] = [];
  const ledger = await ledgerOf(memoryStore(), 'first', lengths(asked), { calls: 2 });
  await expect(embedTexts(ledger, at, ['a', 'bb', 'ccc'])).rejects.toThrow('2 calls');
  expect(asked).toEqual(['a', 'bb']);
});

test('a vector is exact as text, and nothing else is one', () => {
  fc.assert(
    fc.property(fc.float32Array({ minLength: 1, noNaN: true }), (vector) => {
      expect(readVector(vectorText(vector))).toEqual(vector);
    }),
  );
  for (const text of ['', 'yes', '0000', 'g0000000', '0000803f0']) expect(readVector(text)).toBeNull();
});

test('vectors that point the same way are near, whatever their lengths', () => {
  expect(cosine(Float32Array.of(1, 2), Float32Array.of(2, 4))).toBeCloseTo(1);
  expect(cosine(Float32Array.of(1, 0), Float32Array.of(0, 3))).toBe(0);
  expect(cosine(Float32Array.of(1, 0), Float32Array.of(-5, 0))).toBe(-1);
  expect(cosine(Float32Array.of(0, 0), Float32Array.of(1, 1))).toBe(0);
  expect(() => cosine(Float32Array.of(1), Float32Array.of(1, 2))).toThrow(RangeError);
});
