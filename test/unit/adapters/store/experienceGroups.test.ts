import path from 'node:path';
import { expect, test } from 'vitest';
import { storeCommit } from '../../../../src/adapters/store/commit.ts';
import { openDatabase } from '../../../../src/adapters/store/database.ts';
import { experienceCounts } from '../../../../src/adapters/store/experienceGroups.ts';
import { createStore } from '../../../../src/adapters/store/localStore.ts';
import { begun, inFolder, runId, sampleSolution, solve, unsynced, wasm } from './samples.ts';

const solutions = (...ids: readonly string[]) => ids.map((id) => sampleSolution(id, 'task0', solve));

test('counts that were asked for within a transaction that was undone are not kept', () =>
  inFolder(async (folder) => {
    const file = path.join(folder, 'workspace.ratchetdb');
    const database = await openDatabase({ file, wasm, files: unsynced });
    const store = createStore(database);
    await begun(store);
    await store.commit({ runId, events: [], solutions: solutions('one') });
    const count = () => database.read((connection) => experienceCounts(connection, runId)[0]?.count);
    expect(count()).toBe(1);
    const inside: unknown[] = [];
    const undone = () =>
      database.transact((connection) => {
        storeCommit(connection, { runId, events: [], solutions: solutions('two', 'three') }, 1);
        inside.push(experienceCounts(connection, runId)[0]?.count);
        throw new Error('undone');
      });
    expect(undone).toThrow('undone');
    expect(inside).toEqual([3]);
    expect(count()).toBe(1);
    // What waits is counted in a transaction that is undone as well.
    await store.commit({ runId, events: [], solutions: solutions('four') });
    expect(database.glimpse((connection) => experienceCounts(connection, runId)[0]?.count)).toBe(2);
    expect(database.peek((connection) => experienceCounts(connection, runId)[0]?.count)).toBe(1);
    expect(count()).toBe(2);
    await store.close();
  }));
