/**
 * Owns what a commit of the store is measured beside: node:sqlite with the same statements and settings, and an append
 * with fdatasync of the same payload. Deliberately measures nothing itself.
 */
import { closeSync, copyFileSync, existsSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { storeCommit } from '../../src/adapters/store/commit.ts';
import type { Connection, Row } from '../../src/adapters/store/connection.ts';
import { openDatabase } from '../../src/adapters/store/database.ts';
import { groupCommit } from '../../src/adapters/store/groupCommit.ts';
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

/** A store's file through node:sqlite, which breaks the seals of the pages it writes: so it is given a copy. */
export function native(file: string): Contender {
  const copy = `${file}.native`;
  if (!existsSync(copy)) copyFileSync(file, copy);
  const connection = nativeConnection(copy);
  return {
    connection,
    commit: (commit) => {
      connection.script('BEGIN IMMEDIATE');
      storeCommit(connection, commit, 1);
      connection.script('COMMIT');
    },
    fold: () => connection.script('PRAGMA wal_checkpoint(PASSIVE)'),
    close: () => connection.close(),
  };
}

export function nativeConnection(file: string): Connection {
  const database = new DatabaseSync(file);
  const prepared = new Map<string, StatementSync>();
  const statement = (sql: string): StatementSync => {
    const found = prepared.get(sql) ?? database.prepare(sql);
    prepared.set(sql, found);
    return found;
  };
  let writes = 0;
  const connection: Connection = {
    path: file,
    run: (sql, ...parameters) => Number(statement(sql).run(...(parameters as SQLInputValue[])).changes),
    get: (sql, ...parameters) =>
      (statement(sql).get(...(parameters as SQLInputValue[])) as Row | undefined) ?? null,
    all: (sql, ...parameters) => statement(sql).all(...(parameters as SQLInputValue[])) as Row[],
    script: (sql) => database.exec(sql),
    vacuumInto: () => undefined,
    // What is kept between writes is ours alone.
    writes: () => ++writes,
    syncFailed: () => false,
    logBytes: () => 0,
    close: () => database.close(),
    abandon: () => database.close(),
    giveUp: () => database.close(),
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
