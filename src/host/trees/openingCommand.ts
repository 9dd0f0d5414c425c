/** Owns what pressing a row runs: the editor's own open and diff wherever they do, so that preview tabs behave. */
import type * as vscode from 'vscode';
import { asId, type TaskId } from '../../core/model/ids.ts';
import { uriOf } from '../documents/documentFiles.ts';
import { recipeUri, type HostContext } from '../hostContext.ts';
import type { CommandId } from '../ids.ts';
import type { Opening } from './treeNode.ts';

function own(command: CommandId, title: string, ...args: readonly unknown[]): vscode.Command {
  return { command, title, arguments: [...args] };
}

function open(uri: vscode.Uri): vscode.Command {
  return { command: 'vscode.open', title: 'Open', arguments: [uri] };
}

export function openingCommand(host: Pick<HostContext, 'folder'>, opening: Opening): vscode.Command {
  switch (opening.kind) {
    case 'panel':
      return own('ratchet.openPanel', 'Open Loop Panel', recipeUri(host, opening.recipePath));
    case 'run':
      return own('ratchet.showRun', 'Show Run', opening.runId);
    case 'experience':
      return open(uriOf({ kind: 'experience', solutionId: opening.solutionId }, opening.title));
    case 'evaluation':
      return open(uriOf({ kind: 'evaluation', evaluationId: opening.evaluationId }, opening.title));
    case 'candidate': {
      const { runId, arm, version } = opening;
      return open(uriOf({ kind: 'candidate', runId, arm, version }, ''));
    }
    case 'changedTask': {
      const side = (which: 'before' | 'after') => {
        const taskId = asId<TaskId>(opening.taskId);
        return uriOf({ kind: 'changedTask', evaluationId: opening.evaluationId, taskId, side: which }, '');
      };
      const title = `${opening.title}: before \u2194 now`;
      return { command: 'vscode.diff', title: 'Compare', arguments: [side('before'), side('after'), title] };
    }
    case 'loadMore':
      return own('ratchet.loadMore', 'Load More', opening.groupId);
  }
}
