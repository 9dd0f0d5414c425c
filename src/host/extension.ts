/**
 * Owns activation: registers what the manifest promises and returns. Deliberately reads, starts and fetches nothing; the
 * host's bundle is loaded when a tree is first shown, a command first run, a document or panel first opened.
 */
import { createRequire } from 'node:module';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { commandIds, documentScheme, panelType, viewIds, type ViewId } from './ids.ts';
import type { Host, HostModule, Shell, TreeElement, TreeShell } from './shell.ts';

function loadHost(shell: Shell): Host {
  const { extensionPath } = shell.context;
  // The path is put together at run time, so that the bundler leaves the host out of the stub.
  const require = createRequire(path.join(extensionPath, 'package.json'));
  const began = performance.now();
  const module = require(path.join(extensionPath, 'dist', 'host.cjs')) as HostModule;
  shell.timings.load = performance.now() - began;
  return module.startHost(shell);
}

function registerTree(id: ViewId, host: () => Host, context: vscode.ExtensionContext): TreeShell {
  const changed = new vscode.EventEmitter<TreeElement | undefined>();
  const view = vscode.window.createTreeView<TreeElement>(id, {
    showCollapseAll: true,
    canSelectMany: id === 'ratchet.experiences',
    treeDataProvider: {
      onDidChangeTreeData: changed.event,
      getChildren: (element) => host().trees[id].getChildren(element),
      getTreeItem: (element) => host().trees[id].getTreeItem(element),
      getParent: (element) => element.parent,
      resolveTreeItem: (item, element, token) => host().trees[id].resolveTreeItem(item, element, token),
    },
  });
  context.subscriptions.push(changed, view);
  return { view, changed };
}

function registerDocuments(host: () => Host, context: vscode.ExtensionContext): Shell['filesChanged'] {
  const filesChanged = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  const refuse = (): never => {
    throw vscode.FileSystemError.NoPermissions('Records of runs cannot be changed.');
  };
  const provider: vscode.FileSystemProvider = {
    onDidChangeFile: filesChanged.event,
    watch: () => new vscode.Disposable(() => undefined),
    stat: (uri) => host().files.stat(uri),
    readFile: (uri) => host().files.readFile(uri),
    readDirectory: () => [],
    createDirectory: refuse,
    writeFile: refuse,
    delete: refuse,
    rename: refuse,
  };
  const readOnly = new vscode.MarkdownString('This is a record of a run. It cannot be changed, only judged.');
  context.subscriptions.push(
    filesChanged,
    vscode.workspace.registerFileSystemProvider(documentScheme, provider, {
      isCaseSensitive: true,
      isReadonly: readOnly,
    }),
  );
  return filesChanged;
}

export function activate(context: vscode.ExtensionContext): void {
  const began = performance.now();
  let loaded: Host | null = null;
  const host = (): Host => (loaded ??= loadHost(shell));
  const tree = (id: ViewId) => registerTree(id, host, context);
  const shell: Shell = {
    context,
    trees: Object.fromEntries(viewIds.map((id) => [id, tree(id)])) as Readonly<Record<ViewId, TreeShell>>,
    filesChanged: registerDocuments(host, context),
    timings: { activate: 0, load: 0 },
  };
  for (const id of commandIds) {
    const run = (...args: unknown[]) => host().runCommand(id, args);
    context.subscriptions.push(vscode.commands.registerCommand(id, run));
  }
  context.subscriptions.push(
    vscode.window.registerCustomEditorProvider(
      panelType,
      { resolveCustomTextEditor: (document, panel) => host().resolvePanel(document, panel) },
      { webviewOptions: { retainContextWhenHidden: false }, supportsMultipleEditorsPerDocument: true },
    ),
  );
  shell.timings.activate = performance.now() - began;
}
