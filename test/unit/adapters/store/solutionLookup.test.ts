import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { storeCommit } from '../../../../src/adapters/store/commit.ts';
import { type Database, openDatabase } from '../../../../src/adapters/store/database.ts';
import { createStore } from '../../../../src/adapters/store/localStore.ts';
import { createRun } from '../../../../src/adapters/store/runs.ts';
import {
  findSolution,
  findSolutions,
  isFindable,
  sweepSlice,
  unswept,
} from '../../../../src/adapters/store/solutionLookup.ts';
import { asId } from '../../../../src/core/model/ids.ts';
import {
  inFolder,
  place,
  runId,
  sampleCandidate,
  sampleFeedback,
  sampleRefinement,
  sampleRun,
  sampleSolution,
  sampleTask,
  start,
  unsynced,
  wasm,
} from './samples.ts';

/** Two words with the same CRC-32. */
const TWINS = ['plumless', 'buckeroo'] as const;
const at = place(1, '0.solve');

async function opened(file: string): Promise<Database> {
  const database = await openDatabase({ file, wasm, files: unsynced });
  database.transact((connection) => {
    createRun(connection, sampleRun());
    storeCommit(
      connection,
      { runId, events: [], tasks: [sampleTask(0)], candidates: [sampleCandidate('start', start)] },
      1,
    );
  });
  return database;
}

const add = (database: Database, ids: readonly string[]) =>
  database.transact((connection) =>
    storeCommit(
      connection,
      { runId, events: [], solutions: ids.map((id) => sampleSolution(id, 'task0', at)) },
      1,
    ),
  );
const find = (database: Database, id: string) => database.read((connection) => findSolution(connection, id));
const names = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `solution${from + index}`);

describe('finding solutions by id', () => {
  test('before, during and after a sweep, and on a store that is opened again', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'w.ratchetdb');
      const database = await opened(file);
      add(database, names(0, 2500));
      const check = (of: Database, last: number) => {
        for (const index of [0, 1, 1023, 1024, 2047, 2048, last])
          expect(find(of, `solution${index}`)).toBe(index + 1);
        expect(find(of, 'solution2600')).toBeNull();
        const asked = ['solution7', 'nobody', 'solution2400'];
        expect([...of.read((connection) => findSolutions(connection, asked))]).toEqual(
          expect.arrayContaining([
            ['solution7', 8],
            ['solution2400', 2401],
          ]),
        );
      };
      check(database, 2499);
      let slices = 0;
      do {
        slices++;
        check(database, 2499);
        // Comes while the sweep is under way, so it must wait for the next one.
        if (slices === 2) add(database, names(2500, 2510));
      } while (database.transact(sweepSlice)());
      expect(slices).toBe(3);
      expect(database.read(unswept)).toBe(10);
      check(database, 2509);
      expect(
        database.read((connection) => connection.get('SELECT count(*) AS n FROM solution_keys')),
      ).toEqual({
        n: 2500,
      });
      database.close();
      const again = await openDatabase({ file, wasm, files: unsynced });
      check(again, 2509);
      const findable = (of: Database) =>
        of.read((connection) =>
          connection
            .all('SELECT ref, id, key FROM solutions')
            .filter(({ ref, id, key }) => isFindable(connection, Number(ref), String(id), String(key))),
        ).length;
      expect(findable(again)).toBe(2510);
      again.transact((connection) => connection.run('DELETE FROM solution_keys WHERE solution = 7'));
      expect(findable(again)).toBe(2509);
      expect((await createStore(again).verify()).problems).toEqual([
        expect.stringContaining('solution solution6 cannot be found'),
      ]);
      expect(again.read(unswept)).toBe(10);
      again.close();
    }));

  test('tells ids with the same hash apart', () =>
    inFolder(async (folder) => {
      const database = await opened(path.join(folder, 'w.ratchetdb'));
      add(database, [TWINS[0]]);
      expect(find(database, TWINS[1])).toBeNull();
      database.transact(sweepSlice)();
      expect(find(database, TWINS[1])).toBeNull();
      add(database, [TWINS[1]]);
      expect(TWINS.map((id) => find(database, id))).toEqual([1, 2]);
      database.transact(sweepSlice)();
      expect(TWINS.map((id) => find(database, id))).toEqual([1, 2]);
      database.close();
    }));

  test('does not find what was rolled back, whoever takes its number', () =>
    inFolder(async (folder) => {
      const database = await opened(path.join(folder, 'w.ratchetdb'));
      expect(() =>
        database.transact((connection) => {
          storeCommit(connection, { runId, events: [], solutions: [sampleSolution('gone', 'task0', at)] }, 1);
          throw new Error('no');
        }),
      ).toThrow('no');
      expect(find(database, 'gone')).toBeNull();
      add(database, ['kept']);
      expect(find(database, 'gone')).toBeNull();
      database.transact(sweepSlice)();
      expect([find(database, 'gone'), find(database, 'kept')]).toEqual([null, 1]);
      database.close();
    }));

  test('stores a solution once, however often and with whatever beside it comes', () =>
    inFolder(async (folder) => {
      const database = await opened(path.join(folder, 'w.ratchetdb'));
      const store = createStore(database, () => 1);
      const commit = {
        runId,
        events: [],
        solutions: [sampleSolution('s', 'task0', at), sampleSolution('s', 'task0', at)],
        feedback: [
          sampleFeedback('s', 1),
          sampleFeedback('s', 0),
          { ...sampleFeedback('s', 0.5), id: asId<never>('2') },
        ],
        refinements: [sampleRefinement('s', 'kept'), sampleRefinement('s', 'dropped')],
      };
      const shown = async () => ({
        page: await store.experiences({ runId }, null, 10),
        counts: await store.experienceCounts(runId),
        detail: await store.experience(asId('s')),
      });
      await store.commit(commit);
      const first = await shown();
      expect(first.page.items).toMatchObject([{ score: 0.5, verdict: 'kept' }]);
      expect(first.counts).toMatchObject([{ verdict: 'kept', count: 1 }]);
      expect(first.detail?.feedback.map(({ id }) => id)).toEqual(['feedback of s', '2']);
      await store.commit(commit);
      database.transact(sweepSlice)();
      await store.commit(commit);
      expect(await shown()).toEqual(first);
      expect((await store.verify()).problems).toEqual([]);
      await store.close();
    }));

  test('marks every experience with a judged key, swept or not', () =>
    inFolder(async (folder) => {
      const database = await opened(path.join(folder, 'w.ratchetdb'));
      const store = createStore(database, () => 1);
      const twin = (id: string) => sampleSolution(id, 'task0', at, 'the same answer');
      await store.commit({ runId, events: [], solutions: [twin('a'), sampleSolution('other', 'task0', at)] });
      database.transact(sweepSlice)();
      await store.commit({ runId, events: [], solutions: [twin('b')] });
      const annotation = {
        key: twin('a').key,
        solutionId: asId<never>('b'),
        verdict: 'accept',
        score: null,
        note: '',
        time: 1,
      } as const;
      await store.annotate(annotation);
      const marked = await store.experiences({ runId, annotated: true }, null, 10);
      expect(marked.items.map(({ solutionId }) => solutionId)).toEqual(['a', 'b']);
      expect((await store.experienceCounts(runId))[0]).toMatchObject({ count: 3, annotated: 2 });
      await store.annotate({ ...annotation, verdict: null });
      expect((await store.experienceCounts(runId))[0]).toMatchObject({ count: 3, annotated: 0 });
      await store.close();
    }));
});
