import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect as openSocket } from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import {
  createMessageConnection,
  SocketMessageReader,
  SocketMessageWriter,
  type MessageConnection,
} from 'vscode-jsonrpc/node';
import { dial } from '../../../src/client/dial.ts';
import { readEndpoint, readToken, workspacePaths } from '../../../src/client/endpoint.ts';
import { startEngine, type Engine } from '../../../src/engine/engine.ts';
import type { MakeServices } from '../../../src/engine/services.ts';
import { StoreError } from '../../../src/core/ports.ts';
import {
  describeRecipe,
  hello,
  listRuns,
  PROTOCOL_VERSION,
  shutdown,
  startRun,
} from '../../../src/protocol/engine.ts';
import { cleanUp, newFolder, version } from './helpers.ts';

const engines: Engine[] = [];
const wires: MessageConnection[] = [];

afterEach(async () => {
  for (const wire of wires.splice(0)) wire.dispose();
  for (const engine of engines.splice(0)) await engine.stop('test over').catch(() => undefined);
  await cleanUp();
});

const noStore: MakeServices = () => ({
  providers: { test: () => Promise.reject(new Error('nothing is tried here')), forgetKeys: () => undefined },
  openStore: () =>
    Promise.reject(new StoreError('The disk is full; free some space and try again.', 'ENOSPC')),
  restoreStore: () => Promise.reject(new StoreError('There is no good backup.', 'NO_BACKUP')),
  ofRun: () => {
    throw new Error('no run is started here');
  },
  close: async () => undefined,
});

async function serve(workspaceFolder = newFolder()) {
  const engine = await startEngine({ workspaceFolder, version, services: noStore, idleMs: null });
  if (engine === null) throw new Error('the workspace is owned');
  engines.push(engine);
  const paths = workspacePaths(workspaceFolder);
  const endpoint = readEndpoint(paths);
  if (endpoint === null) throw new Error('there is no note');
  return { engine, paths, endpoint, token: readToken(paths, endpoint) ?? '' };
}

/** A client that speaks the wire without the product's client, so that it can misbehave. */
async function raw(address: string) {
  const socket = openSocket(address);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  const wire = createMessageConnection(new SocketMessageReader(socket), new SocketMessageWriter(socket));
  wires.push(wire);
  wire.onError(() => undefined);
  wire.listen();
  return { socket, wire, closed };
}

const greeting = (token: string, changes: object = {}) => ({
  token,
  protocol: PROTOCOL_VERSION,
  version,
  client: 'editor',
  ...changes,
});

describe('the engine greets', () => {
  test('the right token, and says who it is', async () => {
    const { endpoint, token } = await serve();
    const connection = await dial(
      { address: endpoint.address, token, limitMs: 5000 },
      { client: 'cli', version },
    );
    if (typeof connection === 'string') throw new Error(connection);
    expect(connection.hello).toEqual({
      protocol: PROTOCOL_VERSION,
      version,
      pid: process.pid,
      compatible: true,
    });
    connection.close();
  });

  test('nobody with a wrong token: it refuses and closes', async () => {
    const { endpoint, token } = await serve();
    for (const wrong of ['', 'x', `${token}x`, token.slice(1)]) {
      const { wire, closed } = await raw(endpoint.address);
      await expect(wire.sendRequest(hello.method, greeting(wrong))).rejects.toThrow(/token/);
      await closed;
    }
  });

  test('nobody who asks before greeting', async () => {
    const { endpoint } = await serve();
    const { wire, closed } = await raw(endpoint.address);
    await expect(wire.sendRequest(listRuns.method, {})).rejects.toThrow(/greeting/);
    await closed;
  });

  test('nobody who greets in another shape', async () => {
    const { endpoint, token } = await serve();
    for (const wrong of [
      {},
      { token },
      greeting(token, { client: 'browser' }),
      greeting(token, { more: 1 }),
    ]) {
      const { wire, closed } = await raw(endpoint.address);
      await expect(wire.sendRequest(hello.method, wrong)).rejects.toThrow(/not understood/);
      await closed;
    }
  });

  test('bytes that are no message do no harm', async () => {
    const { endpoint, token } = await serve();
    for (const noise of [
      'GET / HTTP/1.1\r\n\r\n',
      'Content-Length: -5\r\n\r\n{}',
      'Content-Length: 3\r\n\r\n{{{',
      '\u0000'.repeat(1000),
    ]) {
      const { socket } = await raw(endpoint.address);
      socket.write(noise);
      socket.end();
    }
    const { wire } = await raw(endpoint.address);
    expect(await wire.sendRequest(hello.method, greeting(token))).toMatchObject({ compatible: true });
  });
});

describe('the engine answers', () => {
  const greeted = async (changes: object = {}) => {
    const served = await serve();
    const client = await raw(served.endpoint.address);
    await client.wire.sendRequest(hello.method, greeting(served.token, changes));
    return { ...served, ...client };
  };

  test('only parameters that pass the guard', async () => {
    const { wire } = await greeted();
    for (const [method, params] of [
      [startRun.method, {}],
      [startRun.method, { recipePath: '' }],
      [startRun.method, { recipePath: 'a.loop.yaml', seed: -1 }],
      [startRun.method, { recipePath: 'a.loop.yaml', extra: true }],
      [listRuns.method, { everything: true }],
      [describeRecipe.method, { text: 7 }],
    ] as const) {
      await expect(wire.sendRequest(method, params)).rejects.toMatchObject({ data: { kind: 'invalid' } });
    }
  });

  test('no unknown request, and only one greeting', async () => {
    const { wire, token } = await greeted();
    await expect(wire.sendRequest('ratchet/sudo', {})).rejects.toMatchObject({ data: { kind: 'invalid' } });
    await expect(wire.sendRequest(hello.method, greeting(token))).rejects.toMatchObject({
      data: { kind: 'invalid' },
    });
  });

  test('a recipe outside the workspace never, whatever the path looks like', async () => {
    const { wire } = await greeted();
    for (const recipePath of ['../x.loop.yaml', '/etc/passwd', 'a/../../x', '.', '..']) {
      await expect(wire.sendRequest(startRun.method, { recipePath })).rejects.toMatchObject({
        data: { kind: 'invalid' },
      });
    }
    await expect(wire.sendRequest(startRun.method, { recipePath: 'none.loop.yaml' })).rejects.toMatchObject({
      data: { kind: 'notFound' },
    });
  });

  test("a store's failure as one sentence with its kind, and asks the store again next time", async () => {
    const { wire, paths } = await greeted();
    for (let tries = 0; tries < 2; tries++) {
      await expect(wire.sendRequest(listRuns.method, {})).rejects.toMatchObject({
        message: 'The disk is full; free some space and try again.',
        data: { kind: 'store' },
      });
    }
    expect(readFileSync(paths.log, 'utf8').match(/ENOSPC/g)?.length).toBe(2);
  });

  test('a client of another version may read and end it, not change', async () => {
    for (const changes of [{ version: '9.9.9' }, { protocol: PROTOCOL_VERSION + 1 }]) {
      const { wire, engine } = await greeted(changes);
      expect(await wire.sendRequest(describeRecipe.method, { text: 'x' })).toBeTruthy();
      await expect(wire.sendRequest(startRun.method, { recipePath: 'a.loop.yaml' })).rejects.toThrow(
        /version/,
      );
      expect(await wire.sendRequest(shutdown.method, {})).toBeNull();
      await engine.ended;
    }
  });
});

describe('what the engine leaves in the file system', () => {
  test('a private folder, a private socket, a private token, and an ignore file of its own', async () => {
    const { endpoint, paths } = await serve();
    expect(lstatSync(endpoint.folder).mode & 0o777).toBe(0o700);
    expect(statSync(endpoint.address).mode & 0o777).toBe(0o600);
    expect(statSync(endpoint.address.replace('.sock', '.token')).mode & 0o777).toBe(0o600);
    expect(readFileSync(paths.note, 'utf8')).not.toContain(readToken(paths, endpoint));
    expect(readFileSync(path.join(paths.folder, '.gitignore'), 'utf8')).toBe('*\n');
  });

  test('nothing to connect to once it ended, and the next one serves', async () => {
    const first = await serve();
    await first.engine.stop('test');
    expect([first.paths.note, first.endpoint.address].filter(existsSync)).toEqual([]);
    const second = await serve(first.paths.workspace);
    expect(second.token).not.toBe(first.token);
  });

  test('a note that leads elsewhere is not believed', async () => {
    const { paths, endpoint, engine } = await serve();
    const open = path.join(newFolder(), 'open');
    mkdirSync(open);
    chmodSync(open, 0o755);
    for (const note of [
      { ...endpoint, address: '/var/run/docker.sock' },
      { ...endpoint, folder: open, address: path.join(open, `${paths.key}.sock`) },
      { ...endpoint, folder: 7 },
      [],
    ]) {
      writeFileSync(paths.note, JSON.stringify(note));
      expect(readEndpoint(paths)).toBeNull();
    }
    writeFileSync(paths.note, '{');
    expect(readEndpoint(paths)).toBeNull();
    await engine.stop('test');
  });

  test('it ends when its folder is taken away under it', async () => {
    const { paths, engine } = await serve();
    rmSync(paths.folder, { recursive: true, force: true });
    await expect(engine.ended).rejects.toThrow(/removed or replaced/);
  });

  test('a folder that cannot be written is refused with the reason', async () => {
    const folder = newFolder();
    writeFileSync(path.join(folder, '.ratchet'), 'in the way');
    await expect(serve(folder)).rejects.toThrow(/cannot be written/);
  });
});
