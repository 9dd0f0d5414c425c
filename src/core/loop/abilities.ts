/**
 * Owns asking, before anything is spent, whether the models a recipe names can do what its steps will need of them:
 * embeddings and log-probabilities. Deliberately asks nothing of a model itself.
 */
import { ProviderError } from '../ports.ts';
import { operatorSteps, type Recipe } from './recipe.ts';
import type { RunContext } from './stepContext.ts';

/** Whether anything of the recipe measures likeness by vectors. */
export function usesEmbeddings({ objective, retrieval, steps }: Recipe): boolean {
  return (
    objective.metric === 'embedding' ||
    retrieval === 'embedding' ||
    operatorSteps(steps).some((step) => step.operator === 'assess' && step.with.metric === 'embedding')
  );
}

/** Throws ProviderError with one sentence where a model cannot. */
export async function requireAbilities(run: RunContext): Promise<void> {
  const { recipe, model } = run;
  if (recipe.embedder !== null && usesEmbeddings(recipe)) await run.embeddingsOf(recipe.embedder);
  const logs = operatorSteps(recipe.steps).some(
    (step) => step.operator === 'assess' && step.with.source === 'logProbability',
  );
  if (logs && model.givesLogprobs !== true)
    throw new ProviderError(
      `${model.name} gives no log-probabilities; assess by a judge, or use a model behind an OpenAI-compatible endpoint.`,
    );
}
