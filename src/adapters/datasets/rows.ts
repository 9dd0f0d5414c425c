/**
 * Owns which reader a file gets: its format by name and by its first bytes, then its rows one after the other.
 * Deliberately knows no shape: what a row means is said elsewhere.
 */
import path from 'node:path';
import type { DataFormat } from '../../core/model/dataset.ts';
import { csvRows, delimiterOf } from './csvRows.ts';
import { createCutter, elementRows, readText, withoutMark } from './jsonElements.ts';
import { jsonLineRows } from './jsonLines.ts';
import { chunksOf, headOf, megabyte, type OpenedData } from './openData.ts';
import { FormatError, SeveralValues, type RawRow, type RowLimits } from './rawRow.ts';
import { largestYaml, yamlRows } from './yamlRows.ts';

const byName: Readonly<Record<string, DataFormat>> = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.json': 'json',
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.tab': 'tsv',
  '.yaml': 'yaml',
  '.yml': 'yaml',
};

const headLength = 64 * 1024;
/** Lists that are part of one row, not the rows of a file. */
const partsOfRow = new Set([
  'messages',
  'conversations',
  'conversation',
  'instances',
  'choices',
  'options',
  'turns',
]);

/** A file whose name says nothing is JSON Lines or JSON by its first sign, else refused. */
export async function formatOf(opened: OpenedData, asked: DataFormat | undefined): Promise<DataFormat> {
  if (asked !== undefined) return asked;
  const named = byName[path.extname(opened.file).toLowerCase()];
  if (named !== undefined && named !== 'json' && named !== 'jsonl') return named;
  const head = textOf(await headOf(opened, headLength));
  // A list of objects, or one object over several lines, is a JSON file whatever its name.
  if (named === 'jsonl') return /^(?:\[\s*(?:\{|$)|\{\s*\n)/.test(head) ? 'json' : 'jsonl';
  if (head.startsWith('[')) return 'json';
  if (named !== undefined) return named;
  if (head.startsWith('{')) return 'jsonl';
  throw new FormatError('has no name that says its format; add format: jsonl, json, csv, tsv or yaml');
}

function textOf(bytes: Uint8Array): string {
  const mark = (bytes[0] ?? 0) * 256 + (bytes[1] ?? 0);
  const encoding = mark === 0xfffe ? 'utf-16le' : mark === 0xfeff ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding).decode(bytes).trimStart();
}

/**
 * The file's rows in order. Throws FormatError when the file as a whole is not of its format, DataError when it changes
 * meanwhile. A JSON file of several values is read as JSON Lines.
 */
export async function* rowsOf(
  opened: OpenedData,
  format: DataFormat,
  limits: RowLimits,
): AsyncGenerator<RawRow> {
  switch (format) {
    case 'jsonl':
      yield* jsonLineRows(chunksOf(opened), limits);
      return;
    case 'json':
      yield* jsonRows(opened, limits);
      return;
    case 'csv':
    case 'tsv': {
      const head = await headOf(opened, headLength);
      yield* csvRows(
        chunksOf(opened),
        format === 'tsv' ? '\t' : delimiterOf(Buffer.from(textOf(head))),
        limits,
      );
      return;
    }
    case 'yaml':
      if (opened.bytes > largestYaml)
        throw new FormatError(
          `has ${(opened.bytes / megabyte).toFixed(1)} MB, over the ${largestYaml / megabyte} MB that YAML is read of; write it as JSON Lines`,
        );
      yield* yamlRows(wholeText(await wholeOf(opened)), hasListsInside);
      return;
  }
}

async function* jsonRows(opened: OpenedData, limits: RowLimits): AsyncGenerator<RawRow> {
  const head = textOf(await headOf(opened, headLength));
  if (head.startsWith('[')) {
    yield* elementRows(chunksOf(opened), 'list', limits);
    return;
  }
  if (await hasSeveralValues(opened, limits)) {
    yield* jsonLineRows(chunksOf(opened), limits);
    return;
  }
  // What fits one row may be one.
  if (opened.bytes <= limits.longest) {
    const bytes = withoutMarkOf(await wholeOf(opened));
    const whole = readText(bytes);
    if (
      whole.ok
        ? !isFileOfLists(whole.value)
        : whole.reason !== 'not valid JSON' && !isFileOfLists(looseValue(bytes))
    ) {
      yield whole.ok
        ? { line: 1, kind: 'row', value: whole.value }
        : { line: 1, kind: 'bad', reason: whole.reason };
      return;
    }
    if (!head.startsWith('{')) throw new FormatError('is not valid JSON');
  }
  yield* elementRows(chunksOf(opened), 'members', limits);
}

/** Whether another object follows the first. Known before a row is given: a row cannot be taken back. */
async function hasSeveralValues(opened: OpenedData, { longest }: RowLimits): Promise<boolean> {
  const cutter = createCutter('members', longest);
  let seen = 0;
  try {
    for await (const chunk of withoutMark(chunksOf(opened))) {
      cutter.feed(chunk);
      seen += chunk.length;
      // No row is this long, so this is one object of lists.
      if (seen > longest) return false;
    }
  } catch (error) {
    if (error instanceof SeveralValues) return true;
    // Whoever reads the file next says what is wrong with it.
    if (!(error instanceof FormatError)) throw error;
  }
  return false;
}

async function wholeOf(opened: OpenedData): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunksOf(opened)) parts.push(new Uint8Array(chunk));
  return Buffer.concat(parts);
}

function withoutMarkOf(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

function wholeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new FormatError('is not valid UTF-8');
  }
}

/** The value of a text that is valid but not exact, to see how its outside looks; null when there is none. */
function looseValue(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch {
    return null;
  }
}

function isFileOfLists(value: unknown): boolean {
  return typeof value === 'object' && value !== null && hasListsInside(value);
}

/** Whether an object is a file of lists of rows rather than a row. */
function hasListsInside(value: object): boolean {
  if (Array.isArray(value)) return false;
  return Object.entries(value).some(
    ([name, list]: [string, unknown]) =>
      !partsOfRow.has(name) &&
      Array.isArray(list) &&
      list.some((item) => typeof item === 'object' && item !== null && !Array.isArray(item)),
  );
}
