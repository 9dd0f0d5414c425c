/**
 * Owns copies of a database: written compactly by SQLite itself, made durable, opened again and compared before they get
 * their name. Deliberately knows neither when a copy is wanted nor where.
 */
import { dirname } from 'node:path';
import { StoreError } from '../../core/ports.ts';
import type { Connection } from './connection.ts';
import { type Contents, readContents, sameContents } from './contents.ts';
import { codeOf } from './errno.ts';
import type { HostFiles, OpenMode } from './hostFiles.ts';
import { inspectFile } from './inspectFile.ts';
import { logPath } from './ownMarks.ts';
import type { Sqlite } from './sqlite.ts';
import { damageError, faultError } from './storeFault.ts';

const READ: OpenMode = { write: false, create: false, exclusive: false, truncate: false, permissions: 0 };
const WRITE: OpenMode = { ...READ, write: true };
const CREATE: OpenMode = { ...WRITE, create: true, exclusive: true, permissions: 0o644 };
const SLICE_BYTES = 1 << 20;

/** Turns what a file operation outside SQLite threw into a StoreError. */
export function onDisk<Result>(path: string, operation: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw faultError({ operation, code: codeOf(error), path }, error);
  }
}

export function removeIfThere(path: string, files: HostFiles): void {
  if (files.exists(path)) files.remove(path);
}

/** The content of the file reaches the medium before it returns. */
export function syncFile(path: string, files: HostFiles): void {
  const descriptor = files.open(path, WRITE);
  try {
    files.sync(descriptor);
  } finally {
    files.close(descriptor);
  }
}

/** The pieces of a copy, one a step. */
function* copySteps(from: string, to: string, files: HostFiles): Generator<undefined, undefined> {
  const source = files.open(from, READ);
  try {
    const target = files.open(to, CREATE);
    try {
      const slice = new Uint8Array(SLICE_BYTES);
      for (let at = 0; ; ) {
        const read = files.read(source, slice, 0, SLICE_BYTES, at);
        if (read === 0) break;
        for (let written = 0; written < read; ) {
          const moved = files.write(target, slice, written, read - written, at + written);
          if (moved === 0) throw Object.assign(new Error('Nothing was written.'), { code: 'ENOSPC' });
          written += moved;
        }
        at += read;
        yield;
      }
      files.sync(target);
    } finally {
      files.close(target);
    }
  } finally {
    files.close(source);
  }
  return undefined;
}

/** Copies a file byte by byte to one that is not there yet, durably but for its name. Throws what the files throw. */
export function copyBytes(from: string, to: string, files: HostFiles): void {
  const steps = copySteps(from, to, files);
  while (steps.next().done !== true);
}

/** The same, with `pause` awaited between pieces. */
export async function copyBytesSlowly(
  from: string,
  to: string,
  files: HostFiles,
  pause: () => Promise<void>,
): Promise<void> {
  const steps = copySteps(from, to, files);
  while (onDisk(from, 'copy', () => steps.next()).done !== true) await pause();
}

export interface OpenedCopy {
  readonly schema: number;
  readonly contents: Contents;
}

/**
 * Opens the database at `path` without writing to it; with `thorough` every page is read and checked.
 * Throws StoreError when it is not a whole workspace.
 */
export function readCopy(
  sqlite: Sqlite,
  path: string,
  files: HostFiles,
  newestVersion: number,
  thorough: boolean,
): OpenedCopy {
  const found = inspectFile(path, files, newestVersion);
  if (found === null) throw damageError(path, 'it is missing');
  const log = logPath(path);
  const hadLog = files.exists(log);
  const connection = sqlite.connect(path, files);
  try {
    connection.run('PRAGMA query_only = ON');
    connection.all('PRAGMA locking_mode = EXCLUSIVE');
    if (thorough) {
      const wrong = connection.all('PRAGMA quick_check').find((row) => row['quick_check'] !== 'ok');
      if (wrong !== undefined) throw damageError(path, String(wrong['quick_check']));
    }
    return { schema: found.version, contents: readContents(connection) };
  } finally {
    connection.abandon();
    // SQLite makes an empty one even for reading.
    if (!hadLog) onDisk(log, 'remove', () => removeIfThere(log, files));
  }
}

export interface CopyContext {
  readonly sqlite: Sqlite;
  readonly files: HostFiles;
  readonly newestVersion: number;
}

/**
 * Writes a compact copy that any SQLite reads, and gives it its name once it was read back whole. Throws StoreError when
 * the target exists or the copy is not what was copied; nothing is left behind then.
 */
export function copyTo(connection: Connection, target: string, context: CopyContext): OpenedCopy {
  const { sqlite, files, newestVersion } = context;
  const unfinished = `${target}.new`;
  onDisk(target, 'create', () => {
    if (files.exists(target)) throw new StoreError(`${target} exists already. Name another file.`, 'EEXIST');
    files.makeDirectory(dirname(target));
    removeIfThere(unfinished, files);
  });
  try {
    const contents = readContents(connection);
    connection.vacuumInto(unfinished);
    onDisk(target, 'sync', () => syncFile(unfinished, files));
    const copy = readCopy(sqlite, unfinished, files, newestVersion, true);
    if (!sameContents(copy.contents, contents))
      throw new StoreError(`The copy ${target} did not hold what was copied, so it was removed. Try again.`);
    onDisk(target, 'create', () => {
      files.rename(unfinished, target);
      files.syncDirectory(dirname(target));
    });
    return copy;
  } catch (error) {
    onDisk(unfinished, 'remove', () => removeIfThere(unfinished, files));
    throw error;
  }
}
