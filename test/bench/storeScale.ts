/**
 * Owns the figures of the store at a thousand, a hundred thousand and a million experiences: commits, openings after a
 * kill, pages, memory and the caller's thread, each beside what else could be used, in one run.
 * Usage: node test/bench/storeScale.ts [--rows 1000,100000,1000000] [--turns 30] [--cache DIR] [--keep false]
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import esbuild from 'esbuild';
import type { Commit } from '../../src/core/ports.ts';
import { writeResult } from './results.ts';
import {
  type BetterSqlite3,
  type Contender,
  installBetterSqlite3,
  native,
  type Ours,
  ours,
  raw,
} from './storeContenders.ts';
import { experience, filledStore, merge } from './storeData.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000,100000,1000000' },
    turns: { type: 'string', default: '30' },
    cache: { type: 'string', default: path.join(tmpdir(), 'ratchet-bench-cache') },
    keep: { type: 'string', default: 'true' },
  },
});
const TURN = 20;
const GROUP = 32;
const OPENINGS = 5;
const MOST_IN_MEMORY = 100_000;
/** Filling the index of a million takes minutes. */
const MOST_INDEXED = 100_000;

const median = (samples: readonly number[]): number =>
  [...samples].sort((a, b) => a - b)[Math.floor(samples.length / 2)] ?? NaN;
const rounded = (value: number): number => Number(value.toFixed(3));

async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

type Medians = Record<
  'raw' | 'ours' | 'native' | 'rawGroup' | 'group' | 'together' | 'nativeGroup' | 'spread',
  number
>;

async function each(commits: readonly Commit[], work: (commit: Commit) => unknown): Promise<number> {
  const times: number[] = [];
  for (const commit of commits) times.push(await timed(() => work(commit)));
  return median(times);
}

/** One turn: the same commits one by one and then as a group, first appended, then here, then in node:sqlite. */
async function turn(
  contenders: { readonly store: Ours; readonly sqlite: Contender; readonly append: (c: Commit) => void },
  next: () => Commit,
): Promise<Medians> {
  const { store, sqlite, append } = contenders;
  const singles = Array.from({ length: TURN }, next);
  const groups = Array.from({ length: 3 }, () => merge(Array.from({ length: GROUP }, next)));
  const figures = {
    raw: await each(singles, append),
    ours: await each(singles, store.commit),
    native: await each(singles, sqlite.commit),
    rawGroup: await each(groups, append),
    group: await each(groups, store.commit),
    nativeGroup: await each(groups, sqlite.commit),
  };
  const arriving = Array.from({ length: GROUP }, next);
  // Strings that were put together from pieces are made whole by whoever reads them first.
  JSON.stringify(arriving);
  const together = await timed(() => store.together(arriving));
  const spread = await timed(() => store.spread());
  store.fold();
  sqlite.fold();
  return { ...figures, together, spread };
}

/** The same for better-sqlite3 alone, on the file that node:sqlite had: a copy more of a million rows takes its time. */
async function betterTurns(contender: Contender, append: (c: Commit) => void, next: () => Commit) {
  const turns: Pick<Medians, 'raw' | 'native' | 'nativeGroup'>[] = [];
  while (turns.length < Number(values.turns)) {
    const singles = Array.from({ length: TURN }, next);
    const groups = Array.from({ length: 3 }, () => merge(Array.from({ length: GROUP }, next)));
    turns.push({
      raw: await each(singles, append),
      native: await each(singles, contender.commit),
      nativeGroup: await each(groups, contender.commit),
    });
    contender.fold();
  }
  contender.close();
  return {
    betterSqlite3TimesRaw: rounded(median(turns.map((t) => t.native / t.raw))),
    betterSqlite3GroupTimesOne: rounded(median(turns.map((t) => t.nativeGroup / t.native))),
  };
}

/** Ratios are taken within a turn: what else the machine does slows both sides of it. */
async function commitFigures(file: string, rows: number, scratch: string, better: BetterSqlite3 | null) {
  const contenders = { store: await ours(file), sqlite: native(file) };
  const log = raw(path.join(scratch, 'raw'));
  const newest = [contenders.store, contenders.sqlite].map(({ connection }) =>
    Number(connection.get('SELECT max(ref) AS n FROM solutions')?.['n']),
  );
  // Numbers that the store does not have.
  let index = Math.max(...newest) + 1_000_000;
  const next = () => experience(index++, rows);
  const turns: Medians[] = [];
  while (turns.length < Number(values.turns))
    turns.push(await turn({ ...contenders, append: log.append }, next));
  contenders.store.close();
  contenders.sqlite.close();
  const others = better === null ? null : await betterTurns(better(file), log.append, next);
  log.close();
  const of = (pick: (figures: Medians) => number) => rounded(median(turns.map(pick)));
  return {
    rawMs: of((t) => t.raw),
    commitMs: of((t) => t.ours),
    timesRaw: of((t) => t.ours / t.raw),
    nodeSqliteTimesRaw: of((t) => t.native / t.raw),
    groupMs: of((t) => t.group),
    groupTimesOne: of((t) => t.group / t.ours),
    commitsTogetherTimesOne: of((t) => t.together / t.ours),
    groupTimesRaw: of((t) => t.group / t.raw),
    rawGroupTimesOne: of((t) => t.rawGroup / t.raw),
    // Put in place behind the commits: what a turn left waiting, for each of its experiences.
    spreadMicrosecondsAnExperience: Math.round((of((t) => t.spread) * 1000) / (TURN + 4 * GROUP)),
    groupTimesRawOfItsBytes: of((t) => t.group / t.rawGroup),
    nodeSqliteGroupTimesOne: of((t) => t.nativeGroup / t.native),
    betterSqlite3TimesRaw: others?.betterSqlite3TimesRaw ?? null,
    betterSqlite3GroupTimesOne: others?.betterSqlite3GroupTimesOne ?? null,
  };
}

type Figures = Readonly<Record<string, number>>;

/** Runs a role of storeRoles.ts in a fresh process. */
function play(role: string, file: string, worker: string): Figures {
  const script = fileURLToPath(new URL('./storeRoles.ts', import.meta.url));
  const { stdout, stderr, signal } = spawnSync(process.execPath, [script, role, file, worker], {
    encoding: 'utf8',
  });
  if (role === 'die' && signal === 'SIGKILL') return {};
  if (stdout === '') throw new Error(`${role} failed: ${stderr}`);
  return JSON.parse(stdout) as Figures;
}

function openings(file: string, worker: string): number {
  return median(
    Array.from({ length: OPENINGS }, () => {
      play('die', file, worker);
      return play('openOurs', file, worker)['openMs'] ?? NaN;
    }),
  );
}

async function figuresAt(rows: number, scratch: string, worker: string, better: BetterSqlite3 | null) {
  const { file: filled, fillMs } = await filledStore(values.cache, rows);
  // Measuring adds to a store: each run begins with a fresh one of exactly so many rows.
  const file = path.join(mkdtempSync(path.join(scratch, `${rows}-`)), 'workspace.ratchetdb');
  copyFileSync(filled, file);
  const commits = await commitFigures(file, rows, scratch, better);
  const openMs = openings(file, worker);
  const idle = play('idle', path.join(mkdtempSync(path.join(scratch, 'idle-')), 'w.ratchetdb'), worker);
  const work = play('work', file, worker);
  const pages = play('pages', file, worker);
  const search = rows <= MOST_INDEXED ? play('search', file, worker) : null;
  const inMemory = rows <= MOST_IN_MEMORY ? play('openInMemory', `${file}.native`, worker) : null;
  return {
    rows,
    fillMicrosecondsARow: fillMs === null ? null : Math.round((fillMs * 1000) / rows),
    commits,
    opening: {
      afterKillMs: openMs,
      nodeSqliteMs: play('openNative', `${file}.native`, worker)['openMs'],
      sqljsInMemoryMs: inMemory?.['openMs'] ?? null,
    },
    memory: {
      overIdleWorkerMiB: (work['workedMiB'] ?? NaN) - (idle['idleMiB'] ?? NaN),
      sqljsInMemoryMiB: inMemory?.['memoryMiB'] ?? null,
    },
    pages,
    search,
    caller: {
      blockedMedianMs: work['callerBlockedMedianMs'],
      blockedP99Ms: work['callerBlockedP99Ms'],
      blockedMostMs: work['callerBlockedMostMs'],
      wholeFileExportMs: inMemory?.['exportMs'] ?? null,
    },
  };
}

async function bundledWorker(folder: string): Promise<string> {
  const outfile = path.join(folder, 'storeWorker.mjs');
  await esbuild.build({
    entryPoints: [fileURLToPath(new URL('../../src/adapters/store/worker.ts', import.meta.url))],
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    outfile,
    banner: {
      js: "import { createRequire as ratchetRequire } from 'node:module'; const require = ratchetRequire(import.meta.url); const __filename = import.meta.filename, __dirname = import.meta.dirname;",
    },
  });
  return outfile;
}

mkdirSync(values.cache, { recursive: true });
const scratch = mkdtempSync(path.join(values.cache, 'run-'));
try {
  const worker = await bundledWorker(scratch);
  const better = installBetterSqlite3(path.join(scratch, 'better-sqlite3'));
  const sizes: Awaited<ReturnType<typeof figuresAt>>[] = [];
  for (const rows of values.rows.split(',').map(Number)) {
    sizes.push(await figuresAt(rows, scratch, worker, better));
    process.stderr.write(`${JSON.stringify(sizes.at(-1))}\n`);
  }
  const by = new Map(sizes.map((figures) => [figures.rows, figures]));
  const timesRaw = sizes.map(({ commits }) => commits.timesRaw);
  const most = (pick: (figures: (typeof sizes)[number]) => number | undefined) =>
    Math.max(...sizes.map((figures) => pick(figures) ?? NaN));
  const goals = {
    'a commit costs at most 1.4 times an append with fdatasync': Math.max(...timesRaw) <= 1.4,
    'flat within 20 % over all sizes': Math.max(...timesRaw) <= 1.2 * Math.min(...timesRaw),
    'a group of 32 costs at most two commits': most(({ commits }) => commits.groupTimesOne) <= 2,
    'first page at most 250 ms after a kill, at 100,000': (by.get(100_000)?.opening.afterKillMs ?? 0) <= 250,
    'first page at most 600 ms after a kill, at 1,000,000':
      (by.get(1_000_000)?.opening.afterKillMs ?? 0) <= 600,
    'at most 64 MB over the idle worker': most(({ memory }) => memory.overIdleWorkerMiB) <= 64,
    'a page at most 2 ms (median of the quietest block)':
      most(({ pages }) => pages['quietestBlockMedianMs']) <= 2,
    'a page under 16 ms (99 of 100 of the quietest block)':
      most(({ pages }) => pages['quietestBlockP99Ms']) < 16,
    'a commit blocks its caller 0.5 ms at the median, 10 ms at most':
      most(({ caller }) => caller.blockedMedianMs) <= 0.5 && most(({ caller }) => caller.blockedMostMs) <= 10,
  };
  if (values.keep === 'true') writeResult('storeScale', { loadAverage: loadavg()[1], goals, sizes });
  else process.stdout.write(`${JSON.stringify({ loadAverage: loadavg()[1], goals, sizes }, null, 2)}\n`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
