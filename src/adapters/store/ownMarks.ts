/**
 * Owns what keeps other SQLite programs off the live file, which our locks do not: the log has another name than the one
 * they look for, fold and remove, and the header carries versions they know nothing of, so that they say "file is not a
 * database" and change nothing. Copies for others carry neither. Deliberately knows no page but the first.
 */
import { dirname } from 'node:path';
import type { HostFiles } from './hostFiles.ts';

/** The log of the database at this path. */
export const logPath = (database: string): string => `${database}-log`;

/** What SQLite calls it, and what it was called here before. */
export const formerLogPath = (database: string): string => `${database}-wal`;

/** Write and read version (https://www.sqlite.org/fileformat2.html#file_format_version_numbers). */
const VERSIONS = [18, 19] as const;
/** Of a database with a write-ahead log; any greater value is one that SQLite refuses to read. */
const WITH_LOG = 2;
const OURS = 0x52;

function swap(bytes: Uint8Array, position: number, from: number, to: number): boolean {
  let any = false;
  for (const offset of VERSIONS) {
    const index = offset - position;
    if (bytes[index] !== from) continue;
    bytes[index] = to;
    any = true;
  }
  return any;
}

/** Marks what is written to a database at `position`, where the versions are in it; true where that changed it. */
export const mark = (bytes: Uint8Array, position: number): boolean => swap(bytes, position, WITH_LOG, OURS);

/** Takes the marks off what was read of a database at `position`. */
export const unmark = (bytes: Uint8Array, position: number): boolean => swap(bytes, position, OURS, WITH_LOG);

/** Whether a database that begins with these bytes, as they are on the medium, keeps others off. */
export const isMarked = (start: Uint8Array): boolean => VERSIONS.every((offset) => start[offset] === OURS);

function startOf(path: string, files: HostFiles): Uint8Array {
  const mode = { write: false, create: false, exclusive: false, truncate: false, permissions: 0 };
  const descriptor = files.open(path, mode);
  try {
    const start = new Uint8Array(VERSIONS[1] + 1);
    files.read(descriptor, start, 0, start.length, 0);
    return start;
  } finally {
    files.close(descriptor);
  }
}

/**
 * Gives the log of a database that is not marked yet its name of now, durably, before anything is read: killed before or
 * after, the next opening finds it. One beside a marked database is another program's and stays. True where one does.
 * Throws what the files throw.
 */
export function adoptFormerLog(database: string, files: HostFiles): boolean {
  const former = formerLogPath(database);
  if (!files.exists(former) || !files.exists(database)) return false;
  if (files.exists(logPath(database)) || isMarked(startOf(database, files)))
    return files.factsAt(former).size > 0n;
  files.rename(former, logPath(database));
  files.syncDirectory(dirname(database));
  return false;
}
