/**
 * Owns the proof that this process alone serves a workspace: an exclusive transaction on a tiny lock database, held through
 * node:sqlite until the process ends. The operating system releases it at death and keeps it for a stopped process.
 * Deliberately knows no timeout and takes nothing over from a process that lives.
 */
import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { EngineError } from '../client/connection.ts';

export interface Ownership {
  /** False once the lock's file was removed or replaced: another process may own the folder now, so nothing may be written. */
  stillHeld(): boolean;
  release(): void;
}

/** Asks another process whether it could lock the file too; true means the lock excludes nobody. */
export type Outsider = (lockFile: string) => Promise<boolean>;

const busy = 5;
const damaged = 26;

/** A lock lives as long as its database object, so none may be collected while it is held. */
const held = new Set<DatabaseSync>();

/**
 * Takes the lock, or resolves to null when a living process holds it. Throws EngineError with the reason where the lock
 * cannot be taken or does not keep others out.
 */
export async function takeOwnership(
  lockFile: string,
  outsider: Outsider = lockFromOutside,
): Promise<Ownership | null> {
  const sqlite = await import('node:sqlite').catch((cause: unknown) => {
    throw new EngineError(
      'internal',
      `Ratchet needs Node 22.13 or newer; this is ${process.versions.node}.`,
      { cause },
    );
  });
  const database = lock(lockFile, sqlite.DatabaseSync);
  if (database === null) return null;
  held.add(database);
  const release = () => {
    held.delete(database);
    if (database.isOpen) database.close();
  };
  try {
    if (await outsider(lockFile)) {
      throw new EngineError(
        'store',
        'File locks do not work in this folder, so two engines could write its data at once; use a folder on a local disk.',
      );
    }
    const own = identity(lockFile);
    return { stillHeld: () => own !== null && identity(lockFile) === own, release };
  } catch (error) {
    release();
    throw error;
  }
}

function lock(lockFile: string, Database: typeof DatabaseSync): DatabaseSync | null {
  let database: DatabaseSync | null = null;
  try {
    database = new Database(lockFile, { timeout: 0 });
    database.exec('PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE');
    return database;
  } catch (cause) {
    database?.close();
    const code = primaryCode(cause);
    if (code === busy) return null;
    if (code === damaged) {
      throw new EngineError(
        'store',
        `The lock file ${lockFile} is not Ratchet's own; remove it and try again.`,
        { cause },
      );
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError(
      'store',
      `The folder of ${lockFile} cannot be locked (${reason}); use a folder on a local disk that you may write to.`,
      { cause },
    );
  }
}

/** SQLite's primary result code; the upper bits of the extended one only refine it. */
function primaryCode(error: unknown): number | null {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : null;
}

/** By name only: opening the file here and closing it again would drop the lock. */
function identity(file: string): string | null {
  const found = statSync(file, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? null : `${found.dev}:${found.ino}`;
}

/** Exit code 3 says "could not lock", 0 "could". */
const attempt = `
const { DatabaseSync } = require('node:sqlite');
try { new DatabaseSync(process.argv[1], { timeout: 0 }).exec('BEGIN EXCLUSIVE'); }
catch (error) { process.exit((error.errcode & 0xff) === ${busy} ? 3 : 4); }
`;

/** A second process tries the same lock: a file system may grant every lock it is asked for and exclude nobody. True when it could. */
export function lockFromOutside(lockFile: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const environment = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
    execFile(process.execPath, ['-e', attempt, lockFile], { env: environment, timeout: 10_000 }, (error) => {
      if (error === null) resolve(true);
      else if (error.code === 3) resolve(false);
      else
        reject(
          new EngineError('store', 'Whether file locks work in this folder could not be checked.', {
            cause: error,
          }),
        );
    });
  });
}
