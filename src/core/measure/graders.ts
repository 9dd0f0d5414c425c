/**
 * Owns choosing a grader by its name in a recipe, and what each one reads: the extracted answer, the whole output, the
 * reference, the question. Deliberately has no rules of its own; code runs and judges are elsewhere.
 */
import { findChoices, gradeChoice } from './choice.ts';
import { type FormatRule, gradeFormatRules, readFormatRules } from './formatRules.ts';
import { graders, type OpenGrade, unknown } from './grade.ts';
import { gradeJsonSchema, readJson } from './jsonSchema.ts';
import { gradeArithmetic, gradeMath } from './mathEquivalence.ts';
import { findNumbers } from './numbers.ts';
import { gradePattern, type PatternOptions } from './pattern.ts';
import { gradeEdit, gradeRougeL } from './similarity.ts';

/** A grader with its settings. What a setting leaves out is read from the task's reference, as each says. */
export type GraderSettings =
  | { readonly kind: 'exact' | 'contains'; readonly ignoreCase?: boolean }
  | { readonly kind: 'numeric'; readonly tolerance?: number }
  /** The reference is a letter or an option's text; options are read from the question. */
  | { readonly kind: 'choice' }
  /** RE2 syntax; the reference is the pattern when none is set. */
  | ({ readonly kind: 'regex'; readonly pattern?: string } & PatternOptions)
  /** The reference is the schema, as JSON, when none is set. */
  | { readonly kind: 'json-schema'; readonly schema?: unknown }
  /** Reads the whole output. The reference holds the rules, as JSON, when none are set. */
  | { readonly kind: 'format'; readonly rules?: readonly FormatRule[]; readonly loose?: boolean }
  | { readonly kind: 'rouge-l' | 'edit' | 'math' }
  /** The numbers are those of the question, the target is the reference. */
  | { readonly kind: 'arithmetic' };

export type GraderKind = GraderSettings['kind'];
export const graderKinds = [
  'exact',
  'numeric',
  'contains',
  'choice',
  'regex',
  'json-schema',
  'format',
  'rouge-l',
  'edit',
  'math',
  'arithmetic',
] as const satisfies readonly GraderKind[];

export interface GradedSolution {
  readonly output: string;
  /** Null when none was found in the output. */
  readonly answer: string | null;
}

export interface GradedTask {
  readonly input: string;
  readonly reference?: string | undefined;
}

/** Graders that can do without a reference when their settings hold all they need. */
function withoutReference(settings: GraderSettings, solution: GradedSolution): OpenGrade | null {
  switch (settings.kind) {
    case 'regex':
      return settings.pattern === undefined
        ? null
        : gradePattern(solution.answer, settings.pattern, settings);
    case 'json-schema':
      return settings.schema === undefined ? null : gradeJsonSchema(solution.answer, settings.schema);
    case 'format':
      return settings.rules === undefined
        ? null
        : gradeFormatRules(solution.output, settings.rules, settings.loose);
    default:
      return null;
  }
}

/** The grade of one solution. Total: any texts give a grade; unknown says why nothing could be told. */
export function gradeBy(settings: GraderSettings, solution: GradedSolution, task: GradedTask): OpenGrade {
  const own = withoutReference(settings, solution);
  if (own !== null) return own;
  const { reference } = task;
  if (reference === undefined) return unknown('the task has no reference to compare with');
  const { answer, output } = solution;
  switch (settings.kind) {
    case 'exact':
    case 'contains':
    case 'numeric':
      return graders[settings.kind](answer, reference, settings);
    case 'choice':
      return gradeChoice(answer, reference, findChoices(task.input));
    case 'regex':
      return gradePattern(answer, reference, settings);
    case 'json-schema':
      return gradeJsonSchema(answer, reference);
    case 'format': {
      const read = readJson(reference);
      const rules = read.ok ? readFormatRules(read.value) : null;
      return rules === null
        ? unknown('the reference holds no rules')
        : gradeFormatRules(output, rules, settings.loose);
    }
    case 'rouge-l':
      return gradeRougeL(answer, reference);
    case 'edit':
      return gradeEdit(answer, reference);
    case 'math':
      return gradeMath(answer, reference);
    case 'arithmetic':
      return gradeArithmetic(
        answer,
        findNumbers(task.input).flatMap(({ integer }) => (integer === null ? [] : [integer])),
        reference,
      );
  }
}
