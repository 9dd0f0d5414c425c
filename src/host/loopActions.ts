/**
 * Owns what a person can do to a loop and its runs: start, pause, resume, branch, stop. The same for the panel, the commands,
 * the trees and the status bar. Blocks runs in a workspace that is not trusted, whatever the buttons say.
 */
import * as vscode from 'vscode';
import { EngineError } from '../client/connection.ts';
import type { RunId } from '../core/model/ids.ts';
import type { RunDetail } from '../core/model/views.ts';
import { branchRun, inspectResume, pauseRun, resumeRun, startRun, stopRun } from '../protocol/engine.ts';
import { count, counted } from '../protocol/wording.ts';
import { recipeUri, relativePath, type HostContext } from './hostContext.ts';
import { agreesToPay, askAboutChange, askForCap, askForRound } from './resuming.ts';

export interface LoopActions {
  /** Saves the loop file where needed and starts a run of it. Rejects with the sentence a person reads. */
  readonly start: (uri: vscode.Uri) => Promise<void>;
  /** Once the calls in flight are answered, or by breaking them off: those may be paid a second time. */
  readonly pause: (runId: RunId, inFlight: 'finish' | 'abort') => Promise<void>;
  /** Asks what has to be asked first: a new cap, a yes to paying, which way to go where something has changed. */
  readonly resume: (runId: RunId) => Promise<void>;
  /** Begins a run that shares rounds with another; the id of the new one, null where a person would rather not. */
  readonly branch: (wish: BranchWish) => Promise<RunId | null>;
  readonly stop: (runId: RunId) => Promise<void>;
  /** Whether a person asked this window to pause or stop the run: its standing still is no news then. */
  readonly wasAsked: (runId: RunId) => boolean;
}

export interface BranchWish {
  readonly runId: RunId;
  /** The last round to share; null asks. */
  readonly through: number | null;
  readonly recipe: 'file' | 'recorded';
  readonly retryFailed: boolean;
}

/** What failed in any round is asked again: the bound of the protocol stands for all there are. */
export const allRounds = 1_000;

/** The window may look but not run; the message is for people. */
class NotTrustedError extends Error {
  override readonly name = 'NotTrustedError';
}

/** Throws where the workspace is not trusted. */
export function needTrust(): void {
  if (vscode.workspace.isTrusted) return;
  throw new NotTrustedError(
    'Runs need a workspace you trust: run "Workspaces: Manage Workspace Trust" first.',
  );
}

const saidMs = 10_000;

async function detailOf({ models }: HostContext, runId: RunId): Promise<RunDetail> {
  const detail = await models.run(runId);
  if (detail === null) throw new Error('This run is not in the workspace any more.');
  return detail;
}

async function save(uri: vscode.Uri): Promise<void> {
  const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri.toString());
  if (open?.isDirty === true && !(await open.save())) throw new Error('The loop file could not be saved.');
}

async function startLoop(host: HostContext, uri: vscode.Uri): Promise<void> {
  needTrust();
  const path = relativePath(host, uri);
  if (path === null) {
    throw new Error(
      host.folder === null
        ? 'Open a folder first: a loop keeps what it learns there.'
        : `This loop file lies outside ${host.folder.name}; move it there to run it.`,
    );
  }
  await save(uri);
  host.services.editorModels.acted();
  await host.link.request(startRun, { recipePath: path });
}

async function branchFrom(host: HostContext, wish: BranchWish): Promise<RunId | null> {
  needTrust();
  host.services.editorModels.acted();
  const { runId, recipe, retryFailed } = wish;
  const detail = await detailOf(host, runId);
  const through = wish.through ?? (await askForRound(detail));
  if (through === undefined) return null;
  const uri = recipeUri(host, detail.run.recipePath);
  if (recipe === 'file' && uri !== null) await save(uri);
  const question = await host.link.request(inspectResume, { runId });
  if (question.needed && !(await agreesToPay(question))) return null;
  const confirmed = question.needed;
  return (await host.link.request(branchRun, { runId, through, recipe, retryFailed, confirmed })).runId;
}

/** True where the run went on. */
async function resumeOrChoose(host: HostContext, runId: RunId): Promise<boolean> {
  needTrust();
  host.services.editorModels.acted();
  const { link } = host;
  const { run } = await detailOf(host, runId);
  const question = await link.request(inspectResume, { runId });
  if (question.needed && !(await agreesToPay(question))) return false;
  const wish = { runId, confirmed: question.needed };
  const goOn = async (despiteChange: boolean): Promise<boolean> => {
    const caps = run.status === 'budget' ? await askForCap(run) : {};
    if (caps === null) return false;
    await link.request(resumeRun, { ...wish, caps, despiteChange });
    const said = `Resumed: ${count(question.callsMade)} recovered, ${counted(question.repeats, 'call')} to repeat.`;
    vscode.window.setStatusBarMessage(said, saidMs);
    return true;
  };
  const choose = async (sentence: string): Promise<boolean> => {
    const choice = await askAboutChange(sentence);
    if (choice === 'recorded') return goOn(true);
    if (choice === 'branch')
      await branchFrom(host, { runId, through: null, recipe: 'file', retryFailed: false });
    const uri = recipeUri(host, run.recipePath);
    if (choice === 'anew' && uri !== null) await startLoop(host, uri);
    return false;
  };
  if (question.changed !== null) return choose(question.changed);
  try {
    return await goOn(false);
  } catch (error) {
    // Whether its data has changed shows only when they are read.
    if (error instanceof EngineError && error.kind === 'changed') return choose(error.message);
    throw error;
  }
}

export function createLoopActions(host: HostContext): LoopActions {
  const { link } = host;
  const asked = new Set<RunId>();
  return {
    start: (uri) => startLoop(host, uri),
    async pause(runId, inFlight) {
      asked.add(runId);
      await link.request(pauseRun, { runId, inFlight });
    },
    async resume(runId) {
      if (await resumeOrChoose(host, runId)) asked.delete(runId);
    },
    branch: (wish) => branchFrom(host, wish),
    wasAsked: (runId) => asked.has(runId),
    async stop(runId) {
      asked.add(runId);
      await link.request(stopRun, { runId });
    },
  };
}
