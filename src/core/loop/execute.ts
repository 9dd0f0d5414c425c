/**
 * Owns a run's life: begun, paused, resumed, ended, each written durably before it is told.
 * Deliberately the one place where an error becomes how a run ended; a single task's failure never gets here.
 */
import type { EventBody } from '../model/event.ts';
import { hashOf } from '../measure/hash.ts';
import { asId, type RunId } from '../model/ids.ts';
import type { RecipeProblem } from '../model/recipeView.ts';
import type { RunStatus } from '../model/views.ts';
import { DataError, ProviderError, StoreError } from '../ports.ts';
import { SealedTaskError } from '../update/pack.ts';
import { createBudget } from './budget.ts';
import { turnWheel } from './engine.ts';
import { Halted } from './halt.ts';
import { createLedger } from './ledger.ts';
import { parseRecipe } from './parseRecipe.ts';
import type { Recipe } from './recipe.ts';
import type { RunControl, RunEnd, RunServices } from './services.ts';
import { loadTaskSets } from './taskSets.ts';

/** A recipe that cannot run; nothing was begun. */
export class RecipeError extends Error {
  override readonly name = 'RecipeError';
  readonly problems: readonly RecipeProblem[];
  constructor(problems: readonly RecipeProblem[]) {
    super(
      problems[0] === undefined
        ? 'The recipe cannot run.'
        : `Line ${problems[0].line}: ${problems[0].message}`,
    );
    this.problems = problems;
  }
}

export interface BegunRun {
  readonly runId: RunId;
  /** Resolves when the run stands still or ends; rejects only when that could not be made durable (StoreError). */
  readonly end: Promise<RunEnd>;
}

/** Throws RecipeError when the text has problems, StoreError when the run cannot be recorded. */
export async function beginRun(
  request: { readonly recipePath: string; readonly recipeText: string; readonly seed?: number | undefined },
  services: RunServices,
  control: RunControl,
): Promise<BegunRun> {
  const { recipe, problems } = parseRecipe(request.recipeText);
  if (recipe === null) throw new RecipeError(problems);
  const seed = request.seed ?? recipe.seed;
  const startedAt = services.clock.now();
  const runId = asId<RunId>(hashOf([request.recipePath, request.recipeText, seed, startedAt]).slice(0, 16));
  await services.store.createRun({
    id: runId,
    recipeName: recipe.name,
    recipePath: request.recipePath,
    recipeText: request.recipeText,
    seed,
    rounds: recipe.rounds,
    arms: recipe.controlWithout === null ? ['main'] : ['main', 'control'],
    startedAt,
  });
  return { runId, end: execute(runId, recipe, seed, services, control) };
}

/** Goes on where the run stood: over the same ledger, from the start, paying nothing that was settled. */
export async function resumeRun(
  request: { readonly runId: RunId; readonly recipeText: string; readonly seed: number },
  services: RunServices,
  control: RunControl,
): Promise<BegunRun> {
  const { recipe, problems } = parseRecipe(request.recipeText);
  if (recipe === null) throw new RecipeError(problems);
  const spent = await services.store.spent(request.runId);
  await say(request.runId, services, { kind: 'runResumed', recovered: spent.calls }, 'running', '');
  return { runId: request.runId, end: execute(request.runId, recipe, request.seed, services, control) };
}

async function execute(
  id: RunId,
  recipe: Recipe,
  seed: number,
  services: RunServices,
  control: RunControl,
): Promise<RunEnd> {
  let end: RunEnd;
  try {
    const model = await services.model(recipe.model);
    const sets = await loadTaskSets(recipe, seed, services.files);
    const spent = await services.store.spent(id);
    const budget = createBudget(recipe.budget, spent, services.clock, model.price ?? null);
    const ledger = createLedger({ id, model }, services, budget, control);
    const message = await turnWheel({ id, recipe, seed, model, sets, ledger, services, control });
    end = { kind: 'done', message };
  } catch (error) {
    end = endOf(error, services);
  }
  await recordEnd(id, services, end);
  return end;
}

function endOf(error: unknown, services: RunServices): RunEnd {
  if (error instanceof Halted) return { kind: error.kind, message: error.message };
  if (error instanceof ProviderError) return { kind: 'provider', message: error.message };
  if (error instanceof DataError || error instanceof SealedTaskError)
    return { kind: 'failed', message: error.message };
  services.log.error('A run ended with an error.', error);
  if (error instanceof StoreError) throw error;
  const message = error instanceof Error ? error.message : String(error);
  return { kind: 'failed', message: `The run stopped on an unexpected error: ${message}` };
}

async function recordEnd(id: RunId, services: RunServices, end: RunEnd): Promise<void> {
  const { kind, message } = end;
  const resumable = kind === 'paused' || kind === 'provider';
  const status: RunStatus = resumable ? 'paused' : kind;
  const event: EventBody = resumable
    ? { kind: 'runPaused', reason: message }
    : { kind: 'runEnded', outcome: kind, message };
  await say(id, services, event, status, message);
}

async function say(
  id: RunId,
  services: RunServices,
  event: EventBody,
  status: RunStatus,
  message: string,
): Promise<void> {
  const at = { arm: 'main', round: 0, step: '' } as const;
  const stored = await services.store.commit({
    runId: id,
    events: [{ ...event, at }],
    status: { status, message },
  });
  services.onEvents(stored);
}
