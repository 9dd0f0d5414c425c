/** Owns the open loop panels of this window: opening one, finding it again, showing a run in it. */
import * as vscode from 'vscode';
import type { RunSummary } from '../../core/model/views.ts';
import { recipeUri, relativePath, type HostContext } from '../hostContext.ts';
import { panelType } from '../ids.ts';
import type { LoopActions } from '../loopActions.ts';
import { openPanelSession, type PanelSession } from './panelSession.ts';

export interface Panels {
  resolve(document: vscode.TextDocument, panel: vscode.WebviewPanel): void;
  /** Opens the panel of a loop file, or brings it forward. */
  open(uri: vscode.Uri, options?: vscode.TextDocumentShowOptions): Promise<void>;
  /** Opens the panel of a run's loop and shows the run in it. */
  showRun(run: Pick<RunSummary, 'id' | 'recipePath'>): Promise<void>;
  isOpen(uri: vscode.Uri): boolean;
  /** Whether a panel that shows this run can be seen. */
  inSight(run: RunSummary): boolean;
  /** The panel in front, if the editor in front is one. */
  active(): PanelSession | null;
}

export function createPanels(host: HostContext, actions: LoopActions): Panels {
  const sessions = new Set<PanelSession>();
  /** A run to show in a panel that is still opening. */
  const awaited = new Map<string, RunSummary['id']>();

  const sessionsOf = (uri: vscode.Uri) =>
    [...sessions].filter((session) => session.document.uri.toString() === uri.toString());

  async function open(uri: vscode.Uri, options: vscode.TextDocumentShowOptions = {}): Promise<void> {
    const known = sessionsOf(uri)[0];
    if (known !== undefined) {
      known.panel.reveal(undefined, options.preserveFocus);
      return;
    }
    await vscode.commands.executeCommand('vscode.openWith', uri, panelType, options);
  }

  return {
    open,
    resolve(document, panel) {
      const key = document.uri.toString();
      const session = openPanelSession(host, actions, document, panel, awaited.get(key) ?? null);
      awaited.delete(key);
      sessions.add(session);
      panel.onDidDispose(() => sessions.delete(session));
    },
    async showRun(run) {
      const uri = recipeUri(host, run.recipePath);
      if (uri === null) return;
      const known = sessionsOf(uri);
      if (known.length === 0) awaited.set(uri.toString(), run.id);
      for (const session of known) await session.show(run.id);
      await open(uri);
    },
    isOpen: (uri) => sessionsOf(uri).length > 0,
    inSight: (run) =>
      [...sessions].some(
        ({ document, panel }) =>
          panel.visible && vscode.window.state.focused && relativePath(host, document.uri) === run.recipePath,
      ),
    active: () => [...sessions].find(({ panel }) => panel.active) ?? null,
  };
}
