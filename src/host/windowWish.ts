/**
 * Owns telling the engine what the setting `ratchet.onLastWindowClosed` says, while there is still a window to say it: when a
 * window joins, and when the setting changes.
 */
import * as vscode from 'vscode';
import type { EngineConnection } from '../client/connection.ts';
import { setWindowWish } from '../protocol/engine.ts';
import { logError, type HostContext } from './hostContext.ts';

const setting = 'onLastWindowClosed';

/** Running code of a workspace is the user's to decide on, so only their own value counts. */
function wish(): 'pause' | 'goOn' {
  const value = vscode.workspace.getConfiguration('ratchet').inspect<string>(setting)?.globalValue;
  return value === 'pause' ? 'pause' : 'goOn';
}

/** An engine of another version does not know the wish, and goes on. */
export async function tellWindowWish(
  connection: Pick<EngineConnection, 'request' | 'hello'>,
  log: vscode.LogOutputChannel,
): Promise<void> {
  if (!connection.hello.compatible) return;
  await connection
    .request(setWindowWish, { onLastWindowClosed: wish() })
    .catch((error: unknown) => void logError(log, error));
}

export function followWindowWish({ link, log }: HostContext): vscode.Disposable {
  return vscode.workspace.onDidChangeConfiguration((event) => {
    const state = link.state();
    if (event.affectsConfiguration(`ratchet.${setting}`) && state.kind === 'open')
      void tellWindowWish(state.connection, log);
  });
}
