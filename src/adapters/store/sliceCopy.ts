/**
 * Owns copying a big database while commits go on: piece by piece, every page's seal checked on the way. It holds as long as
 * nothing is folded into the file meanwhile: commits go to the log. Deliberately does not compact: the copy is the file.
 */
import { dirname } from 'node:path';
import { StoreError } from '../../core/ports.ts';
import { type Contents, sameContents } from './contents.ts';
import { onDisk, readCopy, removeIfThere, type CopyContext } from './copies.ts';
import { isSealed, newTie, PAGE_BYTES, sealPage } from './pages.ts';
import { damageError } from './storeFault.ts';

/** A few milliseconds of reading and writing. */
const SLICE_BYTES = 1 << 20;
/** So much is synced at once. */
const SYNC_BYTES = 8 << 20;

function checkSeals(file: string, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
    const number = (position + at) / PAGE_BYTES + 1;
    if (!isSealed(bytes.subarray(at, at + PAGE_BYTES), number))
      throw damageError(file, `page ${number} of it is not as it was written`);
  }
}

/** What a copy is for. */
export interface CopyUse {
  /** It lies where its owner said, so nothing is overwritten unasked. */
  readonly forOthers: boolean;
  /** With `forOthers`: whether a file under its name may be replaced, once the copy is whole. */
  readonly replace: boolean;
}

/** A backup: opened by Ratchet alone, under a name of its own. */
export const FOR_RATCHET: CopyUse = { forOthers: false, replace: true };

/**
 * A copy is a database of its own, which any SQLite is to read: no log belongs beside it. The file format versions
 * (https://www.sqlite.org/fileformat2.html#file_format_version_numbers): 1 is without a log.
 */
function becomeOwn(firstPage: Uint8Array): void {
  firstPage.fill(1, 18, 20);
  sealPage(firstPage, 1, newTie());
}

/** The pieces of `from`, one a step, each written to `to`. */
function* slices(from: string, to: string, { files }: CopyContext): Generator<void> {
  const mode = { write: false, create: false, exclusive: false, truncate: false, permissions: 0o644 };
  const source = files.open(from, mode);
  try {
    const target = files.open(to, { ...mode, write: true, create: true, exclusive: true });
    try {
      const bytes = new Uint8Array(SLICE_BYTES);
      const size = Number(files.facts(source).size);
      for (let at = 0; at < size; at += SLICE_BYTES) {
        const length = files.read(source, bytes, 0, Math.min(SLICE_BYTES, size - at), at);
        checkSeals(from, bytes.subarray(0, length), at);
        if (at === 0) becomeOwn(bytes.subarray(0, PAGE_BYTES));
        if (files.write(target, bytes, 0, length, at) < length)
          throw Object.assign(new Error('It was not written whole.'), { code: 'ENOSPC' });
        if ((at + SLICE_BYTES) % SYNC_BYTES === 0) files.sync(target);
        yield;
      }
      files.sync(target);
    } finally {
      files.close(target);
    }
  } finally {
    files.close(source);
  }
}

/**
 * Copies `file`, whose log is empty at first and which holds `contents`, to `target`. False when `isStill` said in between
 * that the file was written to: nothing is left then, and it can be tried again. Throws StoreError.
 */
export async function copyInSlices(
  file: string,
  target: string,
  contents: Contents,
  context: CopyContext & CopyUse,
  isStill: () => boolean,
): Promise<boolean> {
  const { sqlite, files, newestVersion, forOthers, replace } = context;
  const unfinished = `${target}.new`;
  const remove = (): void => onDisk(unfinished, 'remove', () => removeIfThere(unfinished, files));
  try {
    onDisk(target, 'create', () => {
      if (forOthers && !replace && files.exists(target))
        throw new StoreError(`${target} exists already. Name another file.`, 'EEXIST');
      files.makeDirectory(dirname(target));
    });
    remove();
    const steps = slices(file, unfinished, context);
    while (onDisk(target, 'copy', () => steps.next()).done !== true) {
      await new Promise((resolve) => setImmediate(resolve));
      if (isStill()) continue;
      steps.return(undefined);
      remove();
      return false;
    }
    const copy = readCopy(sqlite, unfinished, files, newestVersion, false);
    if (!sameContents(copy.contents, contents))
      throw new StoreError(`The copy ${target} did not hold what was copied, so it was removed.`);
    onDisk(target, 'create', () => {
      files.rename(unfinished, target);
      files.syncDirectory(dirname(target));
    });
    return true;
  } catch (error) {
    remove();
    throw error;
  }
}
