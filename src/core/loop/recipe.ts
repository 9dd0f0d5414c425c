/**
 * Owns the recipe: a loop as data, its schema and its defaults (`*.loop.yaml`, version 1).
 * Deliberately says nothing of where in a text a fault is (parseRecipe.ts) or whether the steps fit together (check.ts).
 */
import * as z from 'zod';
import { recipeData, type DataSource, type WholeFile } from './recipeData.ts';

const share = z.number().min(0).max(1);
const count = (max: number) => z.number().int().min(1).max(max);

/** A keep rule such as ">= 1" or "> 0.5", on scores in [0, 1]. */
const keepRule = z.string().regex(/^\s*(>=|>)\s*\d+(\.\d+)?\s*$/, 'write a rule such as ">= 1" or "> 0.5"');

/** Absent: as the recipe's `mode` says. */
const batch = z
  .boolean()
  .optional()
  .describe("ask by the provider's batch: cheaper, and answered within a day");

const solve = z.strictObject({
  n: count(64).default(1).describe('solutions drawn for each task'),
  temperature: z.number().min(0).max(2).default(1).describe('0 is greedy'),
  maxTokens: count(32_768).default(512).describe('longest answer, in tokens'),
  batch,
});

const assess = z.strictObject({
  source: z.literal('metric').default('metric'),
  metric: z.enum(['exact', 'numeric', 'contains']).optional().describe("defaults to the objective's metric"),
});

const selectSolutions = z.strictObject({
  over: z.literal('solutions'),
  policy: z.literal('threshold').default('threshold'),
  keep: keepRule.default('>= 1'),
});

const selectTop = z.strictObject({
  over: z.literal('candidates'),
  policy: z.literal('top'),
  k: count(64).default(1),
});

const selectGate = z.strictObject({
  over: z.literal('candidates'),
  policy: z.literal('gate'),
  confidence: z.number().min(0.5).max(0.999).default(0.95),
});

const pack = z.strictObject({
  form: z.enum(['sft', 'pairs']).default('sft'),
  dedupe: z.boolean().default(true),
  replay: z
    .strictObject({
      source: z.literal('pretraining'),
      share: share.default(0.25),
      digits: z
        .array(count(9))
        .min(1)
        .optional()
        .describe('lengths the replayed problems have; all the base knows if absent'),
    })
    .optional(),
});

const updateWeights = z.strictObject({
  slot: z.literal('weights'),
  op: z.literal('train').default('train'),
  learningRate: z.number().positive().max(1).default(1e-3),
  epochs: count(100).default(1),
  beta: z.number().positive().max(10).default(0.1).describe('DPO: how strongly to stay near the start'),
  nllWeight: z
    .number()
    .min(0)
    .max(10)
    .default(0.2)
    .describe('DPO: weight of the likelihood of the chosen answer'),
});

const updateInstruction = z.strictObject({
  slot: z.literal('instruction'),
  op: z.literal('set').default('set'),
});

const revise = z.strictObject({
  over: z.literal('instruction'),
  mode: z.literal('edit').default('edit'),
  edits: z
    .array(z.enum(['delete', 'swap', 'add', 'substitute']))
    .min(1)
    .default(['delete', 'swap', 'add', 'substitute']),
  n: count(256).default(8).describe('drafts made each round'),
  phrases: z.array(z.string().min(1).max(500)).max(1000).default([]).describe('phrases that may be added'),
});

const evaluate = z.strictObject({
  suite: z
    .enum(['train', 'dev'])
    .default('dev')
    .describe('the test suite is sealed and scored by itself at the end'),
  temperature: z.number().min(0).max(2).default(0),
  maxTokens: count(32_768).default(512),
  fresh: count(1_000_000)
    .optional()
    .describe('draw this many tasks nobody in this round has seen (suite train only)'),
  batch,
});

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
    metric: z.enum(['exact', 'numeric', 'contains']).default('exact'),
    answer: answerRule.default('auto'),
  }),
  model: z.union([
    z.string().min(1).max(200),
    z.strictObject({ provider: z.string().min(1).max(100), model: z.string().min(1).max(200) }),
  ]),
  instruction: z.string().max(1_000_000).default(''),
  data: recipeData,
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
  threshold: share.optional().describe('smallest final test score; below it the command line exits with 1'),
  steps: z.array(z.unknown()).min(1).max(200),
  control: z.strictObject({ without: z.array(z.string().min(1)).min(1) }).optional(),
});

/** The schema of each operator's parameters. */
export const stepParameters = {
  solve,
  assess,
  select: z.union([selectSolutions, z.discriminatedUnion('policy', [selectTop, selectGate])]),
  pack,
  update: z.discriminatedUnion('slot', [updateWeights, updateInstruction]),
  revise,
  evaluate,
} as const;

export type Operator = keyof typeof stepParameters;
export const operators = Object.keys(stepParameters) as readonly Operator[];

export type SolveParameters = z.output<typeof solve>;
export type AssessParameters = z.output<typeof assess>;
export type SelectSolutionsParameters = z.output<typeof selectSolutions>;
export type SelectCandidatesParameters = z.output<typeof selectTop> | z.output<typeof selectGate>;
export type GateParameters = z.output<typeof selectGate>;
export type PackParameters = z.output<typeof pack>;
export type UpdateWeightsParameters = z.output<typeof updateWeights>;
export type UpdateInstructionParameters = z.output<typeof updateInstruction>;
export type ReviseParameters = z.output<typeof revise>;
export type EvaluateParameters = z.output<typeof evaluate>;
export type AnswerRule = z.output<typeof answerRule>;

/** One step; `path` names it in events, streams and the ledger, and is the same in a control that leaves others out. */
export type Step = { readonly path: string } & (
  | { readonly operator: 'solve'; readonly with: SolveParameters }
  | { readonly operator: 'assess'; readonly with: AssessParameters }
  | { readonly operator: 'select'; readonly with: SelectSolutionsParameters | SelectCandidatesParameters }
  | { readonly operator: 'pack'; readonly with: PackParameters }
  | { readonly operator: 'update'; readonly with: UpdateWeightsParameters | UpdateInstructionParameters }
  | { readonly operator: 'revise'; readonly with: ReviseParameters }
  | { readonly operator: 'evaluate'; readonly with: EvaluateParameters }
);

export interface Recipe {
  readonly name: string;
  readonly description: string;
  readonly objective: {
    readonly ability: string;
    readonly metric: 'exact' | 'numeric' | 'contains';
    readonly answer: AnswerRule;
  };
  /** Provider id, or "provider/model". */
  readonly model: string;
  readonly instruction: string;
  readonly data:
    | { readonly train: DataSource; readonly dev: DataSource; readonly test?: DataSource | undefined }
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
  readonly threshold: number | null;
  readonly steps: readonly Step[];
  /** Paths of the steps the control leaves out; null without a control. */
  readonly controlWithout: readonly string[] | null;
}

/** The phase an operator belongs to (design: ten operators, four phases). */
export function phaseOf(operator: Operator): 'acquire' | 'refine' | 'update' | 'evaluate' {
  switch (operator) {
    case 'solve':
    case 'assess':
      return 'acquire';
    case 'select':
    case 'revise':
      return 'refine';
    case 'pack':
    case 'update':
      return 'update';
    case 'evaluate':
      return 'evaluate';
  }
}
