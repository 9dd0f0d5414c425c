/**
 * Owns the shapes that data sets come in: which fields speak for a shape, and the mapping that follows from them.
 * Deliberately reads no task itself; whether a mapping holds is tried on the rows (rowReader.ts).
 */
import type { DataShape, FieldMap } from '../../core/model/dataset.ts';
import { choicesIn } from './choices.ts';
import { isConversation } from './conversation.ts';
import { isRow, valueAt, type Row } from './fields.ts';

/** Fields that say what is asked, and those that say the answer, the commonest first. */
const asking = [
  'input',
  'question',
  'prompt',
  'query',
  'problem',
  'instruction',
  'text',
  'source',
  'sentence',
];
const answering = [
  'reference',
  'answer',
  'completion',
  'output',
  'response',
  'target',
  'expected',
  'label',
  'gold',
  'solution',
];
const grounding = ['context', 'passage', 'document', 'article', 'background', 'system'];
const optionColumns = [
  ['A', 'B', 'C', 'D', 'E', 'F'],
  ['a', 'b', 'c', 'd', 'e'],
  ['opa', 'opb', 'opc', 'opd'],
  ['option_a', 'option_b', 'option_c', 'option_d', 'option_e'],
  ['choice1', 'choice2', 'choice3', 'choice4'],
  ['option1', 'option2', 'option3', 'option4'],
  ['sol1', 'sol2'],
];
const choosing = [
  'answerKey',
  'answer_key',
  'answer',
  'answer_idx',
  'label',
  'correct',
  'cop',
  'target',
  'gold',
  'reference',
  'output',
];

/** Looks at a few rows as one. */
export interface Glance {
  /** The first of these paths that most rows have, with a value that fits. */
  first(paths: readonly string[], fits?: (value: unknown) => boolean): string | undefined;
  has(path: string): boolean;
}

export function glanceAt(rows: readonly Row[]): Glance {
  const first: Glance['first'] = (paths, fits = () => true) =>
    paths.find((path) => {
      const hits = rows.filter((row) => {
        const value = valueAt(row, path);
        return value !== undefined && fits(value);
      });
      return hits.length > 0 && hits.length * 2 >= rows.length;
    });
  return { first, has: (path) => first([path]) !== undefined };
}

const isTextual = (value: unknown) =>
  value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
const isShareGpt = (value: unknown) =>
  Array.isArray(value) &&
  isConversation(value) &&
  value.every((turn) => isRow(turn) && Object.hasOwn(turn, 'from'));
const isMessages = (value: unknown) =>
  Array.isArray(value) &&
  isConversation(value) &&
  value.every((turn) => isRow(turn) && Object.hasOwn(turn, 'role'));

/** Leaves out the parts that were not found; null when there is no input. */
function mapOf(
  parts: { readonly [Part in keyof FieldMap]: string | readonly (string | undefined)[] | undefined },
): FieldMap | null {
  const entries = Object.entries(parts).flatMap(([part, paths]): [string, string | string[]][] => {
    const found = (typeof paths === 'string' ? [paths] : (paths ?? [])).filter((path) => path !== undefined);
    return found.length === 0 ? [] : [[part, found.length === 1 ? (found[0] ?? '') : found]];
  });
  const map: FieldMap = Object.fromEntries(entries);
  return map.input === undefined ? null : map;
}

const conversation = (glance: Glance, fits: (value: unknown) => boolean) =>
  glance.first(['messages', 'conversations', 'conversation', 'dialog', 'dialogue'], fits);

const proposals: Readonly<Record<DataShape, (glance: Glance) => FieldMap | null>> = {
  humaneval: (glance) => {
    const tests = glance.first(['test', 'tests'], (value) => typeof value === 'string');
    return glance.has('entry_point') && tests !== undefined
      ? mapOf({
          input: glance.first(['prompt', 'instruct_prompt', 'question'], isTextual),
          tests,
          entryPoint: 'entry_point',
          reference: glance.first(['canonical_solution', 'solution', 'reference'], isTextual),
        })
      : null;
  },
  mbpp: (glance) =>
    glance.first(['test_list'], Array.isArray) === undefined
      ? null
      : mapOf({
          input: glance.first(['text', 'prompt', 'question'], isTextual),
          tests: [glance.first(['test_setup_code']), glance.first(['test_imports']), 'test_list'],
          reference: glance.first(['code', 'canonical_solution', 'solution'], isTextual),
        }),
  preference: (glance) => {
    const best = glance.first(['chosen', 'preferred_output', 'preferred']);
    const worst = glance.first(['rejected', 'non_preferred_output', 'dispreferred']);
    if (best === undefined || worst === undefined) return null;
    const asked =
      glance.first([
        'prompt',
        'instruction',
        'question',
        'conversations',
        'messages',
        'input.messages',
        'query',
        'input',
      ]) ?? best;
    return mapOf({
      input: asked,
      context: [
        asked === 'instruction' ? glance.first(['input']) : undefined,
        glance.first(['system', 'context'], isTextual),
      ],
      reference: best,
    });
  },
  'multiple-choice': (glance) => {
    const listed = glance.first(
      ['choices', 'options', 'endings', 'question.choices'],
      (value) => choicesIn(value) !== null,
    );
    const columns = optionColumns.find((names) => names.slice(0, 2).every((name) => glance.has(name)));
    const choices = listed ?? columns?.filter((name) => glance.has(name));
    const asked = glance.first(
      [
        'question.stem',
        'question',
        'input',
        'prompt',
        'query',
        'ctx',
        'sentence',
        'goal',
        'premise',
        'stem',
        'problem',
      ],
      isTextual,
    );
    return choices === undefined || asked === undefined
      ? null
      : mapOf({
          input: asked,
          context: glance.first(['context', 'passage', 'article'], isTextual),
          choices,
          reference: glance.first(choosing, isTextual),
        });
  },
  'self-instruct': (glance) =>
    glance.has('instruction') &&
    glance.first(['instances'], (value) => Array.isArray(value) && value.every(isRow)) !== undefined
      ? mapOf({ input: 'instruction', context: 'instances.*.input', reference: 'instances.*.output' })
      : null,
  sharegpt: (glance) =>
    mapOf({ input: conversation(glance, isShareGpt), context: glance.first(['system'], isTextual) }),
  messages: (glance) => mapOf({ input: conversation(glance, isMessages) }),
  alpaca: (glance) => {
    const reference = glance.first(['output', 'response', 'completion', 'answer'], isTextual);
    return glance.first(['instruction'], isTextual) === undefined || reference === undefined
      ? null
      : mapOf({
          input: 'instruction',
          context: [
            glance.first(['system', 'system_prompt'], isTextual),
            glance.first(['input'], isTextual),
            glance.first(['context'], isTextual),
          ],
          reference,
        });
  },
  'question-answer': (glance) => {
    const input = glance.first(['question', 'query', 'problem'], isTextual);
    const reference = glance.first(
      ['answer', 'final_answer', 'gold_answer', 'solution', 'ground_truth', 'target', 'reference'],
      isTextual,
    );
    return reference === undefined
      ? null
      : mapOf({ input, context: glance.first(grounding, isTextual), reference });
  },
  plain: (glance) => {
    const instruction = glance.first(['instruction'], isTextual);
    const named = glance.first(
      asking.filter((name) => name !== 'instruction'),
      isTextual,
    );
    return mapOf({
      input: instruction ?? named,
      context: [glance.first(grounding, isTextual), instruction === undefined ? undefined : named],
      reference: glance.first(answering, isTextual),
    });
  },
};

/** The most telling first: a shape that asks for more fields is less likely to fit by chance. */
export const byEvidence: readonly DataShape[] = [
  'humaneval',
  'mbpp',
  'preference',
  'multiple-choice',
  'self-instruct',
  'sharegpt',
  'messages',
  'alpaca',
  'question-answer',
  'plain',
];

/** The mapping these rows would have in the shape; null when its fields are not there. */
export function proposeMap(shape: DataShape, rows: readonly Row[]): FieldMap | null {
  return proposals[shape](glanceAt(rows));
}
