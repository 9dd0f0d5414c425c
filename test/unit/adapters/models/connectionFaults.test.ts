/**
 * Owns the check of faults of the way to an endpoint (20 to 23 of the list of 45, and 44's GOAWAY), at three moments. The
 * servers, certificates, tunnels and refused connections are real ones on this machine; only a name that is not found and a
 * network that is gone are told by the error Node gives, since no machine can be made to have them.
 */
import { createServer, type RequestListener } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import {
  type AddressInfo,
  connect as connectTo,
  createServer as createPlainServer,
  type Server,
} from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Agent, buildConnector } from 'undici';
import { afterEach, describe, expect, test } from 'vitest';
import type { OpenAiEndpoint } from '../../../../src/adapters/models/session.ts';
import { certificate } from '../../../fakes/certificates.ts';
import { completion, type FakeServer, type Reply } from '../../../fakes/openaiServer.ts';
import { all, modelOf, one, refusal, request, serve } from './askEndpoint.ts';
import { CALLS, IN_FLIGHT, moments, promptOf, until } from './moments.ts';

const HOST = '127.0.0.1';
const tasks = Array.from({ length: CALLS }, (_, index) => request(String(index)));
const good: Reply = (response, seen) => completion(promptOf(seen))(response, seen);
const limits = { firstMs: 20_000, idleMs: 20_000, totalMs: 20_000 };

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Whether the fault has begun. */
interface Weather {
  bad: boolean;
}

interface Ended {
  readonly sentence: string;
  readonly got: ReadonlySet<number>;
}

/** The run until it pauses. */
async function pausedRun(server: FakeServer, change: Partial<OpenAiEndpoint>): Promise<Ended> {
  const got = new Set<number>();
  const model = modelOf(server, { concurrency: IN_FLIGHT, ...change, limits });
  const run = async (): Promise<void> => {
    for await (const { index, answer } of model.generate(tasks, { aborted: false })) {
      expect(answer).toMatchObject({ ok: true, text: String(index) });
      got.add(index);
    }
  };
  return { sentence: await refusal(run()), got };
}

/** Answers before the fault are kept, the call it met has none, and nothing is asked behind its back. */
function expectKept(at: number, server: FakeServer, { got }: Ended): void {
  expect(got.has(at)).toBe(false);
  for (let index = 0; index < at; index++) expect(got.has(index)).toBe(true);
  const times = server.seen.filter((seen) => Number(promptOf(seen)) === at).length;
  expect(times).toBe(at === 0 ? 0 : 1);
  expect(server.seen.length).toBe(at === 0 ? 0 : at === CALLS - 1 ? CALLS : at + IN_FLIGHT);
  if (at > 0 && at < CALLS - 1) expect(server.peak).toBe(IN_FLIGHT);
}

const ours = certificate(HOST);
const expired = certificate(HOST, true);
const misnamed = certificate('other.example');
const stranger = certificate(HOST);

/** Trusts these alone; no session is taken up again, so that each connection is looked at. */
function trusting(...certificates: readonly { readonly cert: string }[]): Agent {
  const ca = certificates.map(({ cert }) => cert);
  const agent = new Agent({ connect: { ca, maxCachedSessions: 0 } });
  closing.push(() => agent.destroy());
  return agent;
}

/** Connections go to one server, and to another once the weather is bad. */
const door =
  (
    weather: Weather,
    fair: (listener: RequestListener) => Server,
    foul: (listener: RequestListener) => Server,
  ) =>
  (listener: RequestListener): Server => {
    const [before, after] = [fair(listener), foul(listener)];
    return createPlainServer((socket) => {
      socket.on('error', () => undefined);
      (weather.bad ? after : before).emit('connection', socket);
    });
  };
const tls =
  (options: { readonly key: string; readonly cert: string }) =>
  (listener: RequestListener): Server => {
    const server = createTlsServer(options, listener);
    server.on('tlsClientError', () => undefined);
    return server;
  };
const plain = (listener: RequestListener): Server => createServer(listener);

const networkError = (code: string, syscall: string): Error =>
  Object.assign(new Error(`${syscall} ${code}`), { code, syscall, errno: -1 });

describe.each(moments)('at the %s call', (_moment, at) => {
  test.each(['ENOTFOUND', 'EAI_AGAIN'])('20 a name that does not resolve any more (%s)', async (code) => {
    const weather: Weather = { bad: false };
    const server = await serve(until(at, () => (weather.bad = true), good));
    const agent = new Agent({
      connect: {
        lookup: (_name, _options, callback) =>
          weather.bad
            ? callback(networkError(code, 'getaddrinfo'), [])
            : callback(null, [{ address: HOST, family: 4 }]),
      },
    });
    closing.push(() => agent.destroy());
    const baseURL = server.baseURL.replace(HOST, 'localhost');
    const ended = await pausedRun(server, { baseURL, dispatcher: agent });
    expect(ended.sentence).toMatch(new RegExp(`cannot reach localhost:\\d+ \\(${code}\\)`, 'u'));
    expectKept(at, server, ended);
  });

  /** Connections fail while `fails` says so. */
  async function offline(fails: () => boolean, begin: () => void): Promise<[FakeServer, Agent]> {
    const server = await serve(until(at, begin, good));
    const connect = buildConnector({});
    const agent = new Agent({
      connect: (options, callback) =>
        fails() ? callback(networkError('ENETUNREACH', 'connect'), null) : connect(options, callback),
    });
    closing.push(() => agent.destroy());
    return [server, agent];
  }

  test('21 no network any more', async () => {
    const weather: Weather = { bad: false };
    const [server, dispatcher] = await offline(
      () => weather.bad,
      () => (weather.bad = true),
    );
    const ended = await pausedRun(server, { dispatcher });
    expect(ended.sentence).toMatch(/cannot reach 127\.0\.0\.1:\d+ \(ENETUNREACH\)/);
    expectKept(at, server, ended);
  });

  test('21 no network for a moment: the first probe that works lets the run go on', async () => {
    let failures = 0;
    const [server, dispatcher] = await offline(
      () => failures-- > 0,
      () => (failures = 2),
    );
    const answers = await all(modelOf(server, { concurrency: IN_FLIGHT, dispatcher, limits }), tasks);
    expect([...answers.values()].filter(({ ok }) => ok)).toHaveLength(CALLS);
    expect(failures).toBeLessThan(0);
  });

  test.each([
    ['a certificate that has expired', tls(expired), 'CERT_HAS_EXPIRED'],
    ['a certificate for another name', tls(misnamed), 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['a certificate of nobody known', tls(stranger), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['a port that speaks no TLS', plain, '(?:ERR_SSL_\\w+|EPROTO)'],
  ] as const)('22 %s', async (_name, foul, code) => {
    const weather: Weather = { bad: false };
    const reply = until(at, () => (weather.bad = true), good);
    const server = await serve(reply, door(weather, tls(ours), foul));
    const baseURL = server.baseURL.replace('http:', 'https:');
    const dispatcher = trusting(ours, expired, misnamed);
    const ended = await pausedRun(server, { baseURL, dispatcher });
    expect(ended.sentence).toMatch(
      new RegExp(`certificate of 127\\.0\\.0\\.1:\\d+ is not accepted \\(${code}\\)`, 'u'),
    );
    expectKept(at, server, ended);
  });

  test.each([
    ['that wants a sign-in', /proxy on the way to .* wants a sign-in/],
    ['that is down', /through the proxy 127\.0\.0\.1:\d+ \(ECONNREFUSED\)/],
  ] as const)('23 a proxy %s', async (kind, sentence) => {
    const weather: Weather = { bad: false };
    const proxy = createServer();
    proxy.on('connect', (asked, socket, head) => {
      socket.on('error', () => undefined);
      if (weather.bad) {
        socket.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n');
        return;
      }
      const to = new URL(`http://${asked.url}`);
      const target = connectTo(Number(to.port), to.hostname, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        target.write(head);
        target.pipe(socket).pipe(target);
      });
      target.on('error', () => socket.destroy());
      target.on('close', () => socket.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, HOST, resolve));
    closing.push(
      () => proxy.closeAllConnections(),
      () => proxy.close(),
    );
    const { port } = proxy.address() as AddressInfo;
    const begin = (): void => {
      weather.bad = true;
      // Tunnels that stand go on; no new one is taken.
      if (kind === 'that is down') proxy.close();
    };
    const server = await serve(until(at, begin, good));
    const ended = await pausedRun(server, { proxy: `http://${HOST}:${port}` });
    expect(ended.sentence).toMatch(sentence);
    expectKept(at, server, ended);
  });

  test('44 GOAWAY cannot come: a server that would speak HTTP/2, and end every session of it, is not asked to', async () => {
    const weather: Weather = { bad: false };
    let sessions = 0;
    const spoken = new Set<unknown>();
    const offering = (listener: RequestListener): Server => {
      const server = createSecureServer({ ...ours, allowHTTP1: true }, listener as never);
      server.on('session', (session) => {
        sessions += 1;
        session.goaway();
      });
      server.on('secureConnection', (socket: TLSSocket) => spoken.add(socket.alpnProtocol));
      return server;
    };
    const reply = until(at, () => (weather.bad = true), good);
    const server = await serve(reply, door(weather, tls(ours), offering));
    const baseURL = server.baseURL.replace('http:', 'https:');
    const change = { baseURL, dispatcher: trusting(ours), concurrency: IN_FLIGHT, limits };
    const answers = await all(modelOf(server, change), tasks);
    expect([...answers.values()].filter(({ ok }) => ok)).toHaveLength(CALLS);
    expect([...spoken]).toEqual(['http/1.1']);
    expect(sessions).toBe(0);
  });
});

describe('by its own connections, before any answer can come', () => {
  test('a name that does not resolve', async () => {
    const server = await serve(completion('42'));
    const sentence = await refusal(one(server, { baseURL: 'https://nowhere.invalid/v1' }));
    expect(sentence).toMatch(/cannot reach nowhere\.invalid \((?:ENOTFOUND|EAI_AGAIN)\)/);
  });

  test('a certificate of nobody known is not accepted', async () => {
    const server = await serve(completion('42'), tls(stranger));
    const baseURL = server.baseURL.replace('http:', 'https:');
    expect(await refusal(one(server, { baseURL }))).toMatch(
      /is not accepted \(DEPTH_ZERO_SELF_SIGNED_CERT\)/,
    );
    expect(server.seen).toHaveLength(0);
  });
});
