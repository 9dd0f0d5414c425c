/**
 * Owns the look at a database file before SQLite may touch it: SQLite takes a zero-length file for an empty database
 * and does not miss pages that were cut off. Deliberately reads only; what it refuses stays as it is.
 */
import { StoreError } from '../../core/ports.ts';
import { codeOf } from './errno.ts';
import type { HostFiles } from './hostFiles.ts';
import { readLog } from './logFile.ts';
import { APPLICATION_ID } from './schema.ts';
import { damageError, faultError } from './storeFault.ts';

const HEADER_BYTES = 100;
const MAGIC = 'SQLite format 3\0';

interface Header {
  readonly pageSize: number;
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
    pageSize: size === 1 ? 65_536 : size,
    pages: view.getUint32(24) === view.getUint32(92) ? view.getUint32(28) : null,
    applicationId: view.getUint32(68),
    userVersion: view.getUint32(60),
  };
}

function readHeader(path: string, files: HostFiles): Uint8Array {
  const descriptor = files.open(path, {
    write: false,
    create: false,
    exclusive: false,
    truncate: false,
    permissions: 0,
  });
  try {
    const bytes = new Uint8Array(HEADER_BYTES);
    let read = 0;
    while (read < HEADER_BYTES) {
      const got = files.read(descriptor, bytes, read, HEADER_BYTES - read, read);
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

function checkWhole(path: string, header: Header, files: HostFiles): Header {
  const log = readLog(`${path}-wal`, header.pageSize, files);
  const newest = log.firstPage === null ? header : parseHeader(log.firstPage);
  const pages = log.commits > 0 ? log.databasePages : header.pages;
  const whole = Math.floor(Number(files.factsAt(path).size) / header.pageSize);
  if (whole === 0) throw damageError(path, 'it was cut off within its first page');
  if (pages !== null)
    for (let page = whole + 1; page <= pages; page++)
      if (!log.pages.has(page))
        throw damageError(
          path,
          `it was cut off after ${whole} of ${pages} pages of ${header.pageSize} bytes`,
        );
  return newest;
}

function inspectPresent(path: string, files: HostFiles, newestVersion: number): number {
  const bytes = readHeader(path, files);
  if (bytes.length === 0) throw damageError(path, 'it is empty');
  if (Buffer.from(bytes.subarray(0, MAGIC.length)).toString('latin1') !== MAGIC)
    throw foreign(path, 'is not a Ratchet workspace (no SQLite header)');
  if (bytes.length < HEADER_BYTES) throw damageError(path, 'it was cut off within its header');
  const header = parseHeader(bytes);
  if (header.pageSize < 512 || (header.pageSize & (header.pageSize - 1)) !== 0)
    throw damageError(path, 'its header gives an impossible page size');
  if (header.applicationId !== APPLICATION_ID) throw foreign(path, 'is a SQLite database of another program');
  const newest = checkWhole(path, header, files);
  if (newest.userVersion > newestVersion)
    throw new StoreError(
      `${path} was written by a newer version of Ratchet (schema ${newest.userVersion}, this one knows ${newestVersion}). Update Ratchet to open it.`,
      'NEWER',
    );
  if (newest.userVersion === 0) throw damageError(path, 'it carries no schema version');
  return newest.userVersion;
}

/**
 * The schema version of the database at `path`, or null when nothing is there.
 * Throws StoreError for a file that is empty, cut off, foreign, or newer than `newestVersion`.
 */
export function inspectFile(path: string, files: HostFiles, newestVersion: number): number | null {
  try {
    if (files.exists(path)) return inspectPresent(path, files, newestVersion);
    if (files.exists(`${path}-wal`) && files.factsAt(`${path}-wal`).size > 0n)
      throw damageError(path, `it is missing, but its log ${path}-wal is there`);
    return null;
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw faultError({ operation: 'open', code: codeOf(error), path }, error);
  }
}
