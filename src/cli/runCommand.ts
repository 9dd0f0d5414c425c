/**
 * Owns `ratchet run`: check the recipe, join or be the engine, start or go on, follow, report, and the exit code.
 * Deliberately knows no store and no model; all it sees is an engine's connection.
 */
import { EngineError, type EngineConnection } from '../client/connection.ts';
import type { RunId } from '../core/model/ids.ts';
import type { MakeServices } from '../engine/services.ts';
import { getRun, listRuns, pauseRun, resumeRun, startRun, type RunResult } from '../protocol/engine.ts';
import { exitCodeOf, exitCodes, type ExitCode } from './exitCodes.ts';
import { followRun } from './follow.ts';
import { joinWorkspace, type Joined } from './join.ts';
import { checkRecipeFile } from './recipeFile.ts';
import { emptyFold, foldEvent, type RunReport } from './runReport.ts';
import { progressLine, summaryLines, tableHead, tableRow } from './table.ts';
import type { Terminal } from './terminal.ts';
import { workspaceOf, type RecipePlace } from './workspaceOf.ts';

export interface RunRequest {
  readonly file: string;
  readonly seed: number | undefined;
  readonly json: boolean;
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
    const runId = await beginOrGoOn(connection, place, text, seed, terminal);
    const result = await followToEnd(
      connection,
      runId,
      { name: recipe.name, seed, rounds: recipe.rounds, json: request.json },
      context,
      began,
    );
    const accuracy = result.report.test?.accuracy ?? null;
    const code = exitCodeOf(result.kind, accuracy, recipe.threshold);
    if (code === exitCodes.belowThreshold) {
      terminal.say(`Below the recipe's threshold of ${recipe.threshold}.`);
    }
    if (code === exitCodes.interrupted && result.kind === 'paused') {
      terminal.say(
        `The run is paused; the same command goes on with it: ratchet run ${request.file}${request.seed === undefined ? '' : ` --seed ${request.seed}`}`,
      );
    }
    await leave(joined, context);
    return code;
  } catch (error) {
    await joined?.own?.stop('its command line failed').catch(() => undefined);
    if (!(error instanceof EngineError)) throw error;
    terminal.progress('');
    terminal.say(error.message);
    return error.kind === 'provider' ? exitCodes.provider : exitCodes.engine;
  } finally {
    joined?.connection.close();
  }
}

function refuseOtherVersion({ hello }: EngineConnection): void {
  if (hello.compatible) return;
  throw new EngineError(
    'busy',
    `The engine of this workspace is of version ${hello.version}; restart it from its editor window, or close that, and try again.`,
  );
}

/** A paused run of the same text and seed is gone on with; nothing it has is paid for twice. */
async function beginOrGoOn(
  connection: EngineConnection,
  { recipePath }: RecipePlace,
  text: string,
  seed: number,
  terminal: Terminal,
): Promise<RunId> {
  const runs = await connection.request(listRuns, {});
  const paused = runs.filter(
    (run) => run.recipePath === recipePath && run.status === 'paused' && run.seed === seed,
  );
  for (const { id } of paused) {
    const detail = await connection.request(getRun, { runId: id });
    if (detail?.recipeText !== text) continue;
    terminal.say(`Going on with the paused run from ${new Date(detail.run.startedAt).toISOString()}.`);
    await connection.request(resumeRun, { runId: id });
    return id;
  }
  return (await connection.request(startRun, { recipePath, seed })).runId;
}

interface Shown {
  readonly name: string;
  readonly seed: number;
  readonly rounds: number;
  readonly json: boolean;
}

async function followToEnd(
  connection: EngineConnection,
  runId: RunId,
  shown: Shown,
  context: CliContext,
  began: number,
): Promise<RunResult & { readonly report: RunReport }> {
  const { terminal } = context;
  let fold = emptyFold;
  let printed = -1;
  let hasControl = false;
  const printRounds = (before: number) => {
    for (; printed + 1 < before; printed++) {
      const row = tableRow(fold, printed + 1);
      if (row !== null && !shown.json) terminal.print(row);
    }
  };
  const release = context.onInterrupt(interrupter(connection, runId, context));
  try {
    const result = await followRun(connection, runId, {
      onEvent: (stored) => {
        const { event } = stored;
        if (event.kind === 'runStarted') {
          hasControl = event.arms.includes('control');
          if (!shown.json) terminal.print(`${shown.name}, seed ${shown.seed}\n${tableHead(hasControl)}`);
        }
        fold = foldEvent(fold, stored);
        // A round's row is final once the next one begins: its gate may come after its evaluation.
        if (event.kind === 'roundStarted' && event.at.arm === 'main') printRounds(event.at.round);
      },
      onProgress: (progress) => terminal.progress(progressLine(progress, shown.rounds)),
    });
    terminal.progress('');
    printRounds(shown.rounds + 1);
    const calls = (await connection.request(getRun, { runId }))?.run.calls ?? 0;
    const report: RunReport = {
      recipe: shown.name,
      seed: shown.seed,
      rounds: fold.main.rounds,
      control: fold.control.rounds,
      test: fold.test,
      kept: fold.kept,
      calls,
      seconds: Math.round(performance.now() - began) / 1000,
      outcome: result.kind,
    };
    if (shown.json) terminal.print(JSON.stringify(report));
    else for (const line of summaryLines(report, result)) terminal.print(line);
    return { ...result, report };
  } finally {
    release();
  }
}

function interrupter(
  connection: EngineConnection,
  runId: RunId,
  { terminal, abort }: CliContext,
): () => void {
  let times = 0;
  return () => {
    times++;
    if (times > 1) {
      terminal.progress('');
      terminal.say('Ended at once; what was saved is kept and the run can be resumed.');
      abort(exitCodes.interrupted);
      return;
    }
    terminal.say('Pausing once the calls in flight are done; Ctrl-C again ends at once.');
    connection.request(pauseRun, { runId }).catch((error: unknown) => terminal.say((error as Error).message));
  };
}

/** An editor window may have begun a run in this process; it is not cut off because this command is done. */
async function leave({ own, connection }: Joined, { terminal, onInterrupt }: CliContext): Promise<void> {
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
