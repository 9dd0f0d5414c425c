/** Owns making a loop file from a sample: which sample, under which name, opened in the panel. */
import * as vscode from 'vscode';
import type { HostContext } from '../hostContext.ts';
import type { Panels } from '../panel/panels.ts';
import { summaryOf } from './sampleSummary.ts';

interface Sample extends vscode.QuickPickItem {
  readonly uri: vscode.Uri;
}

async function samples({ shell }: HostContext): Promise<readonly Sample[]> {
  const folder = vscode.Uri.joinPath(shell.context.extensionUri, 'media', 'recipes');
  const entries = await vscode.workspace.fs.readDirectory(folder);
  const names = entries.map(([name]) => name).filter((name) => name.endsWith('.loop.yaml'));
  return Promise.all(
    names.sort().map(async (name) => {
      const uri = vscode.Uri.joinPath(folder, name);
      const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
      return { label: name.slice(0, -'.loop.yaml'.length), detail: summaryOf(text), uri };
    }),
  );
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}

export async function newLoop(host: HostContext, panels: Panels): Promise<void> {
  const { folder } = host;
  if (folder === null) throw new Error('Open a folder first: a loop keeps what it learns there.');
  const sample = await vscode.window.showQuickPick(samples(host), {
    title: 'New loop from which sample?',
    matchOnDetail: true,
  });
  if (sample === undefined) return;
  const uriOfName = (name: string) => vscode.Uri.joinPath(folder.uri, `${name}.loop.yaml`);
  const name = await vscode.window.showInputBox({
    title: 'Name of the new loop',
    prompt: `The file NAME.loop.yaml is made in ${folder.name}.`,
    value: sample.label,
    async validateInput(value) {
      if (!/^[\p{Letter}\p{Number}_][\p{Letter}\p{Number}_.-]*$/u.test(value)) {
        return 'Use letters, digits, hyphens and points, beginning with a letter or digit.';
      }
      return (await exists(uriOfName(value))) ? 'There is a loop of this name already.' : undefined;
    },
  });
  if (name === undefined) return;
  await vscode.workspace.fs.copy(sample.uri, uriOfName(name), { overwrite: false });
  await panels.open(uriOfName(name));
}
