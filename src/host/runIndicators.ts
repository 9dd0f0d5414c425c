/**
 * Owns how a window shows that a run is on outside the panel: one status bar item, the view's own progress, a context
 * key, and one notification at the end. Deliberately nothing that moves focus.
 */
import * as vscode from 'vscode';
import type { RunId } from '../core/model/ids.ts';
import type { RunSummary } from '../core/model/views.ts';
import { costWords, dollars } from '../protocol/comparison.ts';
import { percent, statusWord } from '../protocol/wording.ts';
import { contextKeys, type CommandId } from './ids.ts';
import type { BoardChange, RunBoard } from './runBoard.ts';

export interface IndicatorOptions {
  readonly board: RunBoard;
  /** Whether a panel showing this run is in sight: its end needs no notification then. */
  readonly inSight: (run: RunSummary) => boolean;
  /** Whether a person asked this window to pause or stop the run. */
  readonly wasAsked: (runId: RunId) => boolean;
  readonly openPanel: (run: RunSummary) => Promise<void>;
  /** Rejects with the sentence a person reads. */
  readonly resume: (run: RunSummary) => Promise<void>;
}

/** Money once there is some: what is free, or not known, has no place in so short a line. */
function moneyText({ cost }: RunSummary): string {
  const usd = cost?.usd ?? null;
  return usd === null || usd === 0 ? '' : ` \u00b7 ${dollars(usd)}`;
}

function statusText(run: RunSummary): string {
  const icon = run.status === 'paused' ? '$(debug-pause)' : '$(sync)';
  const score = run.score === null ? '' : ` \u00b7 ${percent(run.score)}`;
  const paused = run.status === 'paused' ? ' paused' : '';
  return `${icon} ${run.recipeName}${paused} ${run.round}/${run.rounds}${score}${moneyText(run)}`;
}

function drawItem(item: vscode.StatusBarItem, run: RunSummary | null): void {
  if (run === null) {
    item.hide();
    return;
  }
  item.text = statusText(run);
  const spoken = `Ratchet: ${run.recipeName} ${statusWord(run.status)}, round ${run.round} of ${run.rounds}${
    run.score === null ? '' : `, score ${percent(run.score)}`
  }`;
  const used = run.cost === undefined ? '' : `\n${costWords(run.cost, run.caps)}`;
  item.tooltip = `${spoken}.${used}\nPress for pause, resume, stop and the panel.`;
  item.accessibilityInformation = { label: spoken, role: 'button' };
  item.show();
}

function endSentence(run: RunSummary): string {
  if (run.status === 'done' && run.testScore !== null) {
    return `${run.recipeName} is done: ${percent(run.testScore)} on the sealed test.`;
  }
  return `${run.recipeName} is ${statusWord(run.status)}${run.message === '' ? '.' : `: ${run.message}`}`;
}

/** The view's progress bar, shown from the first running run to the last. */
function viewProgress(): (anyRunning: boolean) => void {
  let finish: (() => void) | null = null;
  return (anyRunning) => {
    if (!anyRunning) {
      finish?.();
      finish = null;
    } else if (finish === null) {
      const done = new Promise<void>((resolve) => {
        finish = resolve;
      });
      void vscode.window.withProgress({ location: { viewId: 'ratchet.loops' } }, () => done);
    }
  };
}

const withNewCap = 'Resume with a New Cap...';

export function showRuns({
  board,
  inSight,
  wasAsked,
  openPanel,
  resume,
}: IndicatorOptions): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('ratchet.run', vscode.StatusBarAlignment.Left);
  item.name = 'Ratchet Run';
  item.command = 'ratchet.runActions' satisfies CommandId;
  const progress = viewProgress();
  const notify = async (run: RunSummary) => {
    const show =
      run.status === 'failed' ? vscode.window.showErrorMessage : vscode.window.showInformationMessage;
    const more = run.status === 'budget' ? [withNewCap] : [];
    const choice = await show(endSentence(run), 'Open Loop Panel', ...more);
    if (choice === withNewCap) await resume(run);
    else if (choice !== undefined) await openPanel(run);
  };
  board.onChange(({ current, anyRunning, settled }: BoardChange) => {
    drawItem(item, current);
    progress(anyRunning);
    const state = current === null ? 'none' : current.status;
    void vscode.commands.executeCommand('setContext', contextKeys.run, state);
    // What a person asked for is no news to them; an end that came by itself is.
    const ended = settled.filter((run) => !wasAsked(run.id) && !inSight(run));
    for (const run of ended) void notify(run);
  });
  return new vscode.Disposable(() => {
    progress(false);
    item.dispose();
  });
}
