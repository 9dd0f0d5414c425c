/**
 * Owns what the store's bench does in a process of its own: being killed, opening after that, being looked at while it works.
 * Usage: node test/bench/storeRoles.ts ROLE FILE [WORKER]; prints one line of JSON.
 */
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import type { Connection, Row, SqlValue } from '../../src/adapters/store/connection.ts';
import { experienceCounts } from '../../src/adapters/store/experienceGroups.ts';
import { experiencePage } from '../../src/adapters/store/experiencePages.ts';
import { openDatabase } from '../../src/adapters/store/database.ts';
import { searchExperiences } from '../../src/adapters/store/searchExperiences.ts';
import { openSearchIndex } from '../../src/adapters/store/searchIndex.ts';
import { openStore } from '../../src/adapters/store/store.ts';
import type { FileStore } from '../../src/adapters/store/localStore.ts';
import { stream } from '../../src/core/measure/random.ts';
import type { ExperienceFilter } from '../../src/core/model/views.ts';
import { runId, wasm, wasmFile } from '../unit/adapters/store/samples.ts';
import { nativeConnection, ours } from './storeContenders.ts';
import { experience, ROUNDS } from './storeData.ts';

const [role = '', file = '', worker = ''] = process.argv.slice(2);
const PAGE = 100;
const PAGES = 400;
/** Of pages: the quietest is told beside all of them, for a machine that does other things, too. */
const BLOCKS = 8;
const COMMITS = 200;
/** Just below where the log is folded: the most an opening has to read. */
const LOG_BYTES = 3.9 * 2 ** 20;
const AHEAD = 10_000_000;
const random = stream(1, 'bench');

const quantile = (samples: readonly number[], share: number): number =>
  [...samples].sort((a, b) => a - b)[Math.min(samples.length - 1, Math.floor(share * samples.length))] ?? NaN;
const peakMiB = (): number => process.resourceUsage().maxRSS / 1024;
const tell = (figures: object): void => void process.stdout.write(`${JSON.stringify(figures)}\n`);
const opened = (): Promise<FileStore> => openStore({ file, wasmFile, workerUrl: pathToFileURL(worker) });

/** Commits until the log is as long as it gets, then dies on the spot. */
async function die(): Promise<void> {
  const store = await ours(file);
  let index = AHEAD + Number(store.connection.get('SELECT max(ref) AS n FROM solutions')?.['n']);
  while (store.logBytes() < LOG_BYTES) await store.commit(experience(index++, 1));
  process.kill(process.pid, 'SIGKILL');
}

async function openOurs(): Promise<void> {
  const start = performance.now();
  const store = await opened();
  await store.experienceCounts(runId);
  await store.experiences({ runId }, null, PAGE);
  const openMs = performance.now() - start;
  await store.close();
  tell({ openMs });
}

function firstPage(connection: Connection): void {
  experienceCounts(connection, runId);
  experiencePage(connection, { runId }, null, PAGE);
}

function openNative(): void {
  const start = performance.now();
  const connection = nativeConnection(file);
  firstPage(connection);
  tell({ openMs: performance.now() - start });
  connection.close();
}

/** The part of sql.js that has no place in the store itself. */
interface InMemory {
  readonly Database: new (
    bytes: Uint8Array,
  ) => {
    prepare(text: string, values: SqlValue[]): { step(): boolean; getAsObject(): Row; free(): void };
    export(): Uint8Array;
  };
}

/** sql.js as it is used everywhere else: the whole file in memory. */
async function openInMemory(): Promise<void> {
  const before = peakMiB();
  const start = performance.now();
  const init = createRequire(import.meta.url)('sql.js') as () => Promise<InMemory>;
  const database = new (await init()).Database(readFileSync(file));
  const all = (text: string, values: readonly SqlValue[]): Row[] => {
    const statement = database.prepare(text, [...values]);
    const rows: Row[] = [];
    while (statement.step()) rows.push(statement.getAsObject());
    statement.free();
    return rows;
  };
  let asked = 0;
  firstPage({
    path: file,
    run: () => 0,
    get: (text, ...values) => all(text, values)[0] ?? null,
    all: (text, ...values) => all(text, values),
    script: () => undefined,
    vacuumInto: () => undefined,
    writes: () => ++asked,
    syncFailed: () => false,
    logBytes: () => 0,
    close: () => undefined,
    abandon: () => undefined,
    giveUp: () => undefined,
  });
  const openMs = performance.now() - start;
  const exporting = performance.now();
  const bytes = database.export().length;
  tell({ openMs, exportMs: performance.now() - exporting, bytes, memoryMiB: peakMiB() - before });
}

const FILTERS: readonly (() => ExperienceFilter)[] = [
  () => ({ runId }),
  () => ({ runId, round: 1 + random.int(ROUNDS) }),
  () => ({ runId, verdict: 'kept' }),
];

/** Pages at any depth, each with the counts of all groups, through the worker as an engine asks for them. */
async function pages(): Promise<void> {
  const store = await opened();
  const samples: number[] = [];
  const counts = await store.experienceCounts(runId);
  const rows = counts.reduce((sum, { count }) => sum + count, 0);
  for (let page = 0; page < PAGES; page++) {
    const filter = FILTERS[page % FILTERS.length]?.() ?? { runId };
    const start = performance.now();
    await Promise.all([
      store.experiences(filter, String(random.int(rows)), PAGE),
      store.experienceCounts(runId),
    ]);
    samples.push(performance.now() - start);
  }
  await store.close();
  const blocks = Array.from({ length: BLOCKS }, (_, block) =>
    samples.filter((_sample, page) => Math.floor((page * BLOCKS) / PAGES) === block),
  );
  const quietest = (share: number) => Math.min(...blocks.map((block) => quantile(block, share)));
  tell({
    pages: PAGES,
    medianMs: quantile(samples, 0.5),
    p99Ms: quantile(samples, 0.99),
    quietestBlockMedianMs: quietest(0.5),
    quietestBlockP99Ms: quietest(0.99),
  });
}

/** The same pages and commits, with the process's memory and how long its own thread was kept busy by a commit. */
async function work(): Promise<void> {
  const store = await opened();
  const idleMiB = peakMiB();
  const blocked: number[] = [];
  const whole: number[] = [];
  for (let index = 0; index < COMMITS; index++) {
    const commit = experience(AHEAD * 2 + process.pid * 1000 + index, 1);
    const before = performance.eventLoopUtilization();
    const start = performance.now();
    await store.commit(commit);
    whole.push(performance.now() - start);
    blocked.push(performance.eventLoopUtilization(before).active);
  }
  for (let page = 0; page < PAGES; page++)
    await store.experiences({ runId }, String(random.int(1_000_000)), PAGE);
  const workedMiB = peakMiB();
  await store.close();
  tell({
    openedMiB: idleMiB,
    workedMiB,
    commits: COMMITS,
    callerBlockedMedianMs: quantile(blocked, 0.5),
    callerBlockedP99Ms: quantile(blocked, 0.99),
    callerBlockedMostMs: Math.max(...blocked),
    commitMedianMs: quantile(whole, 0.5),
  });
}

/** A worker that has loaded everything and holds a store with nothing in it. */
async function idle(): Promise<void> {
  const store = await opened();
  const figures = { idleMiB: peakMiB() };
  await store.close();
  tell(figures);
}

const SEARCHES: readonly ((rows: number) => string)[] = [
  (rows) => `answer${random.int(rows)}`,
  () => 'carry remains',
  () => '"check twice"',
  () => `adding round:${1 + random.int(ROUNDS)} score:>=1`,
  () => `verdict:kept ten* answer1${random.int(9)}*`,
];

/** Fills the index as it is filled when nothing is written, then searches it for the first page of a hundred. */
async function search(): Promise<void> {
  const database = await openDatabase({ file, wasm });
  const indexFile = `${file}.search`;
  const index = await openSearchIndex(database, { file: indexFile, wasm });
  const batches: number[] = [];
  for (let more = true; more; ) {
    const start = performance.now();
    more = index.enterBatch();
    batches.push(performance.now() - start);
  }
  const rows = database.read((connection) =>
    Number(connection.get('SELECT max(ref) AS n FROM solutions')?.['n']),
  );
  const searches: number[] = [];
  for (let at = 0; at < PAGES; at++) {
    const text = SEARCHES[at % SEARCHES.length]?.(rows) ?? '';
    const start = performance.now();
    database.read((connection) =>
      searchExperiences(connection, index, { text, filter: {}, after: null, limit: PAGE }),
    );
    searches.push(performance.now() - start);
  }
  index.close();
  database.close();
  tell({
    batches: batches.length,
    batchMedianMs: quantile(batches, 0.5),
    batchP99Ms: quantile(batches, 0.99),
    batchMostMs: Math.max(...batches),
    bytesOfStore: statSync(file).size,
    bytesOfIndex: statSync(indexFile).size,
    searchMedianMs: quantile(searches, 0.5),
    searchP99Ms: quantile(searches, 0.99),
  });
}

const ROLES: Readonly<Record<string, () => Promise<void> | void>> = {
  die,
  openOurs,
  openNative,
  openInMemory,
  pages,
  work,
  idle,
  search,
};
await ROLES[role]?.();
