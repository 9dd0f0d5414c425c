/**
 * Owns which name inside the wasm stands for which real file, and what is known of each such file.
 * Deliberately opens nothing.
 */
import { codeOf, errnoOf } from './errno.ts';
import type { HostFiles } from './hostFiles.ts';
import type { LogBuffer } from './logBuffer.ts';
import { logPath } from './ownMarks.ts';
import { newTie } from './pages.ts';

export interface Fault {
  readonly operation: string;
  /** errno name, for example ENOSPC; DAMAGED for a page that is not as it was written. */
  readonly code: string;
  readonly path: string;
}

/** A real database file as sql.js sees it. Its log and `-journal` beside it belong to it. */
export interface Mount {
  readonly path: string;
  readonly files: HostFiles;
  /** The newest failure of the operating system, for the error message. */
  fault: Fault | null;
  /** A sync failed: nobody knows what reached the medium, so the file must be closed and opened again. */
  syncFailed: boolean;
  /** What could not be opened for writing, and why: SQLite would go on with reading it only. */
  refused: { readonly path: string; readonly code: string } | null;
  /** Set to leave the files as they are: every later operation fails, so that closing cannot write. */
  detached: boolean;
  /** End of the newest write to the log, in bytes: about the log's length. */
  logBytes: number;
  /** Where the log begins to be written and not yet synced; null while all of it is. */
  unsyncedFrom: number | null;
  /** Number of the database, which its first page and its logs name (logTie.ts). */
  readonly tie: number;
  /** What stands for the log until it is written to; null where it was begun. */
  beginning: Uint8Array | null;
  /** Writes to the log that wait for its next sync. */
  log: LogBuffer | null;
  /** How many descriptors are open on it. */
  open: number;
}

export type FileKind = 'database' | 'log' | 'journal';

export interface MountedPath {
  readonly mount: Mount;
  readonly path: string;
  readonly kind: FileKind;
}

export interface Mounts {
  /** The next database name the wasm opens that is not mounted yet will be this file, with its number. */
  next(path: string, files: HostFiles, tie: number): Mount;
  /** A name under which SQL can reach this file, for example in VACUUM INTO. */
  named(path: string, files: HostFiles): { readonly name: string; readonly mount: Mount };
  remove(mount: Mount): void;
  all(): readonly Mount[];
  /** The real file behind a name, or null when the name is not of a mounted file. */
  resolve(name: string): MountedPath | null;
}

const KINDS: Readonly<Record<string, FileKind>> = { '-wal': 'log', '-journal': 'journal' };

/** sql.js calls its databases dbfile_N; the names given here are mounted_N. */
const NAME = /^\/?((?:dbfile|mounted)_\d+)(-journal|-wal)?$/;

function newMount(path: string, files: HostFiles, tie: number): Mount {
  return {
    path,
    files,
    fault: null,
    syncFailed: false,
    refused: null,
    detached: false,
    logBytes: 0,
    unsyncedFrom: null,
    tie,
    beginning: null,
    log: null,
    open: 0,
  };
}

export function createMounts(): Mounts {
  const byName = new Map<string, Mount>();
  let pending: Mount | null = null;
  let made = 0;
  return {
    next: (path, files, tie) => (pending = newMount(path, files, tie)),
    named: (path, files) => {
      const mount = newMount(path, files, newTie());
      const name = `mounted_${++made}`;
      byName.set(name, mount);
      return { name: `/${name}`, mount };
    },
    remove: (mount) => {
      for (const [name, other] of byName) if (other === mount) byName.delete(name);
      if (pending === mount) pending = null;
    },
    all: () => [...byName.values()],
    resolve: (name) => {
      const match = NAME.exec(name);
      if (match === null) return null;
      const base = match[1] as string;
      const suffix = match[2] ?? '';
      let mount = byName.get(base);
      if (mount === undefined) {
        if (pending === null || suffix !== '') return null;
        mount = pending;
        pending = null;
        byName.set(base, mount);
      }
      const kind = KINDS[suffix] ?? 'database';
      return { mount, path: kind === 'log' ? logPath(mount.path) : mount.path + suffix, kind };
    },
  };
}

/** Runs one operation on a mounted file; its errno, after noting what failed, or 0. */
export function attempt(mount: Mount, operation: string, path: string, work: () => void): number {
  if (mount.detached) return errnoOf('EIO');
  try {
    work();
    return 0;
  } catch (error) {
    const code = codeOf(error);
    // A missing file is an answer (is there a log?), not a fault.
    if (code !== 'ENOENT') mount.fault = { operation, code, path };
    if (operation === 'sync') mount.syncFailed = true;
    return errnoOf(code);
  }
}
