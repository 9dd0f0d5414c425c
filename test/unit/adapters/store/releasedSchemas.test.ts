import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openDatabase } from '../../../../src/adapters/store/database.ts';
import { createStore } from '../../../../src/adapters/store/localStore.ts';
import { lookAt } from '../../../fixtures/store/look.ts';
import { inFolder, unsynced, wasm } from './samples.ts';

const fixtures = path.resolve(import.meta.dirname, '../../../fixtures/store');
const released = readdirSync(fixtures).flatMap(
  (name) => /^schema-(\d+)\.ratchetdb\.gz$/.exec(name)?.[1] ?? [],
);
const unpacked = (name: string): Buffer => gunzipSync(readFileSync(path.join(fixtures, name)));

describe('a workspace of a released schema', () => {
  test('there is a fixture to open', () => expect(released).toContain('1'));

  test.each(released)('%s opens, shows all it showed then, and is whole', (version) =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'workspace.ratchetdb');
      writeFileSync(file, unpacked(`schema-${version}.ratchetdb.gz`));
      const plain = new DatabaseSync(file, { readOnly: true });
      expect(plain.prepare('PRAGMA user_version').get()).toEqual({ user_version: Number(version) });
      plain.close();
      const store = createStore(await openDatabase({ file, wasm, files: unsynced }));
      const shown = JSON.parse(unpacked(`schema-${version}.json.gz`).toString()) as object;
      expect(await lookAt(store)).toMatchObject(shown);
      expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
      await store.close();
    }),
  );
});
