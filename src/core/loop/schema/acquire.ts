/** Owns what `propose`, `solve` and `assess` can be told. Defaults are those of the method a comment names. */
import * as z from 'zod';
import { batch, count, maxTokens, metricName, modelName, share, temperature } from './shared.ts';

/** How a parent task is rewritten: Evol-Instruct (Xu et al. 2023), and inversion as in MetaMath (Yu et al. 2023). */
export const evolveModes = [
  'constrain',
  'deepen',
  'concretize',
  'addSteps',
  'breadth',
  'rephrase',
  'invert',
] as const;

export const propose = z.strictObject({
  source: z
    .enum(['pool', 'parent', 'document', 'topic', 'failures', 'empty', 'selfChallenging'])
    .default('pool')
    .describe(
      'what a new task grows from; selfChallenging: tasks with an answer that independent solves confirm',
    ),
  n: count(10_000)
    .default(8)
    .describe('calls made; for each parent, document, topic or failure where there are such'),
  each: count(20).default(1).describe('tasks asked for in one call'),
  modes: z
    .array(z.enum(evolveModes))
    .min(1)
    .default(['constrain', 'deepen', 'concretize', 'addSteps', 'breadth'])
    .describe('source parent: one is drawn for each rewrite'),
  addWords: z
    .tuple([count(1000), count(1000)])
    .default([10, 20])
    .describe('source parent: words a rewrite may add'),
  shots: z
    .strictObject({ own: count(50).default(6), made: z.number().int().min(0).max(50).default(2) })
    .default({ own: 6, made: 2 })
    .describe(
      'source pool: tasks shown, the data’s own and those made earlier (Self-Instruct, Wang et al. 2022); selfChallenging: those made earlier',
    ),
  topics: z.array(z.string().min(1).max(500)).max(1000).default([]),
  reference: z.boolean().default(true).describe('also ask for the answer, as the reference'),
  hide: z.boolean().default(true).describe('source document: the solver does not see the document (SPICE)'),
  solves: count(25)
    .default(5)
    .describe('source selfChallenging: solves of each new task, which do not see its answer'),
  agree: z
    .number()
    .min(0.5)
    .max(1)
    .default(0.5)
    .describe('source selfChallenging: share of the solves that must come to it; always more than half'),
  temperature: temperature.default(0.7),
  maxTokens: maxTokens.default(1024),
  into: z.enum(['add', 'replace']).default('add').describe('beside the round’s tasks, or instead of them'),
  batch,
});

export const contextKinds = ['memory', 'principles', 'scratch', 'workflow', 'demonstrations'] as const;

export const solve = z.strictObject({
  n: count(64).default(1).describe('solutions drawn for each task'),
  temperature: temperature.default(1).describe('0 is greedy'),
  maxTokens: maxTokens.default(512).describe('longest answer, in tokens'),
  style: z.enum(['plain', 'cot']).default('plain').describe('cot asks for the reasoning before the answer'),
  context: z
    .array(z.enum(contextKinds))
    .default(['memory', 'scratch', 'workflow', 'demonstrations'])
    .describe('what of the candidate is in the prompt beside its instruction'),
  recall: count(100).default(1).describe('memory items retrieved for a task; 1 was best in ReasoningBank'),
  negated: z
    .union([z.boolean(), z.string().min(1).max(2000)])
    .default(false)
    .describe('ask for a bad answer on purpose (RLCD, Yang et al. 2023); a text says how'),
  roles: z
    .array(
      z.strictObject({ name: z.string().min(1).max(100), instruction: z.string().max(10_000).default('') }),
    )
    .max(8)
    .default([])
    .describe('two or more talk with each other; the last one answers'),
  tools: z
    .array(z.enum(['calculator', 'lookup']))
    .default([])
    .describe('calculator: exact arithmetic; lookup: finds lines in the task’s context'),
  search: z
    .strictObject({
      breadth: count(20).default(3).describe('next steps tried from each prefix'),
      depth: count(50).default(6).describe('steps of a solution at most'),
      expansions: count(500).default(12).describe('prefixes taken further at most, in all'),
    })
    .optional()
    .describe('search over prefixes, the most promising first (Tree of Thoughts, Yao et al. 2023)'),
  maxTurns: count(50).default(6).describe('most turns with roles or tools'),
  prior: z.boolean().default(false).describe('show the newest attempt at the task with what was said of it'),
  only: z
    .enum(['all', 'failures'])
    .default('all')
    .describe('failures: tasks whose newest solutions all miss'),
  into: z.enum(['replace', 'add']).default('replace').describe('add: beside the solutions there are'),
  by: z
    .enum(['inUse', 'newest'])
    .default('inUse')
    .describe('newest: the candidate this round made last, not yet decided on (Reflexion’s next attempt)'),
  batch,
});

export const assess = z.strictObject({
  on: z.enum(['solutions', 'tasks']).default('solutions'),
  source: z
    .enum([
      'metric',
      'vote',
      'backward',
      'judge',
      'pairs',
      'logProbability',
      'human',
      'environment',
      'dualExecution',
    ])
    .default('metric')
    .describe(
      'who judges; logProbability: how likely the model says yes to its own answer; environment and dualExecution run code, which needs a sandbox',
    ),
  metric: metricName.optional().describe("defaults to the objective's metric"),
  rubric: z
    .union([z.string().min(1).max(10_000), z.array(z.string().min(1).max(2000)).min(1).max(100)])
    .default('Is the answer correct, complete and clear?')
    .describe('what a judge looks for'),
  pickOne: z
    .boolean()
    .default(false)
    .describe('draw one line of the rubric for each item (Constitutional AI)'),
  scale: count(100).default(10).describe('a judge gives 0 to this'),
  critique: z.boolean().default(false).describe('the judge also says what to do better'),
  votes: count(25).default(1).describe('judgements of each item; their mean counts'),
  swap: z.boolean().default(true).describe('source pairs: also in the other order; disagreement is a tie'),
  panel: z.array(modelName).max(8).default([]).describe('models that judge; the run’s own when empty'),
  temperature: temperature.default(0),
  maxTokens: maxTokens.default(512),
  batch,
  audit: share
    .default(0)
    .describe('source human: share of the items a person must judge before the run goes on'),
});
