/**
 * Owns what this window answers when the engine asks: the user's providers, a key, an editor model. Deliberately answers
 * nothing in a workspace that is not trusted: no setting is read, no key touched, no model asked.
 */
import * as vscode from 'vscode';
import { answering, type ClientAnswer } from '../client/connection.ts';
import { askEditorModel, askKey, askProviders } from '../protocol/clientRequests.ts';
import type { EditorModels } from './editorModels.ts';
import { type KeyVault, originOf } from './keyVault.ts';
import { ownProvider, ownProviders } from './providerSettings.ts';

export interface WindowServices {
  readonly keys: KeyVault;
  readonly editorModels: EditorModels;
}

/** Asks a person whether a key may go to another address from now on. The first, default button keeps it back. */
export async function askToRebind(provider: string, from: string, to: string): Promise<boolean> {
  const send = `Send It to ${new URL(to).host}`;
  const choice = await vscode.window.showWarningMessage(
    `The key of provider ${provider} was stored for ${from}. Your settings now name ${to}.`,
    { modal: true, detail: 'Whoever answers there would get the key.' },
    'Do Not Send',
    send,
  );
  return choice === send;
}

/** The origin the settings name for a provider now. */
export function namedOrigin(provider: string): string | null {
  const found = ownProvider(provider);
  return found.kind === 'found' ? originOf(found.settings.baseURL) : null;
}

export function engineQuestions({ keys, editorModels }: WindowServices): readonly ClientAnswer[] {
  return [
    answering(askProviders, async () => (vscode.workspace.isTrusted ? { providers: ownProviders() } : null)),
    answering(askKey, async ({ provider, origin }) => {
      if (!vscode.workspace.isTrusted) return { key: null };
      return { key: await keys.find({ provider, origin, named: namedOrigin(provider) }) };
    }),
    answering(askEditorModel, async (request, signal) =>
      vscode.workspace.isTrusted
        ? editorModels.answer(request, signal)
        : { kind: 'elsewhere', reason: 'Runs need a workspace you trust; trust it, then resume.' },
    ),
  ];
}
