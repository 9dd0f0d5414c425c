/**
 * Owns turning a row into tasks by a mapping of its fields. Deliberately keeps nothing of the row that the mapping does not
 * name, and turns nothing it cannot read into something it may mean: such a row is rejected with the field and the reason.
 */
import type { FieldMap } from '../../core/model/dataset.ts';
import type { Split, Task } from '../../core/model/task.ts';
import type { TaskLabels } from '../../core/ports.ts';
import { choicesIn, chosen, letter, lettered, type Choices } from './choices.ts';
import { answerIn, isConversation, isDialogue, readConversation } from './conversation.ts';
import { isRow, textOf, valueAt, type Row } from './fields.ts';

export type TaskContent = Omit<Task, 'id' | 'split'>;

export interface MappedTask {
  readonly ok: true;
  readonly content: TaskContent;
  readonly labels: TaskLabels | null;
}

export interface Rejection {
  readonly ok: false;
  readonly reason: string;
  readonly field: string | null;
}

export type MappedItem = MappedTask | Rejection;

export interface MapRules {
  readonly map: FieldMap;
  /** What numbered answers of multiple choice count from; null when that is not known. */
  readonly choicesFrom: 0 | 1 | null;
}

const no = (reason: string, field: string | null = null): Rejection => ({ ok: false, reason, field });

/** Thrown inside this file only: a field says something that cannot be read. */
class Unreadable extends Error {
  readonly rejection: Rejection;
  constructor(rejection: Rejection) {
    super(rejection.reason);
    this.rejection = rejection;
  }
}

function refuse(reason: string, field: string | null): never {
  throw new Unreadable(no(reason, field));
}

export function pathsOf(part: string | readonly string[] | undefined): readonly string[] {
  return part === undefined ? [] : typeof part === 'string' ? [part] : part;
}

/** One item for each task of the row: several where the mapping has a `*`. Never throws. */
export function readMapped(value: unknown, rules: MapRules): readonly MappedItem[] {
  if (!isRow(value)) return [no('not an object with fields')];
  const starred = Object.values(rules.map)
    .flatMap(pathsOf)
    .filter((path) => path.includes('*'));
  if (starred.length === 0) return [readOne(value, rules)];
  const lists = starred.map((path) => path.slice(0, path.indexOf('*')).replace(/\.$/, ''));
  const lengths = lists.map((path) => {
    const list = valueAt(value, path);
    return Array.isArray(list) ? list.length : 0;
  });
  const count = lengths[0] ?? 0;
  if (count === 0) return [no(`"${lists[0] ?? ''}" is no list, or an empty one`, lists[0] ?? null)];
  if (lengths.some((length) => length !== count))
    return [no('its lists are of different lengths', lists[0] ?? null)];
  return Array.from({ length: count }, (_, index) => {
    const item = readOne(value, { ...rules, map: atIndex(rules.map, index) });
    if (!item.ok || item.labels?.group !== undefined) return item;
    // What one row says several times is no independent evidence.
    return { ...item, labels: { ...item.labels, group: item.content.input } };
  });
}

function atIndex(map: FieldMap, index: number): FieldMap {
  return Object.fromEntries(
    Object.entries(map).map(([part, paths]) => [
      part,
      pathsOf(paths).map((path) => path.replace('*', String(index))),
    ]),
  );
}

function readOne(row: Row, { map, choicesFrom }: MapRules): MappedItem {
  try {
    const asked = askedIn(row, map);
    const choices = choicesOf(row, map);
    const reference = referenceOf(row, map, asked.reference, choices, choicesFrom);
    const tests = testsOf(row, map);
    const context = [...textsOf(row, map.context), asked.context]
      .filter((text) => text !== null)
      .join('\n\n');
    const content: TaskContent = {
      input: choices === null ? asked.input : `${asked.input}\n\n${lettered(choices)}`,
      ...(context === '' ? {} : { context }),
      ...(reference === null ? {} : { reference }),
      ...(choices === null ? {} : { choices: choices.texts }),
      ...tests,
    };
    return { ok: true, content, labels: labelsOf(row, map) };
  } catch (error) {
    if (error instanceof Unreadable) return error.rejection;
    throw error;
  }
}

/** The texts at these paths that say something. */
function textsOf(row: Row, part: FieldMap[keyof FieldMap]): string[] {
  return pathsOf(part).flatMap((path) => {
    const read = textOf(valueAt(row, path), path);
    if (!read.ok) return refuse(read.reason, path);
    return read.text === null ? [] : [read.text];
  });
}

interface Asked {
  readonly input: string;
  readonly context: string | null;
  readonly reference: string | null;
}

function askedIn(row: Row, map: FieldMap): Asked {
  const paths = pathsOf(map.input);
  const parts: string[] = [];
  let context: string | null = null;
  let reference: string | null = null;
  for (const path of paths) {
    const value = valueAt(row, path);
    // A dialogue in one text is one only where the answer is read from the same field.
    const dialogue = typeof value === 'string' && pathsOf(map.reference).includes(path) && isDialogue(value);
    if (dialogue || isConversation(value)) {
      const read = readConversation(value);
      if (!read.ok) refuse(`"${path}": ${read.reason}`, path);
      parts.push(read.input);
      context = read.context;
      // KTO marks an answer as a bad one: no reference then (Ethayarajh et al. 2024).
      reference = row.label === false ? null : read.reference;
    } else parts.push(...textsOf(row, path));
  }
  if (parts.length === 0)
    refuse(
      paths.length === 0
        ? 'no input: none of its fields is known for one'
        : `no input: "${paths.join('", "')}" says nothing`,
      paths[0] ?? null,
    );
  return { input: parts.join('\n\n'), context, reference };
}

function choicesOf(row: Row, map: FieldMap): Choices | null {
  const paths = pathsOf(map.choices);
  if (paths.length === 0) return null;
  const value = paths.length === 1 ? valueAt(row, paths[0] ?? '') : paths.map((path) => valueAt(row, path));
  return choicesIn(value) ?? refuse(`"${paths[0] ?? ''}" is no list of 2 to 26 answers`, paths[0] ?? null);
}

function referenceOf(
  row: Row,
  map: FieldMap,
  spoken: string | null,
  choices: Choices | null,
  choicesFrom: 0 | 1 | null,
): string | null {
  const paths = pathsOf(map.reference);
  const [first] = paths;
  if (first === undefined) return spoken;
  const value = valueAt(row, first);
  if (choices !== null) {
    if (value === null || value === undefined || value === '') return null;
    const index = chosen(value, choices, choicesFrom);
    if (index === null) refuse(`"${first}" names none of its choices for certain`, first);
    return letter(index);
  }
  if (isConversation(value) || (typeof value === 'string' && pathsOf(map.input).includes(first))) {
    const answer = answerIn(value);
    if (answer !== null && !answer.isWellFormed())
      refuse(`"${first}" holds half a character (a lone surrogate)`, first);
    return answer;
  }
  const texts = textsOf(row, map.reference);
  return texts.length === 0 ? null : finalAnswer(texts.join('\n\n'));
}

/**
 * The final answer of a worked solution in the manner of GSM8K, whose gold answers end in "#### 18" (Cobbe et al. 2021): a
 * grader compares answers, not solutions.
 */
function finalAnswer(reference: string): string {
  const mark = reference.lastIndexOf('####');
  const answer = mark < 0 ? '' : reference.slice(mark + 4).trim();
  return answer === '' ? reference : answer;
}

/** One program of a text, a list of texts, or several fields; a `check` that nobody calls is called on the entry point. */
function testsOf(row: Row, map: FieldMap): Pick<TaskContent, 'tests' | 'entryPoint'> {
  const parts = pathsOf(map.tests).flatMap((path) => {
    const value = valueAt(row, path);
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    return items.flatMap((item) => {
      const read = textOf(item, path);
      if (!read.ok) return refuse(read.reason, path);
      return read.text === null ? [] : [read.text];
    });
  });
  const [entryPoint] = textsOf(row, map.entryPoint);
  const named = entryPoint === undefined ? {} : { entryPoint };
  if (parts.length === 0) return named;
  const program = parts.join('\n');
  const uncalled = entryPoint !== undefined && /^def check\(/m.test(program) && !/^check\(/m.test(program);
  return { tests: uncalled ? `${program.trimEnd()}\n\ncheck(${entryPoint})\n` : program, ...named };
}

const splitNames: Readonly<Record<string, Split>> = {
  train: 'train',
  training: 'train',
  dev: 'dev',
  development: 'dev',
  val: 'dev',
  valid: 'dev',
  validation: 'dev',
  test: 'test',
  testing: 'test',
};

export function splitNamed(name: string): Split | null {
  const known = name.trim().toLowerCase();
  return Object.hasOwn(splitNames, known) ? (splitNames[known] ?? null) : null;
}

function labelsOf(row: Row, map: FieldMap): TaskLabels | null {
  const [splitText] = textsOf(row, map.split);
  const stratum = textsOf(row, map.stratum).join(' / ');
  const group = textsOf(row, map.group).join(' / ');
  const split = splitText === undefined ? null : splitNamed(splitText);
  if (pathsOf(map.split).length > 0 && split === null)
    refuse(
      `"${pathsOf(map.split)[0] ?? ''}" says neither train, dev nor test`,
      pathsOf(map.split)[0] ?? null,
    );
  if (split === null && stratum === '' && group === '') return null;
  return {
    ...(split === null ? {} : { split }),
    ...(stratum === '' ? {} : { stratum }),
    ...(group === '' ? {} : { group }),
  };
}
