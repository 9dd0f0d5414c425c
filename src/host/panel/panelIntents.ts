/** Owns what each intent of a panel does, the smallest edits of the loop file among them. */
import * as vscode from 'vscode';
import type { RunId } from '../../core/model/ids.ts';
import type { RecipeField } from '../../core/model/recipeView.ts';
import { editRecipe } from '../../protocol/engine.ts';
import type { PanelIntent } from '../../protocol/panel.ts';
import { uriOf } from '../documents/documentFiles.ts';
import type { HostContext } from '../hostContext.ts';
import type { LoopActions } from '../loopActions.ts';
import type { PanelFeed } from './panelFeed.ts';

/** Applies one setting as a range edit, unless the text changed while the engine looked for the range. */
async function setField(
  { link }: HostContext,
  document: vscode.TextDocument,
  field: RecipeField,
  value: number,
): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const { version } = document;
    const change = await link.request(editRecipe, { text: document.getText(), field, value });
    if (change === null) throw new Error('This value does not fit, or the file is not a loop yet.');
    if (document.version !== version) continue;
    const range = new vscode.Range(document.positionAt(change.start), document.positionAt(change.end));
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, range, change.text);
    if (await vscode.workspace.applyEdit(edit)) return;
  }
  throw new Error('The file kept changing; try again.');
}

async function revealLine(document: vscode.TextDocument, line: number): Promise<void> {
  const position = new vscode.Position(Math.min(line, document.lineCount) - 1, 0);
  await vscode.window.showTextDocument(document, { selection: new vscode.Range(position, position) });
}

export interface IntentContext {
  readonly host: HostContext;
  readonly actions: LoopActions;
  readonly document: vscode.TextDocument;
  readonly feed: PanelFeed;
}

/** Rejects with what a person reads when the intent could not be carried out. */
export function intentHandler(context: IntentContext): (intent: PanelIntent) => Promise<void> {
  const { host, actions, document, feed } = context;
  const onShown = async (act: (runId: RunId) => Promise<void>) => {
    if (feed.shownRun !== null) await act(feed.shownRun);
  };
  return async (intent) => {
    switch (intent.type) {
      case 'ready':
        return feed.snapshot();
      case 'set':
        return setField(host, document, intent.field, intent.value);
      case 'run':
        return actions.start(document.uri);
      case 'pause':
        return onShown((runId) => actions.pause(runId, 'finish'));
      case 'pauseNow':
        return onShown((runId) => actions.pause(runId, 'abort'));
      case 'resume':
        return onShown(actions.resume);
      case 'stop':
        return onShown(actions.stop);
      case 'show':
        return feed.snapshot(intent.runId);
      case 'revealLine':
        return revealLine(document, intent.line);
      case 'openEvaluation':
        await vscode.commands.executeCommand('ratchet.openEvaluation', intent.evaluationId);
        return;
      case 'openCandidate': {
        const { runId, version } = intent;
        const uri = uriOf({ kind: 'candidate', runId, arm: 'main', version }, '');
        await vscode.commands.executeCommand('vscode.open', uri, { preview: true });
        return;
      }
      case 'retry':
        await host.link.retry();
        return feed.snapshot();
      case 'restartEngine':
        await host.link.restart();
        return feed.snapshot();
      case 'showLog':
        host.log.show();
        return;
      case 'manageTrust':
        await vscode.commands.executeCommand('workbench.trust.manage');
    }
  };
}
