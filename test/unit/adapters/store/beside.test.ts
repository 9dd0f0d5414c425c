import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { openDatabase } from '../../../../src/adapters/store/database.ts';
import { createStore, type FileStore } from '../../../../src/adapters/store/localStore.ts';
import { MIGRATIONS, newestVersion } from '../../../../src/adapters/store/migrations.ts';
import { verifyStore } from '../../../../src/adapters/store/verify.ts';
import { verifyBeside } from '../../../../src/adapters/store/verifyBeside.ts';
import {
  begun,
  inFolder,
  runId,
  sampleSolution,
  solve,
  unsynced,
  wasm,
  wasmFile,
  workerUrl,
} from './samples.ts';

/** Bytes of a text: a thousand of them make a store too big to be copied at once. */
const textBytes = 9_000;
const start = (file: string) => ({ file, wasmFile });
const solution = (name: string) => sampleSolution(name, 'task0', solve, name.padEnd(textBytes, ` ${name}`));

async function fill(store: FileStore, count: number): Promise<void> {
  await begun(store);
  for (let from = 0; from < count; from += 100)
    await store.commit({
      runId,
      events: [],
      solutions: Array.from({ length: 100 }, (_, index) => solution(`s${from + index}`)),
    });
}

async function opened(folder: string) {
  const file = path.join(folder, 'w', 'workspace.ratchetdb');
  const database = await openDatabase({ file, wasm, files: unsynced });
  return { file, database, store: createStore(database) };
}

const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a check in a thread of its own', () => {
  test('finds what a check here finds, while commits go on', () =>
    inFolder(async (folder) => {
      const { file, database, store } = await opened(folder);
      await fill(store, 200);
      const checking = verifyBeside(database, workerUrl, start(file));
      let done = false;
      void checking.finally(() => (done = true));
      let meanwhile = 0;
      while (!done) {
        await store.commit({ runId, events: [], solutions: [solution(`later${meanwhile}`)] });
        if (database.fold(true)) {
          // The check may have ended during the commit.
          await pause();
          expect(done, 'the file changed under the check').toBe(true);
        }
        meanwhile += 1;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const found = await checking;
      expect(meanwhile).toBeGreaterThan(3);
      expect(found).toMatchObject({ ok: true, problems: [] });
      // It began when nothing of this was there, or read some of it from the log.
      expect(found?.checked).toBeGreaterThan(200);
      expect(database.fold(true)).toBe(true);
      const again = await verifyBeside(database, workerUrl, start(file));
      expect(again).toEqual(await verifyStore(database, pause));
      await store.close();
    }));

  test('finds damage, and leaves the store open', () =>
    inFolder(async (folder) => {
      const { file, store } = await opened(folder);
      await fill(store, 100);
      await store.close();
      const bytes = readFileSync(file);
      const at = bytes.lastIndexOf(Buffer.from('s7 s7 s7'));
      expect(at).toBeGreaterThan(4096);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      writeFileSync(file, bytes);
      const database = await openDatabase({ file, wasm, files: unsynced });
      const found = await verifyBeside(database, workerUrl, start(file));
      expect(found?.ok).toBe(false);
      expect(found?.problems.length).toBeGreaterThan(0);
      expect(database.read((connection) => connection.get('SELECT count(*) AS n FROM runs'))).toEqual({
        n: 1,
      });
      database.close();
    }));

  test('is not made where the file is held, or only read', () =>
    inFolder(async (folder) => {
      const { file, database, store } = await opened(folder);
      await fill(store, 100);
      const both = await Promise.all([
        verifyBeside(database, workerUrl, start(file)),
        verifyBeside(database, workerUrl, start(file)),
      ]);
      expect(both.map((found) => found?.ok)).toEqual([true, undefined]);
      await store.close();
      const later = [...MIGRATIONS, { version: newestVersion(MIGRATIONS) + 1, apply: () => undefined }];
      (await openDatabase({ file, wasm, files: unsynced, migrations: later })).close();
      const reader = await openDatabase({ file, wasm, files: unsynced });
      expect(await verifyBeside(reader, workerUrl, start(file))).toBeNull();
      // What is only read can still be taken out whole.
      const copy = path.join(folder, 'copy.sqlite');
      await createStore(reader).exportTo(copy);
      const plain = new DatabaseSync(copy, { readOnly: true });
      expect(plain.prepare('SELECT count(*) AS n FROM solutions').get()).toEqual({ n: 100 });
      plain.close();
      const before = readFileSync(file);
      expect(() => reader.transact(() => undefined)).toThrow('newer version');
      expect(() => reader.peek((connection) => connection.run('DELETE FROM runs'))).toThrow();
      reader.close();
      expect(readFileSync(file).equals(before)).toBe(true);
    }));
});

test('a big store is exported piece by piece, while commits go on', () =>
  inFolder(async (folder) => {
    const { database, store } = await opened(folder);
    await fill(store, 1000);
    database.fold(true);
    const copy = path.join(folder, 'copy.sqlite');
    let done = false;
    const exporting = store.exportTo(copy).finally(() => (done = true));
    let meanwhile = 0;
    while (!done) {
      await store.commit({ runId, events: [], solutions: [solution(`later${meanwhile}`)] });
      meanwhile += 1;
      await pause();
    }
    await exporting;
    expect(meanwhile).toBeGreaterThan(3);
    const plain = new DatabaseSync(copy, { readOnly: true });
    expect(plain.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    // What was there when it began, and nothing that came half.
    const count = Number(plain.prepare('SELECT count(*) AS n FROM solutions').get()?.['n']);
    expect(count).toBeGreaterThanOrEqual(1000);
    expect(plain.prepare('SELECT count(*) AS n FROM solution_texts').get()).toEqual({ n: count });
    plain.close();
    expect((await store.experienceCounts(runId))[0]?.count).toBe(1000 + meanwhile);
    expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
    await store.close();
  }));
