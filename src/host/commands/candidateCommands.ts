/** Owns comparing candidates in the editor's own diff: with a selected one, and with the one it was made from. */
import * as vscode from 'vscode';
import type { Arm } from '../../core/model/event.ts';
import type { RunId } from '../../core/model/ids.ts';
import { readPath, type DocumentAddress } from '../documents/addresses.ts';
import { uriOf } from '../documents/documentFiles.ts';
import type { HostContext } from '../hostContext.ts';
import { contextKeys } from '../ids.ts';
import type { TreeElement } from '../shell.ts';
import { candidateName } from '../trees/treeNode.ts';
import type { CommandHandlers } from './commandHandlers.ts';

type CandidateAddress = Extract<DocumentAddress, { kind: 'candidate' }>;

function addressOf([target]: readonly unknown[]): CandidateAddress {
  const ref = (target as TreeElement | undefined)?.node?.ref;
  if (ref?.kind === 'candidate') {
    const { at, version } = ref.candidate;
    return { kind: 'candidate', runId: ref.runId, arm: at.arm, version };
  }
  const uri = target instanceof vscode.Uri ? target : vscode.window.activeTextEditor?.document.uri;
  const address = uri === undefined ? null : readPath(uri.path);
  if (address?.kind === 'candidate') return address;
  throw new Error('Select a candidate in the Prompts & Candidates view.');
}

async function diff(left: CandidateAddress, right: CandidateAddress): Promise<void> {
  const title = `${candidateName(left.arm, left.version)} \u2194 ${candidateName(right.arm, right.version)}`;
  await vscode.commands.executeCommand('vscode.diff', uriOf(left, ''), uriOf(right, ''), title, {
    preview: true,
  });
}

/** The version a candidate was made from, within its own arm; the one before it where its parent is not there. */
async function previousOf(host: HostContext, address: CandidateAddress): Promise<CandidateAddress> {
  const all = await host.models.candidates(address.runId);
  const inArm = (arm: Arm, runId: RunId) => all.filter((item) => item.at.arm === arm && item.runId === runId);
  const own = inArm(address.arm, address.runId);
  const summary = own.find((item) => item.version === address.version);
  const parent = own.find((item) => summary?.candidate.parents.includes(item.candidate.id) === true);
  const version = parent?.version ?? address.version - 1;
  if (version < 1) throw new Error('This is the first version: there is none before it.');
  return { ...address, version };
}

export function candidateCommands(
  host: HostContext,
): CommandHandlers<
  'ratchet.selectForCompare' | 'ratchet.compareWithSelected' | 'ratchet.compareWithPrevious'
> {
  let selected: CandidateAddress | null = null;
  return {
    'ratchet.selectForCompare': async (args) => {
      selected = addressOf(args);
      await vscode.commands.executeCommand('setContext', contextKeys.candidateSelected, true);
    },
    'ratchet.compareWithSelected': async (args) => {
      if (selected === null) throw new Error('Select a candidate for comparison first.');
      await diff(selected, addressOf(args));
    },
    'ratchet.compareWithPrevious': async (args) => {
      const address = addressOf(args);
      await diff(await previousOf(host, address), address);
    },
  };
}
