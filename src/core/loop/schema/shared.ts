/** Owns the small schemas that several operators share. Deliberately knows no operator. */
import * as z from 'zod';
import { metrics } from '../../model/metric.ts';

export const share = z.number().min(0).max(1);
export const count = (max: number) => z.number().int().min(1).max(max);
export const temperature = z.number().min(0).max(2);
export const maxTokens = count(32_768);

/** A provider's id, or "provider/model", or both apart. */
export const modelName = z.union([
  z.string().min(1).max(200),
  z
    .strictObject({ provider: z.string().min(1).max(100), model: z.string().min(1).max(200) })
    .transform(({ provider, model }) => `${provider}/${model}`),
]);

/** A keep rule such as ">= 1", "> 0.5" or "<= 0.7". */
export const keepRule = z
  .string()
  .regex(/^\s*(>=|>|<=|<)\s*\d+(\.\d+)?\s*$/, 'write a rule such as ">= 1" or "> 0.5"');

/** Both ends included. */
export const band = z
  .tuple([share, share])
  .refine(([low, high]) => low <= high, 'the first bound is the lower one');

/** How an answer is graded against its task's reference. */
export const metricName = z.enum(metrics);

/** Absent: as the recipe's `mode` says. */
export const batch = z
  .boolean()
  .optional()
  .describe("ask by the provider's batch: cheaper, and answered within a day");
