/**
 * Owns what a commit of the store is measured beside: node:sqlite and better-sqlite3 with the same statements and settings,
 * and an append with fdatasync of the same payload. Deliberately measures nothing itself.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, existsSync, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { storeCommit } from '../../src/adapters/store/commit.ts';
import type { Connection, Row, SqlValue } from '../../src/adapters/store/connection.ts';
import { openDatabase } from '../../src/adapters/store/database.ts';
import { groupCommit } from '../../src/adapters/store/groupCommit.ts';
import { unmark } from '../../src/adapters/store/ownMarks.ts';
import { PAGE_BYTES } from '../../src/adapters/store/pages.ts';
import type { Commit } from '../../src/core/ports.ts';
import { wasm } from '../unit/adapters/store/samples.ts';

export interface Contender {
  readonly connection: Connection;
  readonly commit: (commit: Commit) => void;
  /** Copies the log into the database, as happens between commits. */
  readonly fold: () => void;
  readonly close: () => void;
}

export interface Ours extends Omit<Contender, 'commit'> {
  /** Resolves when it is durable, as the store's callers wait for it. */
  readonly commit: (commit: Commit) => Promise<unknown>;
  /** Puts in its place what waits. */
  readonly spread: () => void;
  readonly logBytes: () => number;
  /** The same number of commits, sharing one durable transaction as commits that arrive together do. */
  readonly together: (commits: readonly Commit[]) => Promise<void>;
}

export async function ours(file: string): Promise<Ours> {
  const database = await openDatabase({ file, wasm });
  const group = groupCommit(database, () => undefined);
  return {
    connection: database.read((connection) => connection),
    commit: (commit) => group.commit(commit, 1),
    spread: () => void database.transact(() => undefined),
    fold: () => void database.fold(false),
    close: () => database.close(),
    logBytes: () => database.logBytes(),
    together: async (commits) => {
      await Promise.all(commits.map((commit) => group.commit(commit, 1)));
    },
  };
}

/** What bindings to SQLite have in common. */
interface Binding {
  prepare(sql: string): {
    run(...values: readonly SqlValue[]): { readonly changes: number | bigint };
    get(...values: readonly SqlValue[]): unknown;
    all(...values: readonly SqlValue[]): unknown;
  };
  exec(sql: string): unknown;
  close(): unknown;
}

const commits = (connection: Connection): Contender => ({
  connection,
  commit: (commit) => {
    connection.script('BEGIN IMMEDIATE');
    storeCommit(connection, commit, 1);
    connection.script('COMMIT');
  },
  fold: () => connection.script('PRAGMA wal_checkpoint(PASSIVE)'),
  close: () => connection.close(),
});

/** The copy of a store's file that other bindings get: without the marks that keep them off, and to break its seals. */
function copyOf(file: string): string {
  const copy = `${file}.native`;
  if (existsSync(copy)) return copy;
  copyFileSync(file, copy);
  const descriptor = openSync(copy, 'r+');
  const page = new Uint8Array(PAGE_BYTES);
  readSync(descriptor, page, 0, PAGE_BYTES, 0);
  unmark(page, 0);
  writeSync(descriptor, page, 0, PAGE_BYTES, 0);
  closeSync(descriptor);
  return copy;
}

/** A store's file through node:sqlite. */
export function native(file: string): Contender {
  return commits(nativeConnection(copyOf(file)));
}

/** better-sqlite3 takes parameters with a number for named ones. */
function withNumbers(binding: Binding): Binding {
  const named = (values: readonly SqlValue[]) =>
    Object.fromEntries(values.map((value, index) => [index + 1, value])) as unknown as SqlValue;
  return {
    prepare: (sql) => {
      const statement = binding.prepare(sql);
      if (!/\?\d/.test(sql)) return statement;
      return {
        run: (...values) => statement.run(named(values)),
        get: (...values) => statement.get(named(values)),
        all: (...values) => statement.all(named(values)),
      };
    },
    exec: (sql) => binding.exec(sql),
    close: () => binding.close(),
  };
}

/** Of better-sqlite3, at the time of writing the newest. */
const BETTER_SQLITE3 = 'better-sqlite3@13.2.0';
const INSTALLED_WITHIN_MS = 180_000;

export type BetterSqlite3 = (file: string) => Contender;

/** Installs better-sqlite3 in a folder of its own: it is measured, never depended on. Null where it cannot be had, which is said. */
export function installBetterSqlite3(folder: string): BetterSqlite3 | null {
  const { status, stderr } = spawnSync(
    'npm',
    ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', folder, BETTER_SQLITE3],
    { encoding: 'utf8', timeout: INSTALLED_WITHIN_MS, shell: process.platform === 'win32' },
  );
  try {
    const load = createRequire(path.join(folder, 'package.json'));
    const Database = load('better-sqlite3') as new (file: string) => Binding;
    new Database(':memory:').close();
    return (file) => commits(connectionOf(copyOf(file), withNumbers(new Database(copyOf(file)))));
  } catch (error) {
    process.stderr.write(
      `${BETTER_SQLITE3} is not measured: it could not be installed (${String(status)}). ${String(error)} ${stderr}\n`,
    );
    return null;
  }
}

export function nativeConnection(file: string): Connection {
  return connectionOf(file, new DatabaseSync(file));
}

function connectionOf(file: string, binding: Binding): Connection {
  const prepared = new Map<string, ReturnType<Binding['prepare']>>();
  const statement = (sql: string) => {
    const found = prepared.get(sql) ?? binding.prepare(sql);
    prepared.set(sql, found);
    return found;
  };
  let writes = 0;
  const connection: Connection = {
    path: file,
    run: (sql, ...values) => Number(statement(sql).run(...values).changes),
    get: (sql, ...values) => (statement(sql).get(...values) as Row | undefined) ?? null,
    all: (sql, ...values) => statement(sql).all(...values) as Row[],
    script: (sql) => void binding.exec(sql),
    vacuumInto: () => undefined,
    // What is kept between writes is ours alone.
    writes: () => ++writes,
    syncFailed: () => false,
    logBytes: () => 0,
    close: () => void binding.close(),
    abandon: () => void binding.close(),
    giveUp: () => void binding.close(),
  };
  connection.script(
    'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = 0;',
  );
  return connection;
}

/** Appends the payload of a commit and waits for the medium. */
export function raw(file: string): {
  readonly append: (commit: Commit) => void;
  readonly close: () => void;
} {
  const descriptor = openSync(file, 'a');
  return {
    append: (commit) => {
      writeSync(descriptor, JSON.stringify(commit));
      fdatasyncSync(descriptor);
    },
    close: () => closeSync(descriptor),
  };
}
