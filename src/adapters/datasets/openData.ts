/**
 * Owns opening a person's data file and its bytes in order: inside the workspace, a regular file, complete, as UTF-8.
 * Deliberately never follows a path out of the workspace, never changes a file and knows no format.
 */
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, realpath } from 'node:fs/promises';
import path from 'node:path';
import { DataError } from '../../core/ports.ts';

export const megabyte = 1_000_000;
/** Small enough that what one chunk holds is read in a few milliseconds: nothing else runs meanwhile. */
const chunkSize = 64 * 1024;

const why: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'it may not be read',
  EPERM: 'it may not be read',
  ELOOP: 'its links lead in a circle',
  EISDIR: 'it is a folder',
  ENAMETOOLONG: 'its name is too long',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
};

export function unreadable(file: string, error: unknown): DataError {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const reason = why[code] ?? `it cannot be read (${code === '' ? String(error) : code})`;
  return new DataError(`The data file ${file} cannot be used: ${reason}.`, { cause: error });
}

/** The real path of a file named relative to `folder`. Throws DataError when it is outside of `workspace` or not there. */
export async function locate(file: string, folder: string, workspace: string): Promise<string> {
  if (file.trim() === '' || file.includes('\0'))
    throw new DataError('The recipe names no data file; give data.file a path relative to the recipe.');
  try {
    const [real, root] = await Promise.all([realpath(path.resolve(folder, file)), realpath(workspace)]);
    const inside = path.relative(root, real);
    if (inside === '..' || inside.startsWith(`..${path.sep}`) || path.isAbsolute(inside))
      throw new DataError(
        `The data file ${file} lies outside of the workspace; copy it into the workspace to use it.`,
      );
    return real;
  } catch (error) {
    throw error instanceof DataError ? error : unreadable(file, error);
  }
}

/** Opened for reading, never waiting for a pipe and never through a link put there since; regular files only. */
export async function openRegular(file: string, real: string, largest: number): Promise<FileHandle> {
  const flags =
    constants.O_RDONLY |
    ((constants.O_NOFOLLOW as number | undefined) ?? 0) |
    ((constants.O_NONBLOCK as number | undefined) ?? 0);
  let handle: FileHandle | null = null;
  try {
    handle = await open(real, flags);
    const stats = await handle.stat();
    if (stats.isDirectory()) throw new DataError(`The data file ${file} is a folder; name a file in it.`);
    if (!stats.isFile()) throw new DataError(`The data file ${file} is not a regular file.`);
    if (stats.size > largest)
      throw new DataError(
        `The data file ${file} has ${Math.ceil(stats.size / megabyte)} MB, over the limit of ${Math.floor(largest / megabyte)} MB; use a part of it.`,
      );
    return handle;
  } catch (error) {
    await handle?.close();
    throw error instanceof DataError ? error : unreadable(file, error);
  }
}

export interface OpenedData {
  readonly file: string;
  readonly handle: FileHandle;
  readonly bytes: number;
}

/** Up to `length` bytes from the beginning, to see what the file may be. */
export async function headOf({ handle }: OpenedData, length: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0);
  return buffer.subarray(0, bytesRead);
}

/**
 * The bytes of the file in order, as UTF-8 (UTF-16 with a byte order mark is rewritten). A chunk may be filled again after
 * the next was asked for. Throws DataError when the file changes while it is read.
 */
export async function* chunksOf({ file, handle }: OpenedData): AsyncGenerator<Uint8Array> {
  const before = await handle.stat();
  const buffer = Buffer.alloc(chunkSize);
  let total = 0;
  let recode: ((bytes: Uint8Array | null) => Uint8Array) | null = null;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, chunkSize, total);
    if (bytesRead === 0) break;
    const mark = total === 0 && bytesRead > 1 ? buffer.readUInt16BE(0) : 0;
    if (mark === 0xfffe || mark === 0xfeff)
      recode = fromUtf16(file, mark === 0xfffe ? 'utf-16le' : 'utf-16be');
    total += bytesRead;
    const bytes = buffer.subarray(0, bytesRead);
    yield recode === null ? bytes : recode(bytes);
    if (total > before.size) break;
  }
  if (recode !== null) yield recode(null);
  const after = await handle.stat();
  if (total !== before.size || after.size !== before.size || after.mtimeMs !== before.mtimeMs)
    throw new DataError(`The data file ${file} changed while it was read; run again when it is complete.`);
}

function fromUtf16(
  file: string,
  encoding: 'utf-16le' | 'utf-16be',
): (bytes: Uint8Array | null) => Uint8Array {
  const decoder = new TextDecoder(encoding, { fatal: true });
  return (bytes) => {
    try {
      return Buffer.from(bytes === null ? decoder.decode() : decoder.decode(bytes, { stream: true }));
    } catch (cause) {
      throw new DataError(`The data file ${file} is not whole UTF-16; save it as UTF-8.`, { cause });
    }
  };
}
