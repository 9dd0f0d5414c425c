/** Owns what a client may want of a run: start, pause, resume, stop, wait. Deliberately executes nothing itself. */
import { EngineError } from '../client/connection.ts';
import { beginRun, resumeRun } from '../core/loop/execute.ts';
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
  readonly start: (recipePath: string, seed: number | undefined) => Promise<RunId>;
  /**
   * Waits for a pause under way; does nothing to a run that is executing. A run that was not begun here by this user needs
   * a person's yes before it may pay for anything: without `confirmed` it is refused.
   */
  readonly resume: (runId: RunId, confirmed: boolean) => Promise<void>;
  /** What a person must be told before saying yes. */
  readonly inspectResume: (runId: RunId) => Promise<ResumeQuestion>;
  /** Asks for it; the run stands still a little later. */
  readonly pause: (runId: RunId) => Promise<void>;
  readonly stop: (runId: RunId) => Promise<void>;
  /** How the run ended or paused; waits while it is executing. */
  readonly outcome: (runId: RunId) => Promise<RunResult>;
}

export interface RunsContext {
  readonly workspace: string;
  readonly executions: Executions;
  readonly store: () => Promise<Store>;
  readonly listeners: RunListeners;
  readonly known: KnownRuns;
}

export function createRuns(context: RunsContext): Runs {
  const { workspace, executions, store, listeners } = context;
  const known = async (runId: RunId): Promise<RunDetail> => {
    const detail = await (await store()).run(runId);
    if (detail === null) throw new EngineError('notFound', 'This run is not in the workspace any more.');
    return detail;
  };

  return {
    start: async (recipePath, seed) => {
      const recipe = readRecipe(workspace, recipePath);
      const request = { recipePath: recipe.path, recipeText: recipe.text, seed };
      return executions.execute(recipe.path, async (services, control) => {
        const begun = await beginRun(request, services, control);
        const { run } = await known(begun.runId);
        context.known.note({ runId: run.id, recipeText: recipe.text, seed: run.seed });
        return begun;
      });
    },
    inspectResume: async (runId) => questionOf(await known(runId), context.known),
    resume: async (runId, confirmed) => {
      const running = executions.get(runId);
      if (running?.control.aborted === false) return;
      await running?.end;
      const detail = await known(runId);
      const { run, recipeText } = detail;
      if (run.status !== 'paused')
        throw new EngineError('invalid', 'Only a paused run can be resumed; this one has ended.');
      const asOf = { runId, recipeText, seed: run.seed };
      if (!confirmed && questionOf(detail, context.known).needed)
        throw new EngineError(
          'invalid',
          'This run was not begun on this machine, and going on with it may cost money; say yes to that first.',
        );
      context.known.note(asOf);
      const request = { runId, recipeText, seed: run.seed };
      await executions.execute(run.recipePath, (services, control) => resumeRun(request, services, control));
    },
    pause: async (runId) => {
      const running = executions.get(runId);
      if (running !== undefined) halt(running.control, 'pause');
      else await known(runId);
    },
    stop: async (runId) => {
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
    },
    outcome: async (runId) => {
      const running = executions.get(runId);
      const end = running === undefined ? executions.lastEnd(runId) : await running.end;
      if (end !== undefined) return { kind: end.kind, message: end.message };
      const { run } = await known(runId);
      return { kind: run.status === 'running' ? 'paused' : run.status, message: run.message };
    },
  };
}

/** Pocket costs nothing, so a run on it may go on wherever it came from. */
function questionOf({ run, recipeText }: RunDetail, known: KnownRuns): ResumeQuestion {
  const { recipe } = parseRecipe(recipeText);
  const { budget, model } = recipe ?? { budget: {}, model: '' };
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
