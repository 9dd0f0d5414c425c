/** Owns what `evaluate` and `retarget` can be told. */
import * as z from 'zod';
import { band, batch, count, maxTokens, temperature } from './shared.ts';

export const evaluate = z.strictObject({
  suite: z
    .enum(['train', 'dev', 'regression', 'canary'])
    .default('dev')
    .describe(
      'regression and canary: tasks that must not get worse, which the gate also scores by itself; the test suite is sealed and scored at the end',
    ),
  temperature: temperature.default(0),
  maxTokens: maxTokens.default(512),
  fresh: count(1_000_000)
    .optional()
    .describe('draw this many tasks nobody in this round has seen (suite train only)'),
  sample: count(1_000_000)
    .optional()
    .describe('only this many tasks of the suite, the same for all of a round'),
  repeats: count(32).default(1).describe('answers to each task; its mean counts, pass@k is shown beside it'),
  passAt: count(32)
    .optional()
    .describe(
      'a task counts as how likely one of so many of its repeats is right (pass@k, Chen et al. 2021)',
    ),
  style: z.enum(['plain', 'cot']).default('plain'),
  recall: count(100).default(1).describe('memory items retrieved for a task'),
  batch,
  report: z.boolean().default(false).describe('also groups the failures and says what they share'),
});

export const retarget = z.strictObject({
  policy: z
    .enum(['fixed', 'ratchet', 'band', 'weakness', 'split'])
    .default('fixed')
    .describe('what the next round aims at'),
  raise: z.number().min(0).max(1).default(0.1).describe('ratchet: the threshold rises by this (ReST)'),
  from: z.number().min(0).max(1).default(0.5).describe('ratchet: the threshold of the first round'),
  most: z.number().min(0).max(1).default(1).describe('ratchet: the highest threshold'),
  band: band.default([0.3, 0.8]).describe('band: solve rates the next round’s tasks keep (R-Zero)'),
  children: count(10).default(3).describe('weakness, split: how many parts'),
  autonomy: z
    .enum(['low', 'medium', 'high'])
    .default('medium')
    .describe(
      'medium: a person says yes before the objective changes; low: before any aim does; high: never (law 9)',
    ),
  temperature: temperature.default(0),
  maxTokens: maxTokens.default(1024),
});
