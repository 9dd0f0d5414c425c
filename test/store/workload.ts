/**
 * Owns what a store is put through while its files are watched: whole rounds of a run as the engine commits them, in
 * groups and alone, folding the log, closing and opening, a new schema, copies. Deliberately checks nothing.
 */
import type { Database } from '../../src/adapters/store/database.ts';
import type { HostFiles } from '../../src/adapters/store/hostFiles.ts';
import type { FileStore } from '../../src/adapters/store/localStore.ts';
import { type Migration, newestVersion } from '../../src/adapters/store/migrations.ts';
import { pick, type Random, stream } from '../../src/core/measure/random.ts';
import { asId } from '../../src/core/model/ids.ts';
import {
  event,
  place,
  runId,
  sampleCandidate,
  sampleEffect,
  sampleEvaluation,
  sampleFeedback,
  sampleRefinement,
  sampleRun,
  sampleSolution,
  sampleTask,
  start,
} from '../unit/adapters/store/samples.ts';
import { contentOf } from './contents.ts';
import type { DiskOperation } from './memoryFiles.ts';
import { memoryFiles } from './memoryFiles.ts';
import { createStore, MIGRATIONS, openDatabase, wasm } from './shipped.ts';

export const FOLDER = '/workspace/.ratchet';
export const STORE = `${FOLDER}/workspace.ratchetdb`;
export const SEARCH_INDEX = `${FOLDER}/search.ratchetdb`;
export const EXPORT = '/workspace/export.ratchetdb';

/** The schema after today's, as a later version of Ratchet would bring it. */
export const UPGRADED: readonly Migration[] = [
  ...MIGRATIONS,
  {
    version: newestVersion(MIGRATIONS) + 1,
    apply: (connection) =>
      connection.script(
        'CREATE TABLE later (ref INTEGER PRIMARY KEY, note TEXT) STRICT; INSERT INTO later (note) VALUES (1);',
      ),
  },
];

/** The content that was promised to be durable once so many operations were done. */
export interface Promised {
  readonly operations: number;
  readonly content: string;
}

export interface Recording {
  /** The files there were before. */
  readonly initial: ReadonlyMap<string, Uint8Array>;
  /** Contents that finished copies may have beside those that were promised. */
  readonly copied: readonly string[];
  readonly operations: readonly DiskOperation[];
  readonly promised: readonly Promised[];
  /** From this many operations on, the store is opened with the later schema. */
  readonly upgradedFrom: number;
}

export interface WorkloadStep {
  readonly name: string;
  readonly run: (store: FileStore, database: Database) => Promise<unknown> | void;
}

function words(random: Random, most: number): string {
  const length = 1 + random.int(most);
  let text = '';
  while (text.length < length) text += `${random.int(1e9).toString(36)} `;
  return text.slice(0, length);
}

/** As upkeep does it: the note is a help for later, and its failure is nobody's. */
export function note(database: Database): void {
  try {
    database.noteSequence();
  } catch {
    // The next one is tried all the same.
  }
}

/** One round: its solutions with feedback, what was kept of them, a candidate and its evaluation. */
export function roundSteps(random: Random, round: number, size: number): readonly WorkloadStep[] {
  const solve = place(round, '0.solve');
  const id = (index: number): string => `r${round}s${index}`;
  const indices = Array.from({ length: size }, (_, index) => index);
  const outputs = indices.map(() => words(random, 1200));
  const waiting = indices.map(() => words(random, 900));
  const results = indices.map(() => words(random, 600));
  const blob = Buffer.from(words(random, 9000));
  const instruction = words(random, 300);
  const verdicts = indices.map(() => pick(random, ['kept', 'dropped'] as const));
  return [
    {
      name: 'settle a group of effects',
      run: (store) =>
        Promise.all(
          results.map((result, index) =>
            store.settleEffects(runId, [sampleEffect(id(index), solve, result)]),
          ),
        ),
    },
    {
      name: 'commit solutions',
      run: (store) =>
        store.commit({
          runId,
          events: [event(solve, { kind: 'stepStarted', phase: 'acquire', operator: 'solve' })],
          tasks: indices.map((index) => sampleTask(100 * round + index)),
          solutions: indices.map((index) =>
            sampleSolution(id(index), `task${100 * round + index}`, solve, outputs[index]),
          ),
          feedback: indices.map((index) => sampleFeedback(id(index), index % 2)),
        }),
    },
    { name: 'note', run: (_store, database) => note(database) },
    { name: 'fold', run: (_store, database) => void database.fold(random.int(2) === 0) },
    {
      name: 'commit solutions whose tasks are there, each of which waits to be spread',
      run: async (store) => {
        for (const index of indices)
          await store.commit({
            runId,
            events: [],
            solutions: [sampleSolution(`${id(index)}w`, `task${100 * round + index}`, solve, waiting[index])],
            feedback: [sampleFeedback(`${id(index)}w`, index % 2)],
          });
      },
    },
    {
      name: 'commit refinements beside a blob and an effect',
      run: (store) =>
        Promise.all([
          store.commit({
            runId,
            events: [event(place(round, 'filter'), { kind: 'warningRaised', message: words(random, 200) })],
            refinements: indices.map((index) => sampleRefinement(id(index), verdicts[index] ?? 'kept')),
          }),
          store.put(blob),
          store.settleEffects(runId, [sampleEffect(`training ${round}`, place(round, 'train'))]),
        ]),
    },
    {
      name: 'judge an experience',
      run: (store) =>
        store.annotate({
          key: sampleSolution(id(0), `task${100 * round}`, solve, outputs[0]).key,
          solutionId: asId(id(0)),
          verdict: 'accept',
          score: 1,
          note: words(random, 100),
          time: round,
        }),
    },
    {
      name: 'commit a candidate and its evaluation',
      run: (store) =>
        store.commit({
          runId,
          events: [],
          candidates: [
            {
              ...sampleCandidate(`c${round}`, place(round, 'train')),
              state: { model: 'pocket', instruction, weights: null },
            },
          ],
          evaluations: [sampleEvaluation(`e${round}`, `c${round}`, place(round, 'dev'), [0, 1, 1])],
          ...(round % 2 === 0 ? { status: { status: 'paused' as const, message: 'paused' } } : {}),
        }),
    },
  ];
}

export const BEGIN: WorkloadStep = {
  name: 'begin a run',
  run: async (store) => {
    await store.createRun(sampleRun());
    await store.commit({
      runId,
      events: [],
      tasks: [0, 1, 2].map(sampleTask),
      candidates: [sampleCandidate('start', start)],
    });
  },
};

/** The same time always: it is in names of files and in rows. */
const now = (): number => 1_700_000_000_000;

/** Opens the store on `files`; each transaction that returned is told. */
export async function openWatched(
  files: HostFiles,
  migrations: readonly Migration[],
  onDurable: (database: Database) => void,
): Promise<{ readonly store: FileStore; readonly database: Database }> {
  const opened = await openDatabase({ file: STORE, wasm, files, migrations, now });
  const told = <Result>(write: () => Result): Result => {
    const result = write();
    onDurable(opened);
    return result;
  };
  const database: Database = {
    ...opened,
    transact: (work) => told(() => opened.transact(work)),
    append: (work) => told(() => opened.append(work)),
  };
  return { store: createStore(database, now), database };
}

/**
 * Puts a new store through `rounds` rounds and watches its files. The same seed gives the same steps.
 */
export async function recordWorkload(seed: number, rounds: number): Promise<Recording> {
  const random = stream(seed, 'workload');
  const operations: DiskOperation[] = [];
  const promised: Promised[] = [];
  const memory = memoryFiles({ record: (operation) => operations.push(operation) });
  const { files } = memory;
  const promise = (database: Database): void => {
    promised.push({ operations: operations.length, content: contentOf(database) });
  };
  const opened = async (migrations: readonly Migration[]) => {
    const pair = await openWatched(files, migrations, promise);
    promise(pair.database);
    return pair;
  };
  let { store, database } = await opened(MIGRATIONS);
  await BEGIN.run(store, database);
  const upgradeAt = 1 + random.int(Math.max(1, rounds - 1));
  const compactAt = 1 + random.int(rounds);
  let upgradedFrom = Number.POSITIVE_INFINITY;
  for (let round = 1; round <= rounds; round++) {
    for (const step of roundSteps(random, round, 2 + random.int(4))) await step.run(store, database);
    if (round === rounds) await store.exportTo(EXPORT);
    if (round === compactAt) await store.compact();
    if (round % 2 === 0) note(database);
    if (round !== upgradeAt && random.int(2) === 0) continue;
    await store.close();
    if (round === upgradeAt) upgradedFrom = operations.length;
    ({ store, database } = await opened(round >= upgradeAt ? UPGRADED : MIGRATIONS));
  }
  await store.close();
  return { initial: new Map(), copied: [], operations, promised, upgradedFrom };
}
