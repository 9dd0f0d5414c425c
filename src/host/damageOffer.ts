/**
 * Owns telling that the workspace's database is damaged, with the way forward one press away: once for all views that meet
 * it, and again for each command. Deliberately restores nothing itself; the command asks first.
 */
import * as vscode from 'vscode';
import { EngineError } from '../client/connection.ts';
import { logError, type HostContext } from './hostContext.ts';
import type { CommandId } from './ids.ts';

export interface DamageOffer {
  /** Says the same damage once, whichever views meet it; other errors are nothing to say. */
  offer(error: unknown): void;
  tell(error: unknown): Promise<void>;
}

const restore: CommandId = 'ratchet.restoreData';

export function isDamage(error: unknown): boolean {
  return error instanceof EngineError && error.kind === 'damaged';
}

/** A file of the folder that is open is named as a person knows it there. */
function withoutFolder(message: string, folder: HostContext['folder']): string {
  return folder === null ? message : message.replaceAll(`${folder.uri.fsPath}/`, '');
}

/** For a view, which has little room: the notification says more. */
export const damageInView =
  'The workspace database is damaged. "Restore Workspace Data from Backup..." puts its newest good backup in its place.';

export function createDamageOffer({ log, folder }: Pick<HostContext, 'log' | 'folder'>): DamageOffer {
  let told: string | null = null;
  const tell = async (error: unknown): Promise<void> => {
    const message = logError(log, error);
    told = message;
    const choice = await vscode.window.showErrorMessage(
      withoutFolder(message, folder),
      'Restore Backup...',
      'Show Log',
    );
    if (choice === 'Show Log') log.show();
    else if (choice !== undefined) {
      told = null;
      await vscode.commands.executeCommand(restore);
    }
  };
  return {
    tell,
    offer: (error) => {
      if (isDamage(error) && (error as EngineError).message !== told) void tell(error);
    },
  };
}
