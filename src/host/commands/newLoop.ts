/** Owns making a loop file from a built-in recipe: which one, on which model, under which name, with its data, opened in the panel. */
import * as vscode from 'vscode';
import type { HostContext } from '../hostContext.ts';
import type { Panels } from '../panel/panels.ts';
import { pickModel } from './pickModel.ts';
import { byObjective, capital, readHead, withModel, withName, type RecipeHead } from './recipeHead.ts';

const ending = '.loop.yaml';

interface BuiltIn {
  readonly name: string;
  readonly text: string;
  readonly head: RecipeHead;
}

interface Library {
  readonly folder: vscode.Uri;
  readonly recipes: readonly BuiltIn[];
  /** Data files that lie beside the recipes. */
  readonly data: ReadonlySet<string>;
}

async function readLibrary({ shell }: HostContext): Promise<Library> {
  const folder = vscode.Uri.joinPath(shell.context.extensionUri, 'media', 'recipes');
  const names = (await vscode.workspace.fs.readDirectory(folder)).map(([name]) => name);
  const recipes = await Promise.all(
    names
      .filter((name) => name.endsWith(ending))
      .map(async (file): Promise<BuiltIn> => {
        const bytes = await vscode.workspace.fs.readFile(vscode.Uri.joinPath(folder, file));
        const text = new TextDecoder().decode(bytes);
        return { name: file.slice(0, -ending.length), text, head: readHead(text) };
      }),
  );
  return { folder, recipes, data: new Set(names.filter((name) => name.endsWith('.jsonl'))) };
}

interface Choice extends vscode.QuickPickItem {
  readonly recipe?: BuiltIn;
}

/** Under its objective each recipe: what it does, then what a run of it takes and needs, or why it cannot run yet. */
function choicesOf({ recipes }: Library): readonly Choice[] {
  return byObjective(recipes).flatMap(({ title, items }): Choice[] => [
    { label: title, kind: vscode.QuickPickItemKind.Separator },
    ...items.map((recipe): Choice => {
      const { waits, description, run, needs } = recipe.head;
      const figures = [run, needs === '' ? '' : `needs ${needs}`].filter((part) => part !== '').join(' · ');
      const detail = waits === null ? capital(figures) : `Cannot run yet: ${waits}`;
      return { label: recipe.name, description, detail, recipe };
    }),
  ]);
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}

async function askName(folder: vscode.WorkspaceFolder, value: string): Promise<string | undefined> {
  return vscode.window.showInputBox({
    title: 'Name of the new loop',
    prompt: `The file NAME${ending} is made in ${folder.name}.`,
    value,
    ignoreFocusOut: true,
    async validateInput(name) {
      if (!/^[\p{Letter}\p{Number}_][\p{Letter}\p{Number}_.-]*$/u.test(name)) {
        return 'Use letters, digits, hyphens and points, beginning with a letter or digit.';
      }
      const taken = await exists(vscode.Uri.joinPath(folder.uri, `${name}${ending}`));
      return taken ? 'There is a loop of this name already.' : undefined;
    },
  });
}

/** Puts the recipe's data beside the loop; a file of that name that is there stays as it is. */
async function copyData(library: Library, { head }: BuiltIn, to: vscode.Uri): Promise<void> {
  for (const file of head.files.filter((name) => library.data.has(name))) {
    const target = vscode.Uri.joinPath(to, file);
    if (await exists(target)) continue;
    await vscode.workspace.fs.copy(vscode.Uri.joinPath(library.folder, file), target, { overwrite: false });
  }
}

export async function newLoop(host: HostContext, panels: Panels): Promise<void> {
  const { folder } = host;
  if (folder === null) throw new Error('Open a folder first: a loop keeps what it learns there.');
  const library = await readLibrary(host);
  const choice = await vscode.window.showQuickPick<Choice>(choicesOf(library), {
    title: 'New loop: get better at what?',
    placeHolder: 'Each says how many model calls a run takes, and what it needs',
    // A panel that was in front takes the focus back a moment after the list is up.
    ignoreFocusOut: true,
    matchOnDescription: true,
    matchOnDetail: true,
  });
  const recipe = choice?.recipe;
  if (recipe === undefined) return;
  const model = recipe.head.asksForModel ? await pickModel(host) : '';
  if (model === null) return;
  const name = await askName(folder, recipe.name);
  if (name === undefined) return;
  await copyData(library, recipe, folder.uri);
  const uri = vscode.Uri.joinPath(folder.uri, `${name}${ending}`);
  const named = withName(recipe.text, name);
  const text = recipe.head.asksForModel ? withModel(named, model) : named;
  await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
  await panels.open(uri);
}
