// Owns the check of streamed answers: framing, completeness, timers that count data, errors in the middle.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serverEvents } from '../../../../src/adapters/models/serverEvents.ts';
import {
  apiError,
  chunk,
  completion,
  event,
  inTurn,
  keepAlive,
  type Reply,
  stream,
  streamed,
  usageChunk,
} from '../../../fakes/openaiServer.ts';
import { matching, one, refusal, serve } from './askEndpoint.ts';

const asked = { stream: true } as const;
const whole = { ok: true, text: '42 é😀', finish: 'stop', usage: { input: 11, output: 3 }, model: 'fake-1' };

describe('framing', () => {
  test('any cut of the bytes and any line end give the same events', () => {
    const line = fc
      .string({ unit: 'grapheme', maxLength: 12 })
      .map((text) => text.replace(/[\r\n\uFEFF\0]/gu, ''));
    fc.assert(
      fc.property(
        fc.array(fc.array(line, { minLength: 1, maxLength: 3 }), { maxLength: 6 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.constantFrom('data: ', 'data:'),
        fc.boolean(),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 40 }),
        (events, end, field, marked, sizes) => {
          const told = events.map((lines) =>
            lines.map((text) => (field === 'data:' ? text.replace(/^ +/u, '') : text)),
          );
          const text = told.map(
            (lines) => `: note${end}id: 7${end}${lines.map((each) => field + each + end).join('')}${end}`,
          );
          const bytes = Buffer.from((marked ? '\uFEFF' : '') + text.join(''));
          const reader = serverEvents();
          const got: string[] = [];
          for (let at = 0, turn = 0; at < bytes.length; turn++) {
            const size = sizes[turn % sizes.length] ?? 1;
            got.push(...reader.push(bytes.subarray(at, at + size)));
            at += size;
          }
          expect(got).toEqual(told.map((lines) => lines.join('\n')));
        },
      ),
    );
  });

  test('an event that was not closed is none', () => {
    const reader = serverEvents();
    expect(reader.push(Buffer.from('data: a\n\ndata: half'))).toEqual(['a']);
    expect(reader.push(Buffer.from('\n'))).toEqual([]);
  });
});

describe('a streamed answer', () => {
  const text = streamed('42 é😀').join('');
  const bytes = Buffer.from(text);
  test.each<[string, Reply]>([
    ['event by event', stream(streamed('42 é😀'), 'end', 1)],
    ['byte by byte', stream([...bytes].map((byte) => Uint8Array.of(byte)))],
    ['with CRLF', stream([text.replaceAll('\n', '\r\n')])],
    ['with CR', stream([text.replaceAll('\n', '\r')])],
    ['with a byte order mark', stream([`\uFEFF${text}`])],
    ['without the space', stream([text.replaceAll('data: ', 'data:')])],
    ['without [DONE]', stream(streamed('42 é😀').slice(0, -1))],
    ['cut after the usage', stream(streamed('42 é😀').slice(0, -1), 'cut')],
    ['among comments', stream(streamed('42 é😀').map((piece) => `: note\n\n${piece}`))],
  ])('%s', async (_name, reply) => {
    const server = await serve(reply);
    expect(await one(server, asked)).toMatchObject({ ...whole, requestId: 'req-1' });
    expect(server.seen).toHaveLength(1);
    expect(server.seen[0]?.body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  });

  test('in one piece after all', async () => {
    expect(await one(await serve(completion('42')), asked)).toMatchObject({ ok: true, text: '42' });
  });

  test('is not paid again for a missing end, and unknown usage stays unknown', async () => {
    const pieces = [event(chunk('42')), event(chunk(null, 'stop'))];
    for (const end of ['end', 'cut', 'silent'] as const) {
      const server = await serve(stream(pieces, end));
      expect(await one(server, asked)).toMatchObject({
        ok: true,
        text: '42',
        usage: { input: null, output: null },
      });
      expect(server.seen).toHaveLength(1);
    }
  });

  test('outcomes are outcomes', async () => {
    const cut = stream([event(chunk('4')), event(chunk(null, 'length')), event('[DONE]')]);
    expect(await one(await serve(cut), asked)).toMatchObject({ ok: true, text: '4', finish: 'length' });
    const refused = stream([
      event({ choices: [{ index: 0, delta: { refusal: 'I will ' } }] }),
      event({ choices: [{ index: 0, delta: { refusal: 'not.' }, finish_reason: 'stop' }] }),
      event('[DONE]'),
    ]);
    expect(await one(await serve(refused), asked)).toMatchObject({ text: 'I will not.', finish: 'refusal' });
    const called = stream([
      event({ choices: [{ index: 0, delta: { tool_calls: [{ index: 0 }] }, finish_reason: 'tool_calls' }] }),
      event('[DONE]'),
    ]);
    expect(await one(await serve(called), asked)).toMatchObject({ ok: false, reason: matching(/tool call/) });
  });

  test('takes only the answer asked for', async () => {
    const other = { choices: [{ index: 1, delta: { content: 'other' }, finish_reason: 'stop' }] };
    const server = await serve(
      stream([event(chunk('42')), event(other), event(chunk(null, 'stop')), event('[DONE]')]),
    );
    expect(await one(server, asked)).toMatchObject({ text: '42' });
  });

  test('goes without usage where it cannot be asked for', async () => {
    const server = await serve((response, seen) =>
      ('stream_options' in seen.body
        ? apiError(400, { message: 'Unknown parameter: stream_options', param: 'stream_options' })
        : stream(streamed('42')))(response, seen),
    );
    expect(await one(server, asked)).toMatchObject({ ok: true, text: '42' });
    expect(server.seen).toHaveLength(2);
  });
});

describe('a stream that fails is asked again', () => {
  const half = [event(chunk('4')), event(chunk('2'))];
  test.each<[string, Reply]>([
    ['ended clean, half said', stream(half)],
    ['cut in the middle', stream(half, 'cut')],
    ['cut within an event', stream([event(chunk('4')), 'data: {"choices"'], 'cut')],
    ['silent in the middle', stream(half, 'silent')],
    ['comments only, from the start', keepAlive(20)],
    ['comments only, after a beginning', keepAlive(20, half)],
    ['no event at all', stream([])],
    ['an event that is not JSON', stream([event('{"choices": [')])],
    ['an event that is no object', stream([event('7')])],
    [
      'an overload in the middle',
      stream([...half, event({ error: { message: 'Overloaded', type: 'overloaded_error' } })]),
    ],
    ['a server error in the middle', stream([...half, event({ error: { message: 'x', code: 502 } })])],
    ['a rate limit in the middle', stream([...half, event({ error: { code: 'rate_limit_exceeded' } })])],
  ])('%s', async (_name, fault) => {
    const server = await serve(inTurn(fault, stream(streamed('42 é😀'))));
    const limits = { firstMs: 300, idleMs: 150 };
    expect(await one(server, { ...asked, limits })).toMatchObject(whole);
    expect(server.seen).toHaveLength(2);
  });

  test('a drip of data ends at the total time', async () => {
    const drip = stream(
      Array.from({ length: 500 }, () => event(chunk('x'))),
      'end',
      20,
    );
    const server = await serve(drip);
    const answer = await one(server, { ...asked, limits: { totalMs: 400 } });
    expect(answer).toMatchObject({ ok: false, reason: matching(/no whole answer within/) });
    expect(server.seen).toHaveLength(2);
  });

  test('says which wait was too long', async () => {
    const limits = { firstMs: 1_000, idleMs: 1_000, totalMs: 5_000 };
    expect(await one(await serve(keepAlive(50)), { ...asked, limits })).toMatchObject({
      reason: matching(/did not begin to answer within 1 s/),
    });
    expect(await one(await serve(keepAlive(50, half)), { ...asked, limits })).toMatchObject({
      reason: matching(/fell silent for 1 s/),
    });
  });
});

describe('a stream that must not be asked again', () => {
  test('quota exhausted in the middle pauses the run', async () => {
    const error = { message: 'You exceeded your current quota', type: 'insufficient_quota' };
    const server = await serve(stream([event(chunk('4')), event({ error })]));
    expect(await refusal(one(server, asked))).toMatch(/out of credit/);
    expect(server.seen).toHaveLength(1);
  });

  test('a line without end is cut at the cap', async () => {
    const server = await serve(stream(Array.from({ length: 10 }, () => `data: ${'x'.repeat(1_000_000)}`)));
    expect(await one(server, asked)).toMatchObject({ ok: false, reason: matching(/larger than 8 MB/) });
    expect(server.seen).toHaveLength(1);
  });

  test('a request at fault is that call only', async () => {
    const error = { message: 'bad item', type: 'invalid_request_error' };
    const server = await serve(stream([event({ error })]));
    expect(await one(server, asked)).toMatchObject({ ok: false, reason: matching(/bad item/) });
    expect(server.seen).toHaveLength(1);
  });
});

test('usage is that of the last chunk that has any', async () => {
  const running = chunk('4', null, { usage: { prompt_tokens: 11, completion_tokens: 1 } });
  const server = await serve(
    stream([event(running), event(chunk('2', 'stop')), event(usageChunk), event('[DONE]')]),
  );
  expect(await one(server, asked)).toMatchObject({ text: '42', usage: { input: 11, output: 3 } });
});
