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
import { fullUpkeep } from '../../../../src/adapters/store/upkeep.ts';
import { StoreError } from '../../../../src/core/ports.ts';
import { begun, inFolder, runId, sampleEffect, sampleSolution, solve, unsynced, wasm } from './samples.ts';

const NOW = Date.UTC(2026, 10, 22, 17, 48, 38, 123);
const inside = (folder: string): string => path.join(folder, '.ratchet', 'workspace.ratchetdb');

/** A store as the worker has it, but for its clock. */
async function openKept(file: string, now: () => number = () => NOW, files: HostFiles = unsynced) {
  const database = await openDatabase({ file, wasm, files, now });
  const store = createStore(database, now, fullUpkeep(database, { now, quietMs: 5 }));
  return { database, store };
}

const add = (store: FileStore, from: number, to: number) =>
  store.commit({
    runId,
    events: [],
    solutions: Array.from({ length: to - from }, (_, index) =>
      sampleSolution(`s${from + index}`, 'task0', solve, `${from + index}`.padEnd(300, 'x')),
    ),
  });
const end = (store: FileStore) =>
  store.commit({ runId, events: [], status: { status: 'done', message: 'ended' } });

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

const idsOf = async (file: string): Promise<number> => {
  const database = await openDatabase({ file, wasm, files: unsynced });
  const store = createStore(database);
  const counts = await store.experienceCounts(runId);
  expect((await store.verify()).problems).toEqual([]);
  await store.close();
  return counts.reduce((sum, { count }) => sum + count, 0);
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
      writeFileSync(`${file}-wal`, 'what was not folded');
      const { keptAs } = await restoreDatabase({ file, wasm, files: unsynced, now: () => NOW });
      expect(readFileSync(`${keptAs ?? ''}-wal`, 'utf8')).toBe('what was not folded');
      expect(existsSync(`${file}-wal`)).toBe(false);
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
        writeFileSync(`${file}-wal`, 'old');
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

describe('commits missing from a log', () => {
  /** A copy of a store with 12 commits in its log, as a killed process leaves it. */
  async function killed(folder: string): Promise<string> {
    const file = path.join(folder, 'source', 'workspace.ratchetdb');
    const { store, database } = await openKept(file);
    await begun(store);
    database.fold(true);
    for (let number = 0; number < 12; number++) await add(store, number, number + 1);
    database.noteSequence();
    const copy = path.join(folder, 'copy', 'workspace.ratchetdb');
    nodeFiles.makeDirectory(path.dirname(copy));
    for (const suffix of ['', '-wal', '-seq']) writeFileSync(copy + suffix, readFileSync(file + suffix));
    await store.close();
    return copy;
  }

  const warnings = async (file: string): Promise<readonly string[]> => {
    const database = await openDatabase({ file, wasm, files: unsynced, now: () => NOW });
    database.close();
    return database.report.warnings;
  };

  test('none: nothing is said', () =>
    inFolder(async (folder) => expect(await warnings(await killed(folder))).toEqual([])));

  test('behind a flipped bit are counted, named, and the log is kept', () =>
    inFolder(async (folder) => {
      const file = await killed(folder);
      const log = readFileSync(`${file}-wal`);
      const flipped = log.map((byte, at) => (at === Math.floor(log.length / 2) ? byte ^ 1 : byte));
      writeFileSync(`${file}-wal`, flipped);
      const said = await warnings(file);
      const lost = Number(/at least (\d+) commit/.exec(said[0] ?? '')?.[1]);
      expect(lost).toBeGreaterThan(3);
      expect(said[1]).toContain(`missing are ${lost} experiences`);
      const kept = `${file}-wal.damaged-20261122T174838.123Z`;
      expect(said[0]).toContain(kept);
      expect(readFileSync(kept)).toEqual(Buffer.from(flipped));
      expect(await idsOf(file)).toBe(12 - lost);
    }));

  test('are counted without the note, too, but for the last', () =>
    inFolder(async (folder) => {
      const file = await killed(folder);
      rmSync(`${file}-seq`);
      const log = readFileSync(`${file}-wal`);
      writeFileSync(
        `${file}-wal`,
        log.map((byte, at) => (at === Math.floor(log.length / 2) ? byte ^ 1 : byte)),
      );
      const said = await warnings(file);
      const lost = Number(/at least (\d+) commit/.exec(said[0] ?? '')?.[1]);
      expect(lost).toBe(12 - (await idsOf(file)) - 1);
    }));

  test('from the end of a log that was cut off are known from the note', () =>
    inFolder(async (folder) => {
      const file = await killed(folder);
      const log = readFileSync(`${file}-wal`);
      writeFileSync(`${file}-wal`, log.subarray(0, log.length - 100));
      expect((await warnings(file))[0]).toContain('at least 1 commit in it');
      expect(await idsOf(file)).toBe(11);
    }));

  test('a log that is gone or unreadable from its beginning is noticed', () =>
    inFolder(async (folder) => {
      const gone = await killed(path.join(folder, 'gone'));
      rmSync(`${gone}-wal`);
      expect((await warnings(gone))[0]).toContain('missing are 12 experiences');
      const unreadable = await killed(path.join(folder, 'unreadable'));
      writeFileSync(`${unreadable}-wal`, readFileSync(`${unreadable}-wal`).fill(0, 0, 40));
      expect((await warnings(unreadable))[0]).toContain('missing are 12 experiences');
      expect(existsSync(`${unreadable}-wal.damaged-20261122T174838.123Z`)).toBe(true);
    }));

  test('a commit that was cut short by the end of the process is not called missing', () =>
    inFolder(async (folder) => {
      const file = await killed(folder);
      const log = readFileSync(`${file}-wal`);
      rmSync(`${file}-seq`);
      for (const cut of [50, 5000, 9000]) {
        const copy = `${file}-${cut}`;
        writeFileSync(copy, readFileSync(file));
        writeFileSync(`${copy}-wal`, log.subarray(0, log.length - cut));
        expect(await warnings(copy)).toEqual([]);
      }
    }));

  test('a damaged note is not believed', () =>
    inFolder(async (folder) => {
      const file = await killed(folder);
      const note = readFileSync(`${file}-seq`, 'utf8');
      writeFileSync(`${file}-seq`, note.replace('"experiences":12', '"experiences":92'));
      expect(await warnings(file)).toEqual([]);
      writeFileSync(`${file}-seq`, '');
      expect(await warnings(file)).toEqual([]);
    }));
});
