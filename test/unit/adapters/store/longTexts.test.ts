import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../../../src/adapters/store/database.ts';
import { createStore, type FileStore } from '../../../../src/adapters/store/localStore.ts';
import { LONG_BYTES } from '../../../../src/adapters/store/longTexts.ts';
import { MIGRATIONS } from '../../../../src/adapters/store/migrations.ts';
import { openSearchIndex } from '../../../../src/adapters/store/searchIndex.ts';
import { searchExperiences } from '../../../../src/adapters/store/searchExperiences.ts';
import { asId, type ExperienceKey, type RunId } from '../../../../src/core/model/ids.ts';
import {
  begun,
  inFolder,
  runId,
  sampleCandidate,
  sampleRun,
  sampleSolution,
  sampleTask,
  solve,
  start,
  unsynced,
  wasm,
  withStore,
} from './samples.ts';

const SHORT = 'é'.repeat(LONG_BYTES / 2 - 1) + 'x';
const LONG = 'é'.repeat(LONG_BYTES / 2 - 4) + ' walrus!';
const OTHER = `${LONG} otter`;
const ODD = `${LONG}\0\ud800`;
const OUTPUTS = [SHORT, LONG, LONG, OTHER, ODD, ODD];

/** Keys are hashes: no text of a model. */
const solutions = (name: string, outputs: readonly string[] = OUTPUTS) =>
  outputs.map((output, index) => ({
    ...sampleSolution(`${name}${index}`, `task${index % 3}`, solve, output),
    key: asId<ExperienceKey>(`key of ${name}${index}`),
  }));

const next: RunId = asId('run2');

/** Another run of the same tasks, whose solutions have these outputs. */
async function another(store: FileStore, outputs: readonly string[]): Promise<void> {
  await store.createRun({ ...sampleRun(next), arms: ['main'] });
  await store.commit({
    runId: next,
    events: [],
    tasks: [0, 1, 2].map(sampleTask),
    candidates: [sampleCandidate('start', start)],
    solutions: solutions('other', outputs),
    status: { status: 'stopped', message: '' },
  });
}

const texts = (file: string): unknown => {
  const plain = new DatabaseSync(file, { readOnly: true });
  const rows = plain.prepare('SELECT text FROM texts ORDER BY text').all();
  plain.close();
  return rows.map((row) => row['text']);
};

const outputsOf = async (store: FileStore, id = runId): Promise<readonly string[]> =>
  (await store.experiences({ runId: id }, null, 100)).items
    .toSorted((one, other) => one.solutionId.localeCompare(other.solutionId))
    .map(({ output }) => output);

async function exported(store: FileStore, folder: string, name: string): Promise<string> {
  const file = path.join(folder, name);
  await store.exportTo(file);
  return file;
}

const opened = (file: string, migrations = MIGRATIONS): Promise<Database> =>
  openDatabase({ file, wasm, files: unsynced, migrations });

describe('a long output', () => {
  test('is kept once and shown wherever it was given', () =>
    inFolder((folder) =>
      withStore(async (store) => {
        await begun(store);
        await store.commit({ runId, events: [], solutions: solutions('s') });
        expect(texts(await exported(store, folder, 'a'))).toEqual([LONG, OTHER].toSorted());
        expect(await outputsOf(store)).toEqual(OUTPUTS);
        for (const [index, output] of OUTPUTS.entries())
          expect((await store.experience(asId(`s${index}`)))?.solution.output).toBe(output);
        expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
        const found = await store.searchExperiences('walrus otter', {}, null, 10);
        expect(found.items.map(({ solutionId }) => solutionId)).toEqual(['s3']);
      }),
    ));

  test('is found by the index of words', () =>
    inFolder(async (folder) => {
      const database = await opened(path.join(folder, 'workspace.ratchetdb'));
      const store = createStore(database);
      await begun(store);
      await store.commit({ runId, events: [], solutions: solutions('s') });
      const file = path.join(folder, 'search.ratchetdb');
      const index = await openSearchIndex(database, { file, wasm, files: unsynced });
      while (index.enterBatch());
      const page = { text: 'otter', filter: {}, after: null, limit: 10 };
      const found = database.read((connection) => searchExperiences(connection, index, page));
      expect(found.items.map(({ solutionId }) => solutionId)).toEqual(['s3']);
      index.close();
      await store.close();
    }));

  test('goes out and comes in with its run, and stays for whoever else has it', () =>
    inFolder((folder) =>
      withStore(async (store) => {
        await another(store, [LONG, OTHER, OTHER]);
        await begun(store);
        await store.commit({ runId, events: [], solutions: solutions('s', [LONG, SHORT]) });
        const archive = path.join(folder, 'archive');
        await store.archiveRun({ runId: next, file: archive, replace: false });
        expect(texts(archive)).toEqual([LONG, OTHER].toSorted());
        expect(texts(await exported(store, folder, 'left'))).toEqual([LONG]);
        expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
        await store.importFrom(archive);
        expect(await outputsOf(store, next)).toEqual([LONG, OTHER, OTHER]);
        expect(texts(await exported(store, folder, 'back'))).toEqual([LONG, OTHER].toSorted());
        expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
      }),
    ));

  test.each([
    ["UPDATE texts SET text = replace(text, 'walrus', 'wombat')", 'the content it was stored with'],
    ['DELETE FROM texts', 'unreadable output'],
  ])('that was changed or is gone is named, never shown: %s', (damage, said) =>
    inFolder(async (folder) => {
      const database = await opened(path.join(folder, 'workspace.ratchetdb'));
      const store = createStore(database);
      await begun(store);
      await store.commit({ runId, events: [], solutions: solutions('s', [LONG]) });
      database.transact((connection) => connection.run(damage));
      await expect(outputsOf(store)).rejects.toThrow('solution s0 has an unreadable');
      const { ok, problems } = await store.verify();
      expect(ok).toBe(false);
      expect(problems.join(' ')).toContain(said);
      await store.close();
    }),
  );

  test('of a store that kept each with its solution is moved, and no other', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'workspace.ratchetdb');
      const old = await opened(file, MIGRATIONS.slice(0, 3));
      const fill = await opened(path.join(folder, 'new.ratchetdb'));
      const store = createStore(fill);
      await begun(store);
      await store.commit({ runId, events: [], solutions: solutions('s') });
      // The same rows as the third schema had them.
      const tables = ['runs', 'run_summaries', 'tasks', 'run_tasks', 'candidates', 'run_candidates'];
      for (const table of [...tables, 'experience_groups', 'solutions', 'solution_texts', 'events'])
        for (const row of fill.read((connection) =>
          connection.all(
            table === 'solution_texts'
              ? `SELECT solution, coalesce((SELECT text FROM texts t WHERE t.ref = x.text), output) AS output, answer, checksum FROM solution_texts x`
              : `SELECT ${table === 'tasks' ? 'ref, id, input, context, reference, checksum' : '*'} FROM ${table}`,
          ),
        ))
          old.transact((connection) =>
            connection.run(
              `INSERT INTO ${table} (${Object.keys(row).join()}) VALUES (${Object.keys(row)
                .map(() => '?')
                .join()})`,
              ...Object.values(row),
            ),
          );
      await store.close();
      old.close();
      const moved = createStore(await opened(file));
      expect(await outputsOf(moved)).toEqual(OUTPUTS);
      expect(await moved.verify()).toMatchObject({ ok: true, problems: [] });
      expect(texts(await exported(moved, folder, 'moved'))).toEqual([LONG, OTHER].toSorted());
      await moved.close();
    }));
});
