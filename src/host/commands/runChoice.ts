/** Owns which run a command means: the row or id it was given, else the one in the panel in front, else a person's pick. */
import * as vscode from 'vscode';
import { asId, type RunId } from '../../core/model/ids.ts';
import type { RunSummary } from '../../core/model/views.ts';
import type { HostContext } from '../hostContext.ts';
import type { TreeElement } from '../shell.ts';
import { runOutcome } from '../trees/runRows.ts';
import { runNumbers } from '../trees/treeNode.ts';

export interface NamedRun {
  readonly run: RunSummary;
  /** "star, Run 3". */
  readonly name: string;
}

export interface RunWanted {
  readonly args: readonly unknown[];
  /** Of the panel in front, where there is one. */
  readonly shown: RunId | null;
  readonly title: string;
  readonly fits: (run: RunSummary) => boolean;
  /** Said where no run fits. */
  readonly none: string;
}

/** The run of a row (or of a round's row) or an id. */
function given([target]: readonly unknown[]): RunId | null {
  const ref = (target as TreeElement | undefined)?.node?.ref;
  if (ref?.kind === 'run') return ref.run.id;
  if (ref?.kind === 'round') return ref.runId;
  return typeof target === 'string' ? asId<RunId>(target) : null;
}

/** Undefined where a person would rather not; throws the sentence they read where no run fits. */
export async function chooseRun(host: HostContext, wanted: RunWanted): Promise<NamedRun | undefined> {
  const { args, shown, title, fits, none } = wanted;
  const runs = await host.models.runs();
  const numbers = runNumbers(runs);
  const named = runs
    .filter(fits)
    .map((run) => ({ run, name: `${run.recipeName}, Run ${numbers.get(run.id) ?? 0}` }));
  const asked = given(args);
  if (asked !== null) {
    const found = named.find(({ run }) => run.id === asked);
    if (found === undefined) throw new Error(none);
    return found;
  }
  const front = named.find(({ run }) => run.id === shown);
  if (front !== undefined) return front;
  if (named.length === 0) throw new Error(none);
  const items = named.map((item) => ({ item, label: item.name, description: runOutcome(item.run) }));
  return (await vscode.window.showQuickPick(items, { title }))?.item;
}
