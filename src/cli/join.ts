/**
 * Owns how the command line comes by an engine: it is the engine, in the foreground, where the workspace has none, and a
 * client of it where it has. Both ways end in the same connection.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectEngine } from '../client/connect.ts';
import { EngineError, type EngineConnection } from '../client/connection.ts';
import { startEngine, type Engine } from '../engine/engine.ts';
import type { MakeServices } from '../engine/services.ts';

export interface Joined {
  readonly connection: EngineConnection;
  /** Null as a client of an engine that somebody else started. */
  readonly own: Engine | null;
}

const limitMs = 20_000;
const pauseMs = 200;

/** Throws EngineError when the workspace cannot be served or its engine does not answer. */
export async function joinWorkspace(
  workspace: string,
  version: string,
  services: MakeServices,
): Promise<Joined> {
  const end = performance.now() + limitMs;
  const attach = () =>
    connectEngine({
      workspaceFolder: workspace,
      engineScript: '',
      nodePath: process.execPath,
      client: 'cli',
      version,
      start: 'never',
    });
  for (;;) {
    const present = await attach();
    if (present !== null) return { connection: present, own: null };
    const own = await startEngine({ workspaceFolder: workspace, version, services, idleMs: null });
    if (own !== null) {
      const connection = await attach();
      if (connection !== null) return { connection, own };
      await own.stop('its own command line could not reach it');
      throw new EngineError(
        'unreachable',
        'The engine of this command could not be reached over its own socket.',
      );
    }
    if (performance.now() > end) {
      throw new EngineError(
        'unreachable',
        'Another process owns this workspace but does not answer; end it, then try again.',
      );
    }
    // Owned, yet nobody listens: that engine is starting or ending.
    await sleep(pauseMs);
  }
}
