/** Owns which retrieval a run uses over a memory: by words, or by vectors where the recipe names an embedder. */
import { recallFrom, recallNear, type Recall } from '../../measure/retrieve.ts';
import type { Knowledge } from '../../model/knowledge.ts';
import type { Task } from '../../model/task.ts';
import type { StepContext } from '../stepContext.ts';

/** For these tasks only, as their vectors are asked for together. */
export async function recallOf(
  context: StepContext,
  memory: readonly Knowledge[],
  tasks: readonly Task[],
): Promise<Recall> {
  const { retrieval, embedder } = context.run.recipe;
  if (retrieval === 'words' || embedder === null || memory.length === 0) return recallFrom(memory);
  const texts = [...new Set([...memory.map(({ text }) => text), ...tasks.map(({ input }) => input)])];
  const asked = texts.filter((text) => text.trim() !== '');
  const vectors = await context.embed(asked, embedder);
  const known = new Map(asked.map((text, index) => [text, vectors[index] ?? null]));
  return recallNear(memory, (text) => known.get(text) ?? null);
}
