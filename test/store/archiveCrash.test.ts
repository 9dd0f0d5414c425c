// Owns the proof that an archived run is never nowhere: at each moment a power cut may come, in every legal state of the
// disk that is tried, it is whole in the workspace, whole in its file, or in both; and what was begun is then finished.
import { describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../src/adapters/store/database.ts';
import { createStore } from '../../src/adapters/store/localStore.ts';
import { experiencesOf, eventsOf } from '../../src/adapters/store/readWholeRun.ts';
import { finishRemoval } from '../../src/adapters/store/removeRun.ts';
import { isHere } from '../../src/adapters/store/runs.ts';
import { verifyStore } from '../../src/adapters/store/verify.ts';
import { stream } from '../../src/core/measure/random.ts';
import { asId, type RunId } from '../../src/core/model/ids.ts';
import {
  accepted,
  event,
  evaluated,
  place,
  sampleCandidate,
  sampleEffect,
  sampleEvaluation,
  sampleFeedback,
  sampleRefinement,
  sampleRun,
  sampleSolution,
  sampleTask,
  wasm,
} from '../unit/adapters/store/samples.ts';
import { crashStates, type CrashState } from './crashStates.ts';
import { createDisk } from './disk.ts';
import { memoryFiles, type DiskOperation } from './memoryFiles.ts';
import { STORE } from './workload.ts';

const archive = '/elsewhere/old.sqlite';
const old = asId<RunId>('old');
const kept = asId<RunId>('kept');
const nothing = (): Promise<void> => Promise.resolve();

async function fill(database: Database): Promise<void> {
  const store = createStore(database, () => 1_700_000_000_000);
  for (const runId of [old, kept]) {
    await store.createRun(sampleRun(runId));
    const at = place(1, '0.solve');
    const ids = Array.from({ length: 40 }, (_, index) => `${runId} ${index}`);
    await store.commit({
      runId,
      events: [event(place(0, ''), { kind: 'roundStarted' })],
      tasks: [0, 1, 2].map(sampleTask),
      candidates: [sampleCandidate('start', place(0, ''))],
      solutions: ids.map((id, index) =>
        sampleSolution(id, `task${index % 3}`, at, `${id} says ${'word '.repeat(99)}`),
      ),
      feedback: ids.map((id) => sampleFeedback(id, 1)),
      refinements: ids.map((id) => sampleRefinement(id, 'kept')),
    });
    await store.settleEffects(runId, [sampleEffect(`effect of ${runId}`, at)]);
    await store.commit({
      runId,
      events: [event(at, evaluated(`evaluation of ${runId}`, 'start', 1)), event(at, accepted('start'))],
      evaluations: [sampleEvaluation(`evaluation of ${runId}`, 'start', at, [1, 1, 0])],
      status: { status: 'done', message: 'done' },
    });
  }
  await store.close();
}

/** All of a run, as text; null where the store does not have it. */
function contentOf(database: Database, runId: RunId): string | null {
  return database.read((connection) => {
    if (!isHere(connection, runId)) return null;
    const events = [...eventsOf(connection, runId)].map(({ event: told, time }) => [told, time]);
    return JSON.stringify([[...experiencesOf(connection, runId)], events]);
  });
}

async function recorded(syncsArchive: boolean) {
  const before = memoryFiles();
  await fill(await openDatabase({ file: STORE, wasm, files: before.files }));
  const initial = before.contents();
  const operations: DiskOperation[] = [];
  const { files, names } = memoryFiles({ initial, record: (operation) => operations.push(operation) });
  const isArchive = (descriptorOf: number): boolean => archives.has(descriptorOf);
  const archives = new Set<number>();
  const careless: typeof files = {
    ...files,
    open: (path, mode) => {
      const descriptor = files.open(path, mode);
      if (path.startsWith(archive)) archives.add(descriptor);
      else archives.delete(descriptor);
      return descriptor;
    },
    sync: (descriptor) => (isArchive(descriptor) ? undefined : files.sync(descriptor)),
    syncDirectory: (path) => (archive.startsWith(path) ? undefined : files.syncDirectory(path)),
  };
  const database = await openDatabase({ file: STORE, wasm, files: syncsArchive ? files : careless });
  const whole = { old: contentOf(database, old), kept: contentOf(database, kept) };
  const store = createStore(database);
  await store.archiveRun({ runId: old, file: archive, replace: false });
  expect(await store.runs()).toHaveLength(1);
  await store.close();
  expect(names.has(archive)).toBe(true);
  return { initial, operations, whole };
}

type Whole = Awaited<ReturnType<typeof recorded>>['whole'];

async function inArchive(state: CrashState, whole: Whole): Promise<boolean> {
  const bytes = state.files.get(archive);
  if (bytes === undefined) return false;
  const { files } = memoryFiles({ initial: new Map([[archive, bytes]]) });
  try {
    const database = await openDatabase({ file: archive, wasm, files });
    const found = contentOf(database, old) === whole.old;
    database.close();
    return found;
  } catch {
    return false;
  }
}

/** What is wrong with a state of the disk, in words, or null. */
async function problemOf(state: CrashState, whole: Whole, finish: boolean): Promise<string | null> {
  const { files } = memoryFiles({ initial: state.files });
  const database = await openDatabase({ file: STORE, wasm, files });
  try {
    const { warnings } = database.report;
    if (warnings.length > 0) return `it says that something is missing: ${warnings.join(' ')}`;
    if (contentOf(database, kept) !== whole.kept) return 'another run is not what it was';
    const here = contentOf(database, old);
    if (here !== null && here !== whole.old) return 'the run is here in parts';
    if (here === null && !(await inArchive(state, whole))) return 'the run is nowhere';
    if (!finish) return null;
    await finishRemoval(database, nothing, () => undefined);
    const { problems } = await verifyStore(database, nothing);
    return problems[0] ?? (contentOf(database, kept) === whole.kept ? null : 'finishing changed another run');
  } finally {
    database.close();
  }
}

async function crashed(syncsArchive: boolean, enough: number) {
  const { initial, operations, whole } = await recorded(syncsArchive);
  const disk = createDisk(initial);
  const random = stream(1, 'archive');
  const seen = new Set<string>();
  const problems: string[] = [];
  for (const [index, operation] of operations.entries()) {
    disk.apply(operation);
    for (const state of crashStates(disk, random, { telling: 1, sampled: 1 })) {
      if (seen.has(state.key) || problems.length >= enough) continue;
      seen.add(state.key);
      const problem = await problemOf(state, whole, seen.size % 10 === 0);
      if (problem !== null)
        problems.push(`after ${index + 1} (${operation.kind}), ${state.what}: ${problem}`);
    }
  }
  return { states: seen.size, problems };
}

describe('a power cut while a run is archived', () => {
  test('leaves it here, in its file, or in both', async () => {
    const { states, problems } = await crashed(true, 3);
    process.stdout.write(
      `${states} distinct states of the disk around an archive, ${problems.length} wrong\n`,
    );
    expect(problems).toEqual([]);
    expect(states).toBeGreaterThan(200);
  });

  test('would be noticed to lose it, if the archive were not durable before anything is removed', async () => {
    const { problems } = await crashed(false, 1);
    expect(problems[0]).toContain('the run is nowhere');
  });
});
