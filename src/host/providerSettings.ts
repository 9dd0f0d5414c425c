/**
 * Owns reading the providers from the user's settings. Deliberately takes the user's own value alone: what a workspace, a
 * folder or a .code-workspace file says of providers is passed over even where the editor would let it through.
 */
import * as vscode from 'vscode';
import { findProvider, type FoundProvider } from '../protocol/providers.ts';

const section = 'ratchet';
const name = 'providers';

export const providersSetting = `${section}.${name}`;

/** The user's value of `ratchet.providers`, whatever it is; an empty object where there is none. */
export function ownProviders(): unknown {
  return vscode.workspace.getConfiguration(section).inspect(name)?.globalValue ?? {};
}

export function ownProvider(id: string): FoundProvider {
  return findProvider(id, ownProviders());
}
