import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { listBackups } from '../../../../src/adapters/store/backups.ts';
import { openDatabase } from '../../../../src/adapters/store/database.ts';
import { nodeFiles } from '../../../../src/adapters/store/hostFiles.ts';
import { createStore } from '../../../../src/adapters/store/localStore.ts';
import { MIGRATIONS, type Migration, newestVersion } from '../../../../src/adapters/store/migrations.ts';
import { StoreError } from '../../../../src/core/ports.ts';
import {
  inFolder,
  place,
  runId,
  sampleCandidate,
  sampleRun,
  sampleSolution,
  sampleTask,
  wasm,
} from './samples.ts';

const SOLUTIONS = 300;

/** A closed store with a run and some solutions, at the given place. */
async function makeStore(file: string): Promise<void> {
  const store = createStore(await openDatabase({ file, wasm }));
  await store.createRun(sampleRun());
  await fill(store, 0, SOLUTIONS);
  await store.close();
}

async function fill(store: ReturnType<typeof createStore>, from: number, to: number): Promise<void> {
  await store.commit({
    runId,
    events: [],
    tasks: [sampleTask(0)],
    candidates: [sampleCandidate('start', place(0, ''))],
    solutions: Array.from({ length: to - from }, (_, index) =>
      sampleSolution(`s${from + index}`, 'task0', place(1, 'solve'), `${from + index}`.padEnd(200, 'x')),
    ),
  });
}

/** Everything in the folder, by name. */
function snapshot(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder)
      .filter((name) => statSync(path.join(folder, name)).isFile())
      .map((name) => [name, readFileSync(path.join(folder, name)).toString('base64')]),
  );
}

const NEWEST = newestVersion(MIGRATIONS);

async function refusal(file: string, migrations: readonly Migration[] = MIGRATIONS): Promise<StoreError> {
  const before = snapshot(path.dirname(file));
  const error = await openDatabase({ file, wasm, migrations }).then(
    (database) => {
      database.close();
      return null;
    },
    (reason: unknown) => reason,
  );
  expect(snapshot(path.dirname(file)), 'the files were left as they were').toEqual(before);
  expect(error, 'it was refused').toBeInstanceOf(StoreError);
  expect((error as StoreError).message).toContain(file);
  return error as StoreError;
}

describe('a database that is missing', () => {
  test('is made, with its folder, and is a Ratchet workspace', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'a', 'b', 'workspace.ratchetdb');
      (await openDatabase({ file, wasm })).close();
      expect(readdirSync(path.dirname(file))).toEqual(['workspace.ratchetdb']);
      const header = readFileSync(file).subarray(0, 100);
      expect(header.subarray(68, 72).toString()).toBe('RTCH');
      expect(header.readUInt32BE(60)).toBe(NEWEST);
      expect(header[18], 'a version that no other SQLite reads').toBeGreaterThan(2);
    }));

  test('is made anew where an earlier making was cut short', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'workspace.ratchetdb');
      writeFileSync(`${file}.new`, 'half');
      (await openDatabase({ file, wasm })).close();
      expect(readdirSync(folder)).toEqual(['workspace.ratchetdb']);
    }));

  test('syncs the folder before it is used', () =>
    inFolder(async (folder) => {
      const synced: string[] = [];
      const files = {
        ...nodeFiles,
        syncDirectory: (directory: string) => {
          synced.push(directory);
          nodeFiles.syncDirectory(directory);
        },
      };
      const file = path.join(folder, 'workspace.ratchetdb');
      const database = await openDatabase({ file, wasm, files });
      const made = synced.length;
      expect(synced).toContain(folder);
      // The log is a new name, too: its first commit syncs the folder that holds it.
      database.transact((connection) =>
        connection.run("INSERT INTO blobs (hash, bytes) VALUES ('h', x'00')"),
      );
      expect(synced.slice(made)).toContain(folder);
      database.close();
    }));

  test('is not made over a log that was left behind', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'workspace.ratchetdb');
      writeFileSync(`${file}-log`, 'commits that matter');
      expect((await refusal(file)).message).toContain('-log');
      expect(existsSync(file)).toBe(false);
    }));
});

describe('a file that is no whole workspace of ours is refused and left alone', () => {
  test.each<[string, Uint8Array | string]>([
    ['empty', ''],
    ['of one byte', 'S'],
    ['text', 'hello, this is a diary\n'.repeat(100)],
    ['JSON', JSON.stringify({ ratchet: 1 })],
    ['zeros', new Uint8Array(8192)],
    ['only the magic', 'SQLite format 3\0'],
  ])('%s', (_name, content) =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'workspace.ratchetdb');
      writeFileSync(file, content);
      await refusal(file);
    }),
  );

  test('the database of another program', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'workspace.ratchetdb');
      const other = new DatabaseSync(file);
      other.exec('CREATE TABLE diary (day TEXT); INSERT INTO diary VALUES (1);');
      other.close();
      expect((await refusal(file)).code).toBe('FOREIGN');
    }));

  test('one cut off at any page', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'workspace.ratchetdb');
      await makeStore(file);
      const { size } = statSync(file);
      const whole = readFileSync(file);
      const pages = size / 4096;
      expect(pages).toBeGreaterThan(30);
      for (let kept = size - 4096; kept >= 0; kept -= 4096) {
        truncateSync(file, kept);
        expect((await refusal(file)).code).toBe('DAMAGED');
      }
      for (const odd of [size - 1, size - 4095, 5000, 4096, 4095, 512, 99]) {
        writeFileSync(file, whole.subarray(0, odd));
        expect((await refusal(file)).code).toBe('DAMAGED');
      }
    }));

  test('one cut off beside a log that does not hold what is missing', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'source', 'workspace.ratchetdb');
      await makeStore(file);
      const database = await openDatabase({ file, wasm });
      await fill(createStore(database), SOLUTIONS, SOLUTIONS + 1);
      const copy = path.join(folder, 'workspace.ratchetdb');
      writeFileSync(copy, readFileSync(file).subarray(0, 8192));
      writeFileSync(`${copy}-log`, readFileSync(`${file}-log`));
      database.close();
      expect((await refusal(copy)).code).toBe('DAMAGED');
    }));
});

describe('a file of a newer version', () => {
  const later = { version: NEWEST + 1, apply: () => undefined };

  async function onlyRead(file: string): Promise<void> {
    const before = snapshot(path.dirname(file));
    const database = await openDatabase({ file, wasm });
    expect(database.report).toEqual({ readOnly: true, warnings: [] });
    const store = createStore(database);
    expect((await store.experienceCounts(runId))[0]?.count).toBe(SOLUTIONS);
    expect((await store.runs()).map(({ id }) => id)).toEqual([runId]);
    const error = await store.commit({ runId, events: [] }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'StoreError', code: 'NEWER' });
    expect((error as StoreError).message).toContain('Update Ratchet');
    await expect(store.compact()).rejects.toMatchObject({ code: 'NEWER' });
    await store.close();
    expect(snapshot(path.dirname(file)), 'the files were left as they were').toEqual(before);
  }

  test('is read, and every write to it is refused', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'workspace.ratchetdb');
      await makeStore(file);
      (await openDatabase({ file, wasm, migrations: [...MIGRATIONS, later] })).close();
      await onlyRead(file);
    }));

  test('is read as well where that is only in its log', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'source', 'workspace.ratchetdb');
      await makeStore(file);
      const database = await openDatabase({ file, wasm });
      database.transact((connection) => connection.script('PRAGMA user_version = 99'));
      const copy = path.join(folder, 'copy', 'workspace.ratchetdb');
      nodeFiles.makeDirectory(path.dirname(copy));
      for (const suffix of ['', '-log']) writeFileSync(copy + suffix, readFileSync(file + suffix));
      database.close();
      expect(readFileSync(copy).readUInt32BE(60)).toBe(NEWEST);
      await onlyRead(copy);
    }));
});

describe('a page that is not as it was written', () => {
  test('is refused at once when it is the first', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'workspace.ratchetdb');
      await makeStore(file);
      const whole = readFileSync(file);
      for (const at of [16, 18, 20, 21, 24, 28, 40, 44, 56, 60, 63, 92, 100, 105, 2000, 4088, 4095]) {
        const changed = Buffer.from(whole);
        changed[at] = (changed[at] ?? 0) ^ 4;
        writeFileSync(file, changed);
        await refusal(file);
      }
    }));
});

describe('a database that was not closed', () => {
  test('opens with everything its log holds', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'source', 'workspace.ratchetdb');
      await makeStore(file);
      const database = await openDatabase({ file, wasm });
      await fill(createStore(database), SOLUTIONS, SOLUTIONS + 5);
      const copy = path.join(folder, 'workspace.ratchetdb');
      for (const suffix of ['', '-log']) writeFileSync(copy + suffix, readFileSync(file + suffix));
      database.close();
      const store = createStore(await openDatabase({ file: copy, wasm }));
      expect((await store.experienceCounts(runId))[0]?.count).toBe(SOLUTIONS + 5);
      expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
      await store.close();
    }));

  test('opens when a fold was cut short: the log still holds the pages the file lacks', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'source', 'workspace.ratchetdb');
      const database = await openDatabase({ file, wasm });
      const empty = readFileSync(file);
      const store = createStore(database);
      await store.createRun(sampleRun());
      await fill(store, 0, SOLUTIONS);
      const log = readFileSync(`${file}-log`);
      database.fold(false);
      const folded = readFileSync(file);
      database.close();
      for (const kept of [empty.length, empty.length + 4096, empty.length + 6000, folded.length - 4096]) {
        const copy = path.join(folder, `cut-${kept}`, 'workspace.ratchetdb');
        nodeFiles.makeDirectory(path.dirname(copy));
        // Page 1 with the new page count arrived, the last pages did not.
        writeFileSync(copy, folded.subarray(0, kept));
        writeFileSync(`${copy}-log`, log);
        const again = createStore(await openDatabase({ file: copy, wasm }));
        expect((await again.experienceCounts(runId))[0]?.count).toBe(SOLUTIONS);
        expect((await again.verify()).problems).toEqual([]);
        await again.close();
      }
    }));
});

describe('an older database', () => {
  const newer: readonly Migration[] = [
    ...MIGRATIONS,
    {
      version: NEWEST + 1,
      apply: (connection) => connection.script('CREATE TABLE later (x INTEGER) STRICT'),
    },
    { version: NEWEST + 2, apply: (connection) => connection.script('ALTER TABLE later ADD COLUMN y TEXT') },
  ];

  test('is copied, then brought to the newest schema', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'workspace.ratchetdb');
      await makeStore(file);
      const database = await openDatabase({ file, wasm, migrations: newer });
      expect(database.read((connection) => connection.get('PRAGMA user_version'))).toEqual({
        user_version: NEWEST + 2,
      });
      expect((await createStore(database).experienceCounts(runId))[0]?.count).toBe(SOLUTIONS);
      database.close();
      const made = listBackups(file, nodeFiles);
      expect(made).toMatchObject([{ schema: NEWEST }]);
      const backup = new DatabaseSync(made[0]?.file ?? '', { readOnly: true });
      expect(backup.prepare('PRAGMA user_version').get()).toEqual({ user_version: NEWEST });
      expect(backup.prepare('SELECT count(*) AS n FROM solutions').get()).toEqual({ n: SOLUTIONS });
      backup.close();
    }));

  test('stays as it was when a step fails, with its copy beside it', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'workspace.ratchetdb');
      await makeStore(file);
      const broken = [
        ...newer,
        {
          version: NEWEST + 3,
          apply: () => {
            throw new StoreError('no');
          },
        },
      ];
      await expect(openDatabase({ file, wasm, migrations: broken })).rejects.toThrow('no');
      expect(listBackups(file, nodeFiles)).toMatchObject([{ schema: NEWEST }]);
      const database = await openDatabase({ file, wasm });
      expect(database.read((connection) => connection.get('PRAGMA user_version'))).toEqual({
        user_version: NEWEST,
      });
      expect((await createStore(database).verify()).ok).toBe(true);
      database.close();
    }));
});
