/**
 * Owns the commands that make something of runs there are: branch, retry what failed, compare, bundle, replay. Deliberately
 * does none of it: the engine does, and what is compared is a document like any other.
 */
import * as vscode from 'vscode';
import type { RunId } from '../../core/model/ids.ts';
import { bundleRun, replayBundle } from '../../protocol/engine.ts';
import { count, counted } from '../../protocol/wording.ts';
import { uriOf } from '../documents/documentFiles.ts';
import { recipeUri, type HostContext } from '../hostContext.ts';
import { allRounds, type LoopActions } from '../loopActions.ts';
import type { Panels } from '../panel/panels.ts';
import type { TreeElement } from '../shell.ts';
import type { CommandHandlers } from './commandHandlers.ts';
import { checkPlace, folderOf, shown } from './dataCommands.ts';
import { chooseRun, type NamedRun } from './runChoice.ts';

export interface RunCommandsContext {
  readonly host: HostContext;
  readonly actions: LoopActions;
  readonly panels: Panels;
}

const bundles = { 'Run bundle': ['ratchetbundle'] };

/** The run in the panel in front. */
function inFront(panels: Panels): RunId | null {
  return panels.active()?.shownRun() ?? null;
}

async function showNew({ host, panels }: RunCommandsContext, id: RunId): Promise<void> {
  host.models.forgetRun(id);
  const run = (await host.models.runs()).find((item) => item.id === id);
  if (run !== undefined) await panels.showRun(run);
}

/** Whether the loop file says something else than it did when the run began; undefined where it is gone. */
async function recipeChanged(host: HostContext, { run }: NamedRun): Promise<boolean | undefined> {
  const uri = recipeUri(host, run.recipePath);
  const detail = await host.models.run(run.id);
  if (uri === null || detail === null) return undefined;
  try {
    return (await vscode.workspace.openTextDocument(uri)).getText() !== detail.recipeText;
  } catch {
    return undefined;
  }
}

/** Asks only where there is a choice. */
async function askForRecipe(host: HostContext, named: NamedRun): Promise<'file' | 'recorded' | undefined> {
  const changed = await recipeChanged(host, named);
  if (changed !== true) return 'recorded';
  const items = [
    {
      label: 'With the Recipe as It Is Now',
      detail: `${named.run.recipePath}, changed since.`,
      recipe: 'file',
    },
    {
      label: 'With the Recipe as It Was Recorded',
      detail: 'Other answers to the same loop.',
      recipe: 'recorded',
    },
  ] as const;
  return (await vscode.window.showQuickPick(items, { title: `Branch from ${named.name}` }))?.recipe;
}

async function branch(context: RunCommandsContext, args: readonly unknown[]): Promise<void> {
  const { host, actions, panels } = context;
  const named = await chooseRun(host, {
    args,
    shown: inFront(panels),
    title: 'Branch from which run?',
    fits: ({ status }) => status !== 'running',
    none: 'Only a run that stands still can be branched from: pause or stop it first.',
  });
  if (named === undefined) return;
  const recipe = await askForRecipe(host, named);
  if (recipe === undefined) return;
  const ref = (args[0] as TreeElement | undefined)?.node?.ref;
  const through = ref?.kind === 'round' && ref.arm === 'main' ? ref.round : null;
  const made = await actions.branch({ runId: named.run.id, through, recipe, retryFailed: false });
  if (made !== null) await showNew(context, made);
}

async function retryFailed(context: RunCommandsContext, args: readonly unknown[]): Promise<void> {
  const { host, actions, panels } = context;
  const named = await chooseRun(host, {
    args,
    shown: inFront(panels),
    title: 'Retry what failed in which run?',
    fits: ({ status }) => status !== 'running',
    none: 'Only a run that stands still can be retried: pause or stop it first.',
  });
  if (named === undefined) return;
  const wish = { runId: named.run.id, through: allRounds, recipe: 'recorded', retryFailed: true } as const;
  const made = await actions.branch(wish);
  if (made !== null) await showNew(context, made);
}

async function compare({ host, panels }: RunCommandsContext, args: readonly unknown[]): Promise<void> {
  const none = 'There is no second run to compare with yet.';
  const one = await chooseRun(host, {
    args,
    shown: inFront(panels),
    title: 'Compare which run?',
    fits: () => true,
    none: 'There is no run to compare yet.',
  });
  if (one === undefined) return;
  const other = await chooseRun(host, {
    // A second row of a selection is the other side.
    args: Array.isArray(args[1]) ? args[1].filter((row) => row !== args[0]) : [],
    shown: null,
    title: `Compare ${one.name} with which run?`,
    fits: ({ id }) => id !== one.run.id,
    none,
  });
  if (other === undefined) return;
  const [first, second] = [one, other].sort((left, right) => left.run.startedAt - right.run.startedAt);
  if (first === undefined || second === undefined) return;
  const title = `${first.name} and ${second.name.replace(`${first.run.recipeName}, `, '')}`;
  const uri = uriOf({ kind: 'comparison', one: first.run.id, other: second.run.id }, title);
  await vscode.commands.executeCommand('vscode.open', uri, { preview: true });
}

async function exportBundle({ host, panels }: RunCommandsContext, args: readonly unknown[]): Promise<void> {
  const folder = folderOf(host);
  const named = await chooseRun(host, {
    args,
    shown: inFront(panels),
    title: 'Export the bundle of which run?',
    fits: ({ status }) => status !== 'running',
    none: 'Only a run that stands still can be bundled: pause or stop it first.',
  });
  if (named === undefined) return;
  const name = named.name.replaceAll(/[^\p{L}\p{N}]+/gu, '-').toLowerCase();
  const target = await vscode.window.showSaveDialog({
    title: `Export Bundle of ${named.name}`,
    saveLabel: 'Export',
    defaultUri: vscode.Uri.joinPath(folder.uri, `${name}.ratchetbundle`),
    filters: bundles,
  });
  if (target === undefined) return;
  checkPlace(folder, target);
  // The dialog has asked whether to replace a file; it stays until the new one is whole.
  const unfinished = target.with({ path: `${target.path}.export` });
  await vscode.workspace.fs.delete(unfinished).then(undefined, () => undefined);
  const { answers, bytes } = await shown(`Bundling ${named.name}...`, () =>
    host.link.request(bundleRun, { runId: named.run.id, file: unfinished.fsPath }),
  );
  await vscode.workspace.fs.rename(unfinished, target, { overwrite: true });
  void vscode.window.showInformationMessage(
    `Bundled ${named.name} with ${counted(answers, 'answer')} in ${count(Math.ceil(bytes / 1000))} kB: ${target.fsPath}. "Ratchet: Replay Bundle..." runs it again anywhere, asking no model.`,
  );
}

async function replay(host: HostContext): Promise<void> {
  folderOf(host);
  const [source] =
    (await vscode.window.showOpenDialog({ title: 'Replay Bundle', openLabel: 'Replay', filters: bundles })) ??
    [];
  if (source === undefined) return;
  const report = await shown('Replaying the bundle...', () =>
    host.link.request(replayBundle, { file: source.fsPath }),
  );
  const what = `${report.recipe}, seed ${report.seed}: ${counted(report.events, 'event')}`;
  const copy = 'Copy Hash';
  const choice = report.same
    ? await vscode.window.showInformationMessage(
        `${what}, the same as when it was bundled. No model was asked. Hash ${report.eventsHash.slice(0, 12)}.`,
        copy,
      )
    : await vscode.window.showWarningMessage(
        report.calls > 0
          ? `${what}. The bundle has no answer to ${counted(report.calls, 'call')}; none was made.`
          : `${what}, which differ from those of the run that was bundled.`,
        copy,
      );
  if (choice === copy) await vscode.env.clipboard.writeText(report.eventsHash);
}

export function runCommands(
  context: RunCommandsContext,
): CommandHandlers<
  | 'ratchet.branchRun'
  | 'ratchet.retryFailed'
  | 'ratchet.compareRuns'
  | 'ratchet.exportBundle'
  | 'ratchet.replayBundle'
> {
  return {
    'ratchet.branchRun': (args) => branch(context, args),
    'ratchet.retryFailed': (args) => retryFailed(context, args),
    'ratchet.compareRuns': (args) => compare(context, args),
    'ratchet.exportBundle': (args) => exportBundle(context, args),
    'ratchet.replayBundle': () => replay(context.host),
  };
}
