/**
 * Owns sql.js's way to real files: stands in for the system calls of its wasm where they concern a mounted database
 * or its log, and leaves every other file to sql.js's memory. One layer serves one wasm instance.
 * Locks are no-ops: one process owns the file, and says so by other means (design: processes).
 */
import { dirname } from 'node:path';
import { codeOf, errnoOf } from './errno.ts';
import type { FileFacts, OpenMode } from './hostFiles.ts';
import { createLogBuffer } from './logBuffer.ts';
import { beginning } from './logTie.ts';
import { attempt, createMounts, type FileKind, type Mount, type MountedPath, type Mounts } from './mounts.ts';
import { mark, unmark } from './ownMarks.ts';
import { isPage, isSealed, PAGE_BYTES, sealPage } from './pages.ts';
import { IMPORTS } from './sqljsImports.ts';
import { createMemoryView, type MemoryView } from './wasmMemory.ts';
import type { WasmImports, WasmMemory } from './webAssembly.ts';

export interface FileLayer {
  readonly mounts: Mounts;
  /** The given imports, with the calls on files standing in front. */
  imports(originals: WasmImports): WasmImports;
  /** Must be called with the instance's memory before the wasm runs. */
  attach(memory: WasmMemory): void;
}

/** A system call: WASI ones answer a positive errno, Linux ones a negative. Null means that the file is not mounted. */
type Call = (first: number, second: number, third: number, fourth: number) => number | null;

interface OpenFile {
  readonly mount: Mount;
  readonly path: string;
  readonly descriptor: number;
  readonly kind: FileKind;
  position: number;
}

/** SQLite opens the folder of a new log only to sync it. */
interface OpenDirectory {
  readonly mounts: readonly Mount[];
}

interface Descriptors {
  readonly open: Map<number, OpenFile | OpenDirectory>;
  /** Far above the descriptors that sql.js's own memory file system hands out (at most 4,096). */
  next: number;
}

const FIRST_DESCRIPTOR = 1 << 20;
const O_WRITE = 3;
const O_CREAT = 64;
const O_EXCL = 128;
const O_TRUNC = 512;
const F_GETLK = 12;
const F_UNLCK = 2;
const BLOCK = 4096;
const DEFAULT_PERMISSIONS = 0o644;

/** Size and offsets of Emscripten's `struct stat` (system/lib/libc/musl, wasm32), in bytes. */
const STAT = { bytes: 96, device: 0, mode: 4, links: 8, size: 24, block: 32, blocks: 36, inode: 88 };

function writeStat(memory: MemoryView, at: number, facts: FileFacts): void {
  memory.bytes().fill(0, at, at + STAT.bytes);
  const view = memory.view();
  view.setUint32(at + STAT.device, Number(facts.device & 0xffff_ffffn), true);
  view.setUint32(at + STAT.mode, facts.mode, true);
  view.setUint32(at + STAT.links, 1, true);
  view.setBigInt64(at + STAT.size, facts.size, true);
  view.setInt32(at + STAT.block, BLOCK, true);
  view.setInt32(at + STAT.blocks, Number((facts.size + 511n) / 512n), true);
  view.setBigUint64(at + STAT.inode, BigInt.asUintN(64, facts.inode), true);
}

/** Writes part of a file: of a database, the first page is marked and every whole page sealed; of a log, it waits for the sync. */
function writeTo(handle: OpenFile, bytes: Uint8Array, start: number, length: number): number {
  const { mount, descriptor, kind, position } = handle;
  if (kind === 'log' && mount.log !== null) {
    mount.beginning = null;
    mount.log.write(bytes.subarray(start, start + length), position);
    mount.logBytes = position + length;
    mount.unsyncedFrom = Math.min(mount.unsyncedFrom ?? position, position);
    return length;
  }
  if (kind !== 'database') return mount.files.write(descriptor, bytes, start, length, position);
  const written = bytes.subarray(start, start + length);
  const marked = mark(written, position);
  try {
    if (isPage(length, position)) sealPage(written, position / PAGE_BYTES + 1, mount.tie);
    return mount.files.write(descriptor, bytes, start, length, position);
  } finally {
    // SQLite may go on with the same bytes.
    if (marked) unmark(written, position);
  }
}

/** All of `bytes`, or an error: a disk that takes a part and no more is full. */
function writeWhole({ mount, descriptor }: OpenFile, bytes: Uint8Array, position: number): void {
  let written = 0;
  while (written < bytes.length) {
    const moved = mount.files.write(descriptor, bytes, written, bytes.length - written, position + written);
    if (moved === 0) throw Object.assign(new Error('Nothing was written.'), { code: 'ENOSPC' });
    written += moved;
  }
}

/** Reads part of a file; a whole page of a database must be as it was sealed. */
function readFrom(
  { mount, descriptor, kind, position }: OpenFile,
  bytes: Uint8Array,
  start: number,
  length: number,
) {
  if (kind === 'log' && mount.beginning !== null) {
    const shown = mount.beginning.subarray(position, position + length);
    bytes.set(shown, start);
    return shown.length;
  }
  const moved = mount.files.read(descriptor, bytes, start, length, position);
  if (kind !== 'database') return moved;
  const got = bytes.subarray(start, start + moved);
  if (isPage(moved, position)) {
    const page = position / PAGE_BYTES + 1;
    if (!isSealed(got, page))
      throw Object.assign(new Error(`Page ${page} is not as it was written.`), { code: 'DAMAGED' });
  }
  unmark(got, position);
  return moved;
}

/** What waits for the log must be in it before anything but writing is done with it. */
function flushLog({ mount, kind }: { readonly mount: Mount; readonly kind: FileKind }): void {
  if (kind === 'log') mount.log?.flush();
}

/** Moves bytes between a file and the wasm's buffers, one buffer after the other; stops at the first short one. */
function transfer(memory: MemoryView, handle: OpenFile, operation: 'read' | 'write'): Call {
  const move = operation === 'read' ? readFrom : writeTo;
  return (_descriptor, vectors, count, result) => {
    let total = 0;
    const errno = attempt(handle.mount, operation, handle.path, () => {
      if (operation === 'read') flushLog(handle);
      for (let at = vectors; at < vectors + 8 * count; at += 8) {
        const start = memory.view().getUint32(at, true);
        const length = memory.view().getUint32(at + 4, true);
        const moved = move(handle, memory.bytes(), start, length);
        handle.position += moved;
        total += moved;
        if (moved < length) break;
      }
    });
    if (errno !== 0) return errno;
    memory.view().setUint32(result, total, true);
    return 0;
  };
}

function syncDirectories({ mounts }: OpenDirectory): number {
  for (const mount of mounts) {
    const directory = dirname(mount.path);
    const errno = attempt(mount, 'sync', directory, () => mount.files.syncDirectory(directory));
    if (errno !== 0) return errno;
  }
  return 0;
}

function closeFile(handle: OpenFile): number {
  const { mount, descriptor, kind, path } = handle;
  const errno = attempt(mount, 'write', path, () => flushLog(handle));
  if (kind === 'log') mount.log = null;
  mount.open--;
  // A detached file's descriptor is closed all the same: closing writes nothing.
  try {
    mount.files.close(descriptor);
    return errno;
  } catch (error) {
    return errnoOf(codeOf(error));
  }
}

/** The calls on an open descriptor. */
function descriptorCalls(memory: MemoryView, { open }: Descriptors) {
  const file = (descriptor: number): OpenFile | null => {
    const found = open.get(descriptor);
    return found !== undefined && 'position' in found ? found : null;
  };
  const onFile =
    (call: (handle: OpenFile, ...parameters: Parameters<Call>) => number | null): Call =>
    (...parameters) => {
      const handle = file(parameters[0]);
      return handle === null ? null : call(handle, ...parameters);
    };
  return {
    close: (descriptor) => {
      const found = open.get(descriptor);
      if (found === undefined) return null;
      open.delete(descriptor);
      return 'position' in found ? closeFile(found) : 0;
    },
    seek: onFile((handle, _descriptor, offset, from, result) =>
      attempt(handle.mount, 'seek', handle.path, () => {
        // A 64-bit parameter arrives as a bigint.
        if (from === 0) handle.position = Number(offset);
        else if (from === 1) handle.position += Number(offset);
        else {
          flushLog(handle);
          handle.position = Number(handle.mount.files.facts(handle.descriptor).size) + Number(offset);
        }
        memory.view().setBigInt64(result, BigInt(handle.position), true);
      }),
    ),
    read: onFile((handle, ...parameters) => transfer(memory, handle, 'read')(...parameters)),
    write: onFile((handle, ...parameters) => transfer(memory, handle, 'write')(...parameters)),
    sync: (descriptor) => {
      const found = open.get(descriptor);
      if (found === undefined) return null;
      if (!('position' in found)) return syncDirectories(found);
      // What could not be written leaves no doubt about what was: only a failed sync does.
      const errno = attempt(found.mount, 'write', found.path, () => flushLog(found));
      if (errno !== 0) return errno;
      return attempt(found.mount, 'sync', found.path, () => {
        found.mount.files.sync(found.descriptor);
        if (found.kind === 'log') found.mount.unsyncedFrom = null;
      });
    },
    fstat: onFile(
      (handle, _descriptor, at) =>
        -attempt(handle.mount, 'stat', handle.path, () => {
          flushLog(handle);
          const { beginning: shown } = handle.mount;
          const facts = handle.mount.files.facts(handle.descriptor);
          const isShown = handle.kind === 'log' && shown !== null;
          writeStat(memory, at, isShown ? { ...facts, size: BigInt(shown.length) } : facts);
        }),
    ),
    truncate: onFile(
      (handle, _descriptor, length) =>
        -attempt(handle.mount, 'truncate', handle.path, () => {
          flushLog(handle);
          handle.mount.files.truncate(handle.descriptor, Number(length));
          if (handle.kind === 'log') handle.mount.beginning = null;
        }),
    ),
    fcntl: onFile((_handle, _descriptor, command, rest) => {
      // "Is it locked by another?" No: the pointer to the lock is the first of the variable arguments.
      if (command === F_GETLK) memory.view().setInt16(memory.view().getUint32(rest, true), F_UNLCK, true);
      return 0;
    }),
    fchown: onFile(() => 0),
    fchmod: onFile(() => 0),
  } satisfies Partial<Record<keyof typeof IMPORTS, Call>>;
}

/** Opens a file of a mount. One that was refused for writing is not opened for reading in its place: SQLite would try. */
function openFor(mount: Mount, path: string, mode: OpenMode): number {
  const { refused } = mount;
  if (!mode.write && refused?.path === path)
    throw Object.assign(new Error('It cannot be opened for writing.'), { code: refused.code });
  try {
    const descriptor = mount.files.open(path, mode);
    mount.refused = null;
    return descriptor;
  } catch (error) {
    if (mode.write) mount.refused = { path, code: codeOf(error) };
    throw error;
  }
}

/**
 * A log that was not begun is shown to SQLite as one of its database. Throws what the files throw, with the file closed and,
 * like any that was refused for writing, not to be opened for reading in its place.
 */
function openLog(handle: OpenFile, write: boolean): void {
  const { mount, descriptor } = handle;
  try {
    mount.beginning = beginning(descriptor, mount.tie, mount.files);
  } catch (error) {
    if (write) mount.refused = { path: handle.path, code: codeOf(error) };
    mount.files.close(descriptor);
    throw error;
  }
  mount.log = createLogBuffer((bytes, position) => writeWhole(handle, bytes, position));
}

/** The calls by name, for files and folders that have no descriptor yet. */
function pathCalls(memory: MemoryView, mounts: Mounts, descriptors: Descriptors) {
  const onPath = (pointer: number, operation: string, work: (found: MountedPath) => void): number | null => {
    const found = mounts.resolve(memory.text(pointer));
    if (found === null) return null;
    return -attempt(found.mount, operation, found.path, () => {
      flushLog(found);
      work(found);
    });
  };
  const stat: Call = (name, at) =>
    onPath(name, 'stat', ({ mount, path }) => writeStat(memory, at, mount.files.factsAt(path)));
  return {
    openat: (_folder, name, flags, rest) => {
      const descriptor = descriptors.next++;
      if (memory.text(name) === '/' && (flags & O_WRITE) === 0) {
        descriptors.open.set(descriptor, { mounts: mounts.all() });
        return descriptor;
      }
      const errno = onPath(name, 'open', ({ mount, path, kind }) => {
        const write = (flags & O_WRITE) !== 0;
        const real = openFor(mount, path, {
          write,
          create: (flags & O_CREAT) !== 0,
          exclusive: (flags & O_EXCL) !== 0,
          truncate: (flags & O_TRUNC) !== 0,
          permissions: rest === 0 ? DEFAULT_PERMISSIONS : memory.view().getInt32(rest, true),
        });
        const handle = { mount, path, kind, descriptor: real, position: 0 };
        if (kind === 'log') openLog(handle, write);
        mount.open++;
        descriptors.open.set(descriptor, handle);
      });
      return errno === null || errno < 0 ? errno : descriptor;
    },
    stat,
    lstat: stat,
    access: (_folder, name) => onPath(name, 'access', ({ mount, path }) => void mount.files.factsAt(path)),
    unlinkat: (_folder, name) => onPath(name, 'remove', ({ mount, path }) => mount.files.remove(path)),
  } satisfies Partial<Record<keyof typeof IMPORTS, Call>>;
}

export function createFileLayer(): FileLayer {
  const memory = createMemoryView();
  const mounts = createMounts();
  const descriptors: Descriptors = { open: new Map(), next: FIRST_DESCRIPTOR };
  const calls: Record<keyof typeof IMPORTS, Call> = {
    ...descriptorCalls(memory, descriptors),
    ...pathCalls(memory, mounts, descriptors),
  };
  return {
    mounts,
    attach: (of) => memory.attach(of),
    imports: (originals) => {
      const all: Record<string, unknown> = { ...originals };
      for (const [call, name] of Object.entries(IMPORTS)) {
        const original = originals[name] as Call;
        const own = calls[call as keyof typeof IMPORTS];
        all[name] = (...parameters: Parameters<Call>) => own(...parameters) ?? original(...parameters);
      }
      return all;
    },
  };
}
