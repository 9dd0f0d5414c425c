import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../../src/adapters/store/database.ts';
import { nodeFiles } from '../../../../src/adapters/store/hostFiles.ts';
import { createStore, type FileStore } from '../../../../src/adapters/store/localStore.ts';
import { hideRun } from '../../../../src/adapters/store/removeRun.ts';
import { beginRun, resumeRun } from '../../../../src/core/loop/execute.ts';
import { experienceKey } from '../../../../src/core/measure/identity.ts';
import { asId, type RunId, type SolutionId } from '../../../../src/core/model/ids.ts';
import { memoryStore, type MemoryStore } from '../../../fakes/memoryStore.ts';
import { searchRecipe, starRecipe } from '../../../fakes/recipes.ts';
import { testRun } from '../../../fakes/runServices.ts';
import { inFolder, sampleRun, unsynced, wasm, withStore } from './samples.ts';

const servicesOf = (store: FileStore) =>
  testRun({ store: { ...memoryStore(), ...store } as unknown as MemoryStore });

async function run(store: FileStore, recipeText: string, seed = 1): Promise<RunId> {
  const { services, control } = servicesOf(store);
  const begun = await beginRun({ recipePath: `${seed}.loop.yaml`, recipeText, seed }, services, control);
  await begun.end;
  return begun.runId;
}

async function judge(store: FileStore, solutionId: SolutionId, note: string): Promise<void> {
  const detail = await store.experience(solutionId);
  if (detail === null) throw new Error('no such experience');
  const key = experienceKey(detail.task, detail.solution.output);
  await store.annotate({ key, solutionId, verdict: 'accept', score: null, note, time: 5 });
}

const firstOf = async (store: FileStore, id: RunId): Promise<SolutionId> =>
  (await store.experiences({ runId: id }, null, 1)).items[0]?.solutionId ?? asId('none');

/** All that the views answer about a run, without the numbers a store gives by itself. */
async function lookAt(store: FileStore, id: RunId): Promise<unknown> {
  const events = await store.events(id, 0, 10_000);
  const { items } = await store.experiences({ runId: id }, null, 1000);
  return {
    run: await store.run(id),
    spent: await store.spent(id),
    events: events.map(({ event, time }) => ({ event, time })),
    counts: await store.experienceCounts(id),
    items: items.toSorted((one, other) => one.solutionId.localeCompare(other.solutionId)),
    candidates: await store.candidates(id),
    evaluations: await store.evaluations(id),
  };
}

let made: { readonly folder: string; readonly ids: readonly RunId[] };

/** Two runs, made once: a test gets a copy of their store. */
beforeAll(async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'ratchet-archive-'));
  const database = await openDatabase({
    file: path.join(folder, 'workspace.ratchetdb'),
    wasm,
    files: unsynced,
  });
  const store = createStore(database);
  made = { folder, ids: [await run(store, starRecipe()), await run(store, searchRecipe(), 2)] };
  await store.close();
});
afterAll(() => rmSync(made.folder, { recursive: true, force: true }));

const archived = (work: (store: FileStore, folder: string, ids: readonly RunId[]) => Promise<void>) =>
  inFolder(async (folder) => {
    const own = path.join(folder, 'own');
    cpSync(made.folder, own, { recursive: true });
    const file = path.join(own, 'workspace.ratchetdb');
    const store = createStore(await openDatabase({ file, wasm, files: unsynced }));
    try {
      await work(store, folder, made.ids);
    } finally {
      await store.close();
    }
  });
const request = (runId: RunId, file: string, replace = false) => ({ runId, file, replace });
const at = (list: readonly RunId[], index: number): RunId => list[index] ?? asId('none');

describe('an archived run', () => {
  test.each([0, 1])(
    'is in its file and nowhere else, and comes back as it was: run %i of two',
    (which) =>
      archived(async (store, folder, ids) => {
        const [id, other] = [at(ids, which), at(ids, 1 - which)];
        const [before, beside] = [await lookAt(store, id), await lookAt(store, other)];
        const count = (await store.experienceCounts(id)).reduce((sum, group) => sum + group.count, 0);
        const file = path.join(folder, 'old.sqlite');
        const { experiences, bytes } = await store.archiveRun(request(id, file));
        expect(experiences).toBe(count);
        expect(bytes).toBeGreaterThan(8192);
        expect((await store.runs()).map((item) => item.id)).toEqual([other]);
        expect(await store.run(id)).toBeNull();
        expect(await store.experienceCounts(id)).toEqual([]);
        expect((await store.searchExperiences('', { runId: id }, null, 1000)).items).toEqual([]);
        expect(await lookAt(store, other)).toEqual(beside);
        expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
        expect((await store.status()).contents.runs).toBe(1);
        await withStore(async (elsewhere) => {
          expect(await elsewhere.importFrom(file)).toEqual({ runs: 1, known: 0, experiences });
          expect(await lookAt(elsewhere, id)).toEqual(before);
        });
        expect(await store.importFrom(file)).toEqual({ runs: 1, known: 0, experiences });
        expect(await lookAt(store, id)).toEqual(before);
        expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
        expect(await store.importFrom(file)).toMatchObject({ runs: 0, known: 1 });
      }),
    60_000,
  );

  test('is read by any SQLite, from a folder nobody can write to', () =>
    archived(async (store, folder, ids) => {
      const file = path.join(folder, 'old.sqlite');
      await store.archiveRun(request(at(ids, 0), file));
      expect(readdirSync(folder).sort()).toEqual(['old.sqlite', 'own']);
      const read = new DatabaseSync(file, { readOnly: true });
      expect(read.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'delete' });
      expect(read.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
      expect(read.prepare('SELECT id FROM runs').all()).toEqual([{ id: at(ids, 0) }]);
      read.close();
    }));

  test('leaves what a person judged in use, here and in the archive', () =>
    archived(async (store, folder, ids) => {
      const id = at(ids, 0);
      await judge(store, await firstOf(store, id), 'mine');
      const judged = await store.annotations();
      const marked = (await store.experiences({ runId: id, annotated: true }, null, 100)).items.length;
      expect(marked).toBeGreaterThan(0);
      const file = path.join(folder, 'old.sqlite');
      await store.archiveRun(request(id, file));
      expect(await store.annotations()).toEqual(judged);
      expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
      await withStore(async (elsewhere) => {
        await elsewhere.importFrom(file);
        expect(await elsewhere.annotations()).toEqual(judged);
      });
      await store.importFrom(file);
      expect(await store.annotations()).toEqual(judged);
      expect((await store.experiences({ runId: id, annotated: true }, null, 100)).items).toHaveLength(marked);
      expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
    }));

  test('hands a judgement to an equal experience of a run that stays', () =>
    archived(async (store, folder, ids) => {
      const twin = await run(store, starRecipe(), 1);
      const id = at(ids, 0);
      const first = await firstOf(store, id);
      await judge(store, first, 'mine');
      await store.archiveRun(request(id, path.join(folder, 'old.sqlite')));
      const [judged] = await store.annotations();
      expect(judged).toMatchObject({ note: 'mine' });
      const kept = await store.experience(judged?.solutionId ?? asId('none'));
      expect(kept?.runId === twin || kept === null).toBe(true);
      expect((await store.annotations())[0]?.output).not.toBe('');
    }));

  test('keeps weights that another run has, and takes those nobody else has', () =>
    archived(async (store, folder, ids) => {
      const weights = async (id: RunId) =>
        (await store.candidates(id)).flatMap(({ candidate: { state } }) => state.weights ?? []);
      const own = await weights(at(ids, 0));
      expect(own.length).toBeGreaterThan(0);
      const file = path.join(folder, 'old.sqlite');
      await store.archiveRun(request(at(ids, 0), file));
      for (const hash of own) expect(await store.get(hash)).toBeNull();
      await store.importFrom(file);
      for (const hash of own) expect((await store.get(hash))?.length).toBeGreaterThan(0);
    }));

  test('gives none of its numbers to what comes later', () =>
    archived(async (store, folder, ids) => {
      const newest = (await store.events(at(ids, 1), 0, 10_000)).at(-1)?.seq ?? 0;
      await store.archiveRun(request(at(ids, 1), path.join(folder, 'old.sqlite')));
      const next = await run(store, searchRecipe(), 3);
      expect((await store.events(next, 0, 1))[0]?.seq).toBe(newest + 1);
      expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
    }));
});

describe('archiving', () => {
  test('refuses, with the run where it was, what it cannot do', () =>
    inFolder((folder) =>
      withStore(async (store, database) => {
        await store.createRun(sampleRun(asId('going')));
        const id = await run(store, starRecipe());
        const file = path.join(folder, 'old.sqlite');
        writeFileSync(file, 'mine');
        await expect(store.archiveRun(request(asId('none'), `${file}2`))).rejects.toThrow(
          'not in the workspace',
        );
        await expect(store.archiveRun(request(asId('going'), `${file}2`))).rejects.toThrow('is going on');
        await expect(store.archiveRun(request(id, file))).rejects.toThrow('exists already');
        for (const own of ['workspace.ratchetdb', 'x.sqlite'])
          await expect(
            store.archiveRun(request(id, path.join(path.dirname(database), own), true)),
          ).rejects.toThrow("is Ratchet's own");
        mkdirSync(`${file}.folder`);
        await expect(store.archiveRun(request(id, `${file}.folder`, true))).rejects.toThrow();
        expect((await store.runs()).map((item) => item.id)).toContain(id);
        expect(await store.verify()).toMatchObject({ ok: true });
        await store.archiveRun(request(id, file, true));
        expect((await store.runs()).map((item) => item.id)).not.toContain(id);
        expect(readdirSync(path.join(path.dirname(database), 'archive'))).toEqual([]);
      }),
    ));

  test('removes nothing when the archive cannot be written whole', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'w', 'workspace.ratchetdb');
      let full = false;
      const files = {
        ...unsynced,
        write: (...[descriptor, from, offset, length, position]: Parameters<typeof nodeFiles.write>) => {
          if (full) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
          return nodeFiles.write(descriptor, from, offset, length, position);
        },
      };
      const store = createStore(await openDatabase({ file, wasm, files }));
      const id = await run(store, starRecipe());
      const before = await lookAt(store, id);
      full = true;
      await expect(store.archiveRun(request(id, path.join(folder, 'old.sqlite')))).rejects.toThrow();
      full = false;
      expect(existsSync(path.join(folder, 'old.sqlite'))).toBe(false);
      expect(await lookAt(store, id)).toEqual(before);
      await store.close();
    }));

  test('goes on with taking out a run where a crash ended it', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'w', 'workspace.ratchetdb');
      const database = await openDatabase({ file, wasm, files: unsynced });
      const store = createStore(database);
      const id = await run(store, starRecipe());
      database.transact((connection) => hideRun(connection, id, 'Archived.'));
      expect(await store.runs()).toEqual([]);
      await store.close();
      const again = await openDatabase({ file, wasm, files: unsynced });
      const reopened = createStore(again);
      const left = () =>
        again.read((connection) => connection.get('SELECT count(*) AS n FROM solutions'))?.['n'];
      await expect.poll(left, { timeout: 20_000, interval: 50 }).toBe(1);
      expect(await reopened.verify()).toMatchObject({ ok: true, problems: [] });
      await reopened.close();
    }));

  test('refuses a run that is resumed meanwhile, which then goes on', () =>
    archived(async (store, folder) => {
      const { services, control } = servicesOf(store);
      const began = await beginRun(
        { recipePath: 'p', recipeText: searchRecipe(), seed: 9 },
        services,
        control,
      );
      control.reason = 'pause';
      control.aborted = true;
      await began.end;
      const archiving = store.archiveRun(request(began.runId, path.join(folder, 'old.sqlite')));
      const resumed = resumeRun({ runId: began.runId, recipeText: searchRecipe(), seed: 9 }, services, {
        aborted: false,
        reason: null,
      });
      await expect(archiving).rejects.toThrow('went on meanwhile');
      expect((await (await resumed).end).kind).toBe('done');
      expect(await store.verify()).toMatchObject({ ok: true });
    }));
});
