/**
 * Owns the recipe: a loop as data, its schema and its defaults (`*.loop.yaml`, version 1).
 * Deliberately says nothing of where in a text a fault is (parseRecipe.ts) or whether the steps fit together (check.ts).
 */
import * as z from 'zod';
import type { Metric } from '../model/metric.ts';
import { recipeData, type DataSource, type GuardSources, type WholeFile } from './recipeData.ts';
import { assess, propose, solve } from './schema/acquire.ts';
import { evaluate, retarget } from './schema/evaluate.ts';
import { revise, select } from './schema/refine.ts';
import { count, metricName, modelName, share } from './schema/shared.ts';
import { distill, pack, update } from './schema/update.ts';

const answerRule = z.union([
  z.enum(['auto', 'whole', 'last-number']),
  z.strictObject({ after: z.string().min(1).max(100) }),
]);

/** Everything but the steps, whose shape depends on their operator (see `stepParameters`). */
export const recipeHead = z.strictObject({
  ratchet: z.literal(1),
  name: z.string().min(1).max(100),
  description: z.string().max(10_000).optional(),
  objective: z.strictObject({
    ability: z.string().min(1).max(1000),
    metric: metricName.default('exact'),
    rubric: z
      .string()
      .min(1)
      .max(10_000)
      .default('Is the answer correct, complete and clear?')
      .describe('metric judge: what it looks for'),
    principles: z
      .array(z.string().min(1).max(2000))
      .max(100)
      .default([])
      .describe('what every answer must hold to'),
    answer: answerRule.default('auto'),
  }),
  model: modelName,
  judge: modelName.optional().describe('who judges where a step does not say; the model itself when absent'),
  embedder: modelName
    .optional()
    .describe('provider/model whose embeddings measure likeness: metric embedding, retrieval by embedding'),
  retrieval: z
    .enum(['words', 'embedding'])
    .default('words')
    .describe('how memory items are found for a task: by shared words (BM25), or by meaning'),
  instruction: z.string().max(1_000_000).default(''),
  data: recipeData,
  population: z
    .strictObject({
      archive: z.literal('all').default('all'),
      islands: count(64)
        .default(1)
        .describe('groups whose parents and mates are drawn among their own (island model; FunSearch)'),
      migrate: z
        .strictObject({ every: count(1000).default(5), best: count(64).default(1) })
        .default({ every: 5, best: 1 })
        .describe('every so many rounds the best of each island join the next one, in a ring'),
    })
    .optional()
    .describe('refused candidates stay in the archive, as parents of later drafts'),
  rounds: count(1000).default(3),
  seed: z.number().int().min(0).max(0xffff_ffff).default(1),
  budget: z
    .strictObject({
      minutes: z.number().positive().max(100_000).optional(),
      calls: count(1_000_000_000).optional(),
      tokens: count(1_000_000_000_000).optional(),
      usd: z.number().positive().max(1_000_000).optional().describe('US dollars, at the price of the model'),
    })
    .default({}),
  mode: z
    .enum(['direct', 'batch'])
    .default('direct')
    .describe("batch: large steps go to the provider's batches, cheaper and answered within a day"),
  cache: z
    .boolean()
    .default(true)
    .describe(
      'take equal calls from earlier runs of this workspace: at temperature 0, and above it at the same seed',
    ),
  threshold: share.optional().describe('smallest final test score; below it the command line exits with 1'),
  steps: z.array(z.unknown()).min(1).max(200),
  control: z.strictObject({ without: z.array(z.string().min(1)).min(1) }).optional(),
});

/** The schema of each operator's parameters. */
export const stepParameters = {
  propose,
  solve,
  assess,
  select,
  revise,
  distill,
  pack,
  update,
  evaluate,
  retarget,
} as const;

export type Operator = keyof typeof stepParameters;
export const operators = Object.keys(stepParameters) as readonly Operator[];

export type ParametersOf<Name extends Operator> = z.output<(typeof stepParameters)[Name]>;
export type ProposeParameters = ParametersOf<'propose'>;
export type SolveParameters = ParametersOf<'solve'>;
export type AssessParameters = ParametersOf<'assess'>;
export type SelectParameters = ParametersOf<'select'>;
export type SelectSolutionsParameters = Extract<SelectParameters, { over: 'solutions' }>;
export type SelectTasksParameters = Extract<SelectParameters, { over: 'tasks' }>;
export type SelectKnowledgeParameters = Extract<SelectParameters, { over: 'knowledge' }>;
export type SelectCandidatesParameters = Extract<SelectParameters, { over: 'candidates' }>;
export type GateParameters = Extract<SelectCandidatesParameters, { policy: 'gate' }>;
export type ReviseParameters = ParametersOf<'revise'>;
export type DistillParameters = ParametersOf<'distill'>;
export type PackParameters = ParametersOf<'pack'>;
export type UpdateParameters = ParametersOf<'update'>;
export type UpdateOf<Slot extends UpdateParameters['slot']> = Extract<UpdateParameters, { slot: Slot }>;
export type EvaluateParameters = ParametersOf<'evaluate'>;
export type RetargetParameters = ParametersOf<'retarget'>;
export type AnswerRule = z.output<typeof answerRule>;

/** One step of an operator; `path` names it in events, streams and the ledger, the same in a control that leaves others out. */
export type StepOf<Name extends Operator> = {
  readonly path: string;
  readonly operator: Name;
  readonly with: ParametersOf<Name>;
  /** Names of earlier steps whose outputs it reads instead of the newest. */
  readonly from: readonly string[];
};
export type OperatorStep = { [Name in Operator]: StepOf<Name> }[Operator];

/** Steps taken again and again within a round, at most `max` times. */
export interface LoopStep {
  readonly path: string;
  readonly operator: 'loop';
  readonly max: number;
  /** `solved`: every task's newest solutions pass; `unchanged`: a turn changed no solution; `never`: all turns. */
  readonly until: 'solved' | 'unchanged' | 'never';
  readonly steps: readonly OperatorStep[];
}
export type Step = OperatorStep | LoopStep;

export interface Recipe {
  readonly name: string;
  readonly description: string;
  readonly objective: {
    readonly ability: string;
    readonly metric: Metric;
    /** What a judge looks for where the metric is `judge`. */
    readonly rubric: string;
    readonly answer: AnswerRule;
    readonly principles: readonly string[];
  };
  /** Provider id, or "provider/model". */
  readonly model: string;
  /** The model that judges; null for the model itself. */
  readonly judge: string | null;
  /** The model whose embeddings measure likeness; null where nothing does. */
  readonly embedder: string | null;
  readonly retrieval: 'words' | 'embedding';
  /** Kept beside the candidate in use as parents of drafts: every candidate of the run, or none. */
  readonly archive: 'none' | 'all';
  /** Groups of the archive, and every how many rounds how many of the best of each join the next. */
  readonly islands: { readonly count: number; readonly every: number; readonly best: number };
  readonly instruction: string;
  readonly data:
    | ({
        readonly train: DataSource;
        readonly dev: DataSource;
        readonly test?: DataSource | undefined;
      } & GuardSources)
    | WholeFile;
  readonly rounds: number;
  readonly seed: number;
  readonly budget: {
    readonly minutes?: number | undefined;
    readonly calls?: number | undefined;
    readonly tokens?: number | undefined;
    readonly usd?: number | undefined;
  };
  readonly mode: 'direct' | 'batch';
  /** Whether equal calls are taken from earlier runs (answerCache.ts). */
  readonly cache: boolean;
  readonly threshold: number | null;
  readonly steps: readonly Step[];
  /** Paths of the steps the control leaves out; null without a control. */
  readonly controlWithout: readonly string[] | null;
}

/** Every step of an operator, those within loops too, in order. */
export function operatorSteps(steps: readonly Step[]): readonly OperatorStep[] {
  return steps.flatMap((step) => (step.operator === 'loop' ? step.steps : [step]));
}

/** The phase an operator belongs to (design: ten operators, four phases). */
export function phaseOf(operator: Operator): 'acquire' | 'refine' | 'update' | 'evaluate' {
  switch (operator) {
    case 'propose':
    case 'solve':
    case 'assess':
      return 'acquire';
    case 'select':
    case 'revise':
      return 'refine';
    case 'distill':
    case 'pack':
    case 'update':
      return 'update';
    case 'evaluate':
    case 'retarget':
      return 'evaluate';
  }
}
