/**
 * Owns the few file operations the database needs of the operating system, so that a test can fail, record or tear them.
 * Deliberately synchronous: SQLite calls them from inside WebAssembly.
 */
import {
  closeSync,
  constants,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
  type BigIntStats,
} from 'node:fs';
import { dirname } from 'node:path';

export interface FileFacts {
  /** Bytes. */
  readonly size: bigint;
  readonly device: bigint;
  readonly inode: bigint;
  /** File type and permission bits as in POSIX `st_mode`. */
  readonly mode: number;
}

export interface OpenMode {
  readonly write: boolean;
  readonly create: boolean;
  readonly exclusive: boolean;
  readonly truncate: boolean;
  /** Permission bits of a new file, before the process's umask. */
  readonly permissions: number;
}

/** Every operation throws an Error whose `code` is an errno name. Offsets and lengths are bytes. */
export interface HostFiles {
  open(path: string, mode: OpenMode): number;
  close(descriptor: number): void;
  /** Bytes read; fewer than `length` only at the end of the file. */
  read(descriptor: number, into: Uint8Array, offset: number, length: number, position: number): number;
  write(descriptor: number, from: Uint8Array, offset: number, length: number, position: number): number;
  /** Data and size reach the medium before it returns. */
  sync(descriptor: number): void;
  /** Names of the folder reach the medium before it returns; nothing to do where a folder cannot be synced. */
  syncDirectory(path: string): void;
  truncate(descriptor: number, length: number): void;
  facts(descriptor: number): FileFacts;
  factsAt(path: string): FileFacts;
  exists(path: string): boolean;
  remove(path: string): void;
  rename(from: string, to: string): void;
  /** Names of the files in a folder, in any order; none where there is no such folder. */
  list(path: string): readonly string[];
  /** Makes the folder and its missing parents, each durable. */
  makeDirectory(path: string): void;
}

function factsOf(stats: BigIntStats): FileFacts {
  return { size: stats.size, device: stats.dev, inode: stats.ino, mode: Number(stats.mode) };
}

function syncDirectory(path: string): void {
  // Windows has no handle on a folder that can be flushed; NTFS journals names itself.
  if (process.platform === 'win32') return;
  const descriptor = openSync(path, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function list(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : []));
}

function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeDirectory(parent);
  mkdirSync(path, { recursive: true });
  syncDirectory(parent);
}

/** The real operating system. */
export const nodeFiles: HostFiles = {
  open: (path, mode) =>
    openSync(
      path,
      (mode.write ? constants.O_RDWR : constants.O_RDONLY) |
        (mode.create ? constants.O_CREAT : 0) |
        (mode.exclusive ? constants.O_EXCL : 0) |
        (mode.truncate ? constants.O_TRUNC : 0),
      mode.permissions,
    ),
  close: (descriptor) => closeSync(descriptor),
  read: (descriptor, into, offset, length, position) => readSync(descriptor, into, offset, length, position),
  write: (descriptor, from, offset, length, position) =>
    writeSync(descriptor, from, offset, length, position),
  sync: (descriptor) => fdatasyncSync(descriptor),
  syncDirectory,
  truncate: (descriptor, length) => ftruncateSync(descriptor, length),
  facts: (descriptor) => factsOf(fstatSync(descriptor, { bigint: true })),
  factsAt: (path) => factsOf(statSync(path, { bigint: true })),
  exists: (path) => existsSync(path),
  remove: (path) => unlinkSync(path),
  rename: (from, to) => renameSync(from, to),
  list,
  makeDirectory,
};
