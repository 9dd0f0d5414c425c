// Owns the proof on the wire that a key reaches its own origin and nobody else: every connection, to whatever name, ends
// at one listener on this machine, which sees all that would have been sent.
import { connect as openSocket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Agent } from 'undici';
import { hostGates } from '../../../../src/adapters/models/hostGate.ts';
import { openaiModel } from '../../../../src/adapters/models/openaiModel.ts';
import { readAddress } from '../../../../src/adapters/models/address.ts';
import type { OpenAiEndpoint } from '../../../../src/adapters/models/session.ts';
import { testConnection } from '../../../../src/adapters/models/testConnection.ts';
import { ProviderError } from '../../../../src/core/ports.ts';
import { createKeyVault, originOf } from '../../../../src/host/keyVault.ts';
import { completion, json } from '../../../fakes/openaiServer.ts';
import { lookAlikes, theirOwn } from '../../../fakes/lookAlikes.ts';
import { all, canary, request, serve } from './askEndpoint.ts';

const bound = 'https://api.openai.com';
const agents: Agent[] = [];
afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.destroy()));
});

/** Any name and port, encrypted or not, is this listener: what arrives is what would have left the machine. */
function everythingTo(host: string): Agent {
  const [hostname = '', port = ''] = host.split(':');
  const agent = new Agent({
    connect: (_options, callback) => {
      const socket = openSocket(Number(port), hostname);
      socket.once('connect', () => callback(null, socket));
      socket.once('error', (error) => callback(error, null));
    },
  });
  agents.push(agent);
  return agent;
}

async function ask(baseURL: string, host: string, change: Partial<OpenAiEndpoint> = {}) {
  const kept = new Map<string, string>();
  const keys = createKeyVault(
    {
      get: async (name) => kept.get(name),
      store: async (name, value) => void kept.set(name, value),
      delete: async (name) => void kept.delete(name),
    },
    async () => false,
  );
  await keys.set('openai', { origin: bound, key: canary });
  const endpoint: OpenAiEndpoint = {
    provider: 'openai',
    baseURL,
    model: 'm',
    // As in the product: the origin the endpoint itself has, and the one the settings name.
    apiKey: async () =>
      keys.find({
        provider: 'openai',
        origin: readAddress(baseURL, change.allowHttp).origin,
        named: originOf(baseURL),
      }),
    dispatcher: everythingTo(host),
    gates: hostGates(),
    ...change,
  };
  const asked = async () => all(openaiModel(endpoint), [request('hi')]);
  await asked().catch((error: unknown) => expect(error).toBeInstanceOf(ProviderError));
  await testConnection(endpoint);
}

const carried = (
  seen: readonly { readonly headers: unknown; readonly path: string; readonly body: unknown }[],
) => JSON.stringify(seen).includes(canary);

describe('a key on the wire', () => {
  it('arrives at its own origin, however that is spelled', async () => {
    for (const baseURL of theirOwn) {
      const server = await serve(completion('4'));
      await ask(baseURL, server.host);
      expect(server.seen.length, baseURL).toBeGreaterThan(0);
      for (const { headers } of server.seen) expect(headers.authorization, baseURL).toBe(`Bearer ${canary}`);
    }
  });

  it('reaches none of 50 look-alikes, in any header, path or body', async () => {
    let reached = 0;
    const server = await serve(completion('4'));
    for (const baseURL of lookAlikes) {
      for (const allowHttp of [false, true]) {
        const before = server.seen.length;
        await ask(baseURL, server.host, { allowHttp });
        if (server.seen.length > before) reached += 1;
      }
    }
    // The listener was really asked: a test in which nothing arrives would prove nothing.
    expect(reached).toBeGreaterThan(50);
    expect(carried(server.seen)).toBe(false);
  });

  it('does not travel over plain http to another machine, even where it is given', async () => {
    const server = await serve(completion('4'));
    await ask('http://192.168.1.20:8000/v1', server.host, { allowHttp: true, apiKey: async () => canary });
    expect(server.seen.length).toBeGreaterThan(0);
    expect(carried(server.seen)).toBe(false);
  });

  it('goes in the header the settings name, beside headers of one’s own that replace none of the exchange', async () => {
    const server = await serve(completion('4'));
    await ask(`${bound}/v1`, server.host, {
      keyHeader: 'api-key',
      apiVersion: '2024-10-21',
      headers: { 'x-title': 'Ratchet', 'content-type': 'text/plain' },
    });
    const { headers, path } = server.seen[0] as (typeof server.seen)[number];
    expect(headers).toMatchObject({
      'api-key': canary,
      'x-title': 'Ratchet',
      'content-type': 'application/json',
    });
    expect(headers.authorization).toBeUndefined();
    expect(path).toBe('/v1/chat/completions?api-version=2024-10-21');
  });

  it('is told apart from none: a server that wants one says so in another sentence', async () => {
    const server = await serve(json(401, { error: { message: 'no' } }));
    const model = (apiKey: OpenAiEndpoint['apiKey']) =>
      openaiModel({ provider: 'p', baseURL: server.baseURL, model: 'm', apiKey, gates: hostGates() });
    await expect(
      all(
        model(async () => null),
        [request('hi')],
      ),
    ).rejects.toThrow(/wants a key and has none/u);
    await expect(
      all(
        model(async () => canary),
        [request('hi')],
      ),
    ).rejects.toThrow(/rejected the key/u);
  });

  it('has no address that hands out the credentials of a machine', () => {
    for (const host of [
      '169.254.169.254',
      '2852039166',
      '0xa9fea9fe',
      '[fd00:ec2::254]',
      '[fe80::1]',
      '[::ffff:169.254.169.254]',
      'metadata.google.internal',
    ])
      for (const scheme of ['http', 'https'])
        expect(() => readAddress(`${scheme}://${host}/v1`, true), host).toThrow(/credentials/u);
  });
});
