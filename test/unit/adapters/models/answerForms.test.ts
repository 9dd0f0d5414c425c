/** Owns the check of answers asked for in a form, of log-probabilities, and of embeddings. */
import { expect, test } from 'vitest';
import { shares } from '../../../../src/adapters/models/json.ts';
import { listedTexts } from '../../../../src/core/loop/embed.ts';
import { openaiEmbedder } from '../../../../src/adapters/models/openaiEmbedder.ts';
import { hostGates } from '../../../../src/adapters/models/hostGate.ts';
import type { EmbeddingAnswer } from '../../../../src/core/ports.ts';
import {
  apiError,
  completionBody,
  json,
  type Reply,
  responseBody,
  stream,
  chunk,
  event,
} from '../../../fakes/openaiServer.ts';
import { all, canary, modelOf as quickModelOf, request, serve } from './askEndpoint.ts';

/** On a machine with much else to do nothing may be slow by itself. */
const patient = { limits: { firstMs: 20_000, idleMs: 20_000, totalMs: 25_000 } };
const modelOf: typeof quickModelOf = (server, change) => quickModelOf(server, { ...change, ...patient });

const responseFormat = {
  name: 'verdict',
  schema: {
    type: 'object',
    properties: { ok: { type: 'boolean' } },
    required: ['ok'],
    additionalProperties: false,
  },
} as const;
const formed = [request('Judge.', { responseFormat }), request('Judge again.', { responseFormat })];
const good = json(200, completionBody('{"ok":true}'));

test('a form is asked for by its schema', async () => {
  const server = await serve(good);
  await all(modelOf(server), formed.slice(0, 1));
  expect(server.seen[0]?.body['response_format']).toEqual({
    type: 'json_schema',
    json_schema: { name: 'verdict', schema: responseFormat.schema, strict: true },
  });
  const responses = await serve(json(200, responseBody('{"ok":true}')));
  await all(modelOf(responses, { api: 'responses' }), formed.slice(0, 1));
  expect(responses.seen[0]?.body['text']).toEqual({
    format: { type: 'json_schema', name: 'verdict', schema: responseFormat.schema, strict: true },
  });
});

const takes =
  (...types: readonly string[]): Reply =>
  (response, seen) => {
    const form = seen.body['response_format'] as { type: string } | undefined;
    const refusal = apiError(400, {
      message: `Invalid parameter: 'response_format' of type '${form?.type}' is not supported with this model.`,
      param: 'response_format',
    });
    return (form === undefined || types.includes(form.type) ? good : refusal)(response, seen);
  };
const formsOf = (bodies: readonly { body: Readonly<Record<string, unknown>> }[]): unknown[] =>
  bodies.map(({ body }) => (body['response_format'] as { type: string } | undefined)?.type ?? null);
const promptsOf = (bodies: readonly { body: Readonly<Record<string, unknown>> }[]): string[] =>
  bodies.map(({ body }) => (body['messages'] as { content: string }[])[0]?.content ?? '');

test('an endpoint that takes no schema is asked for JSON, with the schema in words, and that is remembered', async () => {
  const server = await serve(takes('json_object'));
  const model = modelOf(server, { concurrency: 1 });
  const answers = await all(model, formed);
  expect([...answers.values()].every(({ ok }) => ok)).toBe(true);
  expect(formsOf(server.seen)).toEqual(['json_schema', 'json_object', 'json_object']);
  expect(promptsOf(server.seen)[0]).toBe('Judge.');
  expect(promptsOf(server.seen)[2]).toContain(JSON.stringify(responseFormat.schema));
});

test('one that takes neither is asked in words alone', async () => {
  const server = await serve(takes());
  const answers = await all(modelOf(server, { concurrency: 1 }), formed);
  expect([...answers.values()].every(({ ok }) => ok)).toBe(true);
  expect(formsOf(server.seen)).toEqual(['json_schema', 'json_object', null, null]);
  expect(promptsOf(server.seen)[3]).toContain('JSON Schema');
});

test('one that takes the field and does nothing about it gets words from the next call on', async () => {
  const server = await serve(json(200, completionBody('Well, it is fine.')));
  await all(modelOf(server, { concurrency: 1 }), formed);
  expect(formsOf(server.seen)).toEqual(['json_schema', 'json_object']);
});

const tokens = [
  {
    token: '4',
    logprob: -0.25,
    top_logprobs: [
      { token: '5', logprob: -2 },
      { token: '4', logprob: -0.25 },
    ],
  },
];
const read = [
  {
    token: '4',
    logprob: -0.25,
    alternatives: [
      { token: '4', logprob: -0.25 },
      { token: '5', logprob: -2 },
    ],
  },
];
const choices = [
  { index: 0, message: { content: '4' }, finish_reason: 'stop', logprobs: { content: tokens } },
];

test.each([
  ['in one piece', json(200, completionBody('4', 'stop', { choices })), {}, read],
  [
    'in pieces',
    stream([
      event(
        chunk('4', null, { choices: [{ index: 0, delta: { content: '4' }, logprobs: { content: tokens } }] }),
      ),
      event(chunk(null, 'stop')),
      event('[DONE]'),
    ]),
    { stream: true },
    read,
  ],
  [
    'through the Responses API',
    json(
      200,
      responseBody('4', {
        output: [{ type: 'message', content: [{ type: 'output_text', text: '4', logprobs: tokens }] }],
      }),
    ),
    { api: 'responses' as const },
    read,
  ],
  ['that are not given', json(200, completionBody('4')), {}, null],
  [
    'that are no logarithms of probabilities',
    json(
      200,
      completionBody('4', 'stop', {
        choices: [{ ...choices[0], logprobs: { content: [{ token: '4', logprob: 3 }] } }],
      }),
    ),
    {},
    null,
  ],
])('log-probabilities %s', async (_how, reply, change, expected) => {
  const server = await serve(reply);
  const answers = await all(modelOf(server, change), [request('2+2', { logprobs: 2 }), request('2+2')]);
  expect(answers.get(0)).toMatchObject({ ok: true, text: '4', logprobs: expected });
  expect(answers.get(1)).not.toHaveProperty('logprobs');
  const asked = server.seen.filter(({ body }) => body['top_logprobs'] === 2);
  expect(asked).toHaveLength(1);
});

test('an endpoint that refuses log-probabilities answers without them', async () => {
  const refusal = apiError(400, { message: 'logprobs is not supported with this model', param: 'logprobs' });
  const server = await serve((response, seen) =>
    (seen.body['logprobs'] === undefined ? json(200, completionBody('4')) : refusal)(response, seen),
  );
  const answers = await all(modelOf(server), [request('2+2', { logprobs: 0 })]);
  expect(answers.get(0)).toMatchObject({ ok: true, logprobs: null });
});

async function embedded(reply: Reply, texts: readonly string[]) {
  const server = await serve(reply);
  const embedder = openaiEmbedder({
    provider: 'local',
    baseURL: server.baseURL,
    model: 'vectors',
    apiKey: async () => canary,
    gates: hostGates(),
    limits: { backoffMs: 1 },
  });
  const answers = new Map<number, EmbeddingAnswer>();
  for await (const { index, answer } of embedder.embed(listedTexts(texts), { aborted: false }))
    answers.set(index, answer);
  return { server, answers };
}
const vectors: Reply = (response, seen) => {
  const input = seen.body['input'] as string[];
  const data = input
    .map((text, index) => ({ object: 'embedding', index, embedding: [text.length, -1] }))
    .reverse();
  return json(200, { object: 'list', data, model: 'vectors-1', usage: { prompt_tokens: 7 * input.length } })(
    response,
    seen,
  );
};

test('texts become vectors, many in one request, by their index, with the whole usage among them', async () => {
  const texts = Array.from({ length: 600 }, (_, index) => 'x'.repeat((index % 5) + 1));
  const { server, answers } = await embedded(vectors, ['', ...texts]);
  expect(answers.get(0)).toEqual({ ok: false, reason: 'an empty text has no vector' });
  texts.forEach((text, index) =>
    expect(answers.get(index + 1)).toMatchObject({
      ok: true,
      vector: Float32Array.of(text.length, -1),
      model: 'vectors-1',
    }),
  );
  const inputs = [...answers.values()].map((answer) => (answer.ok ? (answer.usage.input ?? NaN) : 0));
  expect(inputs.reduce((sum, input) => sum + input, 0)).toBe(7 * 600);
  expect(server.seen.map(({ body }) => (body['input'] as string[]).length)).toEqual([255, 256, 89]);
});

test('shares of a count add up to it', () => {
  expect(shares(10, [1, 1, 1])).toEqual([3, 4, 3]);
  expect(shares(null, [1, 2])).toEqual([null, null]);
});

test.each([
  ['one vector is missing', json(200, { data: [{ index: 0, embedding: [1] }] }), [true, false]],
  [
    'a vector is no numbers',
    json(200, {
      data: [
        { index: 0, embedding: [1] },
        { index: 1, embedding: ['a'] },
      ],
    }),
    [true, false],
  ],
  [
    'lengths differ',
    json(200, {
      data: [
        { index: 0, embedding: [1] },
        { index: 1, embedding: [1, 2] },
      ],
    }),
    [false, false],
  ],
  ['the input is too long', apiError(400, { message: 'maximum context length' }), [false, false]],
])('embeddings where %s', async (_what, reply, expected) => {
  const { answers } = await embedded(reply, ['a', 'b']);
  expect([answers.get(0)?.ok, answers.get(1)?.ok]).toEqual(expected);
});

test('a fault that passes is asked again, for embeddings too', async () => {
  let times = 0;
  const { answers } = await embedded(
    (response, seen) => (times++ === 0 ? apiError(500) : vectors)(response, seen),
    ['ab'],
  );
  expect(answers.get(0)).toMatchObject({ ok: true, vector: Float32Array.of(2, -1) });
  expect(times).toBe(2);
});
