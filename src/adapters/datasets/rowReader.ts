/**
 * Owns how the rows of one file are read as tasks: by the mapping or shape that was asked for, else by what its first rows
 * look like. A row of another shape than the rest is looked at by itself. Deliberately decides on rows only, never on names
 * of files.
 */
import type { DataShape, FieldMap, FileOptions, ShapeGuess } from '../../core/model/dataset.ts';
import { choicesIn, numbersFrom } from './choices.ts';
import { isRow, valueAt, type Row } from './fields.ts';
import { pathsOf, readMapped, type MappedItem, type MapRules } from './mapRow.ts';
import { byEvidence, proposeMap } from './shapes.ts';

/** Rows that are looked at before the first is read. */
export const sampleRows = 200;

export interface RowReader {
  readonly used: ShapeGuess;
  /** Other shapes that fit, best first. */
  readonly others: readonly ShapeGuess[];
  /** Nothing speaks for what is used but that there is nothing better. */
  readonly unsure: boolean;
  read(row: unknown): readonly MappedItem[];
}

const mostSignatures = 1_000;

export function createRowReader(
  sample: readonly unknown[],
  { shape, map }: Pick<FileOptions, 'shape' | 'map'>,
): RowReader {
  const rows = sample.filter(isRow);
  const guesses = byEvidence.flatMap((name) => guess(name, rows));
  // The most telling shape whose fields are there, even where its rows cannot be read: another would drop what is broken.
  const seen = guesses[0] ?? commonest(rows);
  const asked =
    shape === undefined && map === undefined ? null : askedFor(shape, map, rows, seen ?? undefined);
  const found = asked ?? seen;
  const best = found ?? lastResort(rows);
  const used = { ...best, evidence: evidenceOf(best.map, rows) };
  const choicesFrom = startOfNumbers(used.map, rows);
  const others = guesses.filter((item) => item.shape !== used.shape && item.confidence > 0);
  const unsure = found === null;
  if (map !== undefined)
    return { used, others, unsure, read: (row) => readMapped(row, { map: used.map, choicesFrom }) };
  return { used, others, unsure, read: bySignature(used, shape !== undefined, choicesFrom) };
}

/** The mapping that a row's own fields have; looked up by which fields they are. */
function bySignature(
  used: ShapeGuess,
  only: boolean,
  choicesFrom: 0 | 1 | null,
): (row: unknown) => readonly MappedItem[] {
  const known = new Map<string, FieldMap>();
  const order = [used.shape, ...(only ? [] : byEvidence.filter((shape) => shape !== used.shape))];
  return (row) => {
    if (!isRow(row)) return readMapped(row, { map: used.map, choicesFrom });
    const signature = signatureOf(row);
    let map = known.get(signature);
    if (map === undefined) {
      // By its fields alone: a shape that reads the row by leaving a broken field out would be a mis-reading.
      map = firstProposal(order, row)?.map ?? used.map;
      if (known.size >= mostSignatures) known.clear();
      known.set(signature, map);
    }
    return readMapped(row, { map, choicesFrom });
  };
}

function signatureOf(row: Row): string {
  let signature = '';
  for (const name of Object.keys(row)) {
    const value = row[name];
    const kind = value === null ? '0' : Array.isArray(value) ? 'l' : typeof value === 'object' ? 'o' : 't';
    signature += `${name}\0${kind}`;
  }
  return signature;
}

function confidenceOf(rows: readonly Row[], rules: MapRules): number {
  if (rows.length === 0) return 0;
  return rows.filter((row) => readMapped(row, rules).some(({ ok }) => ok)).length / rows.length;
}

function guess(shape: DataShape, rows: readonly Row[]): ShapeGuess[] {
  const map = proposeMap(shape, rows);
  if (map === null) return [];
  const confidence = confidenceOf(rows, { map, choicesFrom: startOfNumbers(map, rows) });
  return [{ shape, map, confidence, evidence: evidenceOf(map, rows) }];
}

function firstProposal(
  order: readonly DataShape[],
  row: Row,
): { readonly shape: DataShape; readonly map: FieldMap } | null {
  for (const shape of order) {
    const map = proposeMap(shape, [row]);
    if (map !== null) return { shape, map };
  }
  return null;
}

/** Where no shape has its fields in half of the rows: the one that most rows have by themselves. Null when none has any. */
function commonest(rows: readonly Row[]): ShapeGuess | null {
  const counts = new Map<DataShape, { map: FieldMap; count: number }>();
  for (const row of rows) {
    const own = firstProposal(byEvidence, row);
    if (own === null) continue;
    counts.set(own.shape, { map: own.map, count: (counts.get(own.shape)?.count ?? 0) + 1 });
  }
  const [top] = [...counts].toSorted(([, a], [, b]) => b.count - a.count);
  if (top === undefined) return null;
  const [shape, { map, count }] = top;
  return { shape, map, confidence: count / rows.length, evidence: '' };
}

/** A mapping with an input is the whole mapping; one without says more about what the shape, or the rows, give. */
function askedFor(
  shape: DataShape | undefined,
  map: FieldMap | undefined,
  rows: readonly Row[],
  found: ShapeGuess | undefined,
): ShapeGuess {
  const base = shape === undefined ? (found?.map ?? {}) : (proposeMap(shape, rows) ?? {});
  const whole = map?.input === undefined ? { ...base, ...map } : map;
  const confidence = confidenceOf(rows, { map: whole, choicesFrom: startOfNumbers(whole, rows) });
  return { shape: shape ?? found?.shape ?? 'plain', map: whole, confidence, evidence: '' };
}

/** Nothing is known about these fields: the first is taken for the input until a person says otherwise. */
function lastResort(rows: readonly Row[]): ShapeGuess {
  const [first] = Object.keys(rows[0] ?? {});
  return { shape: 'plain', map: first === undefined ? {} : { input: first }, confidence: 0, evidence: '' };
}

function evidenceOf(map: FieldMap, rows: readonly Row[]): string {
  const named = [...new Set([map.input, map.reference, map.choices, map.tests].flatMap(pathsOf))];
  const heads = named.map((path) => path.replace(/\.?\*.*$/, ''));
  const hits = rows.filter((row) => heads.every((path) => valueAt(row, path) !== undefined)).length;
  if (named.length === 0) return 'No field is known for an input.';
  const list = [...new Set(heads)].map((path) => `"${path}"`);
  const last = list.pop() ?? '';
  const all = list.length === 0 ? last : `${list.join(', ')} and ${last}`;
  return `${all} ${list.length === 0 ? 'is' : 'are'} in ${hits} of the first ${rows.length} ${rows.length === 1 ? 'row' : 'rows'}.`;
}

function startOfNumbers(map: FieldMap, rows: readonly Row[]): 0 | 1 | null {
  const paths = pathsOf(map.choices);
  const [answer] = pathsOf(map.reference);
  if (paths.length === 0 || answer === undefined) return null;
  return numbersFrom(
    rows.flatMap((row) => {
      const choices = choicesIn(
        paths.length === 1 ? valueAt(row, paths[0] ?? '') : paths.map((path) => valueAt(row, path)),
      );
      return choices === null ? [] : [{ answer: valueAt(row, answer), choices }];
    }),
  );
}
