/**
 * Owns the model of a disk with a page cache: which content and names are sure to survive a crash, and which may.
 * POSIX as a store must take it: an un-synced 512-byte sector holds what it held at any moment since the last sync, the
 * size likewise, un-synced names any subset; a sync is fdatasync (data and size), names need their folder's sync; after a
 * failed sync the un-synced content stays visible, but later syncs pass it by. Deliberately picks no state (crashStates.ts).
 */
import { hash } from 'node:crypto';
import { dirname } from 'node:path';
import type { DiskOperation } from './memoryFiles.ts';

export const SECTOR = 512;

/** A sector as it was at some moment. `id` is equal for equal content, whatever numbers SQLite drew at random. */
export interface Version {
  readonly bytes: Uint8Array;
  readonly id: number;
  readonly operation: number;
  /** It was cut off by a shorter size, and holds zeros only where that size holds. */
  readonly cut: boolean;
}

export interface Length {
  readonly size: number;
  readonly operation: number;
}

export interface Inode {
  readonly number: number;
  readonly isLog: boolean;
  /** What a running process sees. */
  cache: Uint8Array;
  /** The same without what differs from one recording to the next: salts and checksums of a log, the number of a database. */
  plain: Uint8Array;
  size: number;
  durable: Uint8Array;
  durableIds: number[];
  durableSize: number;
  /** By sector, oldest first: what may have reached the medium since the last sync. */
  readonly pending: Map<number, Version[]>;
  readonly lengths: Length[];
}

type NameChange = Extract<DiskOperation, { kind: 'create' | 'rename' | 'remove' }>;

export interface PendingName {
  readonly change: NameChange;
  readonly operation: number;
}

export interface Disk {
  readonly inodes: ReadonlyMap<number, Inode>;
  readonly durableNames: ReadonlyMap<string, number>;
  readonly pendingNames: readonly PendingName[];
  /** Numbers of the operations that are not sure to survive, in order. */
  pendingOperations(): readonly number[];
  /** Places, in any file, of sectors with un-synced content. */
  pendingSectors(): readonly number[];
  apply(operation: DiskOperation): void;
}

const ZERO_SECTOR = Buffer.alloc(SECTOR);
const NOTHING = new Uint8Array(0);

/**
 * The number of a content, the same in every process: 48 bits of its hash; 0 is the sector of zeros. Two contents that
 * shared one, at a million of them a chance of 1 in 500, would make one state count less.
 */
export function contentNumber(bytes: Uint8Array): number {
  if (ZERO_SECTOR.equals(bytes)) return 0;
  return hash('sha256', bytes, 'buffer').readUIntBE(0, 6);
}

/** Sizes in a log of 4 KiB pages, in bytes (https://www.sqlite.org/fileformat2.html#walformat). */
const LOG_HEADER = 32;
const FRAME_HEADER = 24;
const FRAME = FRAME_HEADER + 4096;

/** The end of a page, where the first of a database names its number, drawn at random. */
const PAGE = 4096;
const SEAL = 8;

/**
 * Writes to `plain` what is written at `position`, without what is drawn at random: in a log the salts and checksums of its
 * headers and the ends of its pages, elsewhere the end of the first page.
 */
function writeWithoutRandom(plain: Uint8Array, bytes: Uint8Array, position: number, isLog: boolean): void {
  plain.set(bytes, position);
  const end = position + bytes.length;
  const blank = (from: number, to: number): void => {
    if (from < end && to > position) plain.fill(0, Math.max(from, position), Math.min(to, end));
  };
  if (!isLog) {
    blank(PAGE - SEAL, PAGE);
    return;
  }
  blank(16, LOG_HEADER);
  const first = Math.max(0, Math.floor((position - LOG_HEADER) / FRAME));
  for (let frame = LOG_HEADER + first * FRAME; frame < end; frame += FRAME) {
    blank(frame + 8, frame + FRAME_HEADER);
    blank(frame + FRAME - SEAL, frame + FRAME);
  }
}

function resized(bytes: Uint8Array, size: number): Uint8Array {
  if (size <= bytes.length) return bytes;
  const larger = new Uint8Array(Math.ceil(Math.max(size, 2 * bytes.length, 8192) / SECTOR) * SECTOR);
  larger.set(bytes);
  return larger;
}

/** A file whose whole content is durable. */
function durableInode(number: number, path: string, content: Uint8Array): Inode {
  const cache = resized(new Uint8Array(0), content.length);
  cache.set(content);
  const isLog = path.endsWith('-log');
  const plain = cache.slice();
  writeWithoutRandom(plain, content, 0, isLog);
  const inode: Inode = {
    number,
    isLog,
    cache,
    plain,
    size: content.length,
    durable: cache.slice(),
    durableIds: [],
    durableSize: content.length,
    pending: new Map(),
    lengths: [],
  };
  for (let at = 0; at < content.length; at += SECTOR)
    inode.durableIds.push(contentNumber(inode.plain.subarray(at, at + SECTOR)));
  return inode;
}

function addVersion(inode: Inode, sector: number, operation: number, cut = false): void {
  const at = sector * SECTOR;
  const version = {
    bytes: inode.cache.slice(at, at + SECTOR),
    id: contentNumber(inode.plain.subarray(at, at + SECTOR)),
    operation,
    cut,
  };
  const versions = inode.pending.get(sector);
  if (versions === undefined) inode.pending.set(sector, [version]);
  else versions.push(version);
}

function write(inode: Inode, position: number, bytes: Uint8Array, operation: number): void {
  const end = position + bytes.length;
  inode.cache = resized(inode.cache, end);
  inode.plain = resized(inode.plain, end);
  inode.cache.set(bytes, position);
  writeWithoutRandom(inode.plain, bytes, position, inode.isLog);
  if (end > inode.size) {
    inode.size = end;
    inode.lengths.push({ size: end, operation });
  }
  const last = Math.ceil(end / SECTOR);
  for (let sector = Math.floor(position / SECTOR); sector < last; sector++)
    addVersion(inode, sector, operation);
}

function truncate(inode: Inode, length: number, operation: number): void {
  const before = inode.size;
  inode.cache = resized(inode.cache, length);
  inode.plain = resized(inode.plain, length);
  if (length < before) {
    inode.cache.fill(0, length, before);
    inode.plain.fill(0, length, before);
    // Sectors that are cut off keep their content on the medium until the shorter size does reach it.
    for (let sector = Math.floor(length / SECTOR); sector * SECTOR < before; sector++)
      addVersion(inode, sector, operation, sector * SECTOR >= length);
  }
  inode.size = length;
  inode.lengths.push({ size: length, operation });
}

function makeDurable(inode: Inode): void {
  inode.durable = resized(inode.durable, inode.cache.length);
  for (const [sector, versions] of inode.pending) {
    const newest = versions.at(-1) as Version;
    inode.durable.set(newest.bytes, sector * SECTOR);
    while (inode.durableIds.length < sector) inode.durableIds.push(0);
    inode.durableIds[sector] = newest.id;
  }
  if (inode.lengths.length > 0 || inode.pending.size > 0) inode.durableSize = inode.size;
  inode.pending.clear();
  inode.lengths.length = 0;
}

export function applyName(names: Map<string, number>, change: NameChange): void {
  if (change.kind === 'create') names.set(change.path, change.inode);
  else if (change.kind === 'remove') names.delete(change.path);
  else {
    names.delete(change.from);
    names.set(change.to, change.inode);
  }
}

function folderOf(change: NameChange): string {
  return dirname(change.kind === 'rename' ? change.to : change.path);
}

/** A disk that holds `initial`, durable; the files get the inode numbers 1, 2, 3 in that order, as in memoryFiles. */
export function createDisk(initial: ReadonlyMap<string, Uint8Array>): Disk {
  const inodes = new Map<number, Inode>();
  const durableNames = new Map<string, number>();
  let pendingNames: PendingName[] = [];
  let count = 0;
  for (const [path, content] of initial) {
    const number = inodes.size + 1;
    inodes.set(number, durableInode(number, path, content));
    durableNames.set(path, number);
  }
  const inodeOf = (number: number): Inode => {
    const found = inodes.get(number);
    if (found === undefined) throw new Error(`No file has the number ${number}.`);
    return found;
  };
  /** Files that may be found under some name. */
  const named = (): readonly Inode[] => {
    const numbers = new Set(durableNames.values());
    for (const { change } of pendingNames) if (change.kind !== 'remove') numbers.add(change.inode);
    return [...numbers].map(inodeOf);
  };
  return {
    inodes,
    durableNames,
    get pendingNames() {
      return pendingNames;
    },
    pendingSectors: () => [...new Set(named().flatMap(({ pending }) => [...pending.keys()]))],
    pendingOperations: () => {
      const numbers = new Set(pendingNames.map(({ operation }) => operation));
      for (const { pending, lengths } of named()) {
        for (const versions of pending.values()) for (const { operation } of versions) numbers.add(operation);
        for (const { operation } of lengths) numbers.add(operation);
      }
      return [...numbers].sort((first, second) => first - second);
    },
    apply: (operation) => {
      count++;
      switch (operation.kind) {
        case 'create':
          inodes.set(operation.inode, durableInode(operation.inode, operation.path, NOTHING));
          pendingNames.push({ change: operation, operation: count });
          return;
        case 'rename':
        case 'remove':
          pendingNames.push({ change: operation, operation: count });
          return;
        case 'write':
          write(inodeOf(operation.inode), operation.position, operation.bytes, count);
          return;
        case 'truncate':
          truncate(inodeOf(operation.inode), operation.length, count);
          return;
        case 'sync':
          makeDurable(inodeOf(operation.inode));
          return;
        case 'failedSync': {
          const inode = inodeOf(operation.inode);
          inode.pending.clear();
          inode.lengths.length = 0;
          return;
        }
        case 'syncDirectory':
          for (const { change } of pendingNames)
            if (folderOf(change) === operation.path) applyName(durableNames, change);
          pendingNames = pendingNames.filter(({ change }) => folderOf(change) !== operation.path);
          return;
      }
    },
  };
}
