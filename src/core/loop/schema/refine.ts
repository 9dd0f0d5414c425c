/** Owns what `select` and `revise` can be told. */
import * as z from 'zod';
import { band, batch, count, keepRule, maxTokens, share, temperature } from './shared.ts';

const selectSolutions = z.strictObject({
  over: z.literal('solutions'),
  policy: z
    .enum(['threshold', 'band', 'top', 'majority', 'distinct', 'extremes', 'softmax', 'tournament'])
    .default('threshold'),
  keep: keepRule.default('>= 1').describe('threshold, distinct: on a score in [0, 1]'),
  band: band.default([0.3, 0.8]).describe('band: on a score in [0, 1]'),
  k: count(1000).default(1).describe('top, softmax, tournament: solutions kept of each task'),
  size: count(64).default(2).describe('tournament: how many meet'),
  by: z
    .enum(['answer', 'output', 'equations'])
    .default('answer')
    .describe('distinct: what must differ; equations as in RFT (Yuan et al. 2023)'),
  maxEntropy: z
    .number()
    .min(0)
    .max(10)
    .optional()
    .describe('majority: most bits of entropy of a task’s answers (MoT, Li and Qiu 2023)'),
  temperature: z.number().positive().max(10).default(0.2).describe('softmax'),
});

const selectTasks = z.strictObject({
  over: z.literal('tasks'),
  policy: z.enum(['threshold', 'band', 'top', 'distinct', 'kCenter', 'sample']).default('band'),
  keep: keepRule.default('>= 0.5').describe('threshold: on the score the task was given'),
  band: band.default([0.3, 0.8]).describe('band: share of its solutions that are right (R-Zero)'),
  k: count(100_000).default(100).describe('top, kCenter, sample: tasks kept'),
  maxOverlap: share.default(0.7).describe('distinct: ROUGE-L with any task kept before (Self-Instruct)'),
});

const selectKnowledge = z.strictObject({
  over: z.literal('knowledge'),
  policy: z.enum(['top', 'distinct']).default('top'),
  k: count(1000).default(10),
  maxOverlap: share.default(0.7),
});

const selectTop = z.strictObject({
  over: z.literal('candidates'),
  policy: z.literal('top'),
  k: count(64).default(1),
});

const selectParents = z.strictObject({
  over: z.literal('candidates'),
  policy: z
    .enum(['pareto', 'tournament', 'softmax'])
    .describe('draws the parents of the next drafts from the archive'),
  k: count(64).default(1),
  size: count(64).default(4).describe('tournament: how many meet'),
  temperature: z.number().positive().max(10).default(0.2).describe('softmax'),
});

const selectStrictly = z.strictObject({
  over: z.literal('candidates'),
  policy: z
    .literal('strictlyBetter')
    .describe('drops what does not beat its parent on the same tasks (GEPA)'),
});

const selectGate = z.strictObject({
  over: z.literal('candidates'),
  policy: z.literal('gate'),
  confidence: z.number().min(0.5).max(0.999).default(0.95),
  maxRegressions: share
    .optional()
    .describe('most tasks, as a share, that the one in use solves and the new one does not'),
  maxLoss: share
    .default(0.02)
    .describe('with data.regression: how far its mean score may fall; data.canary may lose no task at all'),
});

export const select = z.union([
  selectSolutions,
  selectTasks,
  selectKnowledge,
  z.discriminatedUnion('policy', [selectTop, selectParents, selectStrictly, selectGate]),
]);

const reviseInstructionByEdit = z.strictObject({
  over: z.literal('instruction'),
  mode: z.literal('edit').default('edit'),
  edits: z
    .array(z.enum(['delete', 'swap', 'add', 'substitute']))
    .min(1)
    .default(['delete', 'swap', 'add', 'substitute']),
  n: count(256).default(8).describe('drafts made each round'),
  phrases: z.array(z.string().min(1).max(500)).max(1000).default([]).describe('phrases that may be added'),
});

/**
 * Drafts of a prompt by a model: Promptbreeder (Fernando et al. 2023), EvoPrompt (Guo et al. 2023), GEPA (Agrawal et al.
 * 2025), OPRO (Yang et al. 2023), GrIPS (Prasad et al. 2023).
 */
export const mutations = [
  'reflect',
  'firstOrder',
  'zeroOrder',
  'lineage',
  'trajectory',
  'hyper',
  'crossover',
  'differential',
  'merge',
  'paraphrase',
] as const;

const reviseInstructionByModel = z.strictObject({
  over: z.literal('instruction'),
  mode: z.enum(mutations),
  n: count(256).default(4).describe('drafts made each round'),
  evidence: count(50)
    .default(3)
    .describe('reflect: experiences shown, failures first (GEPA); trajectory: tasks shown (OPRO)'),
  history: count(100)
    .default(20)
    .describe(
      'trajectory: earlier instructions shown with their scores (OPRO); lineage: most ancestors shown (Promptbreeder)',
    ),
  temperature: temperature.default(1),
  maxTokens: maxTokens.default(2048),
  batch,
});

const reviseSolutions = z.strictObject({
  over: z.literal('solutions'),
  mode: z
    .enum(['critique', 'critiqueFree', 'hint', 'restate'])
    .default('critique')
    .describe(
      'critique: by what was said of it; critiqueFree: at a second look; hint: with the reference in sight (STaR); restate: in own words (SDFT)',
    ),
  only: z.enum(['all', 'failures']).default('failures'),
  temperature: temperature.default(0),
  maxTokens: maxTokens.default(1024),
  batch,
  history: z.enum(['last', 'all']).default('last').describe('critique: earlier attempts shown'),
});

const reviseText = z.strictObject({
  over: z.enum(['tasks', 'knowledge', 'workflow']),
  mode: z
    .enum(['critique', 'critiqueFree', 'restate'])
    .default('restate')
    .describe(
      'critique: by what was said of it, and the attempts that failed with it; critiqueFree: better, at a second look; restate: in own words',
    ),
  only: z
    .enum(['all', 'failures'])
    .default('all')
    .describe(
      'failures: tasks none of whose attempts is right, items that did more harm than good, a workflow while something is unsolved',
    ),
  temperature: temperature.default(0),
  maxTokens: maxTokens.default(1024),
  batch,
});

export const revise = z.union([
  reviseInstructionByEdit,
  reviseInstructionByModel,
  reviseSolutions,
  reviseText,
]);
