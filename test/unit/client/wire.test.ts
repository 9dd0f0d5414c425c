import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { dial } from '../../../src/client/dial.ts';
import { listRuns, runChanged } from '../../../src/protocol/engine.ts';
import { cleanUp, newFolder } from '../engine/helpers.ts';

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await cleanUp();
});

const packet = (message: object): string => {
  const text = JSON.stringify({ jsonrpc: '2.0', ...message });
  return `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
};

const greeting = { protocol: 1, version: 'x', pid: 1, compatible: true };

/** A server that answers the n-th message as told, by hand. */
async function serve(onMessage: (socket: Socket, number: number) => void): Promise<string> {
  const address = path.join(newFolder(), 's.sock');
  const server = createServer((socket) => {
    let number = 0;
    socket.on('data', () => onMessage(socket, number++));
    socket.on('error', () => undefined);
  });
  servers.push(server);
  server.listen(address);
  await once(server, 'listening');
  return address;
}

const greeted = async (address: string) => {
  const result = await dial({ address, token: 't', limitMs: 2_000 }, { client: 'cli', version: 'x' });
  if (typeof result === 'string') throw new Error(result);
  return result;
};

test('an answer that comes in one piece with a thousand notifications and the end is not lost', async () => {
  const address = await serve((socket, number) => {
    if (number === 0) socket.write(packet({ id: 0, result: greeting }));
    else {
      const news = packet({ method: runChanged.method, params: { run: {} } }).repeat(1_000);
      socket.end(news + packet({ id: number, result: ['the answer'] }));
    }
  });
  const connection = await greeted(address);
  let news = 0;
  connection.on(runChanged, () => news++);
  const closed = new Promise<void>((resolve) => connection.onClosed(resolve));
  expect(await connection.request(listRuns, {})).toEqual(['the answer']);
  await closed;
  expect(news).toBe(1_000);
  await expect(connection.request(listRuns, {})).rejects.toMatchObject({ kind: 'unreachable' });
});

test('a request nobody answers is rejected when the engine is gone', async () => {
  const address = await serve((socket, number) => {
    if (number === 0) socket.write(packet({ id: 0, result: greeting }));
    else socket.destroy();
  });
  const connection = await greeted(address);
  await expect(connection.request(listRuns, {})).rejects.toMatchObject({ kind: 'unreachable' });
});

test('nobody there, nobody who answers, and somebody who hangs up are told apart', async () => {
  const who = { client: 'cli', version: 'x' } as const;
  const absent = path.join(newFolder(), 'absent.sock');
  expect(await dial({ address: absent, token: 't', limitMs: 500 }, who)).toBe('nobody');
  const mute = await serve(() => undefined);
  expect(await dial({ address: mute, token: 't', limitMs: 200 }, who)).toBe('silent');
  const rude = await serve((socket) => socket.destroy());
  expect(await dial({ address: rude, token: 't', limitMs: 500 }, who)).toBe('nobody');
});

test('closing is told once, and handlers end when they are ended', async () => {
  const address = await serve((socket, number) => {
    if (number === 0) socket.write(packet({ id: 0, result: greeting }));
    else
      socket.write(
        packet({ method: runChanged.method, params: { run: {} } }) + packet({ id: number, result: [] }),
      );
  });
  const connection = await greeted(address);
  let [news, ends] = [0, 0];
  const end = connection.on(runChanged, () => news++);
  connection.onClosed(() => ends++);
  await connection.request(listRuns, {});
  end();
  await connection.request(listRuns, {});
  expect(news).toBe(1);
  connection.close();
  connection.close();
  await new Promise((resolve) => connection.onClosed(() => resolve(null)));
  expect(ends).toBe(1);
});
