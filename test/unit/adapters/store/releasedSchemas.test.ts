import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readContents } from '../../../../src/adapters/store/contents.ts';
import { openDatabase } from '../../../../src/adapters/store/database.ts';
import { createStore } from '../../../../src/adapters/store/localStore.ts';
import { type Migration, MIGRATIONS, newestVersion } from '../../../../src/adapters/store/migrations.ts';
import { lookAt } from '../../../fixtures/store/look.ts';
import { inFolder, unsynced, wasm } from './samples.ts';

const fixtures = path.resolve(import.meta.dirname, '../../../fixtures/store');
const released = readdirSync(fixtures).flatMap(
  (name) => /^schema-(\d+)\.ratchetdb\.gz$/.exec(name)?.[1] ?? [],
);
/** Its place in the file (https://www.sqlite.org/fileformat2.html#user_version_number): SQLite itself is kept off the newer ones. */
const USER_VERSION = 60;
const unpacked = (name: string): Buffer => gunzipSync(readFileSync(path.join(fixtures, name)));

describe('a workspace of a released schema', () => {
  test('there is a fixture to open', () => expect(released).toContain('1'));

  test.each(released)('%s opens, shows all it showed then, and is whole', (version) =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'workspace.ratchetdb');
      writeFileSync(file, unpacked(`schema-${version}.ratchetdb.gz`));
      expect(readFileSync(file).readUInt32BE(USER_VERSION)).toBe(Number(version));
      const store = createStore(await openDatabase({ file, wasm, files: unsynced }));
      const shown = JSON.parse(unpacked(`schema-${version}.json.gz`).toString()) as object;
      expect(await lookAt(store)).toMatchObject(shown);
      expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
      await store.close();
    }),
  );

  test.each(released)(
    '%s, its migration killed at any moment, is what it was or what it was to become',
    (version) =>
      inFolder(async (folder) => {
        const file = path.join(folder, 'source', 'workspace.ratchetdb');
        mkdirSync(path.dirname(file));
        writeFileSync(file, unpacked(`schema-${version}.ratchetdb.gz`));
        const then = MIGRATIONS.slice(0, Number(version));
        const now: readonly Migration[] = [
          ...MIGRATIONS,
          {
            version: newestVersion(MIGRATIONS) + 1,
            apply: (connection) =>
              connection.script(
                'CREATE TABLE later AS SELECT * FROM solutions; ALTER TABLE runs ADD COLUMN later INTEGER',
              ),
          },
        ];
        /** The database and its log before each change of a file, as a process killed there leaves them. */
        const moments = new Map<string, readonly (readonly [string, Buffer])[]>();
        const look = (): void => {
          const left = ['', '-log'].flatMap((suffix) =>
            existsSync(file + suffix) ? [[suffix, readFileSync(file + suffix)] as const] : [],
          );
          const hash = createHash('sha256');
          for (const [suffix, bytes] of left) hash.update(suffix).update(bytes);
          moments.set(hash.digest('hex'), left);
        };
        const watched = Object.fromEntries(
          (['write', 'sync', 'truncate', 'remove', 'rename'] as const).map((operation) => [
            operation,
            (...parameters: readonly unknown[]) => {
              look();
              return (unsynced[operation] as (...rest: readonly unknown[]) => unknown)(...parameters);
            },
          ]),
        );
        (await openDatabase({ file, wasm, files: { ...unsynced, ...watched }, migrations: now })).close();
        look();
        const ended = { asBefore: 0, migrated: 0 };
        for (const [index, left] of [...moments.values()].entries()) {
          const copy = path.join(folder, String(index), 'workspace.ratchetdb');
          mkdirSync(path.dirname(copy));
          for (const [suffix, bytes] of left) writeFileSync(copy + suffix, bytes);
          const old = await openDatabase({ file: copy, wasm, files: unsynced, migrations: then });
          const contents = old.read(readContents);
          ended[old.report.readOnly ? 'migrated' : 'asBefore']++;
          expect(contents).toMatchObject({ runs: 2 });
          expect(old.read((connection) => connection.all('PRAGMA quick_check'))).toEqual([
            { quick_check: 'ok' },
          ]);
          old.close();
          const opened = await openDatabase({ file: copy, wasm, files: unsynced, migrations: now });
          expect(opened.read(readContents)).toEqual(contents);
          opened.close();
        }
        expect(ended.asBefore).toBeGreaterThan(1);
        expect(ended.migrated).toBeGreaterThan(1);
      }),
  );
});
