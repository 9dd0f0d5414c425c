/** A store with its upkeep, as the worker has it, on a clock of the test. */
import { expect } from 'vitest';
import path from 'node:path';
import { openDatabase } from '../../../../src/adapters/store/database.ts';
import type { HostFiles } from '../../../../src/adapters/store/hostFiles.ts';
import { createStore, type FileStore } from '../../../../src/adapters/store/localStore.ts';
import { fullUpkeep } from '../../../../src/adapters/store/upkeep.ts';
import { runId, sampleSolution, solve, unsynced, wasm } from './samples.ts';

export const NOW = Date.UTC(2026, 10, 22, 17, 48, 38, 123);
export const inside = (folder: string): string => path.join(folder, '.ratchet', 'workspace.ratchetdb');

/** A store as the worker has it, but for its clock. */
export async function openKept(file: string, now: () => number = () => NOW, files: HostFiles = unsynced) {
  const database = await openDatabase({ file, wasm, files, now });
  const store = createStore(database, now, fullUpkeep(database, { now, quietMs: 5 }));
  return { database, store };
}

export const add = (store: FileStore, from: number, to: number) =>
  store.commit({
    runId,
    events: [],
    solutions: Array.from({ length: to - from }, (_, index) =>
      sampleSolution(`s${from + index}`, 'task0', solve, `${from + index}`.padEnd(300, 'x')),
    ),
  });
export const end = (store: FileStore) =>
  store.commit({ runId, events: [], status: { status: 'done', message: 'ended' } });

/** How many experiences a store that is whole holds. */
export const idsOf = async (file: string): Promise<number> => {
  const database = await openDatabase({ file, wasm, files: unsynced });
  const store = createStore(database);
  const counts = await store.experienceCounts(runId);
  expect((await store.verify()).problems).toEqual([]);
  await store.close();
  return counts.reduce((sum, { count }) => sum + count, 0);
};
