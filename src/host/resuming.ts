/**
 * Owns the questions a person is asked before a run goes on: whether to pay for a run begun elsewhere, a new cap where its
 * budget has stopped it, and which way where its recipe, its data or the engine has changed. Deliberately starts nothing.
 */
import * as vscode from 'vscode';
import type { RunCaps } from '../core/model/cost.ts';
import type { RunDetail, RunSummary } from '../core/model/views.ts';
import type { ResumeQuestion } from '../protocol/engine.ts';
import { counted, percent, roundWord } from '../protocol/wording.ts';
import { capUses, readCap, wrongCap } from './runCaps.ts';

/** The first, default button changes nothing. */
export async function agreesToPay({
  model,
  callsMade,
  callsLeft,
  tokens,
  usd,
}: ResumeQuestion): Promise<boolean> {
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

/** The cap a person sets instead of the one the run has met; {} where it has none, null where they would rather not. */
export async function askForCap(run: RunSummary): Promise<RunCaps | null> {
  const uses = capUses(run);
  if (uses.length === 0) return {};
  const title = `Resume ${run.recipeName} with a New Cap`;
  const [only] = uses;
  const use =
    uses.length === 1
      ? only
      : (
          await vscode.window.showQuickPick(
            uses.map((item) => ({ label: item.label, description: item.words, item })),
            { title, placeHolder: 'Which cap is to be raised? The one nearest its end stands first' },
          )
        )?.item;
  if (use === undefined) return null;
  const text = await vscode.window.showInputBox({
    title,
    prompt: `${use.label}: used ${use.words}. The new cap counts for the whole run, and is recorded with it.`,
    value: String(use.offer),
    validateInput: (value) => wrongCap(use, value),
  });
  return text === undefined ? null : { [use.name]: readCap(text) };
}

export type ChangeChoice = 'recorded' | 'branch' | 'anew';

/** What to do with a run that has changed since it began; undefined for nothing. */
export async function askAboutChange(sentence: string): Promise<ChangeChoice | undefined> {
  const [recorded, branch, anew] = ['Go On as Recorded', 'Branch...', 'Start Anew'] as const;
  const detail = [
    `${recorded}: the run ends as it began; what has changed since is left out.`,
    'Branch: a new run with what is there now shares the rounds you pick, and pays nothing for them.',
    `${anew}: a new run from the beginning. In each case what this one has is kept.`,
  ].join('\n\n');
  const picked = await vscode.window.showWarningMessage(
    sentence,
    { modal: true, detail },
    recorded,
    branch,
    anew,
  );
  const choices = { [recorded]: 'recorded', [branch]: 'branch', [anew]: 'anew' } as const;
  return picked === undefined ? undefined : choices[picked];
}

/** The last round to share with a run; undefined where a person would rather not. */
export async function askForRound({ run, rounds }: RunDetail): Promise<number | undefined> {
  // A round under way has no score yet, and sharing it would share what it lacks.
  const whole = run.status === 'done' ? run.round : Math.max(0, run.round - 1);
  const items = Array.from({ length: whole + 1 }, (_, index) => {
    const round = whole - index;
    const score = rounds.find((item) => item.arm === 'main' && item.round === round)?.score ?? null;
    return {
      label: round === 0 ? 'Only the Start' : `Up to ${roundWord(round)}`,
      description: score === null ? '' : percent(score),
      round,
    };
  });
  const picked = await vscode.window.showQuickPick(items, {
    title: `Branch from ${run.recipeName}`,
    placeHolder: 'Which rounds does the new run share? Nothing is paid for them again',
  });
  return picked?.round;
}
