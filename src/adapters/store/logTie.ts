/**
 * Owns the tie between a database and its log: SQLite reads any log that is whole in itself, whatever database it was of.
 * Each database has a random number, in the seal of its first page; each of its logs is begun so that its header gives the
 * same number. SQLite takes over the salts of a header it finds, so it is shown one where no log was begun: nothing is
 * written for it, and no commit costs more. Deliberately judges no file (inspectFile.ts).
 */
import { randomInt } from 'node:crypto';
import type { HostFiles } from './hostFiles.ts';
import { HEADER_BYTES, makeHeader, readLogTie } from './logFile.ts';
import { logPath } from './ownMarks.ts';
import { newTie, PAGE_BYTES, tieOf } from './pages.ts';

const READING = { write: false, create: false, exclusive: false, truncate: false, permissions: 0 };

function readFrom<Found>(path: string, files: HostFiles, read: (descriptor: number) => Found): Found | null {
  if (!files.exists(path)) return null;
  const descriptor = files.open(path, READING);
  try {
    return read(descriptor);
  } finally {
    files.close(descriptor);
  }
}

/**
 * The number of the database at `path`: its log's where there is one, else its own; a new one where neither names one, as
 * in databases made before there were any. Throws what the files throw.
 */
export function readTie(path: string, files: HostFiles): number {
  const ofLog = readFrom(logPath(path), files, (descriptor) => readLogTie(descriptor, PAGE_BYTES, files));
  if (ofLog !== null) return ofLog;
  const own = readFrom(path, files, (descriptor) => {
    const page = new Uint8Array(PAGE_BYTES);
    return files.read(descriptor, page, 0, PAGE_BYTES, 0) === PAGE_BYTES ? tieOf(page) : null;
  });
  return own ?? newTie();
}

/**
 * What SQLite is to read in place of an open log that was not begun, or whose header is damaged; null where it has a whole
 * one and more. A byte more than the header: SQLite looks at no shorter log, and draws salts of its own for that, too.
 * Throws what the files throw.
 */
export function beginning(descriptor: number, tie: number, files: HostFiles): Uint8Array | null {
  const { size } = files.facts(descriptor);
  if (size > HEADER_BYTES && readLogTie(descriptor, PAGE_BYTES, files) !== null) return null;
  const shown = new Uint8Array(HEADER_BYTES + 1);
  shown.set(makeHeader(tie, randomInt(2 ** 32), PAGE_BYTES));
  return shown;
}
