/** Owns how near answers are to their references by embeddings. Deliberately leaves a text that got no vector unscored. */
import { cosine } from '../../measure/vectors.ts';
import type { StepContext } from '../stepContext.ts';
import type { Gradable } from './grading.ts';

export interface Likeness {
  /** Cosine of the angle, in [0, 1]; opposite meanings are 0. Null where a text got no vector. */
  readonly score: number | null;
  readonly reason: string;
}

/** In the order of the items; an answer that is missing is as far from its reference as can be. */
export async function likenessOf(
  context: StepContext,
  items: readonly Gradable[],
): Promise<readonly Likeness[]> {
  const { embedder } = context.run.recipe;
  if (embedder === null)
    throw new RangeError('The check of the recipe lets no likeness through without an embedder.');
  const texts = new Set<string>();
  for (const { task, solution } of items)
    if (solution.answer !== null && task.reference !== undefined) {
      texts.add(solution.answer);
      texts.add(task.reference);
    }
  const all = [...texts].filter((text) => text.trim() !== '');
  const vectors = await context.embed(all, embedder);
  const known = new Map(all.map((text, index) => [text, vectors[index] ?? null]));
  return items.map(({ task, solution }): Likeness => {
    if (solution.failure !== null) return { score: 0, reason: `no answer: ${solution.failure}` };
    if (task.reference === undefined)
      return { score: 0, reason: 'the task has no reference to compare with' };
    if (solution.answer === null) return { score: 0, reason: 'no answer was found in the output' };
    const answer = known.get(solution.answer) ?? null;
    const reference = known.get(task.reference) ?? null;
    if (answer === null || reference === null) return { score: null, reason: 'a text got no vector' };
    const score = Math.max(0, cosine(answer, reference));
    return { score, reason: `${score.toFixed(3)} like the reference by ${embedder}` };
  });
}
