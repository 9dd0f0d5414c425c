import { writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openStore } from '../../../../src/adapters/store/store.ts';
import { StoreError } from '../../../../src/core/ports.ts';
import {
  begun,
  inFolder,
  runId,
  sampleEffect,
  sampleFeedback,
  sampleRefinement,
  sampleSolution,
  solve,
  wasmFile,
  workerUrl,
} from './samples.ts';

describe('a store in a worker', () => {
  test('does what it says on the other side of the thread', () =>
    inFolder(async (folder) => {
      const file = `${folder}/.ratchet/workspace.ratchetdb`;
      const store = await openStore({ file, wasmFile, workerUrl });
      await begun(store);
      await store.commit({
        runId,
        events: [],
        solutions: [sampleSolution('s0', 'task0', solve)],
        feedback: [sampleFeedback('s0', 1)],
        refinements: [sampleRefinement('s0', 'kept')],
      });
      await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          store.settleEffects(runId, [sampleEffect(`k${index}`, solve)]),
        ),
      );
      expect((await store.findEffects(runId, [sampleEffect('k3', solve).key])).size).toBe(1);
      expect((await store.experiences({ runId }, null, 10)).items).toHaveLength(1);
      expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
      await store.close();
      const again = await openStore({ file, wasmFile, workerUrl });
      expect((await again.runs())[0]?.calls).toBe(40);
      await again.close();
    }));

  test('takes copies of bytes and gives its own', () =>
    inFolder(async (folder) => {
      const store = await openStore({ file: `${folder}/w.ratchetdb`, wasmFile, workerUrl });
      const pool = Buffer.alloc(100_000, 7);
      const view = pool.subarray(500, 600).fill(9);
      const hash = await store.put(view);
      expect(view.every((byte) => byte === 9)).toBe(true);
      expect(await store.get(hash)).toEqual(new Uint8Array(100).fill(9));
      await store.close();
    }));

  test('gives errors as the store throws them', () =>
    inFolder(async (folder) => {
      const store = await openStore({ file: `${folder}/w.ratchetdb`, wasmFile, workerUrl });
      const error: unknown = await store.commit({ runId, events: [] }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(StoreError);
      expect(error).toMatchObject({ code: 'UNKNOWN', message: 'The store holds no run run1.' });
      await store.close();
      await store.close();
      await expect(store.runs()).rejects.toThrow(StoreError);
    }));

  test('does not open what it should not', () =>
    inFolder(async (folder) => {
      const file = `${folder}/w.ratchetdb`;
      writeFileSync(file, '');
      await expect(openStore({ file, wasmFile, workerUrl })).rejects.toThrow(
        `${file} is damaged: it is empty`,
      );
      const missing = openStore({ file: `${folder}/x`, wasmFile: `${folder}/none.wasm`, workerUrl });
      await expect(missing).rejects.toThrow('install Ratchet again');
      const other = `${folder}/other.wasm`;
      writeFileSync(other, 'not this one');
      const unknown = openStore({ file: `${folder}/x`, wasmFile: other, workerUrl });
      await expect(unknown).rejects.toMatchObject({ name: 'StoreError', code: 'UNKNOWN_WASM' });
      const gone = openStore({ file: `${folder}/x`, wasmFile, workerUrl: pathToFileURL(`${folder}/no.ts`) });
      await expect(gone).rejects.toThrow(StoreError);
    }));

  test('writes a copy that any SQLite reads', () =>
    inFolder(async (folder) => {
      const store = await openStore({ file: `${folder}/w.ratchetdb`, wasmFile, workerUrl });
      await begun(store);
      const solutions = Array.from({ length: 500 }, (_, index) =>
        sampleSolution(`s${index}`, 'task0', solve),
      );
      await store.commit({ runId, events: [], solutions });
      const target = `${folder}/copies/copy.sqlite`;
      await store.exportTo(target);
      const copy = new DatabaseSync(target, { readOnly: true });
      expect(copy.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
      expect(
        copy
          .prepare(
            'SELECT s.id, x.output FROM solutions s JOIN solution_texts x ON x.solution = s.ref ORDER BY s.ref',
          )
          .all(),
      ).toEqual(solutions.map(({ id, output }) => ({ id, output })));
      copy.close();
      await store.close();
      // The copy is a store, too.
      const opened = await openStore({ file: target, wasmFile, workerUrl });
      expect(await opened.experienceCounts(runId)).toMatchObject([{ count: 500 }]);
      await opened.close();
    }));
});
