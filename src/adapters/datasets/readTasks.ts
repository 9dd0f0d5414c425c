/**
 * Owns reading a data file from its first byte to its last as tasks: opened, its format known, its first rows looked at,
 * every row mapped. Deliberately keeps no task: whoever asks says what is done with each.
 */
import type { DataFormat, FileOptions } from '../../core/model/dataset.ts';
import { DataError } from '../../core/ports.ts';
import { locate, megabyte, openRegular, unreadable, type OpenedData } from './openData.ts';
import { FormatError, type RawRow } from './rawRow.ts';
import { splitNamed, type MappedTask } from './mapRow.ts';
import { createRowReader, sampleRows, type RowReader } from './rowReader.ts';
import { formatOf, rowsOf } from './rows.ts';

export interface TaskFileLimits {
  /** Folder that files must lie in, links resolved; default the recipe's folder. */
  readonly workspace?: string;
  /** Bytes of one row; default 4 MB. */
  readonly longestRow?: number;
  /** Bytes; default 4 GB. */
  readonly largestFile?: number;
  /** Characters of the tasks that are kept; default 256 million. */
  readonly mostText?: number;
  /** Tasks that are kept; default 2 million. */
  readonly mostTasks?: number;
}

export interface Reading {
  readonly format: DataFormat;
  readonly bytes: number;
  readonly reader: RowReader;
  /** Rows of the file, counted when all are read. */
  rows: number;
}

/** What is done with what the file says. */
export interface TaskSink {
  /** Called once, before the first row. */
  begin?(reading: Reading, sample: readonly RawRow[]): void;
  task(line: number, task: MappedTask): void;
  reject(line: number, reason: string, field: string | null): void;
}

const defaultLongest = 4 * megabyte;
const defaultLargest = 4_000 * megabyte;

/** Throws DataError, one sentence with what to do, when the file as a whole cannot be used. */
export async function readTasks(
  file: string,
  options: FileOptions,
  folder: string,
  limits: TaskFileLimits,
  sink: TaskSink,
): Promise<Reading> {
  const { workspace = folder, longestRow = defaultLongest, largestFile = defaultLargest } = limits;
  const handle = await openRegular(file, await locate(file, folder, workspace), largestFile);
  try {
    const opened: OpenedData = { file, handle, bytes: (await handle.stat()).size };
    const format = await formatOf(opened, options.format);
    return await readRows(opened, format, options, longestRow, sink);
  } catch (error) {
    if (error instanceof DataError) throw error;
    if (error instanceof FormatError) throw new DataError(`The data file ${file} ${error.message}.`);
    throw unreadable(file, error);
  } finally {
    await handle.close();
  }
}

async function readRows(
  opened: OpenedData,
  format: DataFormat,
  options: FileOptions,
  longest: number,
  sink: TaskSink,
): Promise<Reading> {
  let reading: Reading | null = null;
  const sample: RawRow[] = [];
  const start = (): Reading => {
    const reader = createRowReader(
      sample.flatMap((row) => (row.kind === 'row' ? [row.value] : [])),
      options,
    );
    const begun: Reading = { format, bytes: opened.bytes, reader, rows: 0 };
    sink.begin?.(begun, sample);
    for (const row of sample) take(begun, row, sink);
    return begun;
  };
  for await (const row of rowsOf(opened, format, { longest })) {
    if (reading !== null) take(reading, row, sink);
    else {
      sample.push(row);
      if (sample.length >= sampleRows) reading = start();
    }
  }
  return reading ?? start();
}

function take(reading: Reading, row: RawRow, sink: TaskSink): void {
  reading.rows += 1;
  if (row.kind === 'bad') {
    sink.reject(row.line, row.reason, null);
    return;
  }
  const split = row.member === undefined ? null : splitNamed(row.member);
  for (const item of reading.reader.read(row.value)) {
    if (!item.ok) sink.reject(row.line, item.reason, item.field);
    // An object of lists called train and test says the split of its rows.
    else if (split === null || item.labels?.split !== undefined) sink.task(row.line, item);
    else sink.task(row.line, { ...item, labels: { ...item.labels, split } });
  }
}
