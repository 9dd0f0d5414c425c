// Owns processes started by the scripts: running one to its end, and ending a whole group. Leaves no child behind
// when the script itself is told to stop.
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { accessSync, constants as access } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { SetupError } from './say.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs a program to its end and resolves to its exit code; a program that cannot start is 127, as in a shell.
 * Told to stop meanwhile, it passes the signal on and rejects with a SetupError when the program has ended.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<number> {
  const child = spawn(command, args, { stdio: ['ignore', 2, 2], ...options });
  let told = false;
  forwardSignals(child, () => {
    told = true;
  });
  const code = await exitCode(child);
  if (told) throw new SetupError('Stopped.');
  return code;
}

/** Passes SIGINT, SIGTERM and SIGHUP on to a child for as long as it lives, so that this process outlives it. */
export function forwardSignals(child: ChildProcess, also?: () => void): void {
  for (const signal of signals) {
    const pass = (): void => {
      also?.();
      child.kill(signal);
    };
    process.on(signal, pass);
    child.once('close', () => process.off(signal, pass));
  }
}

/** Resolves when this process is told to stop, instead of stopping at once. */
export function toldToStop(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of signals) process.on(signal, () => resolve());
  });
}

/** Resolves to the exit code of a child as a shell gives it: 127 not started, 128 and the number of a signal. */
export function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(127));
    child.once('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
  });
}

/**
 * Asks a child started with `detached: true` and everything it started to end, and insists after `graceMs`.
 * Resolves when the child is gone.
 */
export async function endGroup(child: ChildProcess, graceMs = 3000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = exitCode(child);
  signalGroup(child.pid, 'SIGTERM');
  const insist = setTimeout(() => signalGroup(child.pid ?? 0, 'SIGKILL'), graceMs);
  await gone;
  clearTimeout(insist);
}

function signalGroup(leader: number, signal: NodeJS.Signals): void {
  if (leader <= 0) return;
  try {
    process.kill(process.platform === 'win32' ? leader : -leader, signal);
  } catch (error) {
    // The group ended by itself in between.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The full path of a program on the PATH, or undefined. */
export function onPath(name: string): string | undefined {
  const endings = process.platform === 'win32' ? ['.cmd', '.exe', ''] : [''];
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    for (const ending of endings) {
      const file = path.join(folder, name + ending);
      try {
        accessSync(file, access.X_OK);
        return file;
      } catch {
        continue;
      }
    }
  }
  return undefined;
}
