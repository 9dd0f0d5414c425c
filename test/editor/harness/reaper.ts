// Owns that a test leaves nothing running and nothing on the disk, however it ends. A process of its own: it waits for
// its standard input to close, which happens on an orderly close and when the test's process is killed alike, then
// ends every process that belongs to the test's folder and removes the folder. Linux only, like the editor tests.
//
// As a program: node reaper.ts FOLDER
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Starts the reaper for a folder; the result makes it do its work and resolves when that is done. */
export function startReaper(folder: string): () => Promise<void> {
  const reaper = spawn(process.execPath, [import.meta.filename, folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const gone = once(reaper, 'close');
  return async () => {
    reaper.stdin.end();
    await gone;
  };
}

/** The ids of the processes whose command, working folder or environment names the folder, without this one. */
export function processesOf(folder: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((id) => id !== process.pid && traces(id).some((trace) => trace.includes(folder)));
}

/** The engine processes of a workspace. */
export function enginesOf(workspace: string): readonly number[] {
  return processesOf(workspace).filter((id) =>
    readFileSync(`/proc/${String(id)}/cmdline`, 'utf8').includes('engine.mjs'),
  );
}

function traces(id: number): readonly string[] {
  const read = (get: () => string): string => {
    try {
      return get();
    } catch {
      // Ended in between, or somebody else's process: not one of the test's.
      return '';
    }
  };
  return [
    read(() => readFileSync(`/proc/${String(id)}/cmdline`, 'utf8')),
    read(() => readFileSync(`/proc/${String(id)}/environ`, 'utf8')),
    read(() => readlinkSync(`/proc/${String(id)}/cwd`)),
  ];
}

function signal(ids: readonly number[], name: NodeJS.Signals): void {
  for (const id of ids) {
    try {
      process.kill(id, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

async function reap(folder: string): Promise<void> {
  signal(processesOf(folder), 'SIGTERM');
  for (let waited = 0; waited < 2000 && processesOf(folder).length > 0; waited += 50) await sleep(50);
  // One that is being killed may start another: repeat until none is left.
  while (processesOf(folder).length > 0) {
    signal(processesOf(folder), 'SIGKILL');
    await sleep(50);
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

if (import.meta.main) {
  const folder = process.argv[2];
  if (folder === undefined || folder.length < 8) throw new Error('usage: node reaper.ts FOLDER');
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => undefined);
  process.stdin.resume();
  await once(process.stdin, 'end');
  await reap(folder);
}
