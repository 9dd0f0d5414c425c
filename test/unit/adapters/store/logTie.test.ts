import { copyFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../../../src/adapters/store/database.ts';
import { readLog } from '../../../../src/adapters/store/logFile.ts';
import { PAGE_BYTES, sealPage, tieOf } from '../../../../src/adapters/store/pages.ts';
import { inFolder, unsynced, wasm } from './samples.ts';

const open = (file: string): Promise<Database> => openDatabase({ file, wasm, files: unsynced });

function write(database: Database, hash: string): void {
  database.transact((connection) =>
    connection.run('INSERT INTO blobs (hash, bytes) VALUES (?, ?)', hash, new Uint8Array(50)),
  );
}

const hashes = (database: Database): unknown =>
  database.read((connection) =>
    connection.all('SELECT hash FROM blobs ORDER BY hash').map((row) => row['hash']),
  );

const tieOfFile = (file: string): number | null =>
  tieOf(new Uint8Array(readFileSync(file).subarray(0, PAGE_BYTES)));
const tieOfLog = (file: string): number | null => readLog(`${file}-log`, PAGE_BYTES, unsynced).tie;

/** The files of a store with `before` folded and `after` in its log, as a killed process leaves them. */
async function left(folder: string, name: string, before: string, after: string): Promise<string> {
  const live = path.join(folder, `${name}-live.ratchetdb`);
  const database = await open(live);
  write(database, before);
  database.fold(true);
  write(database, after);
  const file = path.join(folder, `${name}.ratchetdb`);
  for (const suffix of ['', '-log']) copyFileSync(live + suffix, file + suffix);
  database.close();
  return file;
}

/** As a database was before it had a number. */
function untie(file: string): void {
  const bytes = readFileSync(file);
  sealPage(bytes.subarray(0, PAGE_BYTES), 1);
  writeFileSync(file, bytes);
}

describe('a log', () => {
  test('names its database however often it is begun anew and whoever opened it', () =>
    inFolder(async (folder) => {
      const file = await left(folder, 'one', 'a', 'b');
      const tie = tieOfFile(file);
      expect(tie).not.toBeNull();
      expect(tieOfLog(file)).toBe(tie);
      for (let opening = 0; opening < 3; opening++) {
        const database = await open(file);
        for (let round = 0; round < 4; round++) {
          write(database, `${opening} ${round}`);
          expect(tieOfLog(file)).toBe(tie);
          database.fold(round % 2 === 0);
        }
        database.close();
        expect(tieOfFile(file)).toBe(tie);
      }
    }));

  test('of another database is refused by name, and both stay as they are', () =>
    inFolder(async (folder) => {
      const one = await left(folder, 'one', 'a', 'b');
      const other = await left(folder, 'other', 'c', 'd');
      copyFileSync(`${other}-log`, `${one}-log`);
      const before = ['', '-log'].map((suffix) => readFileSync(one + suffix));
      await expect(open(one)).rejects.toThrow(`${one}-log beside it is of another database`);
      expect(['', '-log'].map((suffix) => readFileSync(one + suffix))).toEqual(before);
      rmSync(`${one}-log`);
      const database = await open(one);
      expect(hashes(database)).toEqual(['a']);
      database.close();
    }));

  test('of the database that a backup was made of is no log of the backup', () =>
    inFolder(async (folder) => {
      const file = await left(folder, 'one', 'a', 'b');
      const database = await open(file);
      const backups = ['whole', 'pieces'].map((name) => path.join(folder, `${name}.ratchetdb`));
      database.exportTo(backups[0] as string);
      expect(await database.copyBeside(backups[1] as string)).toBe(true);
      write(database, 'c');
      for (const backup of backups) {
        copyFileSync(`${file}-log`, `${backup}-log`);
        await expect(open(backup)).rejects.toThrow('of another database');
      }
      database.close();
    }));

  test('whose header is damaged gives way to one that names the database', () =>
    inFolder(async (folder) => {
      const file = await left(folder, 'one', 'a', 'b');
      const log = readFileSync(`${file}-log`);
      log[17] = (log[17] ?? 0) ^ 4;
      writeFileSync(`${file}-log`, log);
      const database = await open(file);
      write(database, 'c');
      expect(tieOfLog(file)).toBe(tieOfFile(file));
      expect(hashes(database)).toEqual(['a', 'c']);
      database.close();
    }));

  test('of which a crash left the header alone gives way, too', () =>
    inFolder(async (folder) => {
      const file = await left(folder, 'one', 'a', 'b');
      truncateSync(`${file}-log`, 32);
      const database = await open(file);
      write(database, 'c');
      expect(tieOfLog(file)).toBe(tieOfFile(file));
      expect(hashes(database)).toEqual(['a', 'c']);
      database.close();
    }));

  test('of a database without a number is taken, and the number it gives stays', () =>
    inFolder(async (folder) => {
      const file = await left(folder, 'one', 'a', 'b');
      const tie = tieOfLog(file);
      untie(file);
      expect(tieOfFile(file)).toBeNull();
      const database = await open(file);
      expect(hashes(database)).toEqual(['a', 'b']);
      // Writes the first page.
      database.transact((connection) => connection.script('CREATE TABLE later (x)'));
      database.fold(true);
      expect(tieOfFile(file)).toBe(tie);
      write(database, 'c');
      expect(tieOfLog(file)).toBe(tie);
      database.close();
    }));
});
