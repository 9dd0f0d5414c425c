/**
 * Owns what one row of a data file says: which field is the input, the context and the reference of a task, over the
 * shapes people have. Deliberately reads own fields of plain JSON only and keeps nothing else of the row.
 */
import type { Task } from '../../core/model/task.ts';

export type TaskContent = Pick<Task, 'input' | 'context' | 'reference'>;
export type ReadRow =
  | { readonly ok: true; readonly content: TaskContent }
  | { readonly ok: false; readonly reason: string };

const inputFields = ['input', 'question', 'prompt'];
const referenceFields = ['reference', 'answer', 'completion', 'output'];

const no = (reason: string): ReadRow => ({ ok: false, reason });

type Row = Readonly<Record<string, unknown>>;
type Field =
  | { readonly ok: true; readonly text: string | null }
  | { readonly ok: false; readonly reason: string };

/** A field as text; null when absent, null or blank. Numbers and booleans are written out. */
function textOf(row: Row, name: string): Field {
  const value = Object.hasOwn(row, name) ? row[name] : null;
  if (value === null || value === undefined) return { ok: true, text: null };
  if (typeof value === 'string') return { ok: true, text: value.trim() === '' ? null : value };
  if (typeof value === 'boolean') return { ok: true, text: String(value) };
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
      return { ok: false, reason: `"${name}" is a number too large to keep exactly; put it in quotes` };
    return { ok: true, text: String(value) };
  }
  return { ok: false, reason: `"${name}" must be text` };
}

/** The first of these fields that says something. */
function firstOf(row: Row, names: readonly string[]): Field {
  for (const name of names) {
    const field = textOf(row, name);
    if (!field.ok || field.text !== null) return field;
  }
  return { ok: true, text: null };
}

/**
 * The final answer of a worked solution in the manner of GSM8K, whose gold answers end in "#### 18": a grader compares
 * answers, not solutions.
 */
function finalAnswer(reference: string): string {
  const mark = reference.lastIndexOf('####');
  const answer = mark < 0 ? '' : reference.slice(mark + 4).trim();
  return answer === '' ? reference : answer;
}

/**
 * Reads `{ input | question | prompt, reference | answer | completion | output, context }`, or
 * `{ instruction, input, output }`, whose input is the context of the instruction.
 */
export function readRow(value: unknown): ReadRow {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return no('not a JSON object');
  const row = value as Row;
  const instruction = textOf(row, 'instruction');
  const named = firstOf(row, inputFields);
  const given = textOf(row, 'context');
  const reference = firstOf(row, referenceFields);
  for (const field of [instruction, named, given, reference]) if (!field.ok) return no(field.reason);
  if (!instruction.ok || !named.ok || !given.ok || !reference.ok) return no('not readable');
  const input = instruction.text ?? named.text;
  if (input === null) return no('no input: give "input" (or "question", "prompt", "instruction") some text');
  const parts = [given.text, instruction.text === null ? null : named.text].filter((part) => part !== null);
  return {
    ok: true,
    content: {
      input,
      ...(parts.length > 0 ? { context: parts.join('\n\n') } : {}),
      ...(reference.text === null ? {} : { reference: finalAnswer(reference.text) }),
    },
  };
}
