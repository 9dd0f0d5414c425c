// Owns the check of the OpenAI-compatible provider: answers, fields, stopping, addresses.
import { describe, expect, test } from 'vitest';
import { openaiModel } from '../../../../src/adapters/models/openaiModel.ts';
import type { LanguageModel } from '../../../../src/core/ports.ts';
import { ProviderError } from '../../../../src/core/ports.ts';
import {
  apiError,
  completion,
  completionBody,
  hang,
  inTurn,
  json,
  later,
  type Reply,
} from '../../../fakes/openaiServer.ts';
import { canary, serve, modelOf, request, all, one, containing } from './askEndpoint.ts';

describe('a good answer', () => {
  test('with everything the endpoint reports', async () => {
    const server = await serve(completion('42'));
    expect(await one(server)).toEqual({
      ok: true,
      text: '42',
      finish: 'stop',
      usage: { input: 11, output: 3 },
      model: 'fake-1',
      requestId: 'req-1',
    });
    expect(server.seen[0]?.path).toBe('/v1/chat/completions');
    expect(server.seen[0]?.body).toEqual({
      model: 'fake',
      messages: [{ role: 'user', content: 'hi' }],
      temperature: 0.5,
      max_tokens: 64,
      seed: 7,
    });
  });

  test('sends the key, and no header from the environment', async () => {
    process.env['OPENAI_CUSTOM_HEADERS'] = 'x-secret: leaked';
    process.env['OPENAI_ORG_ID'] = 'org-leaked';
    try {
      const server = await serve(completion('42'));
      await one(server);
      const headers = server.seen[0]?.headers;
      expect(headers?.authorization).toBe(`Bearer ${canary}`);
      expect(JSON.stringify(headers)).not.toContain('leaked');
      expect(Object.keys(headers ?? {}).filter((name) => name.startsWith('x-'))).toEqual([]);
    } finally {
      delete process.env['OPENAI_CUSTOM_HEADERS'];
      delete process.env['OPENAI_ORG_ID'];
    }
  });

  test('needs no key where none is set, whatever the environment holds', async () => {
    process.env['OPENAI_API_KEY'] = canary;
    try {
      const server = await serve(completion('42'));
      await one(server, { apiKey: async () => null });
      expect(server.seen[0]?.headers.authorization).toBeUndefined();
    } finally {
      delete process.env['OPENAI_API_KEY'];
    }
  });

  test('is one for each request, in any order, never more than `concurrency` at once', async () => {
    const echo: Reply = (response, { body, number }) =>
      later(
        (number * 7) % 20,
        json(200, completionBody((body['messages'] as [{ content: string }])[0].content)),
      )(response, { body, number, path: '', headers: {}, at: 0 });
    const server = await serve(echo);
    const requests = Array.from({ length: 60 }, (_, index) => request(`task ${index}`));
    const answers = await all(modelOf(server, { concurrency: 6 }), requests);
    expect(answers.size).toBe(60);
    for (const [index, answer] of answers) expect(answer).toMatchObject({ ok: true, text: `task ${index}` });
    expect(server.peak).toBeLessThanOrEqual(6);
    expect(server.peak).toBeGreaterThan(2);
  });

  test('no requests, no calls', async () => {
    const server = await serve(completion('42'));
    expect((await all(modelOf(server), [])).size).toBe(0);
    expect(server.seen).toHaveLength(0);
  });
});

describe('what the answer says about itself', () => {
  const message = (content: unknown, more: object = {}): object => ({
    choices: [{ index: 0, message: { role: 'assistant', content, ...more }, finish_reason: 'stop' }],
  });
  test.each<[string, unknown, object]>([
    ['cut at the limit', completionBody('4', 'length'), { ok: true, text: '4', finish: 'length' }],
    ['filtered', completionBody('', 'content_filter'), { ok: true, text: '', finish: 'refusal' }],
    [
      'refused',
      message(null, { refusal: 'I will not.' }),
      { ok: true, text: 'I will not.', finish: 'refusal' },
    ],
    ['empty', completionBody(''), { ok: true, text: '', finish: 'refusal' }],
    ['no finish reason', completionBody('4', null), { ok: true, text: '4', finish: 'stop' }],
    [
      'no usage',
      completionBody('4', 'stop', { usage: undefined }),
      { ok: true, usage: { input: null, output: null } },
    ],
    [
      'odd usage',
      completionBody('4', 'stop', { usage: { prompt_tokens: -1, completion_tokens: 1e308 } }),
      { ok: true, usage: { input: null, output: null } },
    ],
    ['no model name', completionBody('4', 'stop', { model: 7 }), { ok: true, model: 'fake' }],
    ['no choices', completionBody('4', 'stop', { choices: [] }), { ok: false }],
    ['choices of another kind', completionBody('4', 'stop', { choices: 'x' }), { ok: false }],
    ['no message', { choices: [{ message: null }] }, { ok: false }],
    ['content null', message(null), { ok: false, reason: containing('without text') }],
    ['content a number', message(7), { ok: false }],
    ['content a list', message(['a']), { ok: false }],
    ['a tool call', message(null, { tool_calls: [{}] }), { ok: false, reason: containing('tool call') }],
    ['a list', [1], { ok: false }],
    [
      'an error inside',
      { error: { message: 'upstream failed' } },
      { ok: false, reason: containing('upstream failed') },
    ],
  ])('%s', async (_name, body, expected) => {
    const server = await serve(json(200, body));
    expect(await one(server)).toMatchObject(expected);
    expect(server.seen).toHaveLength(1);
  });
});

describe('fields an endpoint does not take', () => {
  const refusing =
    (field: string, error: Readonly<Record<string, unknown>>): Reply =>
    (response, seen) =>
      (field in seen.body ? apiError(400, error) : completion('42'))(response, seen);

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['seed', { message: "Unsupported parameter: 'seed' is not supported with this model.", param: 'seed' }],
    ['seed', { message: 'Unrecognized request argument supplied: seed' }],
    [
      'temperature',
      {
        message: "Unsupported value: 'temperature' does not support 0.5 with this model.",
        param: 'temperature',
        code: 'unsupported_value',
      },
    ],
    [
      'max_tokens',
      {
        message: "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
        param: 'max_tokens',
        code: 'unsupported_parameter',
      },
    ],
  ])('%s is left out, once and for all', async (field, error) => {
    const server = await serve(refusing(field, error));
    const warnings: string[] = [];
    const log = {
      info: () => undefined,
      warn: (text: string) => warnings.push(text),
      error: () => undefined,
    };
    const model = modelOf(server, { concurrency: 1, log });
    const answers = await all(model, [request('a'), request('b')]);
    expect([...answers.values()].every(({ ok }) => ok)).toBe(true);
    expect(server.seen).toHaveLength(3);
    expect(warnings).toHaveLength(1);
    expect(server.seen[2]?.body).not.toHaveProperty(field);
    if (field === 'max_tokens') expect(server.seen[2]?.body).toMatchObject({ max_completion_tokens: 64 });
  });

  test('as FastAPI says it', async () => {
    const detail = [
      { type: 'extra_forbidden', loc: ['body', 'seed'], msg: 'Extra inputs are not permitted' },
    ];
    const server = await serve((response, seen) =>
      ('seed' in seen.body ? json(422, { detail }) : completion('42'))(response, seen),
    );
    expect(await one(server)).toMatchObject({ ok: true });
  });

  test('a value out of range is not left out silently', async () => {
    const error = {
      message: "Invalid 'temperature': decimal above maximum value.",
      param: 'temperature',
      code: 'decimal_above_max_value',
    };
    const server = await serve(refusing('temperature', error));
    expect(await one(server)).toMatchObject({ ok: false, reason: containing('above maximum') });
  });
});

describe('stopping', () => {
  test('ends calls in flight within a second, keeps what was answered, asks nothing more', async () => {
    const server = await serve(inTurn(completion('1'), completion('2'), hang));
    const stop = { aborted: false };
    const got: number[] = [];
    const start = performance.now();
    for await (const { index } of modelOf(server, { concurrency: 4 }).generate(
      Array.from({ length: 50 }, () => request('hi')),
      stop,
    )) {
      got.push(index);
      if (got.length === 2) stop.aborted = true;
    }
    expect(performance.now() - start).toBeLessThan(1_000);
    expect(got).toHaveLength(2);
    const asked = server.seen.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(server.seen).toHaveLength(asked);
    expect(asked).toBeLessThanOrEqual(6);
  });

  test('during a long Retry-After', async () => {
    const server = await serve(apiError(429, { message: 'x' }, { 'retry-after': '500' }));
    const stop = { aborted: false };
    setTimeout(() => {
      stop.aborted = true;
    }, 100);
    const start = performance.now();
    expect((await all(modelOf(server), [request('hi')], stop)).size).toBe(0);
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  test('a consumer that leaves ends the calls', async () => {
    const server = await serve(inTurn(completion('1'), hang));
    for await (const item of modelOf(server, { concurrency: 3 }).generate(
      Array.from({ length: 9 }, () => request('hi')),
      { aborted: false },
    )) {
      expect(item.answer.ok).toBe(true);
      break;
    }
    expect(server.seen.length).toBeLessThanOrEqual(4);
  });
});

describe('addresses', () => {
  test.each([
    ['not an address', /is not an address/],
    ['http://api.openai.com/v1', /must begin with https/],
    ['http://127.0.0.1.evil.example/v1', /must begin with https/],
    ['http://localhost.evil.example/v1', /must begin with https/],
    ['ftp://localhost/v1', /must begin with https/],
    ['file:///etc/passwd', /must begin with https/],
    ['https://user:pass@api.openai.com/v1', /user name/],
    ['https://api.openai.com@evil.example/v1', /user name/],
    ['https://api.example/v1?key=1', /"\?"/],
  ])('%s is refused before any connection', (baseURL, message) => {
    const make = (): LanguageModel =>
      openaiModel({ provider: 'p', baseURL, model: 'm', apiKey: async () => canary });
    expect(make).toThrow(ProviderError);
    expect(make).toThrow(message);
  });

  test('the name tells providers and models apart', () => {
    const model = openaiModel({
      provider: 'p',
      baseURL: 'https://a.example/v1/',
      model: 'm',
      apiKey: async () => null,
    });
    expect(model.name).toBe('p/m');
  });
});
