/**
 * Owns the commands on runs that are there already: list, resume, branch, compare, bundle; and those on what is no run yet:
 * estimate, replay. Deliberately knows no store and no model; all it sees is an engine's connection.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { EngineError, type EngineConnection } from '../client/connection.ts';
import type { RunCaps } from '../core/model/cost.ts';
import type { Range, RunEstimate } from '../core/model/estimate.ts';
import type { RunSummary } from '../core/model/views.ts';
import { replayFile } from '../engine/bundles.ts';
import { asEngineError } from '../engine/errors.ts';
import { compareRuns, costWords, dollars } from '../protocol/comparison.ts';
import {
  branchRun,
  bundleRun,
  estimateRecipe,
  getRun,
  inspectResume,
  listRuns,
  resumeRun,
} from '../protocol/engine.ts';
import { count, counted, duration, statusWord } from '../protocol/wording.ts';
import { exitCodeOf, exitCodes, type ExitCode } from './exitCodes.ts';
import { listenForInterrupt } from './interrupt.ts';
import { checkRecipeFile } from './recipeFile.ts';
import { howToGoBeyond, leave, refuseOtherVersion, type CliContext } from './runCommand.ts';
import { joinWorkspace, type Joined } from './join.ts';
import { showRun } from './showRun.ts';
import { runsByName } from './storeCommand.ts';
import { workspaceOf, workspaceWithRuns } from './workspaceOf.ts';

export type RunsAction =
  | { readonly kind: 'runs' }
  | {
      readonly kind: 'resume';
      readonly run: string;
      readonly caps: RunCaps;
      readonly recorded: boolean;
      readonly yes: boolean;
      readonly json: boolean;
    }
  | {
      readonly kind: 'branch';
      readonly run: string;
      /** Null for the last round there is. */
      readonly round: number | null;
      readonly recorded: boolean;
      readonly retryFailed: boolean;
      readonly yes: boolean;
      readonly json: boolean;
    }
  | { readonly kind: 'compare'; readonly one: string; readonly other: string }
  | { readonly kind: 'bundle'; readonly run: string; readonly file: string }
  | { readonly kind: 'estimate'; readonly file: string; readonly json: boolean }
  | { readonly kind: 'replay'; readonly file: string };

export async function runsCommand(
  { action, workspace }: { readonly action: RunsAction; readonly workspace: string | undefined },
  context: CliContext,
): Promise<ExitCode> {
  const { terminal, version, services } = context;
  let joined: Joined | null = null;
  try {
    if (action.kind === 'replay') return await replay(action.file, terminal);
    if (action.kind === 'estimate') {
      const checked = await checkRecipeFile(action.file);
      if (!checked.ok) {
        for (const problem of checked.problems) terminal.say(problem);
        return exitCodes.badRecipe;
      }
    }
    joined = await joinWorkspace(folderFor(action, workspace), version, services);
    joined.own?.ended.catch(() => undefined);
    refuseOtherVersion(joined.connection);
    const code = await perform(action, joined.connection, context);
    await leave(joined, context);
    return code;
  } catch (error) {
    await joined?.own?.stop('its command line failed').catch(() => undefined);
    if (!(error instanceof EngineError)) throw error;
    terminal.progress('');
    terminal.say(error.message);
    return codeOf(error);
  } finally {
    joined?.connection.close();
  }
}

function codeOf({ kind }: EngineError): ExitCode {
  switch (kind) {
    case 'provider':
      return exitCodes.provider;
    case 'changed':
      return exitCodes.changed;
    case 'invalid':
    case 'notFound':
      return exitCodes.badRecipe;
    default:
      return exitCodes.engine;
  }
}

type OnWorkspace = Exclude<RunsAction, { kind: 'replay' }>;

/** Throws EngineError where there is no workspace to work on. A recipe needs none of its own. */
function folderFor(action: OnWorkspace, workspace: string | undefined): string {
  if (action.kind === 'estimate') return workspaceOf(action.file).workspace;
  return workspaceWithRuns(path.resolve(workspace ?? process.cwd()));
}

async function perform(
  action: OnWorkspace,
  connection: EngineConnection,
  context: CliContext,
): Promise<ExitCode> {
  const { terminal } = context;
  switch (action.kind) {
    case 'runs':
      for (const run of await connection.request(listRuns, {})) terminal.print(runLine(run));
      return exitCodes.done;
    case 'resume':
      return resume(action, connection, context);
    case 'branch':
      return branch(action, connection, context);
    case 'compare':
      return compare(action, connection, context);
    case 'bundle': {
      const { id } = await runNamed(connection, action.run);
      const file = path.resolve(action.file);
      const report = await connection.request(bundleRun, { runId: id, file });
      terminal.print(
        `Bundled ${counted(report.answers, 'answer')} in ${(report.bytes / 1e6).toFixed(2)} MB: ${file}`,
      );
      terminal.print(`Hash of its events: ${report.eventsHash}`);
      return exitCodes.done;
    }
    case 'estimate': {
      const { recipePath } = workspaceOf(action.file);
      const text = readFileSync(action.file, 'utf8');
      const estimate = await connection.request(estimateRecipe, { recipePath, text });
      if (action.json) terminal.print(JSON.stringify(estimate));
      else for (const line of estimateLines(estimate)) terminal.print(line);
      return exitCodes.done;
    }
  }
}

/** A bundle has all it needs, so that no workspace and no engine is begun for it. Throws EngineError. */
async function replay(file: string, terminal: CliContext['terminal']): Promise<ExitCode> {
  const clock = { now: Date.now, monotonic: () => performance.now() };
  const report = await replayFile(path.resolve(file), clock).catch((error: unknown) => {
    throw asEngineError(error);
  });
  terminal.print(
    `${report.recipe}, seed ${report.seed}: ${counted(report.events, 'event')}, no model was asked.`,
  );
  terminal.print(`Hash of its events: ${report.eventsHash}`);
  if (report.same) {
    terminal.print('The same as when it was bundled.');
    return exitCodes.done;
  }
  terminal.say(
    report.calls > 0
      ? `The bundle has no answer to ${counted(report.calls, 'call')}; none was made.`
      : 'Its events differ from those of the run that was bundled.',
  );
  return exitCodes.belowThreshold;
}

/** By the start of its id, or by its recipe and number. Throws EngineError where it is none or several. */
async function runNamed(connection: EngineConnection, name: string): Promise<RunSummary> {
  const all = await connection.request(listRuns, {});
  const numbered = runsByName(all).get(name);
  const runs = numbered === undefined ? all.filter(({ id }) => id.startsWith(name)) : [numbered];
  const [run] = runs;
  if (run === undefined)
    throw new EngineError('notFound', `There is no run ${name}; "ratchet runs" lists them.`);
  if (runs.length > 1)
    throw new EngineError('invalid', `${runs.length} runs begin with ${name}; write more of it.`);
  return run;
}

function runLine(run: RunSummary): string {
  const cost = run.cost === undefined ? '' : `  ${costWords(run.cost, run.caps)}`;
  const place = run.status === 'done' ? '' : `, round ${run.round} of ${run.rounds}`;
  return `${run.id}  ${run.recipeName}, seed ${run.seed}, ${statusWord(run.status)}${place}${cost}`;
}

async function resume(
  action: Extract<RunsAction, { kind: 'resume' }>,
  connection: EngineConnection,
  context: CliContext,
): Promise<ExitCode> {
  const { terminal } = context;
  const run = await runNamed(connection, action.run);
  if (run.status !== 'paused' && run.status !== 'budget' && run.status !== 'running') {
    terminal.say(
      `Only a paused run, or one stopped by its budget, can be gone on with; ${run.id} is ${statusWord(run.status)}.`,
    );
    return exitCodes.badRecipe;
  }
  const question = await connection.request(inspectResume, { runId: run.id });
  if (question.needed && !action.yes) {
    const left =
      question.callsLeft === null ? 'any number of calls' : `up to ${count(question.callsLeft)} calls`;
    terminal.say(
      `This run was not begun on this machine; it may make ${left} to ${question.model}. Say --yes to go on.`,
    );
    return exitCodes.changed;
  }
  if (question.changed !== null && !action.recorded) {
    terminal.say(question.changed);
    terminal.say(
      `Go on with what was recorded: ratchet resume ${run.id} --recorded\nGo on with the new recipe: ratchet branch ${run.id}`,
    );
    return exitCodes.changed;
  }
  if (run.status !== 'running') {
    terminal.say(
      `${count(run.cost?.calls ?? run.calls)} recovered, ${counted(question.repeats, 'call')} to repeat.`,
    );
    const wish = { runId: run.id, caps: action.caps, despiteChange: action.recorded, confirmed: action.yes };
    await connection.request(resumeRun, wish);
  }
  return follow(connection, run, action.json, context);
}

async function branch(
  action: Extract<RunsAction, { kind: 'branch' }>,
  connection: EngineConnection,
  context: CliContext,
): Promise<ExitCode> {
  const run = await runNamed(connection, action.run);
  const { runId } = await connection.request(branchRun, {
    runId: run.id,
    // What failed anywhere is asked again; else the rounds that came to their end are shared.
    through: action.retryFailed ? 1_000 : (action.round ?? Math.max(0, run.round - 1)),
    recipe: action.recorded || action.retryFailed ? 'recorded' : 'file',
    retryFailed: action.retryFailed,
    confirmed: action.yes,
  });
  context.terminal.say(`Branch ${runId} of run ${run.id}.`);
  const detail = await connection.request(getRun, { runId });
  return follow(connection, detail?.run ?? { ...run, id: runId }, action.json, context);
}

async function follow(
  connection: EngineConnection,
  run: RunSummary,
  json: boolean,
  context: CliContext,
): Promise<ExitCode> {
  const watchFor = listenForInterrupt(context);
  watchFor(connection, run.id);
  const shown = { name: run.recipeName, seed: run.seed, rounds: run.rounds, json };
  const result = await showRun(connection, run.id, shown, context.terminal, performance.now());
  if (result.kind === 'paused' || result.kind === 'store')
    context.terminal.say(`The run is paused; go on with it by: ratchet resume ${run.id}`);
  if (result.kind === 'budget') context.terminal.say(howToGoBeyond(run.id));
  return exitCodeOf(result, result.report.test?.accuracy ?? null, null);
}

async function compare(
  { one, other }: Extract<RunsAction, { kind: 'compare' }>,
  connection: EngineConnection,
  { terminal }: CliContext,
): Promise<ExitCode> {
  const details = [];
  for (const name of [one, other]) {
    const { id } = await runNamed(connection, name);
    const detail = await connection.request(getRun, { runId: id });
    if (detail === null) throw new EngineError('notFound', 'This run is not in the workspace any more.');
    details.push(detail);
  }
  const [first, second] = details;
  if (first === undefined || second === undefined) return exitCodes.badRecipe;
  const { rows, notes } = compareRuns(first, second);
  const head = { name: '', one: first.run.id, other: second.run.id, difference: 'difference' };
  const widths = (['name', 'one', 'other'] as const).map((column) =>
    Math.max(...[head, ...rows].map((row) => row[column].length)),
  );
  for (const row of [head, ...rows])
    terminal.print(
      [
        row.name.padEnd(widths[0] ?? 0),
        row.one.padStart(widths[1] ?? 0),
        row.other.padStart(widths[2] ?? 0),
        row.difference,
      ]
        .join('  ')
        .trimEnd(),
    );
  for (const note of notes) terminal.print(note);
  return exitCodes.done;
}

/** "1 200 to 1 500", or the one number where both ends round to it. */
function between({ low, high }: Range, say: (value: number) => string): string {
  const [from, to] = [say(low), say(high)];
  return from === to ? from : `${from} to ${to}`;
}

export function estimateLines(estimate: RunEstimate): readonly string[] {
  const whole = (value: number) => count(Math.round(value));
  return [
    `Calls:          ${between(estimate.calls, whole)}`,
    `Tokens read:    ${between(estimate.inputTokens, whole)}`,
    `Tokens written: ${between(estimate.outputTokens, whole)}`,
    `US dollars:     ${estimate.usd === null ? 'unknown: the price of the model is not known' : between(estimate.usd, dollars)}`,
    `Time:           ${estimate.ms === null ? 'unknown: this model has not run here yet' : between(estimate.ms, duration)}`,
    estimate.measured === 0
      ? 'Nothing was measured of this model here yet, so the ranges are wide.'
      : `From what ${counted(estimate.measured, 'answer')} of this model used here before.`,
    ...(estimate.cap === null ? [] : [estimate.cap]),
  ];
}
