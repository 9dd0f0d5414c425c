/**
 * Owns "Search Experiences...": a list at the top of the window, fed as one types, a page at a time. Deliberately looks
 * nothing up itself: the store searches, behind the engine.
 */
import * as vscode from 'vscode';
import type { ExperienceHit } from '../../core/model/views.ts';
import { searchExperiences } from '../../protocol/engine.ts';
import { uriOf } from '../documents/documentFiles.ts';
import { oneLine } from '../documents/plainText.ts';
import { createSearchFeed, type SearchState } from '../experiences/searchFeed.ts';
import { foundWords, runNames, searchRows, type SearchRow } from '../experiences/searchRows.ts';
import type { HostContext } from '../hostContext.ts';
import { pageSize } from '../trees/experiencesTree.ts';
import type { CommandHandlers } from './commandHandlers.ts';

/** Milliseconds nothing is typed before it is asked: a word in flow is one question. */
const waitMs = 150;

const beside: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon('split-horizontal'),
  tooltip: 'Open to the Side',
};
const intoView: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon('filter'),
  tooltip: 'Show Them in the Experiences View',
};

type Item = vscode.QuickPickItem & { readonly row: SearchRow };

function itemOf(row: SearchRow): Item {
  // The list would hide what its own comparison does not find.
  const item: Item = { row, label: row.label, alwaysShow: true };
  if (row.kind === 'more') return { ...item, description: row.description };
  if (row.kind === 'note') return item;
  return { ...item, description: row.description, detail: row.detail, buttons: [beside] };
}

async function open(hit: ExperienceHit, column: vscode.ViewColumn): Promise<void> {
  const uri = uriOf({ kind: 'experience', solutionId: hit.solutionId }, oneLine(hit.input, 40));
  await vscode.commands.executeCommand('vscode.open', uri, { preview: true, viewColumn: column });
}

function prepared(typed: string): vscode.QuickPick<Item> {
  const pick = vscode.window.createQuickPick<Item>();
  pick.title = 'Search Experiences';
  pick.placeholder =
    'Words, "words in a row", beginn*, score:<0.5, round:2-5, verdict:kept, arm:control, annotated:yes';
  pick.matchOnDescription = false;
  pick.keepScrollPosition = true;
  pick.buttons = [intoView];
  pick.value = typed;
  return pick;
}

/** Rows anew, with the same row active where it is still there, and the first new one after a further page. */
function fill(pick: vscode.QuickPick<Item>, rows: readonly SearchRow[], firstNew: number | null): void {
  const active = pick.activeItems[0]?.row;
  const before = active?.kind === 'hit' ? active.hit.solutionId : null;
  const items = rows.map(itemOf);
  pick.items = items;
  const same = items.find(({ row }) => row.kind === 'hit' && row.hit.solutionId === before);
  const wanted = firstNew === null ? same : items[firstNew];
  if (wanted !== undefined) pick.activeItems = [wanted];
}

export interface SearchCommandsContext {
  readonly host: HostContext;
  /** Shows what a search finds in the tree. */
  readonly filterBy: (text: string) => Promise<void>;
}

async function search({ host, filterBy }: SearchCommandsContext, typed: string): Promise<string> {
  const names = runNames(await host.models.runs());
  const pick = prepared(typed);
  let shown: SearchState | null = null;
  let firstNew: number | null = null;
  const feed = createSearchFeed({
    pageSize,
    waitMs,
    ask: (text, after, limit) => host.link.request(searchExperiences, { text, filter: {}, after, limit }),
    show: (state) => {
      pick.busy = state.busy;
      // While it is asked, what was found before stays, so that nothing flickers as one types.
      if (state.busy && state.items === shown?.items) return;
      shown = state;
      pick.title = `Search Experiences: ${foundWords(state)}`;
      fill(pick, searchRows(state, names, pageSize), firstNew);
      if (!state.busy) firstNew = null;
    },
  });
  const tellFailure = (error: unknown): void =>
    host.log.error(error instanceof Error ? error : String(error));
  const act = (row: SearchRow | undefined): void => {
    if (row?.kind === 'more') {
      firstNew = pick.items.findIndex((item) => item.row.kind === 'more');
      feed.more();
    } else if (row?.kind === 'hit') {
      pick.hide();
      open(row.hit, vscode.ViewColumn.Active).catch(tellFailure);
    }
  };
  const done = Promise.withResolvers<string>();
  pick.onDidChangeValue((value) => feed.type(value));
  pick.onDidAccept(() => act(pick.activeItems[0]?.row));
  pick.onDidTriggerItemButton(({ item: { row } }) => {
    if (row.kind !== 'hit') return;
    pick.hide();
    open(row.hit, vscode.ViewColumn.Beside).catch(tellFailure);
  });
  pick.onDidTriggerButton(() => {
    const { value } = pick;
    pick.hide();
    filterBy(value).catch(tellFailure);
  });
  pick.onDidHide(() => {
    feed.close();
    done.resolve(pick.value);
    pick.dispose();
  });
  feed.type(typed);
  pick.show();
  return done.promise;
}

export function searchCommands(context: SearchCommandsContext): CommandHandlers<'ratchet.searchExperiences'> {
  // The window remembers what was searched for, as the editor's own search does.
  let typed = '';
  return {
    'ratchet.searchExperiences': async () => {
      typed = await search(context, typed);
    },
  };
}
