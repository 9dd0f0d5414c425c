import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { openDatabase } from '../../../../src/adapters/store/database.ts';
import type { HostFiles } from '../../../../src/adapters/store/hostFiles.ts';
import { createStore } from '../../../../src/adapters/store/localStore.ts';
import { isMarked, mark, unmark } from '../../../../src/adapters/store/ownMarks.ts';
import { PAGE_BYTES, sealPage } from '../../../../src/adapters/store/pages.ts';
import { inFolder, runId, sampleRun, unsynced, wasm } from './samples.ts';

/** What a store of before looked like: without marks, its log called as SQLite calls it, commits waiting in it. */
async function formerStore(folder: string): Promise<string> {
  const made = path.join(folder, 'made', 'workspace.ratchetdb');
  const database = await openDatabase({ file: made, wasm, files: unsynced });
  await createStore(database).createRun(sampleRun());
  const page = readFileSync(made);
  page.fill(2, 18, 20);
  sealPage(page.subarray(0, PAGE_BYTES), 1);
  const file = path.join(folder, 'former', 'workspace.ratchetdb');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, page);
  writeFileSync(`${file}-wal`, readFileSync(`${made}-log`));
  database.close();
  return file;
}

async function holdsAll(file: string): Promise<void> {
  const store = createStore(await openDatabase({ file, wasm, files: unsynced }));
  expect((await store.status()).warnings).toEqual([]);
  expect((await store.run(runId))?.run.id).toBe(runId);
  expect((await store.verify()).problems).toEqual([]);
  await store.close();
}

function openedByOthers(file: string): void {
  const plain = new DatabaseSync(file);
  plain.prepare('SELECT count(*) FROM sqlite_schema').get();
  plain.close();
}

describe('the marks that keep other SQLite programs off', () => {
  test('touch the two versions of a file with a log, wherever they lie in what is written', () => {
    const header = new Uint8Array(100).fill(2);
    expect(mark(header, 0)).toBe(true);
    expect([...header].flatMap((byte, at) => (byte === 2 ? [] : [at]))).toEqual([18, 19]);
    expect(isMarked(header)).toBe(true);
    expect(unmark(header, 0)).toBe(true);
    expect(header.every((byte) => byte === 2)).toBe(true);
    expect(mark(header, 4096)).toBe(false);
    expect(mark(header, 20)).toBe(false);
    expect(mark(new Uint8Array(100).fill(1), 0), 'a copy for others').toBe(false);
    const one = Uint8Array.of(2, 2);
    expect(mark(one, 19)).toBe(true);
    expect(one[1]).toBe(2);
  });

  test('a store of before opens with all its log holds, and is marked then', () =>
    inFolder(async (folder) => {
      const file = await formerStore(folder);
      await holdsAll(file);
      expect(existsSync(`${file}-wal`)).toBe(false);
      expect(isMarked(readFileSync(file))).toBe(true);
      expect(() => openedByOthers(file)).toThrow('not a database');
    }));

  test('a store of before, killed before any change of a file while it is opened, opens all the same', () =>
    inFolder(async (folder) => {
      for (let killedAt = 1; ; killedAt++) {
        const file = await formerStore(path.join(folder, String(killedAt)));
        let changes = 0;
        const dies = (): void => {
          if (++changes >= killedAt) throw Object.assign(new Error('killed'), { code: 'EIO' });
        };
        const files = Object.fromEntries(
          (['write', 'truncate', 'remove', 'rename'] as const).map((operation) => [
            operation,
            (...parameters: readonly unknown[]) => {
              dies();
              return (unsynced[operation] as (...rest: readonly unknown[]) => unknown)(...parameters);
            },
          ]),
        ) as Partial<HostFiles>;
        const opened = await openDatabase({ file, wasm, files: { ...unsynced, ...files } }).catch(() => null);
        const isWhole = opened !== null && changes < killedAt;
        opened?.close();
        await holdsAll(file);
        if (isWhole) {
          expect(killedAt).toBeGreaterThan(3);
          return;
        }
      }
    }));

  test("a log beside it that is another program's is left alone and named", () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'workspace.ratchetdb');
      (await openDatabase({ file, wasm, files: unsynced })).close();
      writeFileSync(`${file}-wal`, 'of another');
      const database = await openDatabase({ file, wasm, files: unsynced });
      expect(database.report.warnings.join()).toContain(`${file}-wal is another program's`);
      database.close();
      expect(readFileSync(`${file}-wal`, 'utf8')).toBe('of another');
    }));
});
