/**
 * Owns sql.js's way to real files: stands in for the system calls of its wasm where they concern a mounted database
 * or its log, and leaves every other file to sql.js's memory. One layer serves one wasm instance.
 * Locks are no-ops: one process owns the file, and says so by other means (design: processes).
 */
import { dirname } from 'node:path';
import { codeOf, errnoOf } from './errno.ts';
import type { FileFacts, HostFiles } from './hostFiles.ts';
import { IMPORTS } from './sqljsImports.ts';
import type { WasmImports, WasmMemory } from './webAssembly.ts';

export interface Fault {
  readonly operation: string;
  /** errno name, for example ENOSPC. */
  readonly code: string;
  readonly path: string;
}

/** A real database file as sql.js sees it. `-wal` and `-journal` beside it belong to it. */
export interface Mount {
  readonly path: string;
  readonly files: HostFiles;
  /** The newest failure of the operating system, for the error message. */
  fault: Fault | null;
  /** A sync failed: nobody knows what reached the medium, so the file must be closed and opened again. */
  syncFailed: boolean;
  /** Set to leave the files as they are: every later operation fails, so that closing cannot write. */
  detached: boolean;
  /** End of the newest write to the log, in bytes: about the log's length. */
  logBytes: number;
  /** How many descriptors are open on it. */
  open: number;
}

export interface FileLayer {
  /** The given imports, with the calls above replaced. */
  imports(originals: WasmImports): WasmImports;
  /** Must be called with the instance's memory before the wasm runs. */
  attach(memory: WasmMemory): void;
  /** The next database name the wasm opens that is not mounted yet will be this file. */
  mountNext(path: string, files: HostFiles): Mount;
  /** A name under which SQL can reach this file, for example in VACUUM INTO. */
  mountNamed(path: string, files: HostFiles): { readonly name: string; readonly mount: Mount };
  unmount(mount: Mount): void;
}

type Call = (...args: readonly (number | bigint)[]) => number;

interface OpenFile {
  readonly mount: Mount;
  readonly path: string;
  readonly descriptor: number;
  readonly isLog: boolean;
  position: number;
}

/** SQLite opens the folder of a new log only to sync it. */
interface OpenDirectory {
  readonly mounts: readonly Mount[];
}

/** Far above the descriptors that sql.js's own memory file system hands out (at most 4,096). */
const FIRST_DESCRIPTOR = 1 << 20;
const O_WRITE = 3;
const O_CREAT = 64;
const O_EXCL = 128;
const O_TRUNC = 512;
const F_GETLK = 12;
const F_UNLCK = 2;
const BLOCK = 4096;

/** Size and offsets of Emscripten's `struct stat` (system/lib/libc/musl, wasm32). */
const STAT = { bytes: 96, device: 0, mode: 4, links: 8, size: 24, block: 32, blocks: 36, inode: 88 };

/** What this wasm's memory holds, re-read after it grew. */
function memoryView() {
  let memory: WasmMemory | null = null;
  let bytes = new Uint8Array(0);
  let view = new DataView(bytes.buffer);
  const refresh = (): void => {
    if (memory === null || bytes.buffer === memory.buffer) return;
    bytes = new Uint8Array(memory.buffer);
    view = new DataView(memory.buffer);
  };
  return {
    attach: (of: WasmMemory): void => {
      memory = of;
    },
    bytes: (): Uint8Array<ArrayBuffer> => {
      refresh();
      return bytes;
    },
    view: (): DataView => {
      refresh();
      return view;
    },
    text: (pointer: number): string => {
      refresh();
      return Buffer.from(bytes.buffer, pointer, bytes.indexOf(0, pointer) - pointer).toString();
    },
  };
}

type MemoryView = ReturnType<typeof memoryView>;

/** Which mounted file a name inside the wasm stands for. */
function mountNames() {
  const byName = new Map<string, Mount>();
  let pending: Mount | null = null;
  let made = 0;
  const newMount = (path: string, files: HostFiles): Mount => ({
    path,
    files,
    fault: null,
    syncFailed: false,
    detached: false,
    logBytes: 0,
    open: 0,
  });
  return {
    mountNext: (path: string, files: HostFiles): Mount => (pending = newMount(path, files)),
    mountNamed: (path: string, files: HostFiles) => {
      const mount = newMount(path, files);
      const name = `/mounted_${++made}`;
      byName.set(name.slice(1), mount);
      return { name, mount };
    },
    unmount: (mount: Mount): void => {
      for (const [name, other] of byName) if (other === mount) byName.delete(name);
      if (pending === mount) pending = null;
    },
    mounts: (): readonly Mount[] => [...byName.values()],
    resolve: (
      name: string,
    ): { readonly mount: Mount; readonly path: string; readonly isLog: boolean } | null => {
      const match = /^\/?((?:dbfile|mounted)_\d+)(-journal|-wal)?$/.exec(name);
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
      return { mount, path: mount.path + suffix, isLog: suffix === '-wal' };
    },
  };
}

/** Runs one operation on a mount; its errno, after noting what failed, or 0. */
function attempt(mount: Mount, operation: string, path: string, work: () => void): number {
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

/** The calls on an open descriptor. WASI calls answer a positive errno, Linux ones a negative. */
function descriptorCalls(memory: MemoryView, table: Map<number, OpenFile | OpenDirectory>) {
  const file = (descriptor: number | bigint | undefined): OpenFile | null => {
    const found = table.get(Number(descriptor));
    return found !== undefined && 'position' in found ? found : null;
  };
  /** Moves bytes between the file and the wasm's buffers, one after the other; stops at the first short one. */
  const transfer = (
    handle: OpenFile,
    operation: 'read' | 'write',
    vectors: number,
    count: number,
    result: number,
  ): number => {
    let total = 0;
    const errno = attempt(handle.mount, operation, handle.path, () => {
      for (let index = 0; index < count; index++) {
        const start = memory.view().getUint32(vectors + 8 * index, true);
        const length = memory.view().getUint32(vectors + 8 * index + 4, true);
        const moved = handle.mount.files[operation](
          handle.descriptor,
          memory.bytes(),
          start,
          length,
          handle.position,
        );
        handle.position += moved;
        total += moved;
        if (moved < length) break;
      }
    });
    if (errno !== 0) return errno;
    if (operation === 'write' && handle.isLog) handle.mount.logBytes = handle.position;
    memory.view().setUint32(result, total, true);
    return 0;
  };
  const close = (found: OpenFile | OpenDirectory): number => {
    if (!('position' in found)) return 0;
    found.mount.open--;
    // A detached file's descriptor is closed all the same: closing writes nothing.
    try {
      found.mount.files.close(found.descriptor);
      return 0;
    } catch (error) {
      return errnoOf(codeOf(error));
    }
  };
  const sync = (found: OpenFile | OpenDirectory): number => {
    if ('position' in found)
      return attempt(found.mount, 'sync', found.path, () => found.mount.files.sync(found.descriptor));
    for (const mount of found.mounts) {
      const directory = dirname(mount.path);
      const errno = attempt(mount, 'sync', directory, () => mount.files.syncDirectory(directory));
      if (errno !== 0) return errno;
    }
    return 0;
  };
  return { file, transfer, close, sync };
}

function seekTo(memory: MemoryView, handle: OpenFile, offset: number, from: number, result: number): number {
  return attempt(handle.mount, 'seek', handle.path, () => {
    if (from === 0) handle.position = offset;
    else if (from === 1) handle.position += offset;
    else handle.position = Number(handle.mount.files.facts(handle.descriptor).size) + offset;
    memory.view().setBigInt64(result, BigInt(handle.position), true);
  });
}

/** The calls by name, for files and folders that have no descriptor yet. */
function pathCalls(
  memory: MemoryView,
  names: ReturnType<typeof mountNames>,
  table: Map<number, OpenFile | OpenDirectory>,
) {
  let nextDescriptor = FIRST_DESCRIPTOR;
  const open = (name: string, flags: number, permissions: number): number | null => {
    if (name === '/' && (flags & O_WRITE) === 0) {
      table.set(++nextDescriptor, { mounts: names.mounts() });
      return nextDescriptor;
    }
    const found = names.resolve(name);
    if (found === null) return null;
    const { mount, path, isLog } = found;
    const descriptor = ++nextDescriptor;
    const errno = attempt(mount, 'open', path, () => {
      const real = mount.files.open(path, {
        write: (flags & O_WRITE) !== 0,
        create: (flags & O_CREAT) !== 0,
        exclusive: (flags & O_EXCL) !== 0,
        truncate: (flags & O_TRUNC) !== 0,
        permissions,
      });
      mount.open++;
      table.set(descriptor, { mount, path, isLog, descriptor: real, position: 0 });
    });
    return errno === 0 ? descriptor : -errno;
  };
  const stat = (name: string, at: number): number | null => {
    const found = names.resolve(name);
    if (found === null) return null;
    return -attempt(found.mount, 'stat', found.path, () =>
      writeStat(memory, at, found.mount.files.factsAt(found.path)),
    );
  };
  const access = (name: string): number | null => {
    const found = names.resolve(name);
    if (found === null) return null;
    return -attempt(found.mount, 'access', found.path, () => void found.mount.files.factsAt(found.path));
  };
  const unlink = (name: string): number | null => {
    const found = names.resolve(name);
    if (found === null) return null;
    return -attempt(found.mount, 'remove', found.path, () => found.mount.files.remove(found.path));
  };
  return { open, stat, access, unlink };
}

export function createFileLayer(): FileLayer {
  const memory = memoryView();
  const names = mountNames();
  const table = new Map<number, OpenFile | OpenDirectory>();
  const { file, transfer, close, sync } = descriptorCalls(memory, table);
  const paths = pathCalls(memory, names, table);

  const imports = (originals: WasmImports): WasmImports => {
    const original = (name: string): Call => originals[name] as Call;
    const replaced: Record<keyof typeof IMPORTS, Call> = {
      openat: (folder, name, flags, rest) => {
        const permissions = Number(rest) === 0 ? 0o644 : memory.view().getInt32(Number(rest), true);
        const opened = paths.open(memory.text(Number(name)), Number(flags), permissions);
        return (
          opened ??
          original(IMPORTS.openat)(folder as number, name as number, flags as number, rest as number)
        );
      },
      close: (descriptor) => {
        const found = table.get(Number(descriptor));
        if (found === undefined) return original(IMPORTS.close)(descriptor as number);
        table.delete(Number(descriptor));
        return close(found);
      },
      seek: (descriptor, offset, from, result) => {
        const handle = file(descriptor);
        if (handle === null)
          return original(IMPORTS.seek)(
            descriptor as number,
            offset as bigint,
            from as number,
            result as number,
          );
        return seekTo(memory, handle, Number(offset), Number(from), Number(result));
      },
      read: (descriptor, vectors, count, result) => {
        const handle = file(descriptor);
        if (handle === null)
          return original(IMPORTS.read)(
            descriptor as number,
            vectors as number,
            count as number,
            result as number,
          );
        return transfer(handle, 'read', Number(vectors), Number(count), Number(result));
      },
      write: (descriptor, vectors, count, result) => {
        const handle = file(descriptor);
        if (handle === null)
          return original(IMPORTS.write)(
            descriptor as number,
            vectors as number,
            count as number,
            result as number,
          );
        return transfer(handle, 'write', Number(vectors), Number(count), Number(result));
      },
      sync: (descriptor) => {
        const found = table.get(Number(descriptor));
        return found === undefined ? original(IMPORTS.sync)(descriptor as number) : sync(found);
      },
      fstat: (descriptor, at) => {
        const handle = file(descriptor);
        if (handle === null) return original(IMPORTS.fstat)(descriptor as number, at as number);
        return -attempt(handle.mount, 'stat', handle.path, () =>
          writeStat(memory, Number(at), handle.mount.files.facts(handle.descriptor)),
        );
      },
      stat: (name, at) =>
        paths.stat(memory.text(Number(name)), Number(at)) ??
        original(IMPORTS.stat)(name as number, at as number),
      lstat: (name, at) =>
        paths.stat(memory.text(Number(name)), Number(at)) ??
        original(IMPORTS.lstat)(name as number, at as number),
      access: (folder, name, mode) =>
        paths.access(memory.text(Number(name))) ??
        original(IMPORTS.access)(folder as number, name as number, mode as number),
      unlinkat: (folder, name, flags) =>
        paths.unlink(memory.text(Number(name))) ??
        original(IMPORTS.unlinkat)(folder as number, name as number, flags as number),
      truncate: (descriptor, length) => {
        const handle = file(descriptor);
        if (handle === null) return original(IMPORTS.truncate)(descriptor as number, length as bigint);
        return -attempt(handle.mount, 'truncate', handle.path, () =>
          handle.mount.files.truncate(handle.descriptor, Number(length)),
        );
      },
      fcntl: (descriptor, command, rest) => {
        if (file(descriptor) === null)
          return original(IMPORTS.fcntl)(descriptor as number, command as number, rest as number);
        // "Is it locked by another?" No: the pointer to the lock is the first of the variable arguments.
        if (command === F_GETLK)
          memory.view().setInt16(memory.view().getUint32(Number(rest), true), F_UNLCK, true);
        return 0;
      },
      fchown: (descriptor) =>
        file(descriptor) === null ? original(IMPORTS.fchown)(descriptor as number) : 0,
      fchmod: (descriptor, mode) =>
        file(descriptor) === null ? original(IMPORTS.fchmod)(descriptor as number, mode as number) : 0,
    };
    const all: Record<string, unknown> = { ...originals };
    for (const [call, name] of Object.entries(IMPORTS)) all[name] = replaced[call as keyof typeof IMPORTS];
    return all;
  };
  return {
    imports,
    attach: memory.attach,
    mountNext: names.mountNext,
    mountNamed: names.mountNamed,
    unmount: names.unmount,
  };
}
