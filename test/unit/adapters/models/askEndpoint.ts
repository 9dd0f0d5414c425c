/**
 * Owns how the tests of the provider ask a fake endpoint and read what comes back. Every server is closed after its test.
 */
import { afterEach, expect } from 'vitest';
import type { OpenAiEndpoint } from '../../../../src/adapters/models/session.ts';
import { hostGates } from '../../../../src/adapters/models/hostGate.ts';
import { openaiModel } from '../../../../src/adapters/models/openaiModel.ts';
import type { LanguageModel, ModelAnswer, ModelRequest } from '../../../../src/core/ports.ts';
import { ProviderError } from '../../../../src/core/ports.ts';
import { type FakeServer, type Reply, startOpenAiServer } from '../../../fakes/openaiServer.ts';

export const canary = 'sk-CANARY-0123456789abcdef';
const servers: FakeServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

export async function serve(
  reply: Reply,
  door?: Parameters<typeof startOpenAiServer>[1],
): Promise<FakeServer> {
  const server = await startOpenAiServer(reply, door);
  servers.push(server);
  return server;
}

const fast = { backoffMs: 5, totalMs: 2_000, firstMs: 1_000, idleMs: 200 };
export function modelOf(server: FakeServer, change: Partial<OpenAiEndpoint> = {}): LanguageModel {
  return openaiModel({
    provider: 'local',
    baseURL: server.baseURL,
    model: 'fake',
    apiKey: async () => canary,
    gates: hostGates(),
    random: () => 0.5,
    ...change,
    limits: { ...fast, ...change.limits },
  });
}

export const request = (content: string, change: Partial<ModelRequest> = {}): ModelRequest => ({
  messages: [{ role: 'user', content }],
  temperature: 0.5,
  maxTokens: 64,
  seed: 7,
  weights: null,
  ...change,
});

export async function all(
  model: LanguageModel,
  requests: readonly ModelRequest[],
  stop = { aborted: false },
): Promise<Map<number, ModelAnswer>> {
  const answers = new Map<number, ModelAnswer>();
  for await (const { index, answer } of model.generate(requests, stop)) {
    expect(answers.has(index)).toBe(false);
    answers.set(index, answer);
  }
  return answers;
}

export async function one(server: FakeServer, change: Partial<OpenAiEndpoint> = {}): Promise<ModelAnswer> {
  const answer = (await all(modelOf(server, change), [request('hi')])).get(0);
  if (answer === undefined) throw new Error('no answer');
  return answer;
}

export async function refusal(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ProviderError);
  const { message } = error as ProviderError;
  expect(message).not.toContain('CANARY');
  expect(message).toMatch(/\.$/u);
  return message;
}

export const containing = (text: string): unknown => expect.stringContaining(text);
export const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);
