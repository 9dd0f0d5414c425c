/** Owns finding the workspace's loop files, once until one comes or goes. */
import * as vscode from 'vscode';
import { relativePath, type HostContext } from './hostContext.ts';
import { contextKeys } from './ids.ts';

export interface LoopFiles {
  /** Paths relative to the folder, with '/', sorted. */
  list(): Promise<readonly string[]>;
  dispose(): void;
}

const pattern = '**/*.loop.{yaml,yml}';
const passedOver = '**/{node_modules,.git,.ratchet}/**';
const most = 1_000;

export function isLoopFile(uri: vscode.Uri): boolean {
  return /\.loop\.ya?ml$/.test(uri.path);
}

export function watchLoopFiles(host: Pick<HostContext, 'folder'>, onChange: () => void): LoopFiles {
  const { folder } = host;
  if (folder === null) return { list: async () => [], dispose: () => undefined };
  let known: Promise<readonly string[]> | null = null;
  const find = async () => {
    const uris = await vscode.workspace.findFiles(
      new vscode.RelativePattern(folder, pattern),
      passedOver,
      most,
    );
    const paths = uris.map((uri) => relativePath(host, uri)).filter((path) => path !== null);
    void vscode.commands.executeCommand('setContext', contextKeys.hasLoops, paths.length > 0);
    return paths.sort();
  };
  const watcher = vscode.workspace.createFileSystemWatcher(
    new vscode.RelativePattern(folder, pattern),
    false,
    true,
    false,
  );
  const changed = () => {
    known = null;
    onChange();
  };
  watcher.onDidCreate(changed);
  watcher.onDidDelete(changed);
  return { list: () => (known ??= find()), dispose: () => void watcher.dispose() };
}
