/**
 * Owns drawing rows in the editor's trees: rows to tree items, and renewing single rows. Deliberately knows nothing of
 * what a row means; the sources do.
 */
import * as vscode from 'vscode';
import type { Host, TreeElement, TreeShell } from '../shell.ts';
import type { Opening, TreeNode, TreeSource } from './treeNode.ts';

export interface TreeOptions {
  readonly shell: TreeShell;
  readonly source: TreeSource;
  readonly commandOf: (opening: Opening) => vscode.Command;
  /** Called with what a person reads when rows could not be fetched and why, and with '' when they could. */
  readonly onTrouble: (message: string, error: unknown) => void;
}

export interface Tree {
  readonly provider: Host['trees'][keyof Host['trees']];
  /** Draws rows anew; one that is not shown yet stands for the nearest row above it that is. '' is the whole view. */
  refresh(ids: readonly string[]): void;
  /** Rows that have been shown. */
  known(): Iterable<TreeElement>;
}

const collapsible: Readonly<Record<TreeNode['children'], vscode.TreeItemCollapsibleState>> = {
  none: vscode.TreeItemCollapsibleState.None,
  closed: vscode.TreeItemCollapsibleState.Collapsed,
  open: vscode.TreeItemCollapsibleState.Expanded,
};

function itemOf(node: TreeNode, commandOf: TreeOptions['commandOf']): vscode.TreeItem {
  const item = new vscode.TreeItem(node.label, collapsible[node.children]);
  item.id = node.id;
  item.description = node.description;
  item.iconPath = new vscode.ThemeIcon(
    node.icon,
    node.color === undefined ? undefined : new vscode.ThemeColor(node.color),
  );
  item.contextValue = node.context;
  item.accessibilityInformation = { label: node.spoken };
  if (node.opening !== undefined) item.command = commandOf(node.opening);
  return item;
}

/** The nearest known row at or above an id; ids put '/' between a parent's and its own part. */
function nearest(known: ReadonlyMap<string, TreeElement>, id: string): TreeElement | undefined {
  for (let end = id.length; end > 0; end = id.lastIndexOf('/', end - 1)) {
    const found = known.get(id.slice(0, end));
    if (found !== undefined) return found;
  }
  return undefined;
}

export function createTree({ shell, source, commandOf, onTrouble }: TreeOptions): Tree {
  const known = new Map<string, TreeElement>();
  const stale = new Set<string>();

  function elementOf(node: TreeNode, parent: TreeElement | null): TreeElement {
    const existing = known.get(node.id);
    if (existing !== undefined) {
      existing.node = node;
      return existing;
    }
    const element: TreeElement = { id: node.id, parent, node };
    known.set(node.id, element);
    return element;
  }

  async function children(parent: TreeElement | null): Promise<TreeElement[]> {
    const nodes = await source.children(parent?.node ?? null);
    for (const node of nodes) stale.delete(node.id);
    return nodes.map((node) => elementOf(node, parent));
  }

  return {
    provider: {
      async getChildren(element) {
        try {
          const rows = await children(element ?? null);
          if (element === undefined) onTrouble('', null);
          return rows;
        } catch (error) {
          onTrouble(error instanceof Error ? error.message : String(error), error);
          return [];
        }
      },
      async getTreeItem(element) {
        if (stale.delete(element.id)) {
          // A row's own words come from its parent's children; a failure leaves the old words standing.
          await children(element.parent).catch(() => undefined);
        }
        return itemOf(element.node, commandOf);
      },
      getParent: (element) => element.parent,
      resolveTreeItem(item, element) {
        const { tooltip, label } = element.node;
        const shown = new vscode.MarkdownString();
        shown.appendText(tooltip?.() ?? label);
        item.tooltip = shown;
        return item;
      },
    },
    refresh(ids) {
      if (ids.includes('')) {
        shell.changed.fire(undefined);
        return;
      }
      const rows = new Set(ids.map((id) => nearest(known, id)).filter((row) => row !== undefined));
      for (const row of rows) {
        if (row.parent !== null && rows.has(row.parent)) continue;
        stale.add(row.id);
        shell.changed.fire(row);
      }
    },
    known: () => known.values(),
  };
}
