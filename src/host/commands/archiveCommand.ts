/**
 * Owns "Archive Run...": which run is meant, where it is to go, and saying what became of it. Deliberately moves nothing
 * itself: the engine writes, checks and only then removes.
 */
import * as vscode from 'vscode';
import { asId, type RunId } from '../../core/model/ids.ts';
import type { RunSummary } from '../../core/model/views.ts';
import { archiveRun } from '../../protocol/engine.ts';
import { counted } from '../../protocol/wording.ts';
import type { HostContext } from '../hostContext.ts';
import type { TreeElement } from '../shell.ts';
import { runOutcome } from '../trees/runRows.ts';
import { runNumbers } from '../trees/treeNode.ts';
import { checkPlace, filters, folderOf, shown } from './dataCommands.ts';

interface Choice {
  readonly run: RunSummary;
  readonly name: string;
}

/** Runs that stand still, newest first. */
async function choices({ models }: HostContext): Promise<readonly Choice[]> {
  const runs = await models.runs();
  const numbers = runNumbers(runs);
  return runs
    .filter((run) => run.status !== 'running')
    .map((run) => ({ run, name: `${run.recipeName}, Run ${numbers.get(run.id) ?? 0}` }));
}

/** The run of the row or id the command was given, else a person's pick. */
async function runOf(host: HostContext, [target]: readonly unknown[]): Promise<Choice | undefined> {
  const all = await choices(host);
  const ref = (target as TreeElement | undefined)?.node?.ref;
  const wanted = typeof target === 'string' ? asId<RunId>(target) : ref?.kind === 'run' ? ref.run.id : null;
  if (wanted !== null) {
    const found = all.find(({ run }) => run.id === wanted);
    if (found === undefined)
      throw new Error('Only a run that stands still can be archived: pause or stop it first.');
    return found;
  }
  if (all.length === 0) throw new Error('There is no run to archive: none has ended or paused here.');
  const items = all.map((choice) => ({ choice, label: choice.name, description: runOutcome(choice.run) }));
  const title = 'Which run is to be archived?';
  return (
    await vscode.window.showQuickPick(items, {
      title,
      placeHolder: 'It leaves the workspace for a file of its own',
    })
  )?.choice;
}

/** A name for the file that says which run it holds. */
function fileName({ run, name }: Choice): string {
  const date = new Date(run.startedAt).toISOString().slice(0, 10);
  return `${name.replaceAll(/[^\p{L}\p{N}]+/gu, '-').toLowerCase()}-${date}.sqlite`;
}

export async function archiveRunCommand(host: HostContext, args: readonly unknown[]): Promise<void> {
  const folder = folderOf(host);
  const choice = await runOf(host, args);
  if (choice === undefined) return;
  const target = await vscode.window.showSaveDialog({
    title: `Archive ${choice.name}`,
    saveLabel: 'Archive',
    defaultUri: vscode.Uri.joinPath(folder.uri, fileName(choice)),
    filters,
  });
  if (target === undefined) return;
  checkPlace(folder, target);
  // The dialog has asked whether to replace a file; it stays until the archive is whole.
  const { experiences } = await shown(`Archiving ${choice.name}...`, () =>
    host.link.request(archiveRun, { runId: choice.run.id, file: target.fsPath, replace: true }),
  );
  void vscode.window.showInformationMessage(
    `Archived ${choice.name} with ${counted(experiences, 'experience')} to ${target.fsPath}. "Ratchet: Import Workspace Data..." brings it back.`,
  );
}
