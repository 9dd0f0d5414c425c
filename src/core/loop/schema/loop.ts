/** Owns what a loop within a round can be told. Its steps are read where every step is (parseRecipe.ts). */
import * as z from 'zod';
import { count } from './shared.ts';

export const loopParameters = z.strictObject({
  as: z
    .string()
    .regex(/^[A-Za-z][\w-]{0,60}$/, 'a name is a letter followed by letters, digits, "-" or "_"')
    .optional(),
  loop: z.strictObject({
    max: count(100).default(4).describe('turns at most; Self-Refine takes 4'),
    until: z.enum(['solved', 'unchanged', 'never']).default('solved'),
    do: z.array(z.unknown()).min(1).max(50),
  }),
});
