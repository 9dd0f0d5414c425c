/**
 * Owns judging experiences by hand: from the document in front, or from the rows selected in the tree. Stored by the
 * engine at once; used again, a command takes back what it said.
 */
import * as vscode from 'vscode';
import type { SolutionId } from '../../core/model/ids.ts';
import { annotate } from '../../protocol/engine.ts';
import { judgementOf, readScore, toggleVerdict, type Judgement } from '../annotation.ts';
import { readPath } from '../documents/addresses.ts';
import { uriOf } from '../documents/documentFiles.ts';
import { oneLine } from '../documents/plainText.ts';
import type { HostContext } from '../hostContext.ts';
import { contextKeys, documentScheme } from '../ids.ts';
import { neighbour } from '../neighbours.ts';
import type { TreeElement } from '../shell.ts';
import type { CommandHandlers } from './commandHandlers.ts';

const reviewKeysState = 'reviewKeys';

interface Target {
  readonly solutionId: SolutionId;
  readonly title: string;
  readonly judgement: Judgement;
}

function documentInFront(uri: unknown): SolutionId | null {
  const address = uri instanceof vscode.Uri ? uri : vscode.window.activeTextEditor?.document.uri;
  if (address?.scheme !== documentScheme) return null;
  const read = readPath(address.path);
  return read?.kind === 'experience' ? read.solutionId : null;
}

/** The rows a tree command was given: the selection where the row is part of it, else the row. A key passes 'selection'. */
function rowsOf({ shell }: HostContext, args: readonly unknown[]): readonly TreeElement[] {
  if (args[0] === 'selection') return shell.trees['ratchet.experiences'].view.selection;
  const [row, selection] = args as readonly [TreeElement | undefined, readonly TreeElement[] | undefined];
  if (row?.node === undefined) return [];
  return selection?.includes(row) === true ? selection : [row];
}

async function targetsOf(host: HostContext, args: readonly unknown[]): Promise<readonly Target[]> {
  const rows = rowsOf(host, args).flatMap(({ node: { ref } }) => (ref.kind === 'experience' ? [ref] : []));
  if (rows.length > 0) {
    return rows.map(({ experience }) => ({
      solutionId: experience.solutionId,
      title: oneLine(experience.input, 40),
      judgement: judgementOf(experience.annotation),
    }));
  }
  const solutionId = documentInFront(args[0]);
  const detail = solutionId === null ? null : await host.models.experience(solutionId);
  if (detail === null)
    throw new Error('Open an experience, or select some in the Experiences view, to judge.');
  const { solution, task, annotation } = detail;
  return [{ solutionId: solution.id, title: oneLine(task.input, 40), judgement: judgementOf(annotation) }];
}

async function send(
  { link }: HostContext,
  targets: readonly Target[],
  judgements: readonly Judgement[],
): Promise<void> {
  for (const [index, { solutionId }] of targets.entries()) {
    const judgement = judgements[index];
    if (judgement !== undefined) await link.request(annotate, { solutionId, ...judgement });
  }
}

function subject(targets: readonly Target[]): string {
  return targets.length === 1 ? (targets[0]?.title ?? '') : `${targets.length} experiences`;
}

async function judge(
  host: HostContext,
  args: readonly unknown[],
  verdict: 'accept' | 'reject',
): Promise<void> {
  const targets = await targetsOf(host, args);
  await send(
    host,
    targets,
    toggleVerdict(
      targets.map((target) => target.judgement),
      verdict,
    ),
  );
}

async function score(host: HostContext, args: readonly unknown[]): Promise<void> {
  const targets = await targetsOf(host, args);
  const now = targets[0]?.judgement.score ?? null;
  const text = await vscode.window.showInputBox({
    title: `Score ${subject(targets)}`,
    prompt: 'From 0 (worthless) to 1 (perfect), or a percentage. Empty takes the score back.',
    value: now === null ? '' : String(now),
    validateInput: (value) => {
      const read = readScore(value);
      return typeof read === 'string' ? read : undefined;
    },
  });
  if (text === undefined) return;
  const read = readScore(text);
  if (typeof read === 'string') return;
  await send(
    host,
    targets,
    targets.map(({ judgement }) => ({ ...judgement, score: read.score })),
  );
}

async function note(host: HostContext, args: readonly unknown[]): Promise<void> {
  const targets = await targetsOf(host, args);
  const text = await vscode.window.showInputBox({
    title: `Note on ${subject(targets)}`,
    prompt: 'For yourself and whoever reads this later. Empty takes the note back.',
    value: targets[0]?.judgement.note ?? '',
  });
  if (text === undefined) return;
  await send(
    host,
    targets,
    targets.map(({ judgement }) => ({ ...judgement, note: text.trim() })),
  );
}

async function goTo(host: HostContext, step: 1 | -1): Promise<void> {
  const solutionId = documentInFront(undefined);
  const detail = solutionId === null ? null : await host.models.experience(solutionId);
  if (detail === null) throw new Error('Open an experience first.');
  const next = await neighbour(host.models, detail, step);
  if (next === null) {
    vscode.window.setStatusBarMessage(
      step === 1 ? 'The last of its group.' : 'The first of its group.',
      3_000,
    );
    return;
  }
  const uri = uriOf({ kind: 'experience', solutionId: next.solutionId }, oneLine(next.input, 40));
  await vscode.commands.executeCommand('vscode.open', uri, { preview: true });
}

async function setReviewKeys({ shell }: HostContext, on: boolean): Promise<void> {
  await shell.context.globalState.update(reviewKeysState, on);
  await vscode.commands.executeCommand('setContext', contextKeys.reviewKeys, on);
}

/** The single keys stay as the person left them. */
export function restoreReviewKeys({ shell }: HostContext): void {
  const on = shell.context.globalState.get<boolean>(reviewKeysState) === true;
  void vscode.commands.executeCommand('setContext', contextKeys.reviewKeys, on);
}

export function experienceCommands(
  host: HostContext,
): CommandHandlers<`ratchet.experience.${string}` | `ratchet.reviewKeys.${string}`> {
  // Keys come faster than documents open: what is typed after "next" is meant for the next one.
  let turn: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };
  return {
    'ratchet.experience.accept': (args) => inTurn(() => judge(host, args, 'accept')),
    'ratchet.experience.reject': (args) => inTurn(() => judge(host, args, 'reject')),
    'ratchet.experience.score': (args) => inTurn(() => score(host, args)),
    'ratchet.experience.note': (args) => inTurn(() => note(host, args)),
    'ratchet.experience.next': () => inTurn(() => goTo(host, 1)),
    'ratchet.experience.previous': () => inTurn(() => goTo(host, -1)),
    'ratchet.reviewKeys.on': () => setReviewKeys(host, true),
    'ratchet.reviewKeys.off': () => setReviewKeys(host, false),
  };
}
