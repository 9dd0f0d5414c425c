/**
 * Owns `ratchet run`: check the recipe, join or be the engine, start or go on, follow, report, and the exit code.
 * Deliberately knows no store and no model; all it sees is an engine's connection.
 */
import { EngineError, type EngineConnection } from '../client/connection.ts';
import type { RunId } from '../core/model/ids.ts';
import type { MakeServices } from '../engine/services.ts';
import type { RunSummary } from '../core/model/views.ts';
import {
  branchRun,
  getRun,
  inspectResume,
  listRuns,
  resumeRun,
  startRun,
  type ResumeQuestion,
} from '../protocol/engine.ts';
import { counted } from '../protocol/wording.ts';
import { exitCodeOf, exitCodes, type ExitCode } from './exitCodes.ts';
import { listenForInterrupt } from './interrupt.ts';
import { joinWorkspace, type Joined } from './join.ts';
import { checkRecipeFile } from './recipeFile.ts';
import { showRun } from './showRun.ts';
import type { Terminal } from './terminal.ts';
import { workspaceOf, type RecipePlace } from './workspaceOf.ts';

export interface RunRequest {
  readonly file: string;
  readonly seed: number | undefined;
  readonly json: boolean;
  /** False to ask anew what earlier runs have answers to. */
  readonly cache: boolean;
  /** A person agreed beforehand to go on with a run that was not begun here. */
  readonly yes: boolean;
  /** What becomes of a paused run that was begun with another text; null stops and asks. */
  readonly changed: 'recorded' | 'branch' | 'new' | null;
}

export interface CliContext {
  readonly terminal: Terminal;
  readonly version: string;
  readonly services: MakeServices;
  /** Calls the handler at each Ctrl-C; returns the function that ends that. */
  readonly onInterrupt: (handler: () => void) => () => void;
  /** Ends the process at once. */
  readonly abort: (code: ExitCode) => void;
}

export async function runCommand(request: RunRequest, context: CliContext): Promise<ExitCode> {
  const { terminal } = context;
  const began = performance.now();
  const checked = await checkRecipeFile(request.file);
  if (!checked.ok) {
    for (const problem of checked.problems) terminal.say(problem);
    return exitCodes.badRecipe;
  }
  for (const note of checked.notes) terminal.say(note);
  const { recipe, text } = checked;
  const seed = request.seed ?? recipe.seed;
  const place = workspaceOf(request.file);
  const watchFor = listenForInterrupt(context);
  let joined: Joined | null = null;
  try {
    joined = await joinWorkspace(place.workspace, context.version, context.services);
    const { connection, own } = joined;
    own?.ended.catch((error: unknown) => {
      terminal.progress('');
      terminal.say((error as Error).message);
      context.abort(exitCodes.engine);
    });
    refuseOtherVersion(connection);
    const runId = await beginOrGoOn(connection, place, { ...request, text, seed }, terminal);
    if (runId === null) {
      await leave(joined, context);
      return exitCodes.changed;
    }
    watchFor(connection, runId);
    const shown = { name: recipe.name, seed, rounds: recipe.rounds, json: request.json };
    const result = await showRun(connection, runId, shown, terminal, began);
    const code = exitCodeOf(result, result.report.test?.accuracy ?? null, recipe.threshold);
    if (code === exitCodes.belowThreshold)
      terminal.say(`Below the recipe's threshold of ${recipe.threshold}.`);
    if (result.kind === 'paused' || result.kind === 'store') terminal.say(howToGoOn(request));
    if (result.kind === 'budget') terminal.say(howToGoBeyond(runId));
    await leave(joined, context);
    return code;
  } catch (error) {
    await joined?.own?.stop('its command line failed').catch(() => undefined);
    if (!(error instanceof EngineError)) throw error;
    terminal.progress('');
    terminal.say(error.message);
    if (error.kind === 'changed') return exitCodes.changed;
    return error.kind === 'provider' ? exitCodes.provider : exitCodes.engine;
  } finally {
    joined?.connection.close();
  }
}

function howToGoOn({ file, seed }: RunRequest): string {
  const option = seed === undefined ? '' : ` --seed ${seed}`;
  return `The run is paused; the same command goes on with it: ratchet run ${file}${option}`;
}

/** A budget that is reached is no end: everything is kept, and a person may give more. */
export function howToGoBeyond(run: RunId): string {
  return `Everything is kept; go on under a higher cap by, for example: ratchet resume ${run} --calls N`;
}

export function refuseOtherVersion({ hello }: EngineConnection): void {
  if (hello.compatible) return;
  throw new EngineError(
    'busy',
    `The engine of this workspace is of version ${hello.version}; restart it from its editor window, or close that, and try again.`,
  );
}

/**
 * A paused run of the same recipe and seed is gone on with; nothing it has is paid for twice. Throws EngineError('changed')
 * where the newest was begun with another text, and nobody said what becomes of it.
 * Null where it was begun elsewhere and nobody said yes to paying for it.
 */
async function beginOrGoOn(
  connection: EngineConnection,
  { recipePath }: RecipePlace,
  {
    text,
    seed,
    changed,
    yes,
    cache,
  }: Pick<RunRequest, 'changed' | 'yes' | 'cache'> & { text: string; seed: number },
  terminal: Terminal,
): Promise<RunId | null> {
  const runs = await connection.request(listRuns, {});
  const paused = runs.filter(
    (run) => run.recipePath === recipePath && run.status === 'paused' && run.seed === seed,
  );
  const goOn = async ({ id, startedAt }: RunSummary, despiteChange: boolean): Promise<RunId | null> => {
    const question = await connection.request(inspectResume, { runId: id });
    if (question.needed && !yes) {
      terminal.say(needsYes(question));
      return null;
    }
    const repeated = question.repeats === 0 ? '' : `; ${counted(question.repeats, 'call')} to repeat`;
    terminal.say(`Going on with the paused run from ${new Date(startedAt).toISOString()}${repeated}.`);
    await connection.request(resumeRun, { runId: id, despiteChange, confirmed: question.needed });
    return id;
  };
  for (const run of paused) {
    const detail = await connection.request(getRun, { runId: run.id });
    if (detail?.recipeText === text) return goOn(run, false);
  }
  const [newest] = paused;
  if (newest !== undefined && changed !== 'new') {
    const question = await connection.request(inspectResume, { runId: newest.id });
    if (question.changed === null || changed === 'recorded') return goOn(newest, changed === 'recorded');
    if (changed === 'branch') {
      const through = Math.max(0, newest.round - 1);
      return (
        await connection.request(branchRun, { runId: newest.id, through, recipe: 'file', confirmed: yes })
      ).runId;
    }
    throw new EngineError(
      'changed',
      `${question.changed} Say which: --changed recorded, --changed branch, or --changed new for a run of its own.`,
    );
  }
  return (await connection.request(startRun, { recipePath, seed, ...(cache ? {} : { cache }) })).runId;
}

function needsYes({ model, callsMade, callsLeft, tokens, usd }: ResumeQuestion): string {
  const caps = [
    callsLeft === null ? 'without a limit on calls' : `with at most ${counted(callsLeft, 'more call')}`,
    ...(tokens === null ? [] : [`${counted(tokens, 'token')} in all`]),
    usd === null ? 'without a limit in money' : `$${usd} in all`,
  ].join(', ');
  return `The paused run of this recipe was not begun on this machine; it has made ${counted(callsMade, 'call')} and would go on asking ${model} ${caps}. Add --yes to go on with it.`;
}

/** An editor window may have begun a run in this process; it is not cut off because this command is done. */
export async function leave(
  { own, connection }: Joined,
  { terminal, onInterrupt }: CliContext,
): Promise<void> {
  if (own === null) return;
  const stop = () => own.stop('its command line is done');
  const release = onInterrupt(() => void stop().catch(() => undefined));
  let waiting = true;
  const settled = own.settled().then(() => {
    waiting = false;
  });
  await Promise.race([settled, new Promise((resolve) => setImmediate(resolve))]);
  if (waiting)
    terminal.say('Another run, begun from an editor, is still going in this process; Ctrl-C pauses it.');
  await settled;
  release();
  connection.close();
  await stop();
}
