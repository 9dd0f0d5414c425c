/** Owns the ways a store's files get damaged, drawn from a seeded stream. Deliberately opens none (damageRun.ts). */
import { gzipSync } from 'node:zlib';
import { type Random, stream } from '../../src/core/measure/random.ts';
import { STORE } from './workload.ts';

export type Files = ReadonlyMap<string, Uint8Array>;

export interface Damaged {
  readonly files: Files;
  readonly what: string;
}

const LOG = `${STORE}-log`;
const PAGE = 4096;
const SECTOR = 512;
const HEADER = 100;
const LOG_HEADER = 32;

/** A store as it lies there, the same at an earlier time, and another one. */
export interface Stores {
  readonly now: Files;
  readonly earlier: Files;
  readonly other: Files;
}

function changed(
  files: Files,
  path: string,
  change: (bytes: Uint8Array) => Uint8Array,
  what: string,
): Damaged {
  const bytes = files.get(path);
  if (bytes === undefined) throw new Error(`There is no ${path} to damage.`);
  return { files: new Map(files).set(path, change(bytes.slice())), what };
}

function without(files: Files, path: string, what: string): Damaged {
  const left = new Map(files);
  left.delete(path);
  return { files: left, what };
}

function flip(files: Files, path: string, random: Random): Damaged {
  const length = files.get(path)?.length ?? 0;
  const at = random.int(length);
  const bit = random.int(8);
  const turn = (bytes: Uint8Array): Uint8Array => {
    bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
    return bytes;
  };
  return changed(files, path, turn, `bit ${bit} of byte ${at} of ${path} flipped`);
}

function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.int(256));
}

function spoilPage(files: Files, path: string, random: Random): Damaged {
  const pages = Math.floor((files.get(path)?.length ?? 0) / PAGE);
  const page = random.int(pages);
  const from = random.int(pages);
  const kind = random.int(3);
  const fills = [
    (): Uint8Array => randomBytes(random, PAGE),
    (): Uint8Array => new Uint8Array(PAGE),
    (bytes: Uint8Array): Uint8Array => bytes.slice(from * PAGE, (from + 1) * PAGE),
  ];
  const spoil = (bytes: Uint8Array): Uint8Array => {
    bytes.set(fills[kind]?.(bytes) ?? [], page * PAGE);
    return bytes;
  };
  const by = ['random bytes', 'zeros', `page ${from}`][kind];
  return changed(files, path, spoil, `page ${page} of ${path} replaced by ${by}`);
}

function* cuts(files: Files, path: string): Generator<Damaged> {
  const length = files.get(path)?.length ?? 0;
  for (let size = 0; size < length; size += SECTOR)
    yield changed(files, path, (bytes) => bytes.slice(0, size), `${path} cut to ${size} bytes`);
}

function* headers(files: Files, path: string, length: number, random: Random): Generator<Damaged> {
  for (let at = 0; at < length; at++)
    for (const value of [0, 255, random.int(256)])
      yield changed(
        files,
        path,
        (bytes) => {
          bytes[at] = value;
          return bytes;
        },
        `byte ${at} of the header of ${path} set to ${value}`,
      );
}

function exchanged(files: Files, by: Files, path: string, whose: string): Damaged {
  const bytes = by.get(path) ?? new Uint8Array(0);
  return changed(files, path, () => bytes, `${path} replaced by that of ${whose}`);
}

/** The database or the log of another store, whole in itself. */
export function swaps({ now, other }: Stores): readonly Damaged[] {
  return [STORE, LOG].map((path) => exchanged(now, other, path, 'another store'));
}

function* strangers({ now, earlier }: Stores, random: Random): Generator<Damaged> {
  const contents: Readonly<Record<string, Uint8Array>> = {
    nothing: new Uint8Array(0),
    'one byte': new Uint8Array(1),
    text: Buffer.from('a shopping list\n'.repeat(400)),
    JSON: Buffer.from(JSON.stringify({ experiences: [] })),
    gzip: gzipSync(now.get(STORE) ?? new Uint8Array(0)),
    zeros: new Uint8Array(3 * PAGE),
    'random bytes': randomBytes(random, 5 * PAGE),
  };
  for (const path of [STORE, LOG]) {
    for (const [what, bytes] of Object.entries(contents))
      yield changed(now, path, () => bytes, `${path} replaced by ${what}`);
    yield without(now, path, `${path} missing`);
    yield exchanged(now, earlier, path, 'the earlier store');
    for (const length of [1, SECTOR, PAGE, 3 * PAGE + 7])
      yield changed(
        now,
        path,
        (bytes) => Buffer.concat([bytes, randomBytes(random, length)]),
        `${length} bytes of junk behind ${path}`,
      );
  }
}

/** `count` damaged stores: every cut and header byte, strangers, and for the rest flipped bits and spoiled pages. */
export function* damages(stores: Stores, seed: number, count: number): Generator<Damaged> {
  const random = stream(seed, 'damage');
  const { now } = stores;
  let made = 0;
  const systematic = [
    ...strangers(stores, random),
    ...headers(now, STORE, HEADER, random),
    ...headers(now, LOG, LOG_HEADER, random),
    ...cuts(now, STORE),
    ...cuts(now, LOG),
  ];
  for (const damaged of systematic) {
    if (made++ >= count) return;
    yield damaged;
  }
  for (; made < count; made++)
    yield made % 4 === 3
      ? spoilPage(now, random.int(3) === 0 ? LOG : STORE, random)
      : flip(now, made % 2 === 0 ? STORE : LOG, random);
}
