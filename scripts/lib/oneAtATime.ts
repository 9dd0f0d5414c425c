// Owns that two set-ups on one machine do not do the same costly work twice. The holder listens on a socket, so the
// operating system gives the turn back when the holder dies; no time limit decides. It is an economy, not a safety:
// what it guards must also be right when two run at once.
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Runs `work` while no other process runs work of the same name; `waiting` is told once if it has to wait. */
export async function oneAtATime<T>(name: string, work: () => Promise<T>, waiting: () => void): Promise<T> {
  const address = socketFor(name);
  let turn = await tryToHold(address);
  if (turn === undefined) waiting();
  while (turn === undefined) {
    await holderGone(address);
    turn = await tryToHold(address);
  }
  try {
    return await work();
  } finally {
    turn();
  }
}

function socketFor(name: string): string {
  // A container may run as a user without a name.
  const owner = String(process.getuid?.() ?? process.env.USERNAME);
  const id = createHash('sha256').update(`${owner}\n${name}`).digest('hex').slice(0, 16);
  return process.platform === 'win32'
    ? `\\\\.\\pipe\\ratchet-${id}`
    : path.join(tmpdir(), `ratchet-${id}.sock`);
}

/** Resolves to the function that gives the turn back, or to undefined when somebody else has it. */
function tryToHold(address: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const waiters = new Set<Socket>();
    const server: Server = createServer((waiter) => {
      waiters.add(waiter);
      waiter.on('error', () => waiters.delete(waiter));
    });
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(address, () => {
      server.unref();
      resolve(() => {
        server.close();
        for (const waiter of waiters) waiter.destroy();
      });
    });
  });
}

/** Resolves when the holder has gone; a socket file nobody listens on any more is removed. */
async function holderGone(address: string): Promise<void> {
  const refused = await new Promise<boolean>((resolve) => {
    const socket = connect(address);
    socket.once('error', () => resolve(true));
    socket.once('close', () => resolve(false));
    socket.resume();
  });
  if (refused && process.platform !== 'win32') rmSync(address, { force: true });
  await sleep(50);
}
