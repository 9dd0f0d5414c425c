/**
 * Owns reading a SQLite write-ahead log without SQLite: which pages its committed frames hold.
 * Format: https://www.sqlite.org/fileformat2.html#walformat. Deliberately reads only.
 */
import { nodeFiles, type HostFiles } from './hostFiles.ts';

export interface LogContent {
  /** The random numbers this log was begun with, as hex; null when there is no log. */
  readonly salts: string | null;
  /** What its header says of the database it belongs to (logTie.ts); null when there is no log. */
  readonly tie: number | null;
  /** Commits whose every frame is whole. */
  readonly commits: number;
  /** Where the last of them ends, in bytes; null where the log has no whole header. */
  readonly wholeBytes: number | null;
  /** Commits that end behind the first frame that is not; the one it belongs to is among them. */
  readonly commitsBehind: number;
  /** Size of the database in pages after the last of them. */
  readonly databasePages: number;
  /** Pages of the database that the log holds. */
  readonly pages: ReadonlySet<number>;
  /** The newest page 1, which carries the header; null when the log has none. */
  readonly firstPage: Uint8Array | null;
}

/** Of the log itself, before its frames. */
export const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** At its beginning: the page, and the size of the database where it ends a commit. The log's salts follow. */
const FLAG_BYTES = 8;
const MAGIC_LITTLE = 0x377f0682;
const MAGIC_BIG = 0x377f0683;
const FORMAT = 3_007_000;

type Checksum = readonly [number, number];

interface LogHeader {
  readonly little: boolean;
  /** What the frames' checksums go on from. */
  readonly sum: Checksum;
  readonly salts: Uint8Array;
  readonly tie: number;
}

/** SQLite counts the first salt and the number of checkpoints up together, so that their difference stays (walRestartHdr in its wal.c). */
function parseHeader(header: Uint8Array, pageSize: number): LogHeader | null {
  const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES);
  const magic = view.getUint32(0);
  if ((magic !== MAGIC_LITTLE && magic !== MAGIC_BIG) || view.getUint32(8) !== pageSize) return null;
  const little = magic === MAGIC_LITTLE;
  const sum = continueChecksum([0, 0], header.subarray(0, 24), little);
  if (sum[0] !== view.getUint32(24) || sum[1] !== view.getUint32(28)) return null;
  return {
    little,
    sum,
    salts: header.slice(16, 24),
    tie: (view.getUint32(16) - view.getUint32(12)) >>> 0,
  };
}

/** The header of a log of the database with this number, before anything was written to it; `salt` makes it unlike any other. */
export function makeHeader(tie: number, salt: number, pageSize: number): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint32(0, MAGIC_LITTLE);
  view.setUint32(4, FORMAT);
  view.setUint32(8, pageSize);
  // Not 0: SQLite would draw salts of its own.
  const checkpoints = 1;
  view.setUint32(12, checkpoints);
  view.setUint32(16, (tie + checkpoints) >>> 0);
  view.setUint32(20, salt);
  const sum = continueChecksum([0, 0], header.subarray(0, 24), true);
  view.setUint32(24, sum[0]);
  view.setUint32(28, sum[1]);
  return header;
}

/** SQLite's log checksum, continued over `bytes` (a multiple of 8). */
function continueChecksum(sum: Checksum, bytes: Uint8Array, little: boolean): Checksum {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let [first, second] = sum;
  for (let offset = 0; offset < bytes.byteLength; offset += 8) {
    first = (first + view.getUint32(offset, little) + second) >>> 0;
    second = (second + view.getUint32(offset + 4, little) + first) >>> 0;
  }
  return [first, second];
}

function readFully(files: HostFiles, descriptor: number, into: Uint8Array, position: number): boolean {
  let read = 0;
  while (read < into.length) {
    const got = files.read(descriptor, into, read, into.length - read, position + read);
    if (got === 0) return false;
    read += got;
  }
  return true;
}

const EMPTY: LogContent = {
  salts: null,
  tie: null,
  commits: 0,
  wholeBytes: null,
  commitsBehind: 0,
  databasePages: 0,
  pages: new Set(),
  firstPage: null,
};

/** What a disk writes whole or not at all, at least, in bytes. */
const SECTOR = 512;

const sumOf = (frame: Uint8Array): Checksum => {
  const view = new DataView(frame.buffer, frame.byteOffset, FRAME_HEADER_BYTES);
  return [view.getUint32(16), view.getUint32(20)];
};

const sumAfter = (before: Checksum, frame: Uint8Array, little: boolean): Checksum =>
  continueChecksum(
    continueChecksum(before, frame.subarray(0, FLAG_BYTES), little),
    frame.subarray(FRAME_HEADER_BYTES),
    little,
  );

const isSame = (one: Checksum, other: Checksum): boolean => one[0] === other[0] && one[1] === other[1];

/** The size of the database a frame was written with, by the sum before it, its own and its page: each word can be taken off a sum again. */
function sizeBySums(before: Checksum, frame: Uint8Array, little: boolean): number {
  const page = new DataView(frame.buffer, frame.byteOffset + FRAME_HEADER_BYTES);
  let [first, second] = sumOf(frame);
  for (let offset = frame.length - FRAME_HEADER_BYTES - 8; offset >= 0; offset -= 8) {
    second = (second - page.getUint32(offset + 4, little) - first) >>> 0;
    first = (first - page.getUint32(offset, little) - second) >>> 0;
  }
  return (second - before[1] - first) >>> 0;
}

/**
 * Whether the last of three frames in a row ends a commit, as its first bytes say although they lie in another sector than
 * what says that it is of this log: a crash may find an earlier log's there. They count where its sums bear them out, and
 * where the frame before it, which they share a sector with, is as it was written.
 */
function isEnd([first, second, last]: readonly Uint8Array[], little: boolean): boolean {
  if (first === undefined || second === undefined || last === undefined) return false;
  const [before, stated] = [sumAfter(sumOf(first), second, little), sumOf(second)];
  if (isSame(sumAfter(stated, last, little), sumOf(last))) return true;
  if (sizeBySums(stated, last, little) === 0) return false;
  return isSame(before, stated) || isSame(sumAfter(before, last, little), sumOf(last));
}

/** Ends of commits in the frames from `at` on that belong to this log, though their checksums do not follow. */
function countCommits(
  files: HostFiles,
  descriptor: number,
  { little, salts }: LogHeader,
  at: number,
  frameBytes: number,
): number {
  const header = new Uint8Array(FRAME_HEADER_BYTES);
  const isEndAt = (position: number): boolean => {
    if (position % SECTOR !== SECTOR - FLAG_BYTES) return true;
    const frames = new Uint8Array(3 * frameBytes);
    if (!readFully(files, descriptor, frames, position - 2 * frameBytes)) return true;
    const three = [0, 1, 2].map((place) => frames.subarray(place * frameBytes, (place + 1) * frameBytes));
    return isEnd(three, little);
  };
  let commits = 0;
  for (let position = at; readFully(files, descriptor, header, position); position += frameBytes) {
    const own = salts.every((byte, index) => header[FLAG_BYTES + index] === byte);
    if (own && new DataView(header.buffer).getUint32(4) !== 0 && isEndAt(position)) commits++;
  }
  return commits;
}

function readFrames(files: HostFiles, descriptor: number, pageSize: number): LogContent {
  const header = new Uint8Array(HEADER_BYTES);
  if (!readFully(files, descriptor, header, 0)) return EMPTY;
  const view = new DataView(header.buffer);
  const begun = parseHeader(header, pageSize);
  if (begun === null) return EMPTY;
  const { little, salts, tie } = begun;
  let { sum } = begun;
  const frame = new Uint8Array(FRAME_HEADER_BYTES + pageSize);
  const frameView = new DataView(frame.buffer);
  const pages = new Set<number>();
  let open: number[] = [];
  let content: LogContent = {
    ...EMPTY,
    salts: Buffer.from(salts).toString('hex'),
    tie,
    wholeBytes: HEADER_BYTES,
  };
  let openFirst: Uint8Array | null = null;
  let at = HEADER_BYTES;
  for (; readFully(files, descriptor, frame, at); at += frame.length) {
    if (frameView.getUint32(8) !== view.getUint32(16) || frameView.getUint32(12) !== view.getUint32(20))
      break;
    sum = sumAfter(sum, frame, little);
    if (!isSame(sum, sumOf(frame))) break;
    const page = frameView.getUint32(0);
    open.push(page);
    if (page === 1) openFirst = frame.slice(FRAME_HEADER_BYTES);
    const databasePages = frameView.getUint32(4);
    if (databasePages === 0) continue;
    for (const committed of open) pages.add(committed);
    open = [];
    content = {
      ...content,
      commits: content.commits + 1,
      wholeBytes: at + frame.length,
      databasePages,
      pages,
      firstPage: openFirst ?? content.firstPage,
    };
  }
  return { ...content, commitsBehind: countCommits(files, descriptor, begun, at, frame.length) };
}

/** What the header of an open log says of its database; null where it has no whole header. */
export function readLogTie(descriptor: number, pageSize: number, files: HostFiles): number | null {
  const header = new Uint8Array(HEADER_BYTES);
  if (!readFully(files, descriptor, header, 0)) return null;
  return parseHeader(header, pageSize)?.tie ?? null;
}

/** The numbers the log at `path` was begun with, as hex; null when there is none. */
export function readSalts(path: string, files: HostFiles): string | null {
  return withFile(path, files, null, (descriptor) => {
    const header = new Uint8Array(HEADER_BYTES);
    return readFully(files, descriptor, header, 0)
      ? Buffer.from(header.subarray(16, 24)).toString('hex')
      : null;
  });
}

function withFile<Result>(
  path: string,
  files: HostFiles,
  missing: Result,
  work: (descriptor: number) => Result,
): Result {
  if (!files.exists(path)) return missing;
  const descriptor = files.open(path, {
    write: false,
    create: false,
    exclusive: false,
    truncate: false,
    permissions: 0,
  });
  try {
    return work(descriptor);
  } finally {
    files.close(descriptor);
  }
}

/** What the log at `path` adds to its database; nothing when it is missing, empty or of another database. */
export function readLog(path: string, pageSize: number, files: HostFiles = nodeFiles): LogContent {
  return withFile(path, files, EMPTY, (descriptor) => readFrames(files, descriptor, pageSize));
}
