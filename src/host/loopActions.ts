/**
 * Owns what a person can do to a loop and its runs: start, pause, resume, stop. The same for the panel, the commands,
 * the trees and the status bar. Blocks runs in a workspace that is not trusted, whatever the buttons say.
 */
import * as vscode from 'vscode';
import type { RunId } from '../core/model/ids.ts';
import { pauseRun, resumeRun, startRun, stopRun } from '../protocol/engine.ts';
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

function needTrust(): void {
  if (vscode.workspace.isTrusted) return;
  throw new NotTrustedError(
    'Runs need a workspace you trust: run "Workspaces: Manage Workspace Trust" first.',
  );
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
      await link.request(startRun, { recipePath: path });
    },
    async pause(runId) {
      asked.add(runId);
      await link.request(pauseRun, { runId });
    },
    async resume(runId) {
      needTrust();
      asked.delete(runId);
      await link.request(resumeRun, { runId });
    },
    wasAsked: (runId) => asked.has(runId),
    async stop(runId) {
      asked.add(runId);
      await link.request(stopRun, { runId });
    },
  };
}
