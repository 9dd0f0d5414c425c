/**
 * Owns the look at a database file before SQLite may touch it: SQLite takes a zero-length file for an empty database
 * and does not miss pages that were cut off. Deliberately reads only; what it refuses stays as it is.
 */
import { StoreError } from '../../core/ports.ts';
import { codeOf } from './errno.ts';
import type { HostFiles } from './hostFiles.ts';
import { type LogContent, readLog } from './logFile.ts';
import { formerLogPath, isMarked, logPath } from './ownMarks.ts';
import { isSealed, PAGE_BYTES, SEAL_BYTES, tieOf } from './pages.ts';
import { APPLICATION_ID } from './schema.ts';
import { damageError, faultError } from './storeFault.ts';

/** SQLite's own part of the first page. */
const HEADER_BYTES = 100;
const MAGIC = 'SQLite format 3\0';

interface Header {
  readonly pageBytes: number;
  readonly reservedBytes: number;
  /** Pages by the header's own count; null where the writer did not keep it up. */
  readonly pages: number | null;
  readonly applicationId: number;
  readonly userVersion: number;
}

/** The fields of https://www.sqlite.org/fileformat2.html#the_database_header that matter here. */
function parseHeader(bytes: Uint8Array): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = view.getUint16(16);
  return {
    pageBytes: size === 1 ? 65_536 : size,
    reservedBytes: view.getUint8(20),
    pages: view.getUint32(24) === view.getUint32(92) ? view.getUint32(28) : null,
    applicationId: view.getUint32(68),
    userVersion: view.getUint32(60),
  };
}

export interface Inspection {
  /** The schema's version; one newer than ours can be read at most. */
  readonly version: number;
  readonly log: LogContent;
  /** Whether other SQLite programs are kept off it (ownMarks.ts). */
  readonly marked: boolean;
}

function readFirstPage(path: string, files: HostFiles): Uint8Array {
  const descriptor = files.open(path, {
    write: false,
    create: false,
    exclusive: false,
    truncate: false,
    permissions: 0,
  });
  try {
    const bytes = new Uint8Array(PAGE_BYTES);
    let read = 0;
    while (read < PAGE_BYTES) {
      const got = files.read(descriptor, bytes, read, PAGE_BYTES - read, read);
      if (got === 0) break;
      read += got;
    }
    return bytes.subarray(0, read);
  } finally {
    files.close(descriptor);
  }
}

function foreign(path: string, what: string): StoreError {
  return new StoreError(
    `${path} ${what}, so it was left alone. Move it away or name another file, then try again.`,
    'FOREIGN',
  );
}

function newer(path: string, found: number, newestVersion: number): StoreError {
  return new StoreError(
    `${path} was written by a newer version of Ratchet (schema ${found}, this one knows ${newestVersion}). Update Ratchet to open it.`,
    'NEWER',
  );
}

/** A log of another database would be mixed in. Databases made before they had numbers take any. */
function checkTie(path: string, firstPage: Uint8Array, { tie }: LogContent): void {
  const own = tieOf(firstPage);
  if (own === null || tie === null || tie === own) return;
  throw damageError(
    path,
    `the log ${logPath(path)} beside it is of another database. Nothing of that log was used; put the right one in its place, or move it away to open the database as it was before its last commits`,
  );
}

/** Every page must be in the file or in the log. */
function checkWhole(path: string, pages: number, log: LogContent, files: HostFiles): void {
  const whole = Math.floor(Number(files.factsAt(path).size) / PAGE_BYTES);
  for (let page = whole + 1; page <= pages; page++)
    if (!log.pages.has(page))
      throw damageError(path, `it was cut off after ${whole} of ${pages} pages of ${PAGE_BYTES} bytes`);
}

function inspectPresent(path: string, files: HostFiles, newestVersion: number): Inspection {
  const page = readFirstPage(path, files);
  if (page.length === 0) throw damageError(path, 'it is empty');
  if (Buffer.from(page.subarray(0, MAGIC.length)).toString('latin1') !== MAGIC)
    throw foreign(path, 'is not a Ratchet workspace (no SQLite header)');
  if (page.length < HEADER_BYTES) throw damageError(path, 'it was cut off within its header');
  const header = parseHeader(page);
  if (header.applicationId !== APPLICATION_ID) throw foreign(path, 'is a SQLite database of another program');
  if (header.pageBytes !== PAGE_BYTES || header.reservedBytes !== SEAL_BYTES) {
    if (header.userVersion > newestVersion) throw newer(path, header.userVersion, newestVersion);
    throw damageError(path, 'its header is not as it was written');
  }
  if (page.length < PAGE_BYTES) throw damageError(path, 'it was cut off within its first page');
  const log = readLog(logPath(path), PAGE_BYTES, files);
  checkTie(path, page, log);
  // A first page that the log holds, too, may be half written: SQLite reads the log's.
  if (log.firstPage === null && !isSealed(page, 1))
    throw damageError(path, 'its first page is not as it was written');
  const { userVersion, pages } = log.firstPage === null ? header : parseHeader(log.firstPage);
  if (userVersion === 0) throw damageError(path, 'it carries no schema version');
  checkWhole(path, log.commits > 0 ? log.databasePages : (pages ?? 0), log, files);
  return { version: userVersion, log, marked: isMarked(page) };
}

/**
 * What the database at `path` is, or null when nothing is there.
 * Throws StoreError for a file that is empty, cut off, foreign, or of a newer version with pages of another kind.
 */
export function inspectFile(path: string, files: HostFiles, newestVersion: number): Inspection | null {
  try {
    if (files.exists(path)) return inspectPresent(path, files, newestVersion);
    for (const log of [logPath(path), formerLogPath(path)])
      if (files.exists(log) && files.factsAt(log).size > 0n)
        throw damageError(path, `it is missing, but its log ${log} is there`);
    return null;
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw faultError({ operation: 'open', code: codeOf(error), path }, error);
  }
}
