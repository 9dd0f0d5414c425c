/**
 * Owns one open SQLite connection: prepared statements, rows as plain objects, transactions, and errors as StoreError.
 * Deliberately knows neither tables nor when to open again.
 */
import type initSqlJs from 'sql.js';
import { StoreError } from '../../core/ports.ts';
import { codeOf } from './errno.ts';
import type { HostFiles } from './hostFiles.ts';
import { readTie } from './logTie.ts';
import type { Mount, Mounts } from './mounts.ts';
import { logPath } from './ownMarks.ts';
import { faultError, sqlError } from './storeFault.ts';

export type SqlValue = initSqlJs.SqlValue;
export type Row = Readonly<Record<string, SqlValue>>;

export interface Connection {
  readonly path: string;
  /** Runs one statement; the number of rows it changed. */
  run(sql: string, ...values: readonly SqlValue[]): number;
  /** The first row, or null. */
  get(sql: string, ...values: readonly SqlValue[]): Row | null;
  all(sql: string, ...values: readonly SqlValue[]): readonly Row[];
  /** Runs a script of statements without values. */
  script(sql: string): void;
  /** Writes a compact copy of the database to a file that does not exist yet. */
  vacuumInto(path: string): void;
  /** A greater number after anything that may have changed a row, or undone a change: what was read before may be kept until then. */
  writes(): number;
  /** A sync has failed since this connection was opened. */
  syncFailed(): boolean;
  /** About how long the log is, in bytes. */
  logBytes(): number;
  /** Closes it; SQLite folds the log into the database where it can. Never throws. */
  close(): void;
  /** Closes it without writing anything: the files stay as they are. */
  abandon(): void;
  /** The same, and cuts off the log what no sync has confirmed: a commit that failed is not found again. Never throws. */
  giveUp(): void;
}

interface Prepared {
  readonly statement: initSqlJs.Statement;
  columns: readonly string[] | null;
}

/** Statements by their text, prepared once. */
function statementCache(database: initSqlJs.Database) {
  const statements = new Map<string, Prepared>();
  return (sql: string): Prepared => {
    let found = statements.get(sql);
    if (found === undefined) {
      found = { statement: database.prepare(sql), columns: null };
      statements.set(sql, found);
    }
    return found;
  };
}

function readRow(prepared: Prepared): Row {
  const columns = (prepared.columns ??= prepared.statement.getColumnNames());
  const values = prepared.statement.get();
  const row: Record<string, SqlValue> = {};
  for (let index = 0; index < columns.length; index++)
    row[columns[index] as string] = values[index] as SqlValue;
  return row;
}

function readRows(prepared: Prepared): readonly Row[] {
  const rows: Row[] = [];
  while (prepared.statement.step()) rows.push(readRow(prepared));
  return rows;
}

function openDatabase(sql: initSqlJs.SqlJs, mount: Mount): initSqlJs.Database {
  try {
    // The empty array makes sql.js keep a name in its memory, which its close() expects to remove.
    const database = new sql.Database(new Uint8Array(0));
    if (mount.open === 0) throw new StoreError(`${mount.path} could not be reached by the database engine.`);
    return database;
  } catch (error) {
    throw sqlError(mount.path, error, mount.fault);
  }
}

/** Gives SQL a name for a file of its own for as long as `work` takes; what the file system failed on is the error. */
function withMounted(mounts: Mounts, path: string, files: HostFiles, work: (name: string) => void): void {
  const { name, mount } = mounts.named(path, files);
  try {
    work(name);
  } catch (error) {
    throw mount.fault === null ? error : faultError(mount.fault, error);
  } finally {
    mounts.remove(mount);
  }
}

/** Where it cannot be cut, a commit that failed may be found again: it was never said to be saved, nor to be gone. */
function cutLog(log: string, bytes: number, files: HostFiles): void {
  const mode = { write: true, create: false, exclusive: false, truncate: false, permissions: 0 };
  try {
    const descriptor = files.open(log, mode);
    try {
      files.truncate(descriptor, bytes);
    } finally {
      files.close(descriptor);
    }
  } catch {
    // The next opening reads it as it is.
  }
}

/** Leaves no mount behind where it throws. */
function openMounted(sql: initSqlJs.SqlJs, mounts: Mounts, mount: Mount): initSqlJs.Database {
  try {
    return openDatabase(sql, mount);
  } catch (error) {
    mounts.remove(mount);
    throw error;
  }
}

function tieOnDisk(path: string, files: HostFiles): number {
  try {
    return readTie(path, files);
  } catch (error) {
    throw faultError({ operation: 'open', code: codeOf(error), path }, error);
  }
}

export function createConnection(
  sql: initSqlJs.SqlJs,
  mounts: Mounts,
  path: string,
  files: HostFiles,
): Connection {
  const mount = mounts.next(path, files, tieOnDisk(path, files));
  const database = openMounted(sql, mounts, mount);
  const prepare = statementCache(database);
  let closed = false;
  let writes = 0;

  const guarded = <Result>(work: () => Result): Result => {
    if (closed) throw new StoreError(`${path} is closed.`, 'CLOSED');
    mount.fault = null;
    const { syncFailed } = mount;
    try {
      const result = work();
      // SQLite takes no notice when the folder of a new log cannot be synced; nothing is durable then.
      if (mount.syncFailed && !syncFailed) throw new Error('A sync failed.');
      return result;
    } catch (error) {
      throw sqlError(path, error, mount.fault);
    }
  };
  const stepping = <Result>(sqlText: string, values: readonly SqlValue[], work: (p: Prepared) => Result) =>
    guarded(() => {
      const prepared = prepare(sqlText);
      try {
        prepared.statement.bind(values);
        return work(prepared);
      } finally {
        prepared.statement.reset();
      }
    });
  const end = (): void => {
    if (closed) return;
    closed = true;
    try {
      database.close();
    } catch {
      // The log stays beside the file; the next opening reads it.
    }
    mounts.remove(mount);
  };
  return {
    path,
    run: (text, ...values) =>
      stepping(text, values, ({ statement }) => {
        writes++;
        statement.step();
        return database.getRowsModified();
      }),
    get: (text, ...values) =>
      stepping(text, values, (prepared) => (prepared.statement.step() ? readRow(prepared) : null)),
    all: (text, ...values) => stepping(text, values, readRows),
    script: (text) =>
      guarded(() => {
        writes++;
        database.exec(text);
      }),
    vacuumInto: (target) =>
      withMounted(mounts, target, files, (name) =>
        guarded(() => void database.exec(`VACUUM INTO '${name}'`)),
      ),
    writes: () => writes,
    syncFailed: () => mount.syncFailed,
    logBytes: () => mount.logBytes,
    close: end,
    abandon: () => {
      mount.detached = true;
      end();
    },
    giveUp: () => {
      mount.detached = true;
      end();
      if (mount.unsyncedFrom !== null) cutLog(logPath(path), mount.unsyncedFrom, files);
    },
  };
}
