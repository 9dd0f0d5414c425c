/**
 * Owns the database of a workspace on its file: creating, opening, migrating, durable transactions, folding the log,
 * and opening again after a failed sync. Deliberately does not lock out other processes (design: processes) and
 * knows no table.
 */
import { dirname } from 'node:path';
import { StoreError } from '../../core/ports.ts';
import type { Connection } from './connection.ts';
import { codeOf } from './errno.ts';
import { type HostFiles, nodeFiles } from './hostFiles.ts';
import { inspectFile } from './inspectFile.ts';
import { migrate, MIGRATIONS, type Migration, newestVersion } from './migrations.ts';
import { emptyDatabase } from './pages.ts';
import { renewLog } from './renewLog.ts';
import { loadSqlite, type Sqlite } from './sqlite.ts';
import { damageError, faultError } from './storeFault.ts';

export interface DatabaseOptions {
  /** The database file; it and its folder are made when missing. */
  readonly file: string;
  /** Content of sql.js's wasm file. */
  readonly wasm: Uint8Array<ArrayBuffer>;
  readonly files?: HostFiles;
  readonly migrations?: readonly Migration[];
}

export interface Database {
  readonly file: string;
  /** Reads. Throws StoreError. */
  read<Result>(work: (connection: Connection) => Result): Result;
  /** Runs `work` in one transaction that is durable when this returns. Throws StoreError, with nothing of it kept. */
  transact<Result>(work: (connection: Connection) => Result): Result;
  /** About how long the log is, in bytes. */
  logBytes(): number;
  /** Copies the log into the database; with `shorten` the log is emptied, too. False when it could not; nothing is lost then. */
  fold(shorten: boolean): boolean;
  /** Writes a compact copy that any SQLite reads. Throws StoreError when the target exists. */
  exportTo(target: string): void;
  close(): void;
}

/** 8 MiB of pages. */
const CACHE_KIBIBYTES = 8192;

/** Settings of every connection, in the order they must be made: WAL without shared memory needs exclusive locking first. */
function configure(connection: Connection): void {
  connection.all('PRAGMA locking_mode = EXCLUSIVE');
  const mode = connection.get('PRAGMA journal_mode = WAL')?.['journal_mode'];
  if (mode !== 'wal') throw new StoreError(`${connection.path} could not be given a write-ahead log.`, null);
  connection.run('PRAGMA synchronous = FULL');
  connection.run('PRAGMA foreign_keys = ON');
  connection.run(`PRAGMA cache_size = -${CACHE_KIBIBYTES}`);
  // Folding the log is done after a commit was acknowledged, never within it.
  connection.all('PRAGMA wal_autocheckpoint = 0');
}

function connect(sqlite: Sqlite, path: string, files: HostFiles): Connection {
  const connection = sqlite.connect(path, files);
  try {
    configure(connection);
    return connection;
  } catch (error) {
    connection.abandon();
    throw error;
  }
}

/** Turns what a file operation outside SQLite threw into a StoreError. */
function onDisk<Result>(path: string, operation: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw faultError({ operation, code: codeOf(error), path }, error);
  }
}

function removeIfThere(path: string, files: HostFiles): void {
  if (files.exists(path)) files.remove(path);
}

function writeFirstPage(path: string, files: HostFiles): void {
  const mode = { write: true, create: true, exclusive: true, truncate: false, permissions: 0o644 };
  const descriptor = files.open(path, mode);
  try {
    const page = emptyDatabase();
    if (files.write(descriptor, page, 0, page.length, 0) < page.length)
      throw new StoreError(`${path} could not be written whole. Free some space, then try again.`, 'ENOSPC');
  } finally {
    files.close(descriptor);
  }
}

/**
 * Makes the database beside its name and moves it there whole, so that under its name there is never a half-made one.
 */
function create(sqlite: Sqlite, path: string, files: HostFiles, migrations: readonly Migration[]): void {
  const unfinished = `${path}.new`;
  onDisk(path, 'create', () => {
    files.makeDirectory(dirname(path));
    for (const leftover of [unfinished, `${unfinished}-wal`, `${unfinished}-journal`])
      removeIfThere(leftover, files);
    writeFirstPage(unfinished, files);
  });
  const connection = connect(sqlite, unfinished, files);
  try {
    migrate(connection, migrations, 0);
    foldLog(connection, true);
  } catch (error) {
    connection.abandon();
    throw error;
  }
  connection.close();
  onDisk(path, 'create', () => {
    if (files.exists(path)) throw new StoreError(`${path} appeared while it was being made. Try again.`);
    files.rename(unfinished, path);
    files.syncDirectory(dirname(path));
  });
}

/** Throws StoreError when the log could not be copied into the database whole. */
function foldLog(connection: Connection, shorten: boolean): void {
  const row = connection.get(`PRAGMA wal_checkpoint(${shorten ? 'TRUNCATE' : 'PASSIVE'})`);
  if (row?.['busy'] !== 0 || row['log'] !== row['checkpointed'])
    throw new StoreError(`The log of ${connection.path} could not be copied into it.`);
}

function copyTo(connection: Connection, target: string, files: HostFiles): void {
  const unfinished = `${target}.new`;
  onDisk(target, 'create', () => {
    if (files.exists(target)) throw new StoreError(`${target} exists already. Name another file.`, 'EEXIST');
    files.makeDirectory(dirname(target));
    removeIfThere(unfinished, files);
  });
  try {
    connection.vacuumInto(unfinished);
  } catch (error) {
    onDisk(unfinished, 'remove', () => removeIfThere(unfinished, files));
    throw error;
  }
  onDisk(target, 'create', () => {
    files.rename(unfinished, target);
    files.syncDirectory(dirname(target));
  });
}

/** Brings an older file to the newest schema, after a copy of it was made. */
function upgrade(
  connection: Connection,
  files: HostFiles,
  migrations: readonly Migration[],
  from: number,
): void {
  if (from >= newestVersion(migrations)) return;
  const base = `${connection.path}.schema-${from}.backup`;
  let copy = base;
  for (let made = 2; files.exists(copy); made++) copy = `${base}-${made}`;
  copyTo(connection, copy, files);
  migrate(connection, migrations, from);
}

function openExisting(
  sqlite: Sqlite,
  path: string,
  files: HostFiles,
  migrations: readonly Migration[],
): Connection {
  const version = inspectFile(path, files, newestVersion(migrations));
  if (version === null) throw damageError(path, 'it is missing');
  onDisk(`${path}-wal`, 'open', () => renewLog(`${path}-wal`, files));
  const connection = connect(sqlite, path, files);
  try {
    const read = connection.get('PRAGMA user_version')?.['user_version'];
    if (read !== version)
      throw damageError(path, `its log gives schema version ${String(read)}, the file ${version}`);
    // Reads the schema, so that a file that is none is noticed now.
    const tables = connection.get("SELECT count(*) AS n FROM sqlite_schema WHERE type = 'table'")?.['n'];
    if (tables === 0) throw damageError(path, 'it holds no tables');
    upgrade(connection, files, migrations, version);
    return connection;
  } catch (error) {
    connection.abandon();
    throw error;
  }
}

function createDatabase(open: () => Connection, file: string, files: HostFiles): Database {
  let connection: Connection | null = open();
  let closed = false;
  const live = (): Connection => {
    if (closed) throw new StoreError(`${file} is closed.`, 'CLOSED');
    if (connection === null) {
      const reopened = open();
      try {
        // What the failed sync left in doubt is written once more, into the database itself.
        foldLog(reopened, true);
      } catch (error) {
        reopened.close();
        throw error;
      }
      connection = reopened;
    }
    return connection;
  };
  /** After a failed sync nobody knows what the medium holds: the file is opened again before its next use. */
  const dropIfDoubtful = (): void => {
    if (connection?.syncFailed() !== true) return;
    connection.close();
    connection = null;
  };
  return {
    file,
    read: (work) => work(live()),
    transact: (work) => {
      const current = live();
      try {
        current.run('BEGIN IMMEDIATE');
        const result = work(current);
        current.run('COMMIT');
        return result;
      } catch (error) {
        try {
          current.run('ROLLBACK');
        } catch {
          // SQLite had already rolled back.
        }
        throw error;
      } finally {
        dropIfDoubtful();
      }
    },
    logBytes: () => connection?.logBytes() ?? 0,
    fold: (shorten) => {
      try {
        foldLog(live(), shorten);
        return true;
      } catch {
        return false;
      } finally {
        dropIfDoubtful();
      }
    },
    exportTo: (target) => copyTo(live(), target, files),
    close: () => {
      closed = true;
      connection?.close();
      connection = null;
    },
  };
}

/**
 * Opens the database of a workspace, making it when it is missing. Never opens a file as an empty database, never
 * overwrites or deletes one: throws StoreError, naming the file and a way forward, for one that is empty, cut off,
 * foreign or of a newer version.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { file, files = nodeFiles, migrations = MIGRATIONS } = options;
  const sqlite = await loadSqlite(options.wasm);
  if (inspectFile(file, files, newestVersion(migrations)) === null) create(sqlite, file, files, migrations);
  return createDatabase(() => openExisting(sqlite, file, files, migrations), file, files);
}
