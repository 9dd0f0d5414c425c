// Owns the check of the Responses API: the same port, other words on the wire.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readResponse } from '../../../../src/adapters/models/responsesProtocol.ts';
import {
  apiError,
  event,
  inTurn,
  json,
  type Reply,
  responseBody,
  stream,
} from '../../../fakes/openaiServer.ts';
import { all, matching, modelOf, one, refusal, request, serve } from './askEndpoint.ts';

const asked = { api: 'responses' } as const;
const streaming = { ...asked, stream: true } as const;

const answered = (text: string): Reply => json(200, responseBody(text), { 'x-request-id': 'req-1' });

const message = (content: readonly object[]): object => ({ output: [{ type: 'message', content }] });

describe('the Responses API', () => {
  test('is asked in its own words and answers with everything it reports', async () => {
    const server = await serve(answered('42'));
    expect(await one(server, asked)).toEqual({
      ok: true,
      text: '42',
      finish: 'stop',
      usage: { input: 11, output: 3 },
      model: 'fake-1',
      requestId: 'req-1',
    });
    expect(server.seen[0]?.path).toBe('/v1/responses');
    expect(server.seen[0]?.body).toEqual({
      model: 'fake',
      input: [{ role: 'user', content: 'hi' }],
      max_output_tokens: 64,
      store: false,
      temperature: 0.5,
    });
  });

  test.each<[string, object, object]>([
    [
      'cut at the limit',
      responseBody('4', { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }),
      { ok: true, text: '4', finish: 'length' },
    ],
    [
      'cut before any text',
      responseBody('', {
        status: 'incomplete',
        output: [],
        incomplete_details: { reason: 'max_output_tokens' },
      }),
      { ok: true, text: '', finish: 'length' },
    ],
    [
      'filtered',
      responseBody('4', { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }),
      { ok: true, finish: 'refusal' },
    ],
    [
      'refused',
      responseBody('', message([{ type: 'refusal', refusal: 'I will not.' }]) as Record<string, unknown>),
      { ok: true, text: 'I will not.', finish: 'refusal' },
    ],
    ['empty', responseBody(''), { ok: true, text: '', finish: 'refusal' }],
    [
      'in two parts',
      responseBody(
        '',
        message([
          { type: 'output_text', text: '4' },
          { type: 'output_text', text: '2' },
        ]) as Record<string, unknown>,
      ),
      { ok: true, text: '42' },
    ],
    [
      'a tool call',
      responseBody('', { output: [{ type: 'function_call', name: 'x' }] }),
      { ok: false, reason: matching(/tool call/) },
    ],
    ['no output', responseBody('', { output: [] }), { ok: false, reason: matching(/without text/) }],
    ['no response', { object: 'list' }, { ok: false, reason: matching(/no response/) }],
    [
      'odd usage',
      responseBody('4', { usage: { input_tokens: -1 } }),
      { usage: { input: null, output: null } },
    ],
    [
      'failed for the request',
      responseBody('', { status: 'failed', error: { code: 'invalid_prompt', message: 'bad prompt' } }),
      { ok: false, reason: matching(/bad prompt/) },
    ],
  ])('%s', async (_name, body, expected) => {
    const server = await serve(json(200, body));
    expect(await one(server, asked)).toMatchObject(expected);
    expect(server.seen).toHaveLength(1);
  });

  test('a failure of the server is asked again, its fields are dropped once refused', async () => {
    const failure = json(
      200,
      responseBody('', { status: 'failed', error: { code: 'server_error', message: 'x' } }),
    );
    const refusing = apiError(400, { message: 'Unknown parameter: store', param: 'store' });
    const server = await serve(inTurn(failure, refusing, answered('42')));
    expect(await one(server, asked)).toMatchObject({ ok: true, text: '42' });
    expect(server.seen[2]?.body).not.toHaveProperty('store');
  });

  test('whatever it sends is an answer or a reason', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        for (const body of [value, { output: value }, { output: [value] }, message([{ type: value }])]) {
          const answer = readResponse(body, 'm', null);
          if (!answer.ok) expect(answer.reason).not.toBe('');
        }
      }),
    );
  });
});

describe('a streamed response', () => {
  const delta = event({ type: 'response.output_text.delta', delta: '4' });
  const done = event({ type: 'response.completed', response: responseBody('42') });

  test('is the one of the last event', async () => {
    const server = await serve(stream([event({ type: 'response.created' }), delta, done]));
    expect(await one(server, streaming)).toMatchObject({
      ok: true,
      text: '42',
      usage: { input: 11, output: 3 },
    });
    expect(server.seen[0]?.body).toMatchObject({ stream: true });
    expect(server.seen[0]?.body).not.toHaveProperty('stream_options');
  });

  test('cut at the limit is an outcome', async () => {
    const cut = responseBody('4', {
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
    });
    const server = await serve(stream([delta, event({ type: 'response.incomplete', response: cut })]));
    expect(await one(server, streaming)).toMatchObject({ ok: true, text: '4', finish: 'length' });
  });

  test.each<[string, Reply]>([
    ['ended before it was whole', stream([delta])],
    ['cut', stream([delta], 'cut')],
    [
      'failed on the server',
      stream([
        delta,
        event({ type: 'response.failed', response: { error: { code: 'server_error', message: 'x' } } }),
      ]),
    ],
    ['an error event', stream([delta, event({ type: 'error', code: 'server_error', message: 'x' })])],
  ])('%s is asked again', async (_name, fault) => {
    const server = await serve(inTurn(fault, stream([delta, done])));
    const answers = await all(modelOf(server, streaming), [request('hi')]);
    expect(answers.get(0)).toMatchObject({ ok: true, text: '42' });
    expect(server.seen).toHaveLength(2);
  });

  test('exhausted quota pauses', async () => {
    const server = await serve(
      stream([event({ type: 'error', code: 'insufficient_quota', message: 'no credit' })]),
    );
    expect(await refusal(one(server, streaming))).toMatch(/out of credit/);
  });
});
