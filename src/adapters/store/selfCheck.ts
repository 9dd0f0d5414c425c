/**
 * Owns the check that a worker makes before it opens a store: a scratch file beside the database is written, synced, opened
 * anew and read back through the same calls, so that a folder that loses or changes bytes is named before it is trusted.
 * Deliberately looks at no database, and leaves nothing behind.
 */
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { StoreError } from '../../core/ports.ts';
import { codeOf } from './errno.ts';
import type { HostFiles, OpenMode } from './hostFiles.ts';
import { faultError } from './storeFault.ts';

/** Of a page, written from the middle of one block of a disk into the next. */
const BYTES = 4096;
const POSITION = 2048;

const READING: OpenMode = { write: false, create: false, exclusive: false, truncate: false, permissions: 0 };
const MAKING: OpenMode = { ...READING, write: true, create: true, truncate: true, permissions: 0o600 };

function withFile<Result>(
  path: string,
  mode: OpenMode,
  files: HostFiles,
  work: (descriptor: number) => Result,
): Result {
  const descriptor = files.open(path, mode);
  try {
    return work(descriptor);
  } finally {
    files.close(descriptor);
  }
}

function writeScratch(path: string, bytes: Uint8Array, files: HostFiles): void {
  withFile(path, MAKING, files, (descriptor) => {
    if (files.write(descriptor, bytes, 0, bytes.length, POSITION) < bytes.length)
      throw Object.assign(new Error('It was not written whole.'), { code: 'ENOSPC' });
    files.sync(descriptor);
  });
}

function readScratch(path: string, files: HostFiles): Uint8Array {
  const bytes = new Uint8Array(BYTES);
  const read = withFile(path, READING, files, (descriptor) =>
    files.read(descriptor, bytes, 0, BYTES, POSITION),
  );
  return bytes.subarray(0, read);
}

/**
 * Whether the folder of `database` keeps what is written to it. Nothing is asked of one that is not there yet, that takes
 * no writes at all (what is in it can be read), or that is full. Throws StoreError, with one sentence.
 */
export function checkFolder(database: string, files: HostFiles): void {
  const folder = dirname(database);
  if (!files.exists(folder)) return;
  const scratch = join(folder, 'self-check.tmp');
  const bytes = new Uint8Array(randomBytes(BYTES));
  try {
    let back: Uint8Array;
    try {
      writeScratch(scratch, bytes, files);
      back = readScratch(scratch, files);
    } finally {
      if (files.exists(scratch)) files.remove(scratch);
    }
    if (Buffer.from(back).equals(bytes)) return;
  } catch (error) {
    const code = codeOf(error);
    if (UNWRITTEN.has(code)) return;
    throw faultError({ operation: 'self-check', code, path: scratch }, error);
  }
  throw new StoreError(
    `${folder} does not give back what is written to it, so nothing was opened there. Check the disk, or move the workspace to another one.`,
    'UNRELIABLE',
  );
}

/** Opening says these itself, and some of them do not keep a store from being read. */
const UNWRITTEN: ReadonlySet<string> = new Set(['EROFS', 'EACCES', 'EPERM', 'ENOSPC', 'EDQUOT']);
