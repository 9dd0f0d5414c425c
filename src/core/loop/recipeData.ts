/**
 * Owns the schema of a recipe's `data`: generated problems, files with their mapping, experiences of earlier runs, splits.
 * Deliberately reads none of them (taskSets.ts) and draws nothing.
 */
import * as z from 'zod';
import type { GuardSuite } from '../model/task.ts';
import { dataFormats, dataShapes, type MappedPart } from '../model/dataset.ts';

const count = (max: number) => z.number().int().min(1).max(max);
const path = z.string().min(1).max(300);
const paths = z.union([path, z.array(path).min(1).max(50)]).optional();

const parts = {
  input: paths.describe('what is asked; several fields are joined'),
  context: paths,
  reference: paths.describe('gold answer'),
  choices: paths.describe('a list of answers to choose from, or one field for each'),
  tests: paths.describe('code that checks an answer'),
  entryPoint: paths.describe('name of the function the tests call'),
  split: paths.describe('a field that says train, dev or test'),
  stratum: paths.describe('a field whose values each split shall have in equal shares'),
  group: paths.describe('a field whose equal values must stay in one split'),
} satisfies Record<MappedPart, z.ZodType>;

const reading = {
  file: z.string().min(1),
  format: z.enum(dataFormats).optional().describe('by the name of the file when absent'),
  shape: z.enum(dataShapes).optional().describe('found by looking at the rows when absent'),
  map: z.strictObject(parts).optional().describe("part of a task: the file's field"),
  sample: count(10_000_000)
    .optional()
    .describe('at most this many tasks, drawn evenly from the whole file; for files larger than memory'),
};

const generated = z.strictObject({
  generate: z.literal('addition'),
  digits: z.array(count(9)).min(1).max(9).describe('lengths of the terms, in turn'),
  count: count(1_000_000),
  fixed: z.boolean().optional().describe('the same tasks each round; dev and test always are'),
});

const fromFile = z.strictObject({
  ...reading,
  count: count(10_000_000).optional().describe('tasks used each round; all when absent'),
});

const fromExperiences = z.strictObject({
  experiences: z.strictObject({
    run: z.string().min(1).max(200).describe('id of an ended run of this workspace'),
    verdict: z.enum(['kept', 'dropped', 'corrected']).default('kept'),
    minScore: z.number().min(0).max(1).optional(),
  }),
  count: count(10_000_000).optional().describe('tasks used each round; all when absent'),
});

export const dataSource = z.union([generated, fromFile, fromExperiences]);

const share = z.number().min(0).max(1);
const split = z
  .strictObject({
    train: share.default(0.6),
    dev: share.default(0.2),
    test: share.default(0.2),
    seed: z.number().int().min(0).max(0xffff_ffff).default(0),
  })
  .refine(({ train, dev, test }) => Math.abs(train + dev + test - 1) < 1e-9, {
    message: 'The shares of train, dev and test must add up to 1',
  })
  .refine(({ train, dev }) => train > 0 && dev > 0, {
    message: 'Train and dev each need a share above 0',
  });

const guards = {
  regression: dataSource
    .optional()
    .describe('tasks whose mean score may fall by no more than the gate’s maxLoss'),
  canary: dataSource
    .optional()
    .describe('tasks none of which may fail once the candidate in use passes them'),
};

const wholeFile = z.strictObject({ ...reading, split: split.optional(), ...guards });

export const recipeData = z.union([
  z.string().min(1),
  wholeFile,
  z.strictObject({ train: dataSource, dev: dataSource, test: dataSource.optional(), ...guards }),
]);

export type DataSource = z.output<typeof dataSource>;
export type GeneratedSource = z.output<typeof generated>;
export type ExperienceSource = z.output<typeof fromExperiences>['experiences'];
export type GuardSources = { readonly [Name in GuardSuite]?: DataSource | undefined };
export type WholeFile = z.output<typeof wholeFile>;
export type SplitShares = z.output<typeof split>;
