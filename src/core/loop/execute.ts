/**
 * Owns a run's life: begun, paused, resumed, ended, each written durably before it is told.
 * Deliberately the one place where an error becomes how a run ended; a single task's failure never gets here.
 */
import type { EventBody } from '../model/event.ts';
import { hashOf } from '../measure/hash.ts';
import { asId, type RunId } from '../model/ids.ts';
import type { RecipeProblem } from '../model/recipeView.ts';
import type { EffectRecord } from '../model/effect.ts';
import type { RunStatus } from '../model/views.ts';
import { DataError, ProviderError, StoreError } from '../ports.ts';
import { SealedTaskError } from '../update/pack.ts';
import { behaviour } from './behaviour.ts';
import { embeddingModel } from './embed.ts';
import { turnWheel } from './engine.ts';
import { Halted } from './halt.ts';
import { type Account, type Caps, nothingCharged, type Origin, readAccount } from './journal.ts';
import { openLedger } from './ledger.ts';
import { parseRecipe } from './parseRecipe.ts';
import type { Recipe } from './recipe.ts';
import type { RunControl, RunEnd, RunServices } from './services.ts';
import type { RecipeEra } from './stepContext.ts';
import { loadTaskSets, type TaskSets } from './taskSets.ts';

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

/** The run was begun with another recipe, or by an engine that behaved otherwise: a person decides what becomes of it. */
export class ChangedError extends Error {
  override readonly name = 'ChangedError';
}

export interface BegunRun {
  readonly runId: RunId;
  /** Resolves when the run stands still or ends; rejects only when that could not be made durable (StoreError). */
  readonly end: Promise<RunEnd>;
}

export interface BeginRequest {
  readonly recipePath: string;
  readonly recipeText: string;
  readonly seed?: number | undefined;
  /** Over those of the recipe. */
  readonly caps?: Caps | undefined;
  /** Whether answers of earlier runs are taken, where it is not what the recipe says. */
  readonly cache?: boolean | undefined;
  /** The run this is a branch of; rounds up to `through` are its own, with its recipe. */
  readonly branch?: Branch | undefined;
}

export interface Branch {
  readonly runId: RunId;
  /** The last round that is the origin's; its recipe holds till there. */
  readonly through: number;
  readonly recipeText: string;
  /** True to ask what failed there once more. */
  readonly retryFailed: boolean;
}

/** Throws RecipeError when the text has problems, StoreError when the run cannot be recorded. */
export async function beginRun(
  request: BeginRequest,
  services: RunServices,
  control: RunControl,
): Promise<BegunRun> {
  const { recipe, problems } = parseRecipe(request.recipeText);
  if (recipe === null) throw new RecipeError(problems);
  const { branch } = request;
  const { origin, attempts } = branch === undefined ? fresh : await originOf(branch, services);
  const seed = request.seed ?? recipe.seed;
  const startedAt = services.clock.now();
  const identity = [request.recipePath, request.recipeText, seed, startedAt];
  const runId = asId<RunId>(
    hashOf(origin === null ? identity : [...identity, origin.runId, origin.through]).slice(0, 16),
  );
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
  const begin = {
    id: runId,
    recipe,
    recipeText: request.recipeText,
    seed,
    caps: { ...recipe.budget, ...request.caps },
    origin,
    attempts,
    cache: request.cache ?? recipe.cache,
    account: noAccount,
  };
  return begun(runId, execute(begin, services, control));
}

const noAccount: Account = { sessions: [], charged: nothingCharged, open: 0 };

const fresh = { origin: null, attempts: 0 };

/** A branch of a branch has the recipes of both in their rounds. */
async function originOf(
  { runId, through, recipeText, retryFailed }: Branch,
  { store }: RunServices,
): Promise<{ readonly origin: Origin; readonly attempts: number }> {
  const last = (await readAccount(store, runId)).sessions.at(-1);
  const earlier = (last?.origin?.eras ?? []).filter((era) => era.through < through);
  const eras = [...earlier, { through, recipeText }];
  return { origin: { runId, through, eras }, attempts: (last?.attempts ?? 0) + (retryFailed ? 1 : 0) };
}

export interface ResumeRequest {
  readonly runId: RunId;
  readonly recipeText: string;
  readonly seed: number;
  /** Over those the run was under so far. */
  readonly caps?: Caps | undefined;
  /** True when a person wants it to go on although the engine behaves otherwise now. */
  readonly despiteChange?: boolean | undefined;
}

/**
 * Goes on where the run stood: over the same ledger, from the start, paying nothing that was settled. Throws ChangedError
 * when the engine has come to behave otherwise since the run began, and nobody said that it may go on.
 */
export async function resumeRun(
  request: ResumeRequest,
  services: RunServices,
  control: RunControl,
): Promise<BegunRun> {
  const { runId, recipeText, seed } = request;
  const { recipe, problems } = parseRecipe(recipeText);
  if (recipe === null) throw new RecipeError(problems);
  const account = await readAccount(services.store, runId);
  const last = account.sessions.at(-1);
  if (last !== undefined && last.behaviour !== behaviour && request.despiteChange !== true)
    throw new ChangedError(
      `This run was begun by Ratchet ${last.engine}, which decided differently; going on would mix the two.`,
    );
  const sets = await loadTaskSets(recipe, seed, services.files);
  if (last !== undefined && last.data !== dataHash(sets) && request.despiteChange !== true)
    throw new ChangedError('The data of this run has changed since it began; going on would mix the two.');
  const spent = await services.store.spent(runId);
  const resumed = { kind: 'runResumed', recovered: spent.calls, repeated: account.open } as const;
  await say(runId, services, resumed, 'running', '');
  const resume = {
    id: runId,
    recipe,
    recipeText,
    seed,
    caps: { ...(last?.caps ?? recipe.budget), ...request.caps },
    origin: last?.origin ?? null,
    attempts: last?.attempts ?? 0,
    cache: last?.cache ?? recipe.cache,
    account,
  };
  return begun(runId, execute(resume, services, control));
}

/** Whoever began the run may look at its end only later: until then a failure to save must not end the process. */
function begun(runId: RunId, end: Promise<RunEnd>): BegunRun {
  end.catch(() => undefined);
  return { runId, end };
}

interface Execution {
  readonly id: RunId;
  readonly recipe: Recipe;
  readonly recipeText: string;
  readonly seed: number;
  readonly caps: Caps;
  readonly origin: Origin | null;
  readonly attempts: number;
  readonly cache: boolean;
  /** As the sessions before have left it. */
  readonly account: Account;
}

async function execute(execution: Execution, services: RunServices, control: RunControl): Promise<RunEnd> {
  let end: RunEnd;
  let asked: EffectRecord | null = null;
  try {
    end = { kind: 'done', message: await turn(execution, services, control) };
  } catch (error) {
    end = endOf(error, services);
    if (error instanceof Halted) ({ asked } = error);
  }
  await recordEnd(execution.id, services, end);
  if (asked !== null) await services.store.settleEffects(execution.id, [asked]);
  return end;
}

async function turn(execution: Execution, services: RunServices, control: RunControl): Promise<string> {
  const { id, recipe, recipeText, seed, caps, origin, attempts, cache, account } = execution;
  const model = await services.model(recipe.model);
  const sets = await loadTaskSets(recipe, seed, services.files);
  const eras = await erasOf(origin, seed, services);
  const facts = { recipe: hashOf(recipeText), data: dataHash(sets), caps, origin, attempts, cache };
  const ledger = await openLedger({ id, model, seed, facts, account }, services, control);
  const ledgerOf = async (provider: string) =>
    provider === recipe.model ? ledger : ledger.of(await services.model(provider));
  const embeddingsOf = async (provider: string) => {
    const { embedder } = await services.model(provider);
    if (embedder === undefined)
      throw new ProviderError(`${provider} makes no embeddings; name a provider and model that does.`);
    return ledger.of(embeddingModel(embedder));
  };
  const run = { id, recipe, seed, model, sets, services, control, eras };
  return turnWheel({ ...run, ledger, ledgerOf, embeddingsOf });
}

/** What the tasks are, as far as a run's first round shows it. */
export function dataHash(sets: TaskSets): string {
  const guards = [sets.regression, sets.canary].filter((tasks) => tasks.length > 0);
  return hashOf([sets.dev, sets.test, sets.train(1), ...guards].map((tasks) => tasks.map(({ id }) => id)));
}

/** The recipes, with their tasks, of the rounds a branch has from its origin. */
async function erasOf(
  origin: Origin | null,
  seed: number,
  services: RunServices,
): Promise<readonly RecipeEra[]> {
  return Promise.all(
    (origin?.eras ?? []).map(async ({ through, recipeText }) => {
      const { recipe, problems } = parseRecipe(recipeText);
      if (recipe === null) throw new RecipeError(problems);
      return { through, recipe, sets: await loadTaskSets(recipe, seed, services.files) };
    }),
  );
}

/** How the message of a run that ended by a defect begins: the store keeps the message alone. */
export const unexpected = 'The run stopped on an unexpected error: ';

function endOf(error: unknown, services: RunServices): RunEnd {
  if (error instanceof Halted) return { kind: error.kind, message: error.message };
  if (error instanceof ProviderError) return { kind: 'provider', message: error.message };
  if (error instanceof DataError || error instanceof SealedTaskError)
    return { kind: 'failed', message: error.message };
  services.log.error('A run ended with an error.', error);
  if (error instanceof StoreError) throw error;
  const message = error instanceof Error ? error.message : String(error);
  return { kind: 'failed', message: `${unexpected}${message}`, defect: true };
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
