/** Owns what a client may want of a run: start, pause, resume, stop, wait. Deliberately executes nothing itself. */
import { EngineError } from '../client/connection.ts';
import { behaviour } from '../core/loop/behaviour.ts';
import { beginRun, resumeRun, unexpected } from '../core/loop/execute.ts';
import { readAccount, type Session } from '../core/loop/journal.ts';
import { isStopping } from '../core/loop/services.ts';
import type { RunCaps } from '../core/model/cost.ts';
import type { RunId } from '../core/model/ids.ts';
import type { RunDetail } from '../core/model/views.ts';
import type { Store } from '../core/ports.ts';
import { parseRecipe } from '../core/loop/parseRecipe.ts';
import type { ResumeQuestion, RunResult } from '../protocol/engine.ts';
import { pocketProvider } from '../protocol/providers.ts';
import { halt, type Executions, type RunListeners } from './executions.ts';
import type { KnownRuns } from './knownRuns.ts';
import { readRecipe } from './recipeFile.ts';
import { noteStatus } from './runNotes.ts';

export interface Runs {
  /** `recipePath` is relative to the workspace, with '/'. */
  readonly start: (recipePath: string, seed: number | undefined, cache?: boolean) => Promise<RunId>;
  /**
   * Waits for a pause under way; does nothing to a run that is executing. A run that was not begun here by this user needs
   * a person's yes before it may pay for anything: without `confirmed` it is refused. A run whose recipe, data or engine
   * has changed is refused with kind 'changed' unless it may go on as it was recorded.
   */
  readonly resume: (wish: ResumeWish) => Promise<void>;
  /** What a person must be told before saying yes. */
  readonly inspectResume: (runId: RunId) => Promise<ResumeQuestion>;
  /** A new run that shares the first rounds of another. */
  readonly branch: (wish: BranchWish) => Promise<RunId>;
  /** Asks for it; the run stands still a little later. */
  readonly pause: (runId: RunId, inFlight: 'finish' | 'abort') => Promise<void>;
  readonly stop: (runId: RunId) => Promise<void>;
  /** How the run ended or paused; waits while it is executing. */
  readonly outcome: (runId: RunId) => Promise<RunResult>;
}

export interface ResumeWish {
  readonly runId: RunId;
  readonly confirmed: boolean;
  readonly caps?: RunCaps | undefined;
  readonly despiteChange: boolean;
}

export interface BranchWish {
  readonly runId: RunId;
  readonly through: number;
  readonly recipe: 'file' | 'recorded';
  readonly retryFailed: boolean;
  readonly confirmed: boolean;
}

export interface RunsContext {
  readonly workspace: string;
  readonly executions: Executions;
  readonly store: () => Promise<Store>;
  readonly listeners: RunListeners;
  readonly known: KnownRuns;
}

export function createRuns(context: RunsContext): Runs {
  const { workspace, executions, store } = context;
  const known = async (runId: RunId): Promise<RunDetail> => {
    const detail = await (await store()).run(runId);
    if (detail === null) throw new EngineError('notFound', 'This run is not in the workspace any more.');
    return detail;
  };

  const needYes = (detail: RunDetail, confirmed: boolean): void => {
    if (!confirmed && questionOf(detail, context.known).needed)
      throw new EngineError(
        'invalid',
        'This run was not begun on this machine, and going on with it may cost money; say yes to that first.',
      );
  };

  return {
    start: async (recipePath, seed, cache) => {
      const recipe = readRecipe(workspace, recipePath);
      const request = { recipePath: recipe.path, recipeText: recipe.text, seed, cache };
      return executions.execute(recipe.path, async (services, control) => {
        const begun = await beginRun(request, services, control);
        const { run } = await known(begun.runId);
        context.known.note({ runId: run.id, recipeText: recipe.text, seed: run.seed });
        return begun;
      });
    },
    inspectResume: async (runId) => {
      const detail = await known(runId);
      const account = await readAccount(await store(), runId);
      const { sentence } = changeSince(workspace, detail, account.sessions.at(-1));
      return { ...questionOf(detail, context.known), repeats: account.open, changed: sentence };
    },
    resume: async ({ runId, confirmed, caps, despiteChange }) => {
      const running = executions.get(runId);
      if (running !== undefined && !isStopping(running.control)) return;
      await running?.end;
      const detail = await known(runId);
      const { run, recipeText } = detail;
      if (run.status !== 'paused' && run.status !== 'budget')
        throw new EngineError(
          'invalid',
          'Only a paused run, or one stopped by its budget, can be resumed; this one has ended.',
        );
      needYes(detail, confirmed);
      const last = (await readAccount(await store(), runId)).sessions.at(-1);
      const change = changeSince(workspace, detail, last);
      if (change.sentence !== null && !despiteChange) throw new EngineError('changed', change.sentence);
      context.known.note({ runId, recipeText, seed: run.seed });
      const request = { runId, recipeText, seed: run.seed, despiteChange, caps: { ...change.caps, ...caps } };
      await executions.execute(run.recipePath, (services, control) => resumeRun(request, services, control));
    },
    branch: async ({ runId, through, recipe, retryFailed, confirmed }) => {
      const detail = await known(runId);
      const { run } = detail;
      needYes(detail, confirmed);
      const text = recipe === 'recorded' ? detail.recipeText : readRecipe(workspace, run.recipePath).text;
      const branch = { runId, through, recipeText: detail.recipeText, retryFailed };
      const request = { recipePath: run.recipePath, recipeText: text, seed: run.seed, branch };
      return executions.execute(run.recipePath, async (services, control) => {
        const begun = await beginRun(request, services, control);
        context.known.note({ runId: begun.runId, recipeText: text, seed: run.seed });
        return begun;
      });
    },
    pause: async (runId, inFlight) => {
      const running = executions.get(runId);
      if (running !== undefined) halt(running.control, 'pause', inFlight);
      else await known(runId);
    },
    stop: (runId) => stopRun(runId, context, known),
    outcome: (runId) => outcomeOf(runId, context, known),
  };
}

/** Ends a run for good, one that is paused too. */
async function stopRun(
  runId: RunId,
  { executions, store, listeners }: RunsContext,
  known: (runId: RunId) => Promise<RunDetail>,
): Promise<void> {
  const running = executions.get(runId);
  if (running !== undefined) {
    halt(running.control, 'stop');
    return;
  }
  const { run } = await known(runId);
  if (run.status !== 'paused') return;
  executions.forgetEnd(runId);
  await noteStatus(await store(), runId, 'stopped', 'Stopped while it was paused.', listeners);
  listeners.onChanged(runId);
}

/** How a run came to stand still; waits where it has not yet. */
async function outcomeOf(
  runId: RunId,
  { executions }: RunsContext,
  known: (runId: RunId) => Promise<RunDetail>,
): Promise<RunResult> {
  const running = executions.get(runId);
  const end = running === undefined ? executions.lastEnd(runId) : await running.end;
  const { run } = end === undefined ? await known(runId) : { run: null };
  const { kind, message } = end ?? {
    kind: run === null || run.status === 'running' ? 'paused' : run.status,
    message: run?.message ?? '',
  };
  return kind === 'failed' ? { kind, message, defect: message.startsWith(unexpected) } : { kind, message };
}

/** Pocket costs nothing, so a run on it may go on wherever it came from. */
function questionOf(
  { run, recipeText }: RunDetail,
  known: KnownRuns,
): Omit<ResumeQuestion, 'repeats' | 'changed'> {
  const { recipe } = parseRecipe(recipeText);
  const { model } = recipe ?? { model: '' };
  const budget = run.caps ?? recipe?.budget ?? {};
  const begunHere = known.has({ runId: run.id, recipeText, seed: run.seed });
  return {
    needed: !begunHere && model !== pocketProvider,
    model,
    callsMade: run.calls,
    callsLeft: budget.calls === undefined ? null : Math.max(0, budget.calls - run.calls),
    tokens: budget.tokens ?? null,
    usd: budget.usd ?? null,
  };
}

/**
 * What changed in the recipe's file or the engine since the run began. A recipe that differs in its budget alone is the
 * same recipe under other caps. A file that is gone changes nothing: the run has its text.
 */
function changeSince(
  workspace: string,
  { run, recipeText }: RunDetail,
  last: Session | undefined,
): { readonly sentence: string | null; readonly caps: RunCaps } {
  if (last !== undefined && last.behaviour !== behaviour)
    return {
      sentence: `This run was begun by Ratchet ${last.engine}, which decided differently; going on would mix the two.`,
      caps: {},
    };
  const now = textNow(workspace, run.recipePath);
  if (now === null || now === recipeText) return { sentence: null, caps: {} };
  const [here, there] = [parseRecipe(now).recipe, parseRecipe(recipeText).recipe];
  const bare = (recipe: typeof here) => JSON.stringify({ ...recipe, budget: null, description: null });
  if (here !== null && bare(here) === bare(there)) {
    const sameBudget = JSON.stringify(here.budget) === JSON.stringify(there?.budget);
    return { sentence: null, caps: sameBudget ? {} : here.budget };
  }
  return {
    sentence: `${run.recipePath} has changed since this run began; go on with the recipe as it was, or branch with the new one.`,
    caps: {},
  };
}

function textNow(workspace: string, recipePath: string): string | null {
  try {
    return readRecipe(workspace, recipePath).text;
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'notFound') return null;
    // It is there and is no recipe any more: that is a change.
    if (error instanceof EngineError) return '';
    throw error;
  }
}
