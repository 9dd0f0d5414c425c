/**
 * Owns reading a user's tasks from JSON Lines: one row a line, a bad line reported by number and passed over, nothing
 * else lost. Deliberately never follows a path out of the workspace and never changes a file.
 */
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, realpath } from 'node:fs/promises';
import path from 'node:path';
import { taskId } from '../../core/measure/identity.ts';
import type { TaskId } from '../../core/model/ids.ts';
import type { Split, Task } from '../../core/model/task.ts';
import type { LoadedTasks, TaskFiles } from '../../core/ports.ts';
import { DataError } from '../../core/ports.ts';
import type { Line } from './lines.ts';
import { readLines } from './lines.ts';
import { readRow } from './taskRow.ts';

export interface TaskFileLimits {
  /** Folder that files must lie in, links resolved; default the recipe's folder. */
  readonly workspace?: string;
  /** Bytes; default 10 MB. */
  readonly longestLine?: number;
  /** Bytes; default 1 GB. */
  readonly largestFile?: number;
  /** Lines that cannot be used before the file as a whole is refused; default 100,000. */
  readonly mostSkipped?: number;
}

const megabyte = 1_000_000;
const chunkSize = 256 * 1024;

type Skipped = LoadedTasks['skipped'][number];
type ReadLine = { readonly task: Task } | { readonly reason: string } | null;

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

function unreadable(file: string, error: unknown): DataError {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const reason = why[code] ?? `it cannot be read (${code === '' ? String(error) : code})`;
  return new DataError(`The data file ${file} cannot be used: ${reason}.`, { cause: error });
}

/** The real path of a file named relative to `folder`. Throws DataError when it is outside of `workspace` or not there. */
async function locate(file: string, folder: string, workspace: string): Promise<string> {
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
async function openRegular(file: string, real: string, largest: number): Promise<FileHandle> {
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

/** The bytes of the file in order. Throws DataError when it is UTF-16 or changes while it is read. */
async function* chunksOf(file: string, handle: FileHandle): AsyncGenerator<Uint8Array> {
  const before = await handle.stat();
  const buffer = Buffer.alloc(chunkSize);
  let total = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, chunkSize, total);
    if (bytesRead === 0) break;
    const mark = total === 0 ? buffer.readUInt16BE(0) : 0;
    if (bytesRead > 1 && (mark === 0xfffe || mark === 0xfeff))
      throw new DataError(`The data file ${file} is UTF-16; save it as UTF-8.`);
    total += bytesRead;
    yield buffer.subarray(0, bytesRead);
    if (total > before.size) break;
  }
  const after = await handle.stat();
  if (total !== before.size || after.size !== before.size || after.mtimeMs !== before.mtimeMs)
    throw new DataError(`The data file ${file} changed while it was read; run again when it is complete.`);
}

function readLine(line: Line, split: Split, longest: number): ReadLine {
  switch (line.kind) {
    case 'tooLong':
      return { reason: `longer than ${Math.floor(longest / megabyte)} MB` };
    case 'notUtf8':
      return { reason: 'not valid UTF-8' };
    case 'text':
      break;
  }
  if (line.text.trim() === '') return null;
  let value: unknown;
  try {
    value = JSON.parse(line.text);
  } catch {
    return { reason: line.last ? 'not valid JSON; the file may be cut off here' : 'not valid JSON' };
  }
  const row = readRow(value);
  return row.ok ? { task: { id: taskId(row.content), split, ...row.content } } : { reason: row.reason };
}

function nothingUsable(file: string, skipped: readonly Skipped[]): DataError {
  const first = skipped[0];
  const detail = first === undefined ? 'it is empty' : `line ${first.line}: ${first.reason}`;
  return new DataError(
    `The data file ${file} has no usable line (${detail}); it needs one JSON object a line, like {"input": "…", "reference": "…"}.`,
  );
}

async function load(
  file: string,
  split: Split,
  folder: string,
  limits: TaskFileLimits,
): Promise<LoadedTasks> {
  const { workspace = folder, longestLine = 10 * megabyte, largestFile = 1000 * megabyte } = limits;
  const { mostSkipped = 100_000 } = limits;
  const handle = await openRegular(file, await locate(file, folder, workspace), largestFile);
  const tasks: Task[] = [];
  const skipped: Skipped[] = [];
  const lineOf = new Map<TaskId, number>();
  const skip = ({ number: line, ...rest }: Line, reason: string): void => {
    // Some element of a pretty-printed array would pass for the only row.
    if (tasks.length + skipped.length === 0 && rest.kind === 'text' && /^\s*\[\s*(?:\{|$)/u.test(rest.text))
      throw new DataError(
        `The data file ${file} is a JSON array; write it as JSON Lines, one object a line.`,
      );
    skipped.push({ file, line, reason });
    if (skipped.length > mostSkipped)
      throw new DataError(
        `More than ${mostSkipped} lines of the data file ${file} cannot be used (line ${line}: ${reason}); is it JSON Lines?`,
      );
  };
  try {
    for await (const line of readLines(chunksOf(file, handle), longestLine)) {
      const read = readLine(line, split, longestLine);
      if (read === null) continue;
      if ('reason' in read) skip(line, read.reason);
      else {
        const earlier = lineOf.get(read.task.id);
        if (earlier !== undefined) skip(line, `the same task as line ${earlier}`);
        else {
          lineOf.set(read.task.id, line.number);
          tasks.push(read.task);
        }
      }
    }
  } catch (error) {
    throw error instanceof DataError ? error : unreadable(file, error);
  } finally {
    await handle.close();
  }
  if (tasks.length === 0) throw nothingUsable(file, skipped);
  return { tasks, skipped };
}

/** Task files named relative to a recipe's folder. Errors are DataError, one sentence with what to do. */
export function taskFiles(recipeFolder: string, limits: TaskFileLimits = {}): TaskFiles {
  return { load: (file, split) => load(file, split, recipeFolder, limits) };
}
