import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDatabase } from '../../../../src/adapters/store/database.ts';
import { nodeFiles } from '../../../../src/adapters/store/hostFiles.ts';
import { add, idsOf, NOW, openKept } from './keptStore.ts';
import { begun, inFolder, unsynced, wasm } from './samples.ts';

describe('commits missing from a log', () => {
  /** A copy of a store with 12 commits in its log, and one that put them in their places, as a killed process leaves it. */
  async function killed(folder: string): Promise<string> {
    const file = path.join(folder, 'source', 'workspace.ratchetdb');
    const { store, database } = await openKept(file);
    await begun(store);
    database.fold(true);
    for (let number = 0; number < 12; number++) await add(store, number, number + 1);
    database.noteSequence();
    const copy = path.join(folder, 'copy', 'workspace.ratchetdb');
    nodeFiles.makeDirectory(path.dirname(copy));
    for (const suffix of ['', '-log', '-seq']) writeFileSync(copy + suffix, readFileSync(file + suffix));
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
      const log = readFileSync(`${file}-log`);
      const flipped = log.map((byte, at) => (at === Math.floor(log.length / 2) ? byte ^ 1 : byte));
      writeFileSync(`${file}-log`, flipped);
      const said = await warnings(file);
      const lost = Number(/at least (\d+) commit/.exec(said[0] ?? '')?.[1]);
      expect(lost).toBeGreaterThan(3);
      const kept = `${file}-log.damaged-20261122T174838.123Z`;
      expect(said[0]).toContain(kept);
      expect(readFileSync(kept)).toEqual(Buffer.from(flipped));
      const missing = 12 - (await idsOf(file));
      expect(said[1]).toContain(`missing are ${missing} experiences`);
      expect(lost).toBe(missing + 1);
    }));

  test('are counted without the note, too, but for the last', () =>
    inFolder(async (folder) => {
      const file = await killed(folder);
      rmSync(`${file}-seq`);
      const log = readFileSync(`${file}-log`);
      writeFileSync(
        `${file}-log`,
        log.map((byte, at) => (at === Math.floor(log.length / 2) ? byte ^ 1 : byte)),
      );
      const said = await warnings(file);
      const lost = Number(/at least (\d+) commit/.exec(said[0] ?? '')?.[1]);
      expect(lost).toBe(12 + 1 - (await idsOf(file)) - 1);
    }));

  test('from the end of a log that was cut off are known from the note', () =>
    inFolder(async (folder) => {
      const file = await killed(folder);
      const log = readFileSync(`${file}-log`);
      writeFileSync(`${file}-log`, log.subarray(0, log.length - 100));
      const said = await warnings(file);
      expect(said[0]).toContain('at least 1 commit in it');
      // It put the others in their places: that is done again.
      expect(said).toHaveLength(1);
      expect(await idsOf(file)).toBe(12);
      const shorter = await killed(path.join(folder, 'shorter'));
      const long = readFileSync(`${shorter}-log`);
      writeFileSync(`${shorter}-log`, long.subarray(0, Math.floor(long.length / 2)));
      const more = await warnings(shorter);
      const missing = 12 - (await idsOf(shorter));
      expect(missing).toBeGreaterThan(0);
      expect(more[1]).toContain(`missing are ${missing} experience`);
    }));

  test('a log that is gone or unreadable from its beginning is noticed', () =>
    inFolder(async (folder) => {
      const gone = await killed(path.join(folder, 'gone'));
      rmSync(`${gone}-log`);
      expect((await warnings(gone))[0]).toContain('missing are 12 experiences');
      const unreadable = await killed(path.join(folder, 'unreadable'));
      writeFileSync(`${unreadable}-log`, readFileSync(`${unreadable}-log`).fill(0, 0, 40));
      expect((await warnings(unreadable))[0]).toContain('missing are 12 experiences');
      expect(existsSync(`${unreadable}-log.damaged-20261122T174838.123Z`)).toBe(true);
    }));

  test('a commit that was cut short by the end of the process is not called missing', () =>
    inFolder(async (folder) => {
      const file = await killed(folder);
      const log = readFileSync(`${file}-log`);
      rmSync(`${file}-seq`);
      for (const cut of [50, 5000, 9000]) {
        const copy = `${file}-${cut}`;
        writeFileSync(copy, readFileSync(file));
        writeFileSync(`${copy}-log`, log.subarray(0, log.length - cut));
        expect(await warnings(copy)).toEqual([]);
      }
    }));

  test('none where a log was emptied and a crash left the beginning it had before', () =>
    inFolder(async (folder) => {
      const file = await killed(folder);
      const [log, note] = [readFileSync(`${file}-log`), readFileSync(`${file}-seq`)];
      const database = await openDatabase({ file, wasm, files: unsynced });
      database.fold(true);
      database.close();
      writeFileSync(`${file}-log`, log.subarray(0, 32));
      writeFileSync(`${file}-seq`, note);
      expect(await warnings(file)).toEqual([]);
      expect(await idsOf(file)).toBe(12);
    }));

  test('two that a crash each cut short, the second over the first, are not called missing', () =>
    inFolder(async (folder) => {
      /** As a crash leaves it that tore the newest commit, which began at `from`. */
      const torn = (source: string, from: number): string => {
        const copy = path.join(`${path.dirname(source)}-torn`, 'workspace.ratchetdb');
        nodeFiles.makeDirectory(path.dirname(copy));
        writeFileSync(copy, readFileSync(source));
        const log = readFileSync(`${source}-log`);
        writeFileSync(
          `${copy}-log`,
          log.map((byte, at) => (at === from + 100 ? byte ^ 1 : byte)),
        );
        return copy;
      };
      const file = path.join(folder, 'source', 'workspace.ratchetdb');
      const { store, database } = await openKept(file);
      await begun(store);
      database.fold(true);
      await add(store, 0, 1);
      const begunAt = database.logBytes();
      await add(store, 1, 80);
      const first = torn(file, begunAt);
      await store.close();
      const second = await openKept(first);
      expect(second.database.report.warnings).toEqual([]);
      const goesOnAt = second.database.logBytes();
      await add(second.store, 100, 101);
      const third = torn(first, goesOnAt);
      await second.store.close();
      expect(await warnings(third)).toEqual([]);
      expect(await idsOf(third)).toBe(1);
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
