/**
 * Owns the second kind of recording: a store is backed up beside its commits, exported, swept, indexed for search,
 * compacted and put back from a backup, in an order drawn from the seed, with rounds of a run in between. Of even seeds it
 * is of the first released schema and brought up to date, of odd ones it imports such a file. Deliberately checks nothing.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { backupFile } from '../../src/adapters/store/backups.ts';
import type { Database } from '../../src/adapters/store/database.ts';
import type { HostFiles } from '../../src/adapters/store/hostFiles.ts';
import type { FileStore } from '../../src/adapters/store/localStore.ts';
import { newestVersion } from '../../src/adapters/store/migrations.ts';
import { type Random, shuffle, stream } from '../../src/core/measure/random.ts';
import { place, runId, sampleEffect } from '../unit/adapters/store/samples.ts';
import { contentOf } from './contents.ts';
import { type DiskOperation, memoryFiles } from './memoryFiles.ts';
import { MIGRATIONS, openDatabase, openSearchIndex, restoreDatabase, sweepSlice, wasm } from './shipped.ts';
import {
  BEGIN,
  EXPORT,
  note,
  openWatched,
  type Promised,
  type Recording,
  roundSteps,
  SEARCH_INDEX,
  STORE,
} from './workload.ts';

const IMPORTED = '/elsewhere/imported.ratchetdb';
const SCHEMA_1 = new URL('../fixtures/store/schema-1.ratchetdb.gz', import.meta.url);

interface Live {
  readonly store: FileStore;
  readonly database: Database;
}

/** The state of one recording that its pieces of work change. */
interface Work {
  readonly random: Random;
  readonly files: HostFiles;
  live: Live;
  reopen(): Promise<void>;
  count: number;
}

const PIECES: Readonly<Record<string, (work: Work) => Promise<void>>> = {
  'back up beside commits': async ({ live: { store, database }, count }) => {
    const effects = [0, 1].map((index) => sampleEffect(`during backup ${count} ${index}`, place(1, 'train')));
    await Promise.all([
      database.copyBeside(backup(count)),
      ...effects.map((effect) => store.settleEffects(runId, [effect])),
    ]);
  },
  export: async ({ live: { store }, count }) => store.exportTo(`${EXPORT}.${count}`),
  import: async ({ live: { store }, files }) => {
    if (files.exists(IMPORTED)) await store.importFrom(IMPORTED);
  },
  compact: async ({ live: { store } }) => void (await store.compact()),
  'sweep the lookups': async ({ live: { database } }) => {
    while (database.transact(sweepSlice)());
  },
  // Twice, so that pages that are there are written over, which no checksum tells from those that were not.
  'index for search': async ({ live: { store, database }, files, random, count }) => {
    for (const sitting of [1, 2]) {
      const steps = roundSteps(random, 70 + 2 * count + sitting, 3).slice(0, 2);
      for (const step of steps) await step.run(store, database);
      const index = await openSearchIndex(database, { file: SEARCH_INDEX, wasm, files });
      while (index.enterBatch());
      index.close();
    }
  },
  'a round': async ({ live: { store, database }, random, count }) => {
    for (const step of roundSteps(random, 10 + count, 3)) await step.run(store, database);
  },
  'note and fold': async ({ live: { database } }) => {
    note(database);
    database.fold(true);
  },
  'close and open': async (work) => {
    await work.live.store.close();
    await work.reopen();
  },
  'put a backup in its place': async (work) => {
    const { live, files, random } = work;
    await live.database.copyBeside(backup(work.count));
    for (const step of roundSteps(random, 40 + work.count, 2).slice(0, 2))
      await step.run(live.store, live.database);
    await live.store.close();
    await restoreDatabase({ file: STORE, wasm, files, now });
    await work.reopen();
  },
};

/** Newer than the backup before a migration. */
function backup(count: number): string {
  return backupFile(STORE, now() + count * 60_000, newestVersion(MIGRATIONS));
}

const now = (): number => 1_700_000_000_000;

async function contentAfterMigration(file: Uint8Array): Promise<string> {
  const { files } = memoryFiles({ initial: new Map([[IMPORTED, file]]) });
  const database = await openDatabase({ file: IMPORTED, wasm, files });
  const content = contentOf(database);
  database.close();
  return content;
}

/** The same seed gives the same work. */
export async function recordUpkeep(seed: number): Promise<Recording> {
  const random = stream(seed, 'upkeep');
  const old = new Uint8Array(gunzipSync(readFileSync(SCHEMA_1)));
  const initial = new Map([[seed % 2 === 0 ? STORE : IMPORTED, old]]);
  const operations: DiskOperation[] = [];
  const promised: Promised[] = [];
  const memory = memoryFiles({ initial, record: (operation) => operations.push(operation) });
  const { files } = memory;
  const promise = (database: Database): void => {
    promised.push({ operations: operations.length, content: contentOf(database) });
  };
  const open = async (): Promise<Live> => {
    const live = await openWatched(files, MIGRATIONS, promise);
    promise(live.database);
    return live;
  };
  const work: Work = {
    random,
    files,
    live: await open(),
    reopen: async () => {
      work.live = await open();
    },
    count: 0,
  };
  await BEGIN.run(work.live.store, work.live.database);
  for (const name of shuffle(random, Object.keys(PIECES))) {
    work.count++;
    await PIECES[name]?.(work);
  }
  await work.live.store.close();
  return {
    initial,
    copied: [await contentAfterMigration(old)],
    operations,
    promised,
    upgradedFrom: Number.POSITIVE_INFINITY,
  };
}
