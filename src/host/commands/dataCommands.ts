/**
 * Owns the commands on a workspace's data as a whole: exported to a file, imported from one, restored from a backup; and
 * telling what the engine warns of. Deliberately leaves all of the work to the engine.
 */
import * as vscode from 'vscode';
import { exportStore, importStore, restoreStore, storeWarned } from '../../protocol/engine.ts';
import { counted } from '../../protocol/wording.ts';
import type { HostContext } from '../hostContext.ts';
import type { CommandHandlers } from './commandHandlers.ts';

export const filters = { SQLite: ['sqlite', 'ratchetdb'] };

/** A little while is nothing to show. */
export function shown<Result>(title: string, work: () => Promise<Result>): Thenable<Result> {
  return vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, work);
}

export function folderOf({ folder }: HostContext): vscode.WorkspaceFolder {
  if (folder === null) throw new Error('Open a folder first: its data is what this works on.');
  return folder;
}

/** Throws where a file would stand in the way of the workspace's own. */
export function checkPlace(folder: vscode.WorkspaceFolder, target: vscode.Uri): void {
  if (target.scheme !== 'file') throw new Error('Choose a place on a disk.');
  const own = vscode.Uri.joinPath(folder.uri, '.ratchet').path;
  if (target.path.startsWith(`${own}/`))
    throw new Error('The folder .ratchet is Ratchet\u2019s own. Choose another one.');
}

async function exportData(host: HostContext): Promise<void> {
  const folder = folderOf(host);
  const target = await vscode.window.showSaveDialog({
    title: 'Export Workspace Data',
    defaultUri: vscode.Uri.joinPath(folder.uri, `${folder.name}.sqlite`),
    filters,
  });
  if (target === undefined) return;
  checkPlace(folder, target);
  // The dialog has asked whether to replace a file; it stays until the new one is whole.
  const unfinished = target.with({ path: `${target.path}.export` });
  await vscode.workspace.fs.delete(unfinished).then(undefined, () => undefined);
  await shown('Exporting workspace data...', () =>
    host.link.request(exportStore, { file: unfinished.fsPath }),
  );
  await vscode.workspace.fs.rename(unfinished, target, { overwrite: true });
  void vscode.window.showInformationMessage(`Exported to ${target.fsPath}, which any SQLite reads.`);
}

async function importData(host: HostContext): Promise<void> {
  folderOf(host);
  const [source] =
    (await vscode.window.showOpenDialog({ title: 'Import Workspace Data', openLabel: 'Import', filters })) ??
    [];
  if (source === undefined) return;
  const { runs, known, experiences } = await shown('Importing workspace data...', () =>
    host.link.request(importStore, { file: source.fsPath }),
  );
  const rest = known === 0 ? '' : ` ${counted(known, 'run was', 'runs were')} here already.`;
  void vscode.window.showInformationMessage(
    `Imported ${counted(runs, 'run')} with ${counted(experiences, 'experience')}.${rest}`,
  );
}

async function restoreData(host: HostContext): Promise<void> {
  folderOf(host);
  const choice = await vscode.window.showWarningMessage(
    'Put the newest good backup in the place of the damaged database?',
    { modal: true, detail: 'The damaged file is kept beside it. A database that is whole is left as it is.' },
    'Restore',
  );
  if (choice === undefined) return;
  const { runs, experiences, madeAt, keptAs } = await shown('Restoring workspace data...', () =>
    host.link.request(restoreStore, {}),
  );
  const kept = keptAs === null ? '' : ` The damaged file is kept as ${keptAs}.`;
  void vscode.window.showInformationMessage(
    `Restored the backup of ${new Date(madeAt).toLocaleString()}: ${counted(runs, 'run')}, ${counted(experiences, 'experience')}.${kept}`,
  );
}

export function dataCommands(
  host: HostContext,
): CommandHandlers<'ratchet.exportData' | 'ratchet.importData' | 'ratchet.restoreData'> {
  return {
    'ratchet.exportData': () => exportData(host),
    'ratchet.importData': () => importData(host),
    'ratchet.restoreData': () => restoreData(host),
  };
}

export function tellWarnings({ link, log, shell }: HostContext): void {
  const end = link.on(storeWarned, ({ message }) => {
    log.warn(message);
    void vscode.window.showWarningMessage(message, 'Show Log').then((choice) => {
      if (choice !== undefined) log.show();
    });
  });
  shell.context.subscriptions.push(new vscode.Disposable(end));
}
