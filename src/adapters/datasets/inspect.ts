/**
 * Owns looking through a data file for a person: what it is, how its rows would be read, the first tasks, what would be
 * left out and why. Counts are exact over the whole file. Deliberately keeps no row beyond the first.
 */
import type { DataInspection, FieldMap, FileOptions, PreviewTask } from '../../core/model/dataset.ts';
import { contentMark } from './contentMark.ts';
import { isRow, valueAt, type Row } from './fields.ts';
import { pathsOf } from './mapRow.ts';
import { createRejections } from './rejections.ts';
import { readTasks, type Reading, type TaskFileLimits } from './readTasks.ts';

const previewed = 20;
const mostFields = 100;
const exampleLength = 120;
/** Tasks whose equals are looked for; beyond, equal tasks are not counted, and said so. */
const mostCompared = 5_000_000;

/** Throws DataError when the file as a whole cannot be read; a file without a usable row is a finding, not an error. */
export async function inspectData(
  file: string,
  options: FileOptions,
  folder: string,
  limits: TaskFileLimits = {},
): Promise<DataInspection> {
  const rejections = createRejections();
  const preview: PreviewTask[] = [];
  const seen = new Set<string>();
  let fields: readonly FieldExample[] = [];
  let first: readonly Row[] = [];
  let tasks = 0;
  let duplicates = 0;
  const reading = await readTasks(file, options, folder, limits, {
    begin(_reading, sample) {
      first = sample.flatMap((row) => (row.kind === 'row' && isRow(row.value) ? [row.value] : []));
      fields = fieldsOf(first);
    },
    task(line, { content, labels }) {
      // 72 bits tell five million tasks apart with a chance of an error below one in a hundred million.
      const mark = contentMark(content).slice(0, 12);
      if (seen.has(mark)) {
        duplicates += 1;
        return;
      }
      if (seen.size < mostCompared) seen.add(mark);
      tasks += 1;
      if (preview.length < previewed) preview.push({ line, split: labels?.split ?? null, task: content });
    },
    reject: (line, reason, field) => rejections.add(line, reason, field),
  });
  return {
    file,
    format: reading.format,
    bytes: reading.bytes,
    rows: reading.rows,
    tasks,
    duplicates,
    rejected: rejections.total,
    reasons: rejections.groups(),
    used: reading.reader.used,
    others: reading.reader.others,
    fields,
    preview,
    notes: notesOf(reading, first, fields, seen.size >= mostCompared),
  };
}

type FieldExample = DataInspection['fields'][number];

/** Paths a mapping may name: fields, one level of objects, lists of objects item by item. */
function fieldsOf(rows: readonly Row[]): readonly FieldExample[] {
  const found = new Map<string, string>();
  const note = (path: string, value: unknown) => {
    if (found.size >= mostFields && !found.has(path)) return;
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
    if ((found.get(path) ?? '') === '') found.set(path, text.slice(0, exampleLength));
  };
  for (const row of rows)
    for (const [name, value] of Object.entries(row)) {
      note(name, value);
      const item: unknown = Array.isArray(value) ? (value as readonly unknown[])[0] : undefined;
      const inner = isRow(value) ? { object: value, path: name } : { object: item, path: `${name}.*` };
      if (isRow(inner.object))
        for (const [part, inside] of Object.entries(inner.object)) note(`${inner.path}.${part}`, inside);
    }
  return [...found].map(([path, example]) => ({ path, example }));
}

function notesOf(
  { reader, format }: Reading,
  rows: readonly Row[],
  fields: readonly FieldExample[],
  compared: boolean,
): readonly string[] {
  const { used, unsure } = reader;
  const notes: string[] = [];
  if (unsure)
    notes.push('No known shape fits these rows; say which field is the input and which the reference.');
  const unused = unusedFields(used.map, fields);
  if (unused.length > 0) notes.push(`Not used: ${unused.join(', ')}.`);
  if (used.shape === 'preference')
    notes.push('A task keeps the better answer as its reference; the worse one is not used.');
  if ((used.shape === 'messages' || used.shape === 'sharegpt') && rows.some(({ label }) => label === false))
    notes.push('Answers labelled false are no reference.');
  if (
    used.map.reference === undefined &&
    used.map.tests === undefined &&
    rows.length > 0 &&
    !isSpoken(used.map, rows)
  )
    notes.push('There is no reference: only a judge, a person or a vote can assess these tasks.');
  if (format === 'csv' || format === 'tsv')
    notes.push('The first row names the fields; every value is kept as it is written.');
  if (compared) notes.push(`Equal tasks were looked for among the first ${mostCompared} only.`);
  return notes;
}

function isSpoken(map: FieldMap, rows: readonly Row[]): boolean {
  return pathsOf(map.input).some((path) => rows.some((row) => typeof valueAt(row, path) === 'object'));
}

function unusedFields(map: FieldMap, fields: readonly FieldExample[]): readonly string[] {
  const used = new Set(
    Object.values(map)
      .flatMap(pathsOf)
      .map((path) => path.split('.')[0]),
  );
  return fields
    .map(({ path }) => path)
    .filter((path) => !path.includes('.') && !used.has(path))
    .slice(0, 20);
}
