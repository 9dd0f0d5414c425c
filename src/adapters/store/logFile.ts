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
  commitsBehind: 0,
  databasePages: 0,
  pages: new Set(),
  firstPage: null,
};

/** Ends of commits in the frames from `at` on that belong to this log, whatever their checksums say. */
function countCommits(
  files: HostFiles,
  descriptor: number,
  salts: Uint8Array,
  at: number,
  frameBytes: number,
): number {
  const header = new Uint8Array(FRAME_HEADER_BYTES);
  let commits = 0;
  for (let position = at; readFully(files, descriptor, header, position); position += frameBytes) {
    const own = salts.every((byte, index) => header[8 + index] === byte);
    if (own && new DataView(header.buffer).getUint32(4) !== 0) commits++;
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
  let content: LogContent = { ...EMPTY, salts: Buffer.from(salts).toString('hex'), tie };
  let openFirst: Uint8Array | null = null;
  let at = HEADER_BYTES;
  for (; readFully(files, descriptor, frame, at); at += frame.length) {
    if (frameView.getUint32(8) !== view.getUint32(16) || frameView.getUint32(12) !== view.getUint32(20))
      break;
    sum = continueChecksum(sum, frame.subarray(0, 8), little);
    sum = continueChecksum(sum, frame.subarray(FRAME_HEADER_BYTES), little);
    if (sum[0] !== frameView.getUint32(16) || sum[1] !== frameView.getUint32(20)) break;
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
      databasePages,
      pages,
      firstPage: openFirst ?? content.firstPage,
    };
  }
  return { ...content, commitsBehind: countCommits(files, descriptor, salts, at, frame.length) };
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
