/**
 * Owns the figure of a durable commit of one experience in the real schema: this store, node:sqlite with the same code,
 * and an append with fdatasync of the same payload, turn about in one run. Prints JSON and keeps it in results/.
 * Usage: node test/bench/storeCommit.ts [--rows 1000,100000] [--samples 400] [--folder DIR] [--keep false]
 */
import {
  closeSync,
  fdatasyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { cpus, tmpdir, totalmem, platform, release } from 'node:os';
import path from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { storeCommit } from '../../src/adapters/store/commit.ts';
import type { Connection, Row } from '../../src/adapters/store/connection.ts';
import { openDatabase } from '../../src/adapters/store/database.ts';
import { SCHEMA_1 } from '../../src/adapters/store/schema.ts';
import { createRun } from '../../src/adapters/store/runs.ts';
import type { Commit } from '../../src/core/ports.ts';
import {
  place,
  runId,
  sampleCandidate,
  sampleFeedback,
  sampleRefinement,
  sampleRun,
  sampleSolution,
  sampleTask,
  wasm,
} from '../unit/adapters/store/samples.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000,100000' },
    samples: { type: 'string', default: '400' },
    folder: { type: 'string', default: tmpdir() },
    keep: { type: 'string', default: 'true' },
  },
});

const TASKS = 500;
const TEXT_BYTES = 1500;
const BULK = 1000;
const TURN = 20;

/** Ids as long as the real ones, in no order. */
const idOf = (index: number): string =>
  Math.imul(index + 1, 0x9e3779b1)
    .toString(16)
    .replace('-', 'f')
    .padStart(32, 'a') + index.toString(16);

function experience(index: number): Commit {
  const at = place(1 + Math.floor(index / 1000), '0.solve');
  const output = `${index} `.padEnd(TEXT_BYTES, 'the quick brown fox jumps over the lazy dog ');
  const id = idOf(index);
  const solution = { ...sampleSolution(id, `task${index % TASKS}`, at, output), key: idOf(-index) as never };
  return {
    runId,
    events: [],
    solutions: [solution],
    feedback: [sampleFeedback(id, index % 2)],
    refinements: [sampleRefinement(id, index % 2 === 0 ? 'dropped' : 'kept')],
  };
}

function merge(commits: readonly Commit[]): Commit {
  return {
    runId,
    events: [],
    solutions: commits.flatMap(({ solutions }) => solutions ?? []),
    feedback: commits.flatMap(({ feedback }) => feedback ?? []),
    refinements: commits.flatMap(({ refinements }) => refinements ?? []),
  };
}

const opening: Commit = {
  runId,
  events: [],
  tasks: Array.from({ length: TASKS }, (_, index) => sampleTask(index)),
  candidates: [sampleCandidate('start', place(0, ''))],
};

interface Contender {
  readonly commit: (commit: Commit) => void;
  readonly fold: () => void;
  readonly close: () => void;
}

async function ours(folder: string): Promise<Contender> {
  const database = await openDatabase({ file: path.join(folder, 'ours.ratchetdb'), wasm });
  database.transact((connection) => createRun(connection, sampleRun()));
  return {
    commit: (commit) => void database.transact((connection) => storeCommit(connection, commit, 1)),
    fold: () => void database.fold(false),
    close: () => database.close(),
  };
}

/** The same statements through node:sqlite, with the same settings. */
function native(folder: string): Contender {
  const database = new DatabaseSync(path.join(folder, 'native.db'));
  const prepared = new Map<string, StatementSync>();
  const statement = (sql: string): StatementSync => {
    const found = prepared.get(sql) ?? database.prepare(sql);
    prepared.set(sql, found);
    return found;
  };
  const connection: Connection = {
    path: 'native.db',
    run: (sql, ...parameters) => Number(statement(sql).run(...(parameters as SQLInputValue[])).changes),
    get: (sql, ...parameters) =>
      (statement(sql).get(...(parameters as SQLInputValue[])) as Row | undefined) ?? null,
    all: (sql, ...parameters) => statement(sql).all(...(parameters as SQLInputValue[])) as Row[],
    script: (sql) => database.exec(sql),
    vacuumInto: () => undefined,
    syncFailed: () => false,
    logBytes: () => 0,
    close: () => database.close(),
    abandon: () => database.close(),
  };
  connection.script(
    'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = 0;',
  );
  connection.script(SCHEMA_1);
  createRun(connection, sampleRun());
  return {
    commit: (commit) => {
      connection.script('BEGIN IMMEDIATE');
      storeCommit(connection, commit, 1);
      connection.script('COMMIT');
    },
    fold: () => connection.script('PRAGMA wal_checkpoint(PASSIVE)'),
    close: () => database.close(),
  };
}

function raw(folder: string): { readonly append: (commit: Commit) => void; readonly close: () => void } {
  const descriptor = openSync(path.join(folder, 'raw'), 'a');
  return {
    append: (commit) => {
      writeSync(descriptor, JSON.stringify(commit));
      fdatasyncSync(descriptor);
    },
    close: () => closeSync(descriptor),
  };
}

function timed(samples: number[], work: () => void): void {
  const start = performance.now();
  work();
  samples.push(performance.now() - start);
}

function summary(samples: readonly number[], base: number) {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
  const round = (value: number) => Number(value.toFixed(4));
  return {
    medianMs: round(at(0.5)),
    p95Ms: round(at(0.95)),
    timesRaw: round(at(0.5) / base),
    commits: sorted.length,
  };
}

const median = (samples: readonly number[]): number =>
  [...samples].sort((a, b) => a - b)[Math.floor(samples.length / 2)] ?? NaN;

const folder = mkdtempSync(path.join(values.folder, 'ratchet-bench-'));
const store = await ours(folder);
const sqlite = native(folder);
const file = raw(folder);
const results = [];
try {
  store.commit(opening);
  sqlite.commit(opening);
  let next = 0;
  for (const rows of values.rows.split(',').map(Number)) {
    const bulkStart = performance.now();
    let bulk = 0;
    while (next < rows) {
      const batch = merge(
        Array.from({ length: Math.min(BULK, rows - next) }, (_, index) => experience(next + index)),
      );
      const start = performance.now();
      store.commit(batch);
      store.fold();
      bulk += performance.now() - start;
      sqlite.commit(batch);
      sqlite.fold();
      next += batch.solutions?.length ?? 0;
    }
    const fillSeconds = (performance.now() - bulkStart) / 1000;
    const samples = {
      raw: [] as number[],
      ours: [] as number[],
      native: [] as number[],
      group: [] as number[],
    };
    while (samples.raw.length < Number(values.samples)) {
      const turn = Array.from({ length: TURN }, () => experience(next++));
      for (const item of turn) timed(samples.raw, () => file.append(item));
      for (const item of turn) timed(samples.ours, () => store.commit(item));
      for (const item of turn) timed(samples.native, () => sqlite.commit(item));
      store.fold();
      sqlite.fold();
      const group = merge(Array.from({ length: 32 }, () => experience(next++)));
      timed(samples.group, () => store.commit(group));
      sqlite.commit(group);
    }
    const base = median(samples.raw);
    results.push({
      rows,
      fillSeconds: Number(fillSeconds.toFixed(1)),
      oursBulkMicrosecondsARow: Number(((bulk * 1000) / rows).toFixed(1)),
      raw: summary(samples.raw, base),
      ours: summary(samples.ours, base),
      nodeSqlite: summary(samples.native, base),
      oursGroupOf32: {
        ...summary(samples.group, base),
        timesOneCommit: Number((median(samples.group) / median(samples.ours)).toFixed(2)),
      },
    });
  }
} finally {
  store.close();
  sqlite.close();
  file.close();
  rmSync(folder, { recursive: true, force: true });
}
const report = {
  figure:
    'durable commit of one experience (1.5 KB solution, feedback, refinement, counters), beside raw append+fdatasync',
  machine: {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${platform()} ${release()}`,
    node: process.version,
  },
  date: new Date().toISOString().slice(0, 10),
  results,
};
console.log(JSON.stringify(report, null, 2));
if (values.keep === 'true') {
  const target = new URL('results/', import.meta.url);
  mkdirSync(target, { recursive: true });
  writeFileSync(new URL('storeCommit.json', target), `${JSON.stringify(report, null, 2)}\n`);
}
