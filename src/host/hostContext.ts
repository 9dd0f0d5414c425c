/** Owns the record every part of the host is given. Deliberately a plain record: no container, no registry. */
import * as vscode from 'vscode';
import type { WindowServices } from './engineQuestions.ts';
import type { EngineLink } from './engineLink.ts';
import type { ReadModels } from './readModels.ts';
import type { Shell } from './shell.ts';

export interface HostContext {
  readonly shell: Shell;
  /** The folder whose engine and database this window uses: the first one on a disk; null without one. */
  readonly folder: vscode.WorkspaceFolder | null;
  readonly link: EngineLink;
  readonly models: ReadModels;
  /** What this window does for the engine. */
  readonly services: WindowServices;
  readonly log: vscode.LogOutputChannel;
}

export function firstFolder(): vscode.WorkspaceFolder | null {
  return vscode.workspace.workspaceFolders?.find((folder) => folder.uri.scheme === 'file') ?? null;
}

/** The file's path inside the folder with '/', or null when it lies outside. */
export function relativePath({ folder }: Pick<HostContext, 'folder'>, uri: vscode.Uri): string | null {
  if (folder === null || uri.scheme !== folder.uri.scheme) return null;
  const root = folder.uri.path.endsWith('/') ? folder.uri.path : `${folder.uri.path}/`;
  return uri.path.startsWith(root) ? uri.path.slice(root.length) : null;
}

export function recipeUri({ folder }: Pick<HostContext, 'folder'>, path: string): vscode.Uri | null {
  return folder === null ? null : vscode.Uri.joinPath(folder.uri, path);
}

/** Writes an error to the log: its sentence, then what stands behind it. Returns the sentence. */
export function logError(log: vscode.LogOutputChannel, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  log.error(message);
  const detail = error instanceof Error ? (error.cause ?? error) : null;
  if (detail instanceof Error && detail.stack !== undefined) log.debug(detail.stack);
  return message;
}

/** Says an error to the person in one sentence, with the log one press away. */
export async function tell({ log }: Pick<HostContext, 'log'>, error: unknown): Promise<void> {
  const message = logError(log, error);
  const choice = await vscode.window.showErrorMessage(message, 'Show Log');
  if (choice !== undefined) log.show();
}
