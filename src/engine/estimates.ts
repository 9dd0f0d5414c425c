/**
 * Owns what a recipe's run is expected to use in this workspace: the rehearsal is the core's, what its model used before is
 * read from the newest runs that asked it. Deliberately asks no model.
 */
import { EngineError } from '../client/connection.ts';
import { estimateRun, type UsageHistory } from '../core/loop/estimate.ts';
import { readAccount } from '../core/loop/journal.ts';
import { parseRecipe } from '../core/loop/parseRecipe.ts';
import { operatorSteps } from '../core/loop/recipe.ts';
import type { ModelPrice } from '../core/measure/prices.ts';
import type { StepUsage } from '../core/model/effect.ts';
import type { RunEstimate } from '../core/model/estimate.ts';
import { ProviderError, type Store } from '../core/ports.ts';
import type { ServicesOfRun } from './services.ts';

/** Newest runs of a model whose usage is looked at, and how many runs are looked through for them. */
const runsMeasured = 3;
const runsLookedAt = 50;

/** Throws EngineError for a text that is no recipe, DataError for data that cannot be used. */
export async function estimateFor(
  text: string,
  store: Store,
  services: Pick<ServicesOfRun, 'model' | 'files'>,
): Promise<RunEstimate> {
  const { recipe, problems } = parseRecipe(text);
  if (recipe === null) throw new EngineError('invalid', problems[0]?.message ?? 'This is no recipe yet.');
  const { name, price } = await modelOf(recipe.model, services);
  const priceOf = async (provider: string) => (await modelOf(provider, services)).price;
  return estimateRun(recipe, services.files, price, await historyOf(store, name), priceOf);
}

/** A provider that is not set up yet has a price nobody knows; that is no reason not to count calls. */
async function modelOf(
  provider: string,
  { model }: Pick<ServicesOfRun, 'model'>,
): Promise<{ readonly name: string; readonly price: ModelPrice | null }> {
  try {
    const { name, price } = await model(provider);
    return { name, price: price ?? null };
  } catch (error) {
    if (error instanceof ProviderError) return { name: provider, price: null };
    throw error;
  }
}

async function historyOf(store: Store, model: string): Promise<UsageHistory> {
  const operators = new Map<string, Omit<StepUsage, 'step'>>();
  const pace = { ms: 0, calls: 0 };
  let measured = 0;
  for (const { id, status, calls } of (await store.runs()).slice(0, runsLookedAt)) {
    if (measured >= runsMeasured) break;
    if (calls === 0 || status === 'running') continue;
    const { sessions, charged } = await readAccount(store, id);
    if (sessions.at(-1)?.model !== model) continue;
    measured += 1;
    pace.ms += charged.ms;
    pace.calls += calls;
    const recipe = parseRecipe((await store.run(id))?.recipeText ?? '').recipe;
    const operatorOf = new Map<string, string>(
      operatorSteps(recipe?.steps ?? []).map(({ path, operator }) => [path, operator]),
    );
    for (const { step, ...usage } of await store.usageBySteps(id)) {
      const operator = operatorOf.get(step) ?? 'test';
      operators.set(operator, added(operators.get(operator), usage));
    }
  }
  return { operators, msPerCall: pace.calls === 0 || pace.ms === 0 ? null : pace.ms / pace.calls };
}

function added(
  before: Omit<StepUsage, 'step'> | undefined,
  more: Omit<StepUsage, 'step'>,
): Omit<StepUsage, 'step'> {
  if (before === undefined) return more;
  return {
    calls: before.calls + more.calls,
    input: before.input + more.input,
    output: before.output + more.output,
    outputSquares: before.outputSquares + more.outputSquares,
    ms: before.ms + more.ms,
  };
}
