/**
 * Owns the seam between the stub the editor loads at start and the host it loads when something is first needed.
 * Types only: whichever side imports this gets no code with it.
 */
import type * as vscode from 'vscode';
import type { CommandId, ViewId } from './ids.ts';
import type { TreeNode } from './trees/treeNode.ts';

/** A row as the editor holds on to it: the same object for as long as the row is known, its content renewed in place. */
export interface TreeElement {
  readonly id: string;
  readonly parent: TreeElement | null;
  node: TreeNode;
}

export interface TreeShell {
  readonly view: vscode.TreeView<TreeElement>;
  readonly changed: vscode.EventEmitter<TreeElement | undefined>;
}

/** What the stub registered with the editor, for the host to fill. */
export interface Shell {
  readonly context: vscode.ExtensionContext;
  readonly trees: Readonly<Record<ViewId, TreeShell>>;
  readonly filesChanged: vscode.EventEmitter<vscode.FileChangeEvent[]>;
  /** Milliseconds activate() and the host's loading took, for the log. */
  readonly timings: { activate: number; load: number };
}

export interface Host {
  readonly trees: Readonly<
    Record<ViewId, Required<Omit<vscode.TreeDataProvider<TreeElement>, 'onDidChangeTreeData'>>>
  >;
  readonly files: Pick<vscode.FileSystemProvider, 'stat' | 'readFile'>;
  runCommand(id: CommandId, args: readonly unknown[]): Promise<void>;
  resolvePanel(document: vscode.TextDocument, panel: vscode.WebviewPanel): Promise<void>;
}

/** The export of the host's bundle. */
export interface HostModule {
  readonly startHost: (shell: Shell) => Host;
}
