/** Owns what `distill`, `pack` and `update` can be told. */
import * as z from 'zod';
import { batch, count, maxTokens, modelName, share, temperature } from './shared.ts';

export const distill = z.strictObject({
  form: z.enum(['rule', 'reflection', 'workflow', 'fact', 'demonstration']).default('rule'),
  from: z.enum(['successes', 'failures', 'both']).default('both'),
  unit: z
    .enum(['item', 'task', 'batch'])
    .default('task')
    .describe('what one call sees: a solution, all solutions of a task, or a batch'),
  size: count(50).default(5).describe('unit batch: experiences in one call'),
  batch,
  k: count(50).default(3).describe('items of one call at most; 3 in ReasoningBank'),
  ask: z.string().max(2000).optional().describe('what the items should be about'),
  ban: z.enum(['none', 'literals']).default('literals').describe('refuse items that copy answers or inputs'),
  temperature: temperature.default(0),
  maxTokens: maxTokens.default(1024),
});

export const pack = z.strictObject({
  form: z.enum(['sft', 'pairs', 'reward', 'critique']).default('sft'),
  pairs: z
    .enum(['keptDropped', 'bestWorst', 'positiveNegative', 'goldOwn'])
    .default('keptDropped')
    .describe('form pairs: what is preferred over what'),
  dedupe: z.boolean().default(true),
  strip: z
    .array(z.string().min(1).max(200))
    .max(50)
    .default([])
    .describe('lines of an output that begin with one of these are left out; a hint’s own marks always are'),
  replay: z
    .union([
      z.strictObject({
        source: z.literal('pretraining'),
        share: share.default(0.25),
        digits: z
          .array(count(9))
          .min(1)
          .optional()
          .describe('lengths the replayed problems have; all the base knows if absent'),
      }),
      z.strictObject({
        source: z.literal('earlier'),
        share: share.default(0.1).describe('10 % in STE (Wang et al. 2024)'),
      }),
    ])
    .optional(),
});

const updateWeights = z.strictObject({
  slot: z.literal('weights'),
  op: z
    .enum(['train', 'average', 'export', 'reset'])
    .default('train')
    .describe('average: the mean of trained candidates’ weights (model soups, Wortsman et al. 2022)'),
  soup: z
    .enum(['uniform', 'greedy'])
    .default('uniform')
    .describe('op average: all of them, or from the best on, each only if the mean is no worse with it'),
  of: count(64).default(5).describe('op average: the newest so many of the archive and of this round'),
  tasks: count(100_000).default(64).describe('op average, greedy: fresh train tasks it is chosen by'),
  from: z
    .enum(['inUse', 'base'])
    .default('inUse')
    .describe('base: training begins at the provider’s own weights each round (STaR)'),
  learningRate: z.number().positive().max(1).default(1e-3),
  epochs: count(100).default(1),
  beta: z.number().positive().max(10).default(0.1).describe('DPO: how strongly to stay near the start'),
  nllWeight: z
    .number()
    .min(0)
    .max(10)
    .default(0.2)
    .describe('DPO: weight of the likelihood of the chosen answer'),
  file: z.string().min(1).max(500).optional().describe('op export: where the data set is written'),
});

const updateInstruction = z.strictObject({
  slot: z.literal('instruction'),
  op: z.enum(['set', 'patch']).default('set').describe('patch: appends what was distilled'),
  maxItems: count(100).default(5).describe('op patch'),
});

const updateDemonstrations = z.strictObject({
  slot: z.literal('demonstrations'),
  op: z.enum(['set', 'insert', 'reset']).default('set'),
  k: count(64).default(4),
  pick: z
    .enum(['best', 'diverse', 'random'])
    .default('best')
    .describe('best: highest score, then shortest; diverse: k-center'),
});

const updateMemory = z.strictObject({
  slot: z.literal('memory'),
  op: z
    .enum(['insert', 'patch', 'merge', 'decay', 'forget', 'reset'])
    .default('insert')
    .describe('patch: also counts what helped and what harmed (ACE)'),
  maxItems: count(10_000).default(100).describe('the least useful and oldest are forgotten (TRAN keeps 100)'),
  maxOverlap: share.default(0.9).describe('an item this like one that is there is merged into it'),
  halfLife: z
    .number()
    .positive()
    .max(1000)
    .default(5)
    .describe('op decay: rounds until an unused item counts half'),
  minWorth: z
    .number()
    .min(-100)
    .max(100)
    .default(0.25)
    .describe('ops decay, forget: 1 + helpful - harmful an item must have'),
});

const updateScratch = z.strictObject({
  slot: z.literal('scratch'),
  op: z.enum(['insert', 'set', 'reset']).default('insert'),
  keepLast: count(100).default(3).describe('Reflexion keeps 3'),
});

const updateWorkflow = z.strictObject({
  slot: z.literal('workflow'),
  op: z.enum(['set', 'reset']).default('set'),
});

const updateJudge = z.strictObject({
  slot: z.literal('judge'),
  op: z.literal('set').default('set'),
  rubric: z.string().min(1).max(10_000),
  model: modelName.optional(),
});

export const update = z.discriminatedUnion('slot', [
  updateWeights,
  updateInstruction,
  updateDemonstrations,
  updateMemory,
  updateScratch,
  updateWorkflow,
  updateJudge,
]);
