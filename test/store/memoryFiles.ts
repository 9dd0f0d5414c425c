/**
 * Owns files in memory behind the store's HostFiles: what a process sees while it runs, and a trace of what it did.
 * Deliberately decides neither what survives a crash (disk.ts) nor what fails (faultRun.ts).
 */
import { basename, dirname } from 'node:path';
import type { HostFiles, OpenMode } from '../../src/adapters/store/hostFiles.ts';

/** One change of the disk, in the order the store made them. `inode` names a file whatever its path. */
export type DiskOperation =
  | { readonly kind: 'create'; readonly inode: number; readonly path: string }
  | { readonly kind: 'write'; readonly inode: number; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly inode: number; readonly length: number }
  | { readonly kind: 'sync'; readonly inode: number }
  | { readonly kind: 'failedSync'; readonly inode: number }
  | { readonly kind: 'rename'; readonly inode: number; readonly from: string; readonly to: string }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'syncDirectory'; readonly path: string };

export interface MemoryFile {
  readonly inode: number;
  bytes: Uint8Array;
  size: number;
}

export interface MemoryFiles {
  readonly files: HostFiles;
  /** What the names say now; not a copy. */
  readonly names: ReadonlyMap<string, MemoryFile>;
  /** A copy of the content of every file, by path. */
  contents(): Map<string, Uint8Array>;
}

export type FileOperation = keyof HostFiles;

export interface MemoryOptions {
  readonly initial?: ReadonlyMap<string, Uint8Array>;
  /** Told of each change after it was made. */
  readonly record?: (operation: DiskOperation) => void;
  /** May throw an error with a `code` in place of the operation. */
  readonly before?: (operation: FileOperation, path: string) => void;
}

interface Handle {
  readonly file: MemoryFile;
  readonly path: string;
}

const REGULAR_FILE = 0o100644;

/** SQLite tells files of one process apart by device and inode number. */
let devices = 0n;

function coded(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

function grow(file: MemoryFile, size: number): void {
  if (size > file.bytes.length) {
    const larger = new Uint8Array(Math.max(size, 2 * file.bytes.length, 8192));
    larger.set(file.bytes.subarray(0, file.size));
    file.bytes = larger;
  }
  if (size > file.size) file.size = size;
}

function truncateTo(file: MemoryFile, length: number): void {
  if (length >= file.size) grow(file, length);
  else {
    file.bytes.fill(0, length, file.size);
    file.size = length;
  }
}

/** The calls on an open descriptor. */
function handleCalls(handles: Map<number, Handle>, device: bigint, { record, before }: MemoryOptions) {
  const handle = (operation: FileOperation, descriptor: number): Handle => {
    const found = handles.get(descriptor);
    if (found === undefined) throw coded('EBADF', String(descriptor));
    before?.(operation, found.path);
    return found;
  };
  return {
    close: (descriptor) => {
      handle('close', descriptor);
      handles.delete(descriptor);
    },
    read: (descriptor, into, offset, length, position) => {
      const { file } = handle('read', descriptor);
      const end = Math.min(file.size, position + length);
      if (end <= position) return 0;
      into.set(file.bytes.subarray(position, end), offset);
      return end - position;
    },
    write: (descriptor, from, offset, length, position) => {
      const { file } = handle('write', descriptor);
      grow(file, position + length);
      file.bytes.set(from.subarray(offset, offset + length), position);
      const bytes = record === undefined ? from : from.slice(offset, offset + length);
      record?.({ kind: 'write', inode: file.inode, position, bytes });
      return length;
    },
    sync: (descriptor) => {
      const { inode } = handles.get(descriptor)?.file ?? { inode: 0 };
      try {
        handle('sync', descriptor);
      } catch (error) {
        record?.({ kind: 'failedSync', inode });
        throw error;
      }
      record?.({ kind: 'sync', inode });
    },
    truncate: (descriptor, length) => {
      const { file } = handle('truncate', descriptor);
      truncateTo(file, length);
      record?.({ kind: 'truncate', inode: file.inode, length });
    },
    facts: (descriptor) => factsOf(handle('facts', descriptor).file, device),
  } satisfies Partial<HostFiles>;
}

function factsOf(file: MemoryFile, device: bigint) {
  return { size: BigInt(file.size), device, inode: BigInt(file.inode), mode: REGULAR_FILE };
}

/** Files in memory, holding `initial` at first. Folders are always there. */
export function memoryFiles(options: MemoryOptions = {}): MemoryFiles {
  const { initial, record, before } = options;
  const names = new Map<string, MemoryFile>();
  const device = ++devices;
  let nextInode = 1;
  let nextDescriptor = 3;
  for (const [path, bytes] of initial ?? [])
    names.set(path, { inode: nextInode++, bytes: bytes.slice(), size: bytes.length });
  const handles = new Map<number, Handle>();
  const at = (path: string): MemoryFile => {
    const found = names.get(path);
    if (found === undefined) throw coded('ENOENT', path);
    return found;
  };
  const open = (path: string, mode: OpenMode): number => {
    before?.('open', path);
    let file = names.get(path);
    if (file !== undefined && mode.create && mode.exclusive) throw coded('EEXIST', path);
    if (file === undefined) {
      if (!mode.create) throw coded('ENOENT', path);
      file = { inode: nextInode++, bytes: new Uint8Array(0), size: 0 };
      names.set(path, file);
      record?.({ kind: 'create', inode: file.inode, path });
    } else if (mode.truncate) {
      truncateTo(file, 0);
      record?.({ kind: 'truncate', inode: file.inode, length: 0 });
    }
    handles.set(nextDescriptor, { file, path });
    return nextDescriptor++;
  };
  const files: HostFiles = {
    ...handleCalls(handles, device, options),
    open,
    syncDirectory: (path) => {
      before?.('syncDirectory', path);
      record?.({ kind: 'syncDirectory', path });
    },
    factsAt: (path) => {
      before?.('factsAt', path);
      return factsOf(at(path), device);
    },
    exists: (path) => names.has(path),
    remove: (path) => {
      before?.('remove', path);
      at(path);
      names.delete(path);
      record?.({ kind: 'remove', path });
    },
    rename: (from, to) => {
      before?.('rename', from);
      const file = at(from);
      names.delete(from);
      names.set(to, file);
      record?.({ kind: 'rename', inode: file.inode, from, to });
    },
    list: (path) => {
      before?.('list', path);
      return [...names.keys()].filter((name) => dirname(name) === path).map((name) => basename(name));
    },
    makeDirectory: (path) => before?.('makeDirectory', path),
  };
  const contents = () => new Map([...names].map(([path, file]) => [path, file.bytes.slice(0, file.size)]));
  return { files, names, contents };
}
