/**
 * Owns the addresses of read-only documents: what a `ratchet:` path means and how one is written. The last part is what
 * the tab shows. Deliberately knows paths only, not the editor's Uri.
 */
import { dataFormats, dataShapes, mappedParts, type FileOptions } from '../../core/model/dataset.ts';
import type { Arm } from '../../core/model/event.ts';
import { asId, type EvaluationId, type RunId, type SolutionId, type TaskId } from '../../core/model/ids.ts';

export type DocumentAddress =
  | { readonly kind: 'experience'; readonly solutionId: SolutionId }
  | { readonly kind: 'evaluation'; readonly evaluationId: EvaluationId }
  /** One side of a task whose score changed between two evaluations. */
  | {
      readonly kind: 'changedTask';
      readonly evaluationId: EvaluationId;
      readonly taskId: TaskId;
      readonly side: 'before' | 'after';
    }
  /** A data file looked through; `stamp` tells one state of the file from the next. */
  | {
      readonly kind: 'data';
      readonly file: string;
      readonly options: FileOptions;
      readonly stamp: number;
    }
  | { readonly kind: 'comparison'; readonly one: RunId; readonly other: RunId }
  | { readonly kind: 'candidate'; readonly runId: RunId; readonly arm: Arm; readonly version: number };

/** A file name from free text: letters, digits and a few signs; never empty, never more than 48 characters. */
export function fileTitle(text: string): string {
  const clean = text
    .replace(/[^\p{Letter}\p{Number}+=_.,-]+/gu, ' ')
    .trim()
    .replace(/^\.+/, '');
  const short = Array.from(clean).slice(0, 48).join('').trim();
  return short === '' ? 'untitled' : short;
}

const part = encodeURIComponent;

/** The path of a document; `title` names the tab where the address has no name of its own. */
export function pathOf(address: DocumentAddress, title: string): string {
  switch (address.kind) {
    case 'experience':
      return `/experiences/${part(address.solutionId)}/${fileTitle(title)}.md`;
    case 'evaluation':
      return `/evaluations/${part(address.evaluationId)}/${fileTitle(title)}.md`;
    case 'changedTask':
      return `/evaluations/${part(address.evaluationId)}/${part(address.taskId)}/${address.side}.txt`;
    case 'data':
      return `/data/${part(JSON.stringify([address.file, address.options, address.stamp]))}/${fileTitle(title)}.md`;
    case 'comparison':
      return `/comparisons/${part(address.one)}/${part(address.other)}/${fileTitle(title)}.md`;
    case 'candidate':
      return `/candidates/${part(address.runId)}/${address.arm === 'control' ? 'control-' : ''}v${address.version}.md`;
  }
}

/** What a path names, or null when it names nothing of ours. */
export function readPath(path: string): DocumentAddress | null {
  const parts = path.split('/').slice(1);
  const id = decoded(parts[1]);
  if (id === null) return null;
  if (parts[0] === 'experiences' && parts.length === 3) {
    return { kind: 'experience', solutionId: asId<SolutionId>(id) };
  }
  if (parts[0] === 'evaluations' && parts.length === 3) {
    return { kind: 'evaluation', evaluationId: asId<EvaluationId>(id) };
  }
  if (parts[0] === 'evaluations' && parts.length === 4) {
    const task = decoded(parts[2]);
    const side = parts[3] === 'before.txt' ? 'before' : parts[3] === 'after.txt' ? 'after' : null;
    if (task === null || side === null) return null;
    return { kind: 'changedTask', evaluationId: asId<EvaluationId>(id), taskId: asId<TaskId>(task), side };
  }
  if (parts[0] === 'comparisons' && parts.length === 4) {
    const other = decoded(parts[2]);
    return other === null ? null : { kind: 'comparison', one: asId<RunId>(id), other: asId<RunId>(other) };
  }
  if (parts[0] === 'data' && parts.length === 3) return dataAddress(id);
  const version = /^(control-)?v(\d{1,9})\.md$/.exec(parts[2] ?? '');
  if (parts[0] === 'candidates' && parts.length === 3 && version !== null) {
    return {
      kind: 'candidate',
      runId: asId<RunId>(id),
      arm: version[1] === undefined ? 'main' : 'control',
      version: Number(version[2]),
    };
  }
  return null;
}

function dataAddress(text: string): DocumentAddress | null {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return null;
  }
  if (!Array.isArray(said)) return null;
  const [file, options, stamp] = said as readonly unknown[];
  if (typeof file !== 'string' || typeof stamp !== 'number' || !isFileOptions(options)) return null;
  return { kind: 'data', file, options, stamp };
}

function isFileOptions(value: unknown): value is FileOptions {
  if (typeof value !== 'object' || value === null) return false;
  const { format, shape, map = {}, ...rest } = value as Record<string, unknown>;
  const among = (names: readonly string[], name: unknown) =>
    name === undefined || (typeof name === 'string' && names.includes(name));
  const parts = typeof map === 'object' && map !== null ? Object.entries(map) : [];
  return (
    Object.keys(rest).length === 0 &&
    among(dataFormats, format) &&
    among(dataShapes, shape) &&
    parts.every(
      ([name, paths]) =>
        among(mappedParts, name) &&
        (typeof paths === 'string' ||
          (Array.isArray(paths) && paths.every((path) => typeof path === 'string'))),
    )
  );
}

function decoded(text: string | undefined): string | null {
  if (text === undefined || text === '') return null;
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
