/**
 * Owns what a person can do to a loop and its runs: start, pause, resume, stop. The same for the panel, the commands,
 * the trees and the status bar. Blocks runs in a workspace that is not trusted, whatever the buttons say.
 */
import * as vscode from 'vscode';
import type { RunId } from '../core/model/ids.ts';
import { counted } from '../protocol/wording.ts';
import {
  inspectResume,
  pauseRun,
  resumeRun,
  startRun,
  stopRun,
  type ResumeQuestion,
} from '../protocol/engine.ts';
import { relativePath, type HostContext } from './hostContext.ts';

export interface LoopActions {
  /** Saves the loop file where needed and starts a run of it. Rejects with the sentence a person reads. */
  readonly start: (uri: vscode.Uri) => Promise<void>;
  readonly pause: (runId: RunId) => Promise<void>;
  readonly resume: (runId: RunId) => Promise<void>;
  readonly stop: (runId: RunId) => Promise<void>;
  /** Whether a person asked this window to pause or stop the run: its standing still is no news then. */
  readonly wasAsked: (runId: RunId) => boolean;
}

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

/** The first, default button changes nothing. */
async function agreesToPay({ model, callsMade, callsLeft, tokens, usd }: ResumeQuestion): Promise<boolean> {
  const caps = [
    callsLeft === null ? 'no limit on the number of calls' : `at most ${counted(callsLeft, 'more call')}`,
    tokens === null ? null : `${counted(tokens, 'token')} in all`,
    usd === null ? 'no limit in money' : `$${usd} in all`,
  ].filter((cap) => cap !== null);
  const choice = await vscode.window.showWarningMessage(
    'This run was not begun on this machine. Going on with it may cost you money.',
    {
      modal: true,
      detail: `It asks ${model}, has made ${counted(callsMade, 'call')}, and its recipe allows ${caps.join(', ')}.`,
    },
    'Leave It Paused',
    'Resume and Pay',
  );
  return choice === 'Resume and Pay';
}

export function createLoopActions(host: HostContext): LoopActions {
  const { link } = host;
  const asked = new Set<RunId>();
  return {
    async start(uri) {
      needTrust();
      const path = relativePath(host, uri);
      if (path === null) {
        throw new Error(
          host.folder === null
            ? 'Open a folder first: a loop keeps what it learns there.'
            : `This loop file lies outside ${host.folder.name}; move it there to run it.`,
        );
      }
      const open = vscode.workspace.textDocuments.find(
        (document) => document.uri.toString() === uri.toString(),
      );
      if (open?.isDirty === true && !(await open.save()))
        throw new Error('The loop file could not be saved.');
      host.services.editorModels.acted();
      await link.request(startRun, { recipePath: path });
    },
    async pause(runId) {
      asked.add(runId);
      await link.request(pauseRun, { runId });
    },
    async resume(runId) {
      needTrust();
      host.services.editorModels.acted();
      const question = await link.request(inspectResume, { runId });
      if (question.needed && !(await agreesToPay(question))) return;
      asked.delete(runId);
      await link.request(resumeRun, { runId, confirmed: question.needed });
    },
    wasAsked: (runId) => asked.has(runId),
    async stop(runId) {
      asked.add(runId);
      await link.request(stopRun, { runId });
    },
  };
}
