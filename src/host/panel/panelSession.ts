/**
 * Owns one open panel: its page, its intents, and the smallest edits they make in the loop file. Deliberately decides
 * nothing about runs; the loop actions do, for commands and panels alike.
 */
import { randomBytes } from 'node:crypto';
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { RunId } from '../../core/model/ids.ts';
import { eventsAppended, progressMade, runChanged } from '../../protocol/engine.ts';
import { readPanelIntent, type PanelIntent } from '../../protocol/panel.ts';
import { logError, relativePath, type HostContext } from '../hostContext.ts';
import type { LoopActions } from '../loopActions.ts';
import { PanelFeed } from './panelFeed.ts';
import { intentHandler } from './panelIntents.ts';
import { pageCommand, panelHtml } from './panelHtml.ts';

export interface PanelSession {
  readonly document: vscode.TextDocument;
  readonly panel: vscode.WebviewPanel;
  /** Shows a run of this loop. */
  show(runId: RunId): Promise<void>;
  /** Loads the page again. */
  reopen(): void;
  shownRun(): RunId | null;
}

const textPauseMs = 200;
const runsPauseMs = 400;

function loadPage({ webview }: vscode.WebviewPanel, extensionUri: vscode.Uri): void {
  const dist = vscode.Uri.joinPath(extensionUri, 'dist');
  webview.options = {
    enableScripts: true,
    enableCommandUris: [pageCommand],
    localResourceRoots: [dist],
  };
  const address = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(dist, name)).toString();
  webview.html = panelHtml({
    cspSource: webview.cspSource,
    script: address('webview.js'),
    style: address('webview.css'),
    nonce: randomBytes(16).toString('base64url'),
  });
}

/** Runs what comes in bursts once, a moment after the last. */
function after(
  ms: number,
  work: () => Promise<void>,
): { readonly soon: () => void; readonly end: () => void } {
  let timer: NodeJS.Timeout | undefined;
  return {
    soon: () => {
      clearTimeout(timer);
      timer = setTimeout(() => void work(), ms);
    },
    end: () => clearTimeout(timer),
  };
}

/** `show` is the run to show first; null is the newest. */
export function openPanelSession(
  host: HostContext,
  actions: LoopActions,
  document: vscode.TextDocument,
  panel: vscode.WebviewPanel,
  show: RunId | null,
): PanelSession {
  const { link, models } = host;
  const feed = new PanelFeed({
    link,
    models,
    recipePath: relativePath(host, document.uri) ?? document.uri.path,
    text: () => document.getText(),
    trusted: () => vscode.workspace.isTrusted,
    show,
    post: (message) => void panel.webview.postMessage(message),
  });
  const refuse = (error: unknown) => {
    feed.change({ kind: 'refusal', message: logError(host.log, error) });
  };
  const handle = intentHandler({ host, actions, document, feed });
  const take = async (intent: PanelIntent) => {
    feed.change({ kind: 'refusal', message: '' });
    await handle(intent).catch(refuse);
  };
  const text = after(textPauseMs, () => feed.onText());
  const runs = after(runsPauseMs, () => feed.refreshRuns());
  const subscriptions: (() => void)[] = [
    link.on(eventsAppended, ({ events }) => {
      feed.onEvents(events);
      if (events.some((event) => event.runId === feed.shownRun)) runs.soon();
    }),
    link.on(progressMade, (progress) => {
      if (progress.runId === feed.shownRun) feed.change({ kind: 'progress', progress });
    }),
    link.on(runChanged, ({ run }) => void feed.onRun(run)),
    link.onState((state) => {
      // What was missed while the engine was away is only known from a new snapshot.
      if (state.kind === 'open' && panel.visible) void feed.snapshot();
      else feed.onEngine(state);
    }),
    text.end,
    runs.end,
  ];
  const disposables = [
    panel.webview.onDidReceiveMessage((message: unknown) => {
      const intent = readPanelIntent(message);
      if (intent !== null) void take(intent);
    }),
    panel.onDidChangeViewState(() => {
      if (!panel.visible) feed.sleep();
    }),
    vscode.workspace.onDidChangeTextDocument((event) => {
      if (event.document === document && event.contentChanges.length > 0) text.soon();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      feed.change({ kind: 'trust', trusted: true });
      // Until now no engine was started for it.
      if (panel.visible) void feed.snapshot();
    }),
  ];
  panel.onDidDispose(() => {
    feed.sleep();
    for (const end of subscriptions) end();
    for (const disposable of disposables) disposable.dispose();
  });
  panel.title = `${path.posix.basename(document.uri.path).replace(/\.loop\.ya?ml$/, '')}: loop`;
  loadPage(panel, host.shell.context.extensionUri);
  return {
    document,
    panel,
    show: (runId) => feed.snapshot(runId),
    reopen: () => loadPage(panel, host.shell.context.extensionUri),
    shownRun: () => feed.shownRun,
  };
}
