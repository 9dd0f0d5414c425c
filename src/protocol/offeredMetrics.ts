/**
 * Owns which metrics make sense for a data file that was looked through, the likeliest first, each with a reason a person
 * can check. Goes by the shape of the rows and the references of the first tasks alone; deliberately grades nothing.
 */
import type { DataInspection } from '../core/model/dataset.ts';
import type { Metric } from '../core/model/metric.ts';

export interface OfferedMetric {
  readonly metric: Metric;
  /** One sentence: what counts as right, and what in the file speaks for it. */
  readonly reason: string;
}

const REASONS: Readonly<Record<Metric, string>> = {
  exact: 'The answer is the reference, letter by letter',
  numeric: 'The answer is the same number, however it is written: 1,000 is 1e3, 50 % is 1/2',
  contains: 'The reference stands somewhere in the answer',
  choice: 'The answer names the right option, by its letter or its text',
  regex: 'The answer matches the reference, which is a pattern',
  jsonSchema: 'The answer is JSON that fits the reference, which is a schema',
  format: 'The answer keeps the rules of form that the reference holds as JSON',
  rougeL: 'Shares the longest common run of words with the reference, as a score from 0 to 1',
  edit: 'Few letters differ from the reference, as a score from 0 to 1',
  math: 'The answer is mathematically equal; what cannot be told goes to a judge',
  arithmetic: 'The answer is an expression of the task’s numbers that comes to the reference',
  embedding: 'Means the same as the reference, by the embeddings of a model you name',
  judge: 'A model judges by a rubric; the only one that needs no reference',
};

const isNumber = (text: string) => /\d/.test(text) && /^[\s$€£\d.,%/-]*$/.test(text);
const isLetter = (text: string) => /^\(?[A-J]\)?[.:]?$/.test(text.trim());
/** Signs of formulas that no plain text has. */
const isFormula = (text: string) => /\\[a-z]+|\^|[\p{L}\d)]\s*[=+*/]\s*[\p{L}\d(\\]|√/iu.test(text);
const isPattern = (text: string) => /^\^|\$$|\\[dwsb]|\[[^\]]+\][+*{]|\.\*/.test(text);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isSchema(text: string): boolean {
  const value = parsed(text);
  return (
    typeof value === 'object' &&
    value !== null &&
    ['type', 'properties', 'required', 'enum', 'anyOf'].some((name) => Object.hasOwn(value, name))
  );
}

/** Rules of form are objects, one or several, that no schema is. */
function isRules(text: string): boolean {
  const value = parsed(text);
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  return all.length > 0 && all.every((one) => typeof one === 'object' && one !== null) && !isSchema(text);
}

/** Letters of a reference from which on it is a text rather than an answer. */
const LONG = 60;

/** At least one, the best first, each once. */
export function offeredMetrics({
  used,
  preview,
}: Pick<DataInspection, 'used' | 'preview'>): readonly OfferedMetric[] {
  const references = preview.flatMap(({ task }) => task.reference ?? []);
  return [...new Set(namesFor(used.shape, preview, references))].map((metric) => ({
    metric,
    reason: REASONS[metric],
  }));
}

function namesFor(
  shape: DataInspection['used']['shape'],
  preview: DataInspection['preview'],
  references: readonly string[],
): readonly Metric[] {
  // Tests are run in a sandbox, which no metric does yet; without references only a judge can tell.
  if (references.length === 0 || shape === 'humaneval' || shape === 'mbpp') return ['judge'];
  const all = (is: (text: string) => boolean) => references.every((text) => is(text));
  const texts: readonly Metric[] = ['contains', 'edit', 'rougeL', 'embedding', 'judge'];
  const hasChoices = shape === 'multiple-choice' || preview.some(({ task }) => task.choices !== undefined);
  if (hasChoices || all(isLetter)) return ['choice', 'exact', 'judge'];
  if (all(isNumber)) {
    const target = new Set(references.map((text) => text.trim())).size === 1 && references.length > 1;
    const several = preview.every(({ task }) => (task.input.match(/\d+/g) ?? []).length > 1);
    const rest: readonly Metric[] = ['numeric', 'math', 'exact', 'contains', 'judge'];
    return target && several ? ['arithmetic', ...rest] : rest;
  }
  if (all(isSchema)) return ['jsonSchema', 'exact', 'judge'];
  if (all(isRules)) return ['format', 'exact', 'judge'];
  if (all(isPattern)) return ['regex', 'exact', ...texts];
  if (references.some(isFormula) && all((text) => isFormula(text) || isNumber(text)))
    return ['math', 'exact', 'contains', 'judge'];
  const long = references.some((text) => text.length > LONG);
  return long || shape === 'preference'
    ? ['judge', 'rougeL', 'embedding', 'contains', 'exact']
    : ['exact', ...texts];
}
