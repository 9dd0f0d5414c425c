/**
 * Owns the states a disk may be found in after a crash at this moment: the telling ones (nothing un-synced survived, all,
 * all but one operation, one alone, each prefix) and, from a seeded stream, any subset down to single sectors.
 * Deliberately opens none (reopen.ts).
 */
import { hash } from 'node:crypto';
import type { Random } from '../../src/core/measure/random.ts';
import {
  applyName,
  contentNumber,
  type Disk,
  type Inode,
  type Length,
  SECTOR,
  type Version,
} from './disk.ts';

export interface CrashState {
  /** Content of every file, by path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** By path, equal for equal content, in every process. */
  readonly keys: ReadonlyMap<string, string>;
  /** Equal for equal states, in every process. */
  readonly key: string;
  /** For messages: how the state was chosen. */
  readonly what: string;
}

/** Decides what survived. */
interface Survival {
  readonly what: string;
  /** Whether an un-synced operation reached the medium. */
  readonly keeps: (operation: number) => boolean;
  /** Set to choose the moment of each sector by itself: 0 is the last sync, `newest` now. The size is `sector` null. */
  readonly torn?: (sector: number | null, newest: number) => number;
  /** Set to find this in place of zeros where a file grew but its content did not arrive. */
  readonly junk?: Uint8Array;
}

function lastKept<Item extends { readonly operation: number }>(
  items: readonly Item[],
  keeps: Survival['keeps'],
): Item | null {
  for (let index = items.length - 1; index >= 0; index--) {
    const item = items[index] as Item;
    if (keeps(item.operation)) return item;
  }
  return null;
}

function chooseLength(inode: Inode, { keeps, torn }: Survival): Length {
  const durable: Length = { size: inode.durableSize, operation: 0 };
  if (torn === undefined) return lastKept(inode.lengths, keeps) ?? durable;
  return [durable, ...inode.lengths][torn(null, inode.lengths.length)] ?? durable;
}

function chooseVersion(
  sector: number,
  versions: readonly Version[],
  length: Length,
  { keeps, torn }: Survival,
): Version | null {
  // What was cut off by a size that did not arrive was not cut off.
  const possible = versions.filter(({ cut, operation }) => !cut || operation <= length.operation);
  if (torn === undefined) return lastKept(possible, keeps);
  return possible[torn(sector, possible.length) - 1] ?? null;
}

interface Found {
  readonly bytes: Uint8Array;
  readonly ids: readonly number[];
}

function findContent(inode: Inode, survival: Survival): Found {
  const length = chooseLength(inode, survival);
  const { size } = length;
  const sectors = Math.ceil(size / SECTOR);
  const bytes = new Uint8Array(sectors * SECTOR);
  bytes.set(inode.durable.subarray(0, Math.min(inode.durable.length, bytes.length)));
  const ids: number[] = [];
  for (let sector = 0; sector < sectors; sector++) ids.push(inode.durableIds[sector] ?? 0);
  const { junk } = survival;
  if (junk !== undefined)
    for (let sector = Math.ceil(inode.durableSize / SECTOR); sector < sectors; sector++) {
      bytes.set(junk, sector * SECTOR);
      ids[sector] = contentNumber(junk);
    }
  for (const [sector, versions] of inode.pending) {
    if (sector >= sectors) continue;
    const version = chooseVersion(sector, versions, length, survival);
    if (version === null) continue;
    bytes.set(version.bytes, sector * SECTOR);
    ids[sector] = version.id;
  }
  return { bytes: bytes.subarray(0, size), ids };
}

function materialize(disk: Disk, survival: Survival): CrashState {
  const names = new Map(disk.durableNames);
  for (const { change, operation } of disk.pendingNames)
    if (survival.keeps(operation)) applyName(names, change);
  const files = new Map<string, Uint8Array>();
  const keys = new Map<string, string>();
  for (const path of [...names.keys()].sort()) {
    const inode = disk.inodes.get(names.get(path) ?? 0);
    if (inode === undefined) throw new Error(`${path} names no file.`);
    const { bytes, ids } = findContent(inode, survival);
    files.set(path, bytes);
    keys.set(path, `${bytes.length} ${hash('sha256', Float64Array.from(ids), 'base64')}`);
  }
  const key = hash('sha256', JSON.stringify([...keys]), 'base64');
  return { files, keys, key, what: survival.what };
}

/** The telling states: how many depends on what is un-synced. */
function* tellingSurvivals(operations: readonly number[]): Generator<Survival> {
  yield { what: 'nothing un-synced', keeps: () => false };
  yield { what: 'all', keeps: () => true };
  for (const lost of operations)
    yield { what: `all but operation ${lost}`, keeps: (operation) => operation !== lost };
  for (const kept of operations)
    yield { what: `operation ${kept} alone`, keeps: (operation) => operation === kept };
  for (const last of operations)
    yield { what: `up to operation ${last}`, keeps: (operation) => operation <= last };
}

const KINDS = 5;

/** Draws what survived; `number` picks the kind, so that all kinds come in turn. `sectors` are those with un-synced content. */
function randomSurvival(
  operations: readonly number[],
  sectors: readonly number[],
  random: Random,
  number: number,
): Survival {
  const share = random.unit();
  const kept = new Set(operations.filter(() => random.unit() < share));
  const keeps = (operation: number): boolean => kept.has(operation);
  const chosen = sectors[random.int(Math.max(1, sectors.length))] ?? 0;
  switch (number % KINDS) {
    case 0:
      return { what: `${kept.size} of ${operations.length} operations`, keeps };
    case 1:
      return { what: 'any sectors', keeps, torn: (_sector, newest) => random.int(newest + 1) };
    case 2: {
      const junk = Uint8Array.from({ length: SECTOR }, () => random.int(256));
      const torn = (_sector: number | null, newest: number): number => random.int(newest + 1);
      return { what: 'any sectors, junk where a file grew', keeps, torn, junk };
    }
    case 3:
      return {
        what: `sectors up to ${chosen}`,
        keeps,
        torn: (sector, newest) => (sector === null || sector <= chosen ? newest : 0),
      };
    default:
      return {
        what: `all but sector ${chosen}`,
        keeps: () => true,
        torn: (sector, newest) => (sector === chosen ? 0 : newest),
      };
  }
}

/**
 * At most `telling` of the telling states of a crash now, evenly spread, and `sampled` drawn from `random`.
 * The same state may come up more than once.
 */
export function* crashStates(
  disk: Disk,
  random: Random,
  { telling, sampled }: { readonly telling: number; readonly sampled: number },
): Generator<CrashState> {
  const operations = disk.pendingOperations();
  const all = [...tellingSurvivals(operations)];
  const stride = Math.max(1, all.length / telling);
  const offset = stride > 1 ? random.unit() * stride : 0;
  // The first two, nothing and all, always.
  for (const survival of all.slice(0, 2)) yield materialize(disk, survival);
  for (let at = 2 + offset; at < all.length; at += stride)
    yield materialize(disk, all[Math.floor(at)] as Survival);
  if (operations.length === 0) return;
  const sectors = disk.pendingSectors();
  if (operations.length === 1 && sectors.length < 2) return;
  const first = random.int(KINDS);
  for (let number = 0; number < sampled; number++)
    yield materialize(disk, randomSurvival(operations, sectors, random, first + number));
}
