/** Workspaces and processes for the engine's tests; everything made here is removed by `cleanUp`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectEngine } from '../../../src/client/connect.ts';
import type { ConnectOptions, EngineConnection } from '../../../src/client/connection.ts';
import {
  privateFolderChoices,
  privateNames,
  readEndpoint,
  workspacePaths,
} from '../../../src/client/endpoint.ts';

export const version = '0.0.0-test';

const folders: string[] = [];
const children: ChildProcess[] = [];
const connections: EngineConnection[] = [];

export function newFolder(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'ratchet-engine-test-'));
  folders.push(folder);
  return folder;
}

/** A workspace with one recipe, `loop.loop.yaml`. */
export function newWorkspace(recipe: string): string {
  const folder = newFolder();
  writeFileSync(path.join(folder, 'loop.loop.yaml'), recipe);
  return folder;
}

/** A script run by this Node; killed at clean-up if it still lives. */
export function start(
  script: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): ChildProcess {
  const child = spawn(process.execPath, [script, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  return child;
}

export async function connectTo(
  workspaceFolder: string,
  engineScript: string,
  options: Partial<ConnectOptions> = {},
): Promise<EngineConnection> {
  const connection = await connectEngine({
    workspaceFolder,
    engineScript,
    nodePath: process.execPath,
    client: 'editor',
    version,
    start: 'ifNeeded',
    ...options,
    environment: { RATCHET_IDLE_MS: '3000', ...options.environment },
  });
  if (connection === null) throw new Error('there is no engine');
  connections.push(connection);
  return connection;
}

/** Resolves when the condition holds; throws after the limit, naming what was waited for. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limitMs = 10_000,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited ${limitMs} ms for ${what}`);
    await sleep(20);
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone already, which is what a clean-up wants.
  }
}

export async function cleanUp(): Promise<void> {
  for (const connection of connections.splice(0)) connection.close();
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) {
    mkdirSync(folder, { recursive: true });
    const paths = workspacePaths(folder);
    const endpoint = readEndpoint(paths);
    const pid = endpoint?.pid;
    if (pid !== undefined && pid !== process.pid) {
      signal(pid, 'SIGKILL');
      await until('the engine to die', () => !isAlive(pid));
    }
    // A killed engine leaves its socket and token behind, for the next holder of the lock to replace.
    const names = privateNames(endpoint?.folder ?? privateFolderChoices(paths.key)[0] ?? folder, paths.key);
    for (const file of [folder, names.socket, names.token]) rmSync(file, { recursive: true, force: true });
  }
}
