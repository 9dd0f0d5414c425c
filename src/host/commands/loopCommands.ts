/** Owns the commands on loops and runs: run, pause, resume, stop, open, and which loop or run is meant without an argument. */
import * as vscode from 'vscode';
import { asId, type RunId } from '../../core/model/ids.ts';
import { costWords } from '../../protocol/comparison.ts';
import { percent, statusWord } from '../../protocol/wording.ts';
import { recipeUri, type HostContext } from '../hostContext.ts';
import type { LoopActions } from '../loopActions.ts';
import { isLoopFile, type LoopFiles } from '../loopFiles.ts';
import type { Panels } from '../panel/panels.ts';
import type { RunBoard } from '../runBoard.ts';
import type { TreeElement } from '../shell.ts';
import type { CommandHandlers } from './commandHandlers.ts';
import { chooseRun } from './runChoice.ts';

export interface LoopCommandsContext {
  readonly host: HostContext;
  readonly actions: LoopActions;
  readonly panels: Panels;
  readonly board: RunBoard;
  readonly loopFiles: LoopFiles;
}

function inFront(): vscode.Uri | null {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  const shows = input instanceof vscode.TabInputText || input instanceof vscode.TabInputCustom;
  return shows && isLoopFile(input.uri) ? input.uri : null;
}

/** The loop a command is about: its argument, else the editor in front, else the only one, else a person's pick. */
async function loopOf(
  { host, loopFiles }: LoopCommandsContext,
  [target]: readonly unknown[],
): Promise<vscode.Uri | null> {
  if (target instanceof vscode.Uri) return target;
  const ref = (target as TreeElement | undefined)?.node?.ref;
  if (ref?.kind === 'recipe') return recipeUri(host, ref.path);
  if (ref?.kind === 'run') return recipeUri(host, ref.run.recipePath);
  const front = inFront();
  if (front !== null) return front;
  const paths = await loopFiles.list();
  if (paths.length === 0) {
    throw new Error('There is no loop file (*.loop.yaml) here yet: run "Ratchet: New Loop..." first.');
  }
  const path =
    paths.length === 1 ? paths[0] : await vscode.window.showQuickPick([...paths], { title: 'Which loop?' });
  return path === undefined ? null : recipeUri(host, path);
}

function runOf({ board, panels }: LoopCommandsContext, [target]: readonly unknown[]): RunId {
  const ref = (target as TreeElement | undefined)?.node?.ref;
  const runId = ref?.kind === 'run' ? ref.run.id : (panels.active()?.shownRun() ?? board.current()?.id);
  if (runId === undefined) throw new Error('No run is going on.');
  return runId;
}

/** A run that can go on: the one meant where it can, else the only one or a person's pick of those that can. */
async function resume(context: LoopCommandsContext, args: readonly unknown[]): Promise<void> {
  const { host, actions, panels, board } = context;
  const named = await chooseRun(host, {
    args,
    shown: panels.active()?.shownRun() ?? board.current()?.id ?? null,
    title: 'Resume which run?',
    fits: ({ status }) => status === 'paused' || status === 'budget',
    none: 'No run is paused or stopped by its budget.',
  });
  if (named !== undefined) await actions.resume(named.run.id);
}

async function run(context: LoopCommandsContext, args: readonly unknown[]): Promise<void> {
  const uri = await loopOf(context, args);
  if (uri === null) return;
  await context.actions.start(uri);
  if (!context.panels.isOpen(uri)) await context.panels.open(uri);
}

/** The status bar item's menu. */
async function runActions(context: LoopCommandsContext): Promise<void> {
  const { board, actions, panels } = context;
  const current = board.current();
  if (current === null) throw new Error('No run is going on.');
  const { id, status } = current;
  const choices = [
    ...(status === 'running'
      ? [
          {
            label: '$(debug-pause) Pause',
            description: 'once the calls in flight are answered',
            act: () => actions.pause(id, 'finish'),
          },
          {
            label: '$(debug-disconnect) Pause Now',
            description: 'breaks off the calls in flight; they may be paid a second time',
            act: () => actions.pause(id, 'abort'),
          },
        ]
      : [{ label: '$(play) Resume', act: () => actions.resume(id) }]),
    { label: '$(debug-stop) Stop', act: () => actions.stop(id) },
    { label: '$(graph-line) Open Loop Panel', act: () => panels.showRun(current) },
  ];
  const score = current.score === null ? '' : `, ${percent(current.score)}`;
  const choice = await vscode.window.showQuickPick<(typeof choices)[number] & vscode.QuickPickItem>(choices, {
    ...(current.cost === undefined ? {} : { placeHolder: costWords(current.cost, current.caps) }),
    title: `${current.recipeName}, ${statusWord(status)}, round ${current.round} of ${current.rounds}${score}`,
  });
  await choice?.act();
}

async function showRun(
  { board, host, panels }: LoopCommandsContext,
  [target]: readonly unknown[],
): Promise<void> {
  if (typeof target !== 'string') throw new Error('Select a run in the Loops & Runs view.');
  const runId = asId<RunId>(target);
  const known = board.run(runId) ?? (await host.models.runs()).find((item) => item.id === runId);
  if (known === undefined) throw new Error('This run is not in the workspace any more.');
  await panels.showRun(known);
}

export function loopCommands(
  context: LoopCommandsContext,
): CommandHandlers<
  | 'ratchet.run'
  | 'ratchet.pause'
  | 'ratchet.pauseNow'
  | 'ratchet.resume'
  | 'ratchet.stop'
  | 'ratchet.openPanel'
  | 'ratchet.openText'
  | 'ratchet.runActions'
  | 'ratchet.showRun'
  | 'ratchet.reopenPanel'
> {
  const { actions, panels } = context;
  return {
    'ratchet.run': (args) => run(context, args),
    'ratchet.pause': (args) => actions.pause(runOf(context, args), 'finish'),
    'ratchet.pauseNow': (args) => actions.pause(runOf(context, args), 'abort'),
    'ratchet.resume': (args) => resume(context, args),
    'ratchet.stop': (args) => actions.stop(runOf(context, args)),
    'ratchet.openPanel': async (args) => {
      const uri = await loopOf(context, args);
      if (uri !== null) await panels.open(uri);
    },
    'ratchet.openText': async (args) => {
      const uri = await loopOf(context, args);
      if (uri !== null) await vscode.commands.executeCommand('vscode.openWith', uri, 'default');
    },
    'ratchet.runActions': () => runActions(context),
    'ratchet.showRun': (args) => showRun(context, args),
    'ratchet.reopenPanel': async () => panels.active()?.reopen(),
  };
}
