/**
 * Owns the commands on providers: set and remove a key, try a connection. Deliberately takes no argument from whoever calls
 * them, and shows or returns no key.
 */
import * as vscode from 'vscode';
import { forgetKeys, testProvider, type ConnectionReport } from '../../protocol/engine.ts';
import { editorProvider, providerIds, type ProviderSettings } from '../../protocol/providers.ts';
import type { WindowServices } from '../engineQuestions.ts';
import type { HostContext } from '../hostContext.ts';
import { maySeeKeys, originOf } from '../keyVault.ts';
import { needTrust } from '../loopActions.ts';
import { ownProvider, ownProviders, providersSetting } from '../providerSettings.ts';
import type { CommandHandlers } from './commandHandlers.ts';

interface ProviderItem extends vscode.QuickPickItem {
  readonly id: string;
}

interface Context {
  readonly host: HostContext;
  readonly services: WindowServices;
}

function itemOf(id: string): ProviderItem {
  const found = ownProvider(id);
  const description = found.kind === 'found' ? found.settings.baseURL : 'cannot be used';
  return { id, label: id, description, ...(found.kind === 'wrong' ? { detail: found.message } : {}) };
}

async function pickProvider(title: string, more: readonly ProviderItem[] = []): Promise<string | null> {
  const items = [...providerIds(ownProviders()).map(itemOf), ...more];
  const picked = await vscode.window.showQuickPick(items, {
    title,
    placeHolder: `Others are added in the setting ${providersSetting}`,
    matchOnDescription: true,
  });
  return picked?.id ?? null;
}

/** The provider's settings; throws the sentence a person reads where they cannot be used. */
function settingsOf(id: string): ProviderSettings {
  const found = ownProvider(id);
  if (found.kind === 'found') return found.settings;
  throw new Error(found.kind === 'wrong' ? found.message : `There is no provider "${id}".`);
}

/** A running engine asks again for a key that changed; one that does not run has none. */
async function tellEngine({ link }: HostContext): Promise<void> {
  if (link.state().kind === 'open') await link.request(forgetKeys, {});
}

async function setKey(context: Context, given?: string): Promise<void> {
  const id = given ?? (await pickProvider('Set the key of which provider?'));
  if (id === null) return;
  const { baseURL } = settingsOf(id);
  const origin = originOf(baseURL);
  if (origin === null)
    throw new Error(`The base URL of ${id} is not an address; it looks like https://host/v1.`);
  if (!maySeeKeys(origin))
    throw new Error(
      `${origin} is not encrypted, so no key is ever sent there; use https for a server that wants one.`,
    );
  const key = await vscode.window.showInputBox({
    title: `Key of provider ${id}`,
    prompt: `Kept in the editor's secret storage, and sent to ${origin} alone.`,
    password: true,
    ignoreFocusOut: true,
    validateInput: (value) =>
      /^[\x21-\x7e]{1,5000}$/u.test(value.trim())
        ? undefined
        : 'A key has letters, digits and signs, and no spaces.',
  });
  if (key === undefined) return;
  await context.services.keys.set(id, { origin, key: key.trim() });
  await tellEngine(context.host);
  void vscode.window.showInformationMessage(`The key of ${id} is stored for ${origin}.`);
}

async function removeKey({ host, services }: Context): Promise<void> {
  const stored = await Promise.all(
    providerIds(ownProviders()).map(async (id) => ({ id, key: await services.keys.read(id) })),
  );
  const items = stored.flatMap(({ id, key }) =>
    key === null ? [] : [{ id, label: id, description: key.origin }],
  );
  if (items.length === 0) {
    void vscode.window.showInformationMessage('No key is stored in this editor.');
    return;
  }
  const picked = await vscode.window.showQuickPick(items, { title: 'Remove the key of which provider?' });
  if (picked === undefined) return;
  await services.keys.remove(picked.id);
  await tellEngine(host);
  void vscode.window.showInformationMessage(`The key of ${picked.id} is removed.`);
}

async function tryProvider(host: HostContext, provider: string, model: string): Promise<ConnectionReport> {
  const title = model === '' ? `Looking for ${provider}...` : `Asking ${provider}/${model}...`;
  return vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, () =>
    host.link.request(testProvider, { provider, model }),
  );
}

const typed = 'Type Another Name...';

async function pickModel(provider: string, models: readonly string[]): Promise<string | null> {
  const picked =
    models.length === 0
      ? typed
      : await vscode.window.showQuickPick([...models, typed], { title: `Which model of ${provider}?` });
  if (picked === undefined) return null;
  if (picked !== typed) return picked;
  const name = await vscode.window.showInputBox({
    title: `Model of ${provider}`,
    prompt: 'Its name as the provider spells it.',
    validateInput: (value) => (/^\S.{0,198}$/u.test(value.trim()) ? undefined : 'Name a model.'),
  });
  return name?.trim() ?? null;
}

async function tell(context: Context, provider: string, report: ConnectionReport): Promise<void> {
  const { log } = context.host;
  if (report.ok) {
    log.info(report.message);
    void vscode.window.showInformationMessage(report.message);
    return;
  }
  log.warn(report.message);
  const action =
    report.problem === 'key' ? 'Set API Key...' : report.problem === 'address' ? 'Open Settings' : 'Show Log';
  const choice = await vscode.window.showErrorMessage(report.message, action);
  if (choice === undefined) return;
  if (choice === 'Set API Key...') await setKey(context, provider);
  else if (choice === 'Show Log') log.show();
  else await vscode.commands.executeCommand('workbench.action.openSettings', providersSetting);
}

async function testConnection(context: Context): Promise<void> {
  const { host, services } = context;
  needTrust();
  if (host.folder === null) throw new Error('Open a folder first: its engine is what tries the connection.');
  services.editorModels.acted();
  const editorModels = await services.editorModels.list();
  const inEditor = { id: editorProvider, label: editorProvider, description: 'models of this editor' };
  const provider = await pickProvider('Try the connection to which provider?', [inEditor]);
  if (provider === null) return;
  if (provider === editorProvider) {
    if (editorModels.length === 0)
      throw new Error('This editor offers no language model; install an extension that does.');
    const model = await pickModel(provider, editorModels);
    if (model !== null) await tell(context, provider, await tryProvider(host, provider, model));
    return;
  }
  const settings = settingsOf(provider);
  const looked = await tryProvider(host, provider, '');
  if (!looked.ok) {
    await tell(context, provider, looked);
    return;
  }
  const model = await pickModel(provider, [...new Set([...settings.models, ...looked.models])]);
  if (model !== null) await tell(context, provider, await tryProvider(host, provider, model));
}

export function providerCommands(
  context: Context,
): CommandHandlers<'ratchet.setKey' | 'ratchet.removeKey' | 'ratchet.testConnection'> {
  return {
    'ratchet.setKey': () => setKey(context),
    'ratchet.removeKey': () => removeKey(context),
    'ratchet.testConnection': () => testConnection(context),
  };
}
