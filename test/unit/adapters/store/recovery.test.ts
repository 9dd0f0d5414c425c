import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import {
  backupFile,
  type Backup,
  isOldEnough,
  listBackups,
  superfluous,
} from '../../../../src/adapters/store/backups.ts';
import { openDatabase, restoreDatabase } from '../../../../src/adapters/store/database.ts';
import { type HostFiles, nodeFiles } from '../../../../src/adapters/store/hostFiles.ts';
import { createStore, type FileStore } from '../../../../src/adapters/store/localStore.ts';
import { StoreError } from '../../../../src/core/ports.ts';
import { add, end, idsOf, inside, NOW, openKept } from './keptStore.ts';
import { begun, inFolder, runId, sampleEffect, sampleSolution, solve, unsynced, wasm } from './samples.ts';

/** A closed store with 40 experiences of which 30 are in its one backup. */
async function backedUp(folder: string): Promise<string> {
  const file = inside(folder);
  const { store } = await openKept(file);
  await begun(store);
  await add(store, 0, 30);
  await end(store);
  await store.close();
  const later = await openKept(file);
  await add(later.store, 30, 40);
  await later.store.settleEffects(runId, [sampleEffect('k0', solve)]);
  await later.store.close();
  expect(listBackups(file, nodeFiles)).toHaveLength(1);
  return file;
}

const refusal = async (file: string): Promise<StoreError> => {
  const error = await openDatabase({ file, wasm, files: unsynced }).then(
    (database) => {
      database.close();
      throw new Error('It was opened.');
    },
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StoreError);
  return error as StoreError;
};

describe('backups', () => {
  test('are made when a run ended, read back, and readable by any SQLite', () =>
    inFolder(async (folder) => {
      const file = await backedUp(folder);
      const [backup] = listBackups(file, nodeFiles);
      expect(backup).toMatchObject({ madeAt: NOW });
      expect(path.basename(backup?.file ?? '')).toMatch(
        /^workspace-20261122T174838\.123Z-schema-\d+\.ratchetdb$/,
      );
      const plain = new DatabaseSync(backup?.file ?? '', { readOnly: true });
      expect(plain.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
      expect(plain.prepare('SELECT count(*) AS n FROM solutions').get()).toEqual({ n: 30 });
      plain.close();
    }));

  test('are made while the store is idle, not while commits come', () =>
    inFolder(async (folder) => {
      const file = inside(folder);
      const { store } = await openKept(file);
      await begun(store);
      await end(store);
      expect(listBackups(file, nodeFiles)).toEqual([]);
      await expect.poll(() => listBackups(file, nodeFiles).length).toBe(1);
      await store.close();
    }));

  test('are made at the next opening where none could be made before', () =>
    inFolder(async (folder) => {
      const file = inside(folder);
      const database = await openDatabase({ file, wasm, files: unsynced });
      const store = createStore(database, () => NOW);
      await begun(store);
      await end(store);
      await store.close();
      const again = await openKept(file, () => NOW + 1);
      await expect.poll(() => listBackups(file, nodeFiles).length).toBe(1);
      await again.store.close();
    }));

  test('that fail are told, leave nothing behind and are tried again', () =>
    inFolder(async (folder) => {
      const file = inside(folder);
      let full = false;
      const files: HostFiles = {
        ...unsynced,
        makeDirectory: (at) => {
          if (full) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
          unsynced.makeDirectory(at);
        },
      };
      const { store } = await openKept(file, () => NOW, files);
      await begun(store);
      full = true;
      await end(store);
      await expect.poll(async () => (await store.status()).backupTrouble).toContain('The disk is full');
      expect((await store.status()).backups).toEqual([]);
      full = false;
      await end(store);
      await expect.poll(async () => (await store.status()).backups.length).toBe(1);
      expect((await store.status()).backupTrouble).toBeNull();
      await store.close();
    }));

  const MEGABYTES = 12;
  const fill = async (store: FileStore): Promise<void> => {
    for (let part = 0; part < MEGABYTES; part++)
      await store.commit({
        runId,
        events: [],
        solutions: Array.from({ length: 500 }, (_, index) =>
          sampleSolution(`${part}-${index}`, 'task0', solve, `${index} `.repeat(500)),
        ),
      });
  };

  test('of a big workspace are copied piece by piece, and commits go on meanwhile', () =>
    inFolder(async (folder) => {
      const file = inside(folder);
      const { store, database } = await openKept(file);
      await begun(store);
      await fill(store);
      const before = MEGABYTES * 500;
      const target = backupFile(file, NOW - 1, 2);
      const copied = database.copyBeside(target);
      let during = 0;
      let done = false;
      void copied.then(() => (done = true));
      while (!done) await add(store, during, ++during);
      expect(await copied).toBe(true);
      expect(during).toBeGreaterThan(3);
      expect(database.fold(true), 'folding goes on').toBe(true);
      const backup = createStore(await openDatabase({ file: target, wasm, files: unsynced }));
      expect((await backup.status()).contents.experiences).toBe(before);
      expect(await backup.verify()).toMatchObject({ ok: true, problems: [] });
      await backup.close();
      expect((await store.status()).contents.experiences).toBe(before + during);
      rmSync(target);
      await end(store);
      await expect.poll(() => listBackups(file, nodeFiles).length, { timeout: 10_000 }).toBe(1);
      expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
      await store.close();
      expect(
        readdirSync(path.join(folder, '.ratchet', 'backups')).filter((name) => !name.endsWith('.ratchetdb')),
      ).toEqual([]);
    }));

  test('are given up, leaving nothing, where the file changed under the copying', () =>
    inFolder(async (folder) => {
      const file = inside(folder);
      const { store, database } = await openKept(file);
      await begun(store);
      await fill(store);
      const copied = database.copyBeside(backupFile(file, NOW, 2));
      await store.compact();
      expect(await copied).toBe(false);
      expect(readdirSync(path.join(folder, '.ratchet', 'backups'))).toEqual([]);
      await store.close();
    }));

  const backup = (madeAt: number, bytes = 1000, schema = 1): Backup => ({
    file: `${madeAt}`,
    madeAt,
    schema,
    bytes,
  });
  const hour = 3_600_000;

  test('of several generations are kept: the three newest, four days, each older schema', () => {
    const kept = (all: readonly Backup[]) => all.filter((one) => !superfluous(all).includes(one));
    const hourly = Array.from({ length: 24 * 10 }, (_, index) => backup(NOW - index * hour));
    expect(kept(hourly).map(({ madeAt }) => (NOW - madeAt) / hour)).toEqual([0, 1, 2, 18, 42, 66]);
    const old = backup(NOW - 1000 * hour, 1000, 0);
    expect(kept([...hourly, old])).toContain(old);
    const big = hourly.map((one) => ({ ...one, bytes: 1 << 30 }));
    expect(kept(big)).toHaveLength(2);
  });

  test('of a big workspace are made less often', () => {
    const minute = 60_000;
    expect(isOldEnough(undefined, 1 << 40, NOW)).toBe(true);
    expect(isOldEnough(backup(NOW - 14_000), 1 << 20, NOW)).toBe(false);
    expect(isOldEnough(backup(NOW - 15_000), 1 << 20, NOW)).toBe(true);
    expect(isOldEnough(backup(NOW - 255 * minute), 1 << 30, NOW)).toBe(false);
    expect(isOldEnough(backup(NOW - 256 * minute), 1 << 30, NOW)).toBe(true);
    expect(isOldEnough(backup(NOW + hour), 1 << 30, NOW), 'the clock was set back').toBe(true);
  });
});

describe('a damaged database', () => {
  const damages: readonly (readonly [string, (file: string) => void])[] = [
    ['emptied', (file) => truncateSync(file, 0)],
    ['cut off', (file) => truncateSync(file, 9000)],
    ['another file', (file) => writeFileSync(file, 'a diary')],
    [
      'flipped in its first page',
      (file) =>
        writeFileSync(
          file,
          readFileSync(file).map((byte, at) => (at === 60 ? byte ^ 1 : byte)),
        ),
    ],
    ['gone', (file) => rmSync(file)],
  ];

  test.each(damages)('(%s) is refused with the newest good backup and what is not in it', (_name, damage) =>
    inFolder(async (folder) => {
      const file = await backedUp(folder);
      damage(file);
      const left = existsSync(file) ? readFileSync(file) : null;
      const { message } = await refusal(file);
      expect(message).toContain(file);
      expect(message).toContain('2026-11-22 17:48 UTC');
      expect(message).toContain('1 run, 30 experiences');
      expect(message).toContain('made later and not in it: 10 experiences, 1 answer');
      expect(existsSync(file) ? readFileSync(file) : null).toEqual(left);
    }),
  );

  test.each(damages)('(%s) is set aside and the backup put in its place on request', (name, damage) =>
    inFolder(async (folder) => {
      const file = await backedUp(folder);
      damage(file);
      const left = existsSync(file) ? readFileSync(file) : null;
      const restored = await restoreDatabase({ file, wasm, files: unsynced, now: () => NOW });
      expect(restored.missing).toMatchObject({ runs: 0, experiences: 10, answers: 1 });
      expect(restored.keptAs).toBe(name === 'gone' ? null : `${file}.damaged-20261122T174838.123Z`);
      if (restored.keptAs !== null) expect(readFileSync(restored.keptAs)).toEqual(left);
      expect(await idsOf(file)).toBe(30);
      expect(listBackups(file, nodeFiles), 'the backup is still there').toHaveLength(1);
      const database = await openDatabase({ file, wasm, files: unsynced });
      expect(database.report.warnings).toEqual([]);
      database.close();
    }),
  );

  test('keeps its log beside it', () =>
    inFolder(async (folder) => {
      const file = await backedUp(folder);
      truncateSync(file, 9000);
      writeFileSync(`${file}-log`, 'what was not folded');
      const { keptAs } = await restoreDatabase({ file, wasm, files: unsynced, now: () => NOW });
      expect(readFileSync(`${keptAs ?? ''}-log`, 'utf8')).toBe('what was not folded');
      expect(existsSync(`${file}-log`)).toBe(false);
    }));

  test('is restored from the backup before when the newest is damaged, too', () =>
    inFolder(async (folder) => {
      const file = await backedUp(folder);
      const newer = backupFile(file, NOW + 1000, 1);
      const bytes = readFileSync(listBackups(file, nodeFiles)[0]?.file ?? '');
      writeFileSync(
        newer,
        bytes.map((byte, at) => (at === bytes.length - 5000 ? byte ^ 4 : byte)),
      );
      truncateSync(file, 0);
      const { backup } = await restoreDatabase({ file, wasm, files: unsynced });
      expect(backup.madeAt).toBe(NOW);
    }));

  test('without a backup is left as it is', () =>
    inFolder(async (folder) => {
      const file = inside(folder);
      const { store } = await openKept(file);
      await begun(store);
      await store.close();
      truncateSync(file, 4096);
      expect((await refusal(file)).message).toContain('no good backup');
      const before = readdirSync(path.dirname(file));
      const restoring = restoreDatabase({ file, wasm, files: unsynced });
      await expect(restoring).rejects.toMatchObject({ name: 'StoreError', code: 'NO_BACKUP' });
      expect(readdirSync(path.dirname(file))).toEqual(before);
    }));

  test('that is being restored is the damaged one or the whole backup wherever the process dies', () =>
    inFolder(async (folder) => {
      let points = 0;
      for (let stopAt = 1; ; stopAt++) {
        const file = await backedUp(path.join(folder, String(stopAt)));
        truncateSync(file, 9000);
        writeFileSync(`${file}-log`, 'old');
        let left = stopAt;
        const dying = Object.fromEntries(
          (['open', 'write', 'sync', 'rename', 'remove', 'syncDirectory'] as const).map((operation) => [
            operation,
            (...parameters: readonly unknown[]) => {
              if (--left <= 0) throw Object.assign(new Error('killed'), { code: 'EIO' });
              return (unsynced[operation] as (...rest: readonly unknown[]) => unknown)(...parameters);
            },
          ]),
        );
        const done = await restoreDatabase({
          file,
          wasm,
          files: { ...unsynced, ...dying },
          now: () => NOW,
        }).then(
          () => true,
          () => false,
        );
        const restored = await openDatabase({ file, wasm, files: unsynced }).then(
          (database) => {
            database.close();
            return true;
          },
          (error: unknown) => {
            expect((error as StoreError).code).toBe('DAMAGED');
            expect(readFileSync(file)).toHaveLength(9000);
            return false;
          },
        );
        if (restored) expect(await idsOf(file)).toBe(30);
        expect(readdirSync(path.dirname(file)).some((name) => name.includes('.damaged-'))).toBe(restored);
        if (done) break;
        points++;
      }
      expect(points).toBeGreaterThan(10);
    }));
});
