/**
 * Owns a bundle as a file: gzip, one JSON value a line, the last one the sha256 of all before it. A file that was cut,
 * changed or made by a newer version is refused whole. Deliberately holds no key and no address: the ledger has none.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Bundle, BundledData } from '../../core/loop/bundle.ts';
import { asId, type ContentHash } from '../../core/model/ids.ts';
import type { TaskId } from '../../core/model/ids.ts';
import type { EffectRecord } from '../../core/model/effect.ts';
import { DataError, type NewRun, type TaskLabels } from '../../core/ports.ts';

const format = 1;

type Line =
  | { readonly line: 'bundle'; readonly format: number; readonly run: NewRun; readonly eventsHash: string }
  | { readonly line: 'effect'; readonly effect: EffectRecord }
  | {
      readonly line: 'data';
      readonly data: BundledData;
      /** Of the tasks in it; a map is no JSON. */
      readonly labels: readonly (readonly [TaskId, TaskLabels])[] | null;
    }
  | { readonly line: 'blob'; readonly hash: ContentHash; readonly base64: string }
  | { readonly line: 'end'; readonly sha256: string };

function* linesOf(bundle: Bundle): Generator<Line> {
  yield { line: 'bundle', format, run: bundle.run, eventsHash: bundle.eventsHash };
  for (const data of bundle.data) {
    const labels = data.tasks?.labels === undefined ? null : [...data.tasks.labels];
    yield { line: 'data', data, labels };
  }
  for (const effect of bundle.effects) yield { line: 'effect', effect };
  for (const { hash, bytes } of bundle.blobs)
    yield { line: 'blob', hash, base64: Buffer.from(bytes).toString('base64') };
}

/** Throws DataError when the file is there already or cannot be written. */
export function writeBundle(file: string, bundle: Bundle): void {
  const sum = createHash('sha256');
  const lines: string[] = [];
  for (const line of linesOf(bundle)) {
    const text = `${JSON.stringify(line)}\n`;
    sum.update(text);
    lines.push(text);
  }
  lines.push(`${JSON.stringify({ line: 'end', sha256: sum.digest('hex') } satisfies Line)}\n`);
  try {
    writeFileSync(file, gzipSync(lines.join('')), { flag: 'wx' });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    const why = code === 'EEXIST' ? 'it is there already' : code;
    throw new DataError(`${file} could not be written: ${why}.`, { cause });
  }
}

/** Throws DataError for anything but a whole bundle. */
export function readBundle(file: string): Bundle {
  const texts = textOf(file).split('\n').slice(0, -1);
  const last = parse(file, texts.at(-1) ?? '');
  const sum = createHash('sha256');
  for (const text of texts.slice(0, -1)) sum.update(`${text}\n`);
  if (last.line !== 'end' || last.sha256 !== sum.digest('hex')) throw damaged(file);
  const [head, ...rest] = texts.slice(0, -1).map((text) => parse(file, text));
  if (head?.line !== 'bundle') throw damaged(file);
  if (head.format > format)
    throw new DataError(`${file} was made by a newer version of Ratchet; update Ratchet first.`);
  return {
    run: head.run,
    eventsHash: head.eventsHash,
    effects: rest.flatMap((line) => (line.line === 'effect' ? [line.effect] : [])),
    data: rest.flatMap((line) => (line.line === 'data' ? [dataOf(line)] : [])),
    blobs: rest.flatMap((line) => (line.line === 'blob' ? [blobOf(file, line)] : [])),
  };
}

function dataOf({ data, labels }: Extract<Line, { line: 'data' }>): BundledData {
  if (data.tasks === null || labels === null) return data;
  return { ...data, tasks: { ...data.tasks, labels: new Map(labels) } };
}

function blobOf(file: string, { hash, base64 }: Extract<Line, { line: 'blob' }>) {
  const bytes = new Uint8Array(Buffer.from(base64, 'base64'));
  if (createHash('sha256').update(bytes).digest('hex') !== hash) throw damaged(file);
  return { hash: asId<ContentHash>(hash), bytes };
}

function textOf(file: string): string {
  try {
    return gunzipSync(readFileSync(file)).toString('utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new DataError(`There is no file ${file}.`, { cause });
    throw damaged(file, cause);
  }
}

function parse(file: string, text: string): Line {
  try {
    return JSON.parse(text) as Line;
  } catch (cause) {
    throw damaged(file, cause);
  }
}

function damaged(file: string, cause?: unknown): DataError {
  return new DataError(`${file} is not a whole bundle of a run; make it again.`, { cause });
}
