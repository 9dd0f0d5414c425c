/**
 * Owns the steps of opening a database: making it whole under its name, connecting with the settings every connection
 * has, and bringing an older one to the newest schema after a backup. Deliberately judges no file (inspectFile.ts).
 */
import { dirname } from 'node:path';
import { StoreError } from '../../core/ports.ts';
import { backupFile, pruneBackups } from './backups.ts';
import type { Connection } from './connection.ts';
import { copyTo, onDisk, removeIfThere, syncFile, type CopyContext } from './copies.ts';
import type { HostFiles } from './hostFiles.ts';
import { inspectFile } from './inspectFile.ts';
import { migrate, type Migration } from './migrations.ts';
import { emptyDatabase } from './pages.ts';
import { logPath } from './ownMarks.ts';
import { renewLog } from './renewLog.ts';
import type { Sqlite } from './sqlite.ts';
import { damageError } from './storeFault.ts';

export interface OpeningContext extends CopyContext {
  readonly file: string;
  readonly migrations: readonly Migration[];
  readonly now: () => number;
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

/** Settings of a connection that must not change a byte: a newer version made the file. */
function configureReading(connection: Connection): void {
  connection.all('PRAGMA locking_mode = EXCLUSIVE');
  connection.run('PRAGMA query_only = ON');
  connection.run(`PRAGMA cache_size = -${CACHE_KIBIBYTES}`);
}

function connect(
  sqlite: Sqlite,
  path: string,
  files: HostFiles,
  settings: (connection: Connection) => void = configure,
): Connection {
  const connection = sqlite.connect(path, files);
  try {
    settings(connection);
    return connection;
  } catch (error) {
    connection.abandon();
    throw error;
  }
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
export function create({ sqlite, file: path, files, migrations }: OpeningContext): void {
  const unfinished = `${path}.new`;
  onDisk(path, 'create', () => {
    files.makeDirectory(dirname(path));
    for (const leftover of [unfinished, logPath(unfinished), `${unfinished}-journal`])
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

/**
 * Makes a copy that is not in use yet ready for its place: a copy has no write-ahead log, and turning it on rewrites the
 * first page where it stands, which must not happen under the database's name. Nothing is beside the copy then.
 */
export function readyForPlace(path: string, { sqlite, files }: CopyContext): void {
  connect(sqlite, path, files).close();
  onDisk(path, 'sync', () => {
    for (const leftover of [logPath(path), `${path}-journal`]) removeIfThere(leftover, files);
    syncFile(path, files);
  });
}

/** Throws StoreError when the log could not be copied into the database whole. */
export function foldLog(connection: Connection, shorten: boolean): void {
  const row = connection.get(`PRAGMA wal_checkpoint(${shorten ? 'TRUNCATE' : 'PASSIVE'})`);
  if (row?.['busy'] !== 0 || row['log'] !== row['checkpointed'])
    throw new StoreError(`The log of ${connection.path} could not be copied into it.`);
}

/** Brings an older file to the newest schema, after a backup of it was made. */
function upgrade(connection: Connection, opening: OpeningContext, from: number): void {
  const { file, files, migrations, now } = opening;
  copyTo(connection, backupFile(file, now(), from), opening);
  onDisk(file, 'remove', () => pruneBackups(file, files));
  migrate(connection, migrations, from);
}

/** Has SQLite write the first page by way of the log, so that a power cut leaves one of the two. Throws StoreError. */
function keepOthersOff(connection: Connection): void {
  const version = Number(connection.get('PRAGMA user_version')?.['user_version']);
  connection.run(`PRAGMA user_version = ${version}`);
  foldLog(connection, false);
}

/** Connects to the database, as an inspection found it. Throws StoreError, with the files as they were. */
export function connectExisting(opening: OpeningContext): Connection {
  const { sqlite, file: path, files, newestVersion } = opening;
  const found = inspectFile(path, files, newestVersion);
  if (found === null) throw damageError(path, 'it is missing');
  const { version } = found;
  const log = logPath(path);
  if (version <= newestVersion) onDisk(log, 'open', () => renewLog(log, found.log, files));
  const connection = connect(sqlite, path, files, version > newestVersion ? configureReading : configure);
  try {
    const read = connection.get('PRAGMA user_version')?.['user_version'];
    if (read !== version)
      throw damageError(path, `its log gives schema version ${String(read)}, the file ${version}`);
    // Reads the schema, so that a file that is none is noticed now.
    const tables = connection.get("SELECT count(*) AS n FROM sqlite_schema WHERE type = 'table'")?.['n'];
    if (tables === 0) throw damageError(path, 'it holds no tables');
    if (version < newestVersion) upgrade(connection, opening, version);
    if (version <= newestVersion && !found.marked) keepOthersOff(connection);
    return connection;
  } catch (error) {
    connection.abandon();
    throw error;
  }
}
