/** Owns asking which model a new loop runs on: those of the user's providers and of the editor, or a name. Asks none of them. */
import * as vscode from 'vscode';
import { editorProvider, providerIds } from '../../protocol/providers.ts';
import type { HostContext } from '../hostContext.ts';
import { ownProvider, ownProviders, providersSetting } from '../providerSettings.ts';

const addProvider = 'Add a Provider...';

/** Names as a recipe writes them, "provider/model", or a provider alone where its settings name no model. */
async function known({ services }: HostContext): Promise<readonly vscode.QuickPickItem[]> {
  const own = providerIds(ownProviders()).flatMap((id) => {
    const found = ownProvider(id);
    if (found.kind !== 'found') return [];
    const { models, baseURL } = found.settings;
    return models.map((model) => ({ label: `${id}/${model}`, description: baseURL }));
  });
  const ofEditor = vscode.workspace.isTrusted ? await services.editorModels.list() : [];
  return [
    ...own,
    ...ofEditor.map((model) => ({
      label: `${editorProvider}/${model}`,
      description: 'a model of this editor',
    })),
  ];
}

/** Null where the person turned away, or went to add a provider. */
export async function pickModel(host: HostContext): Promise<string | null> {
  const models = await known(host);
  const typed = models.length > 0 ? 'Type Another Name...' : 'Type a Name...';
  const picked = await vscode.window.showQuickPick(
    [
      ...models,
      { label: typed, description: 'such as ollama/llama3.2' },
      { label: addProvider, description: `opens the setting ${providersSetting}` },
    ],
    {
      title: 'Which model does the loop run on?',
      placeHolder:
        models.length > 0
          ? 'A model of your providers or of the editor'
          : 'No provider of yours names a model yet',
      matchOnDescription: true,
      ignoreFocusOut: true,
    },
  );
  if (picked?.label === addProvider)
    await vscode.commands.executeCommand('workbench.action.openSettings', providersSetting);
  if (picked === undefined || picked.label === addProvider) return null;
  if (picked.label !== typed) return picked.label;
  const name = await vscode.window.showInputBox({
    title: 'Which model does the loop run on?',
    prompt: `The provider, a slash and the model, such as ollama/llama3.2: one of the setting ${providersSetting}, or one that is known, such as openai or ollama.`,
    ignoreFocusOut: true,
    validateInput: (value) =>
      /^\S{1,200}$/u.test(value.trim()) ? undefined : 'Write the provider, a slash and the model.',
  });
  return name?.trim() ?? null;
}
