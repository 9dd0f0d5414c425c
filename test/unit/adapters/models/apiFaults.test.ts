/**
 * Owns the check of every fault an API can have, each at three moments: the first call of a run, in the middle with 16 in
 * flight, and the last call. The number is that of the list of 45 faults; what it must come to is the row's kind:
 *   again    asked again, and every call of the run is answered
 *   item     that call failed with a reason, asked once (or as often as `asked` says), and all others are answered
 *   outcome  an answer like any other, asked once
 *   paused   the run pauses with one sentence, answers before it are kept, and nothing is asked any more
 * Elsewhere or otherwise, because no server of ours can stage them in the middle of a run: 9 (below: held, not burned),
 * 14 (below, and hostGate.test.ts: halving), 20 and 23 (below, first call), 21 and most of 22 (judgeFault.test.ts, by the
 * codes Node gives), 41 (one answer is asked for at a time: the one with index 0 is taken), 45 (below).
 * Not staged: GOAWAY of 44, since only HTTP/1.1 is spoken; resuming by itself after 21, which is the run's.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, constants } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OpenAiEndpoint } from '../../../../src/adapters/models/session.ts';
import type { ModelAnswer } from '../../../../src/core/ports.ts';
import {
  apiError,
  chunk,
  completion,
  completionBody,
  event,
  type FakeServer,
  gzipBomb,
  halfBody,
  hang,
  json,
  keepAlive,
  later,
  type Reply,
  raw,
  stall,
  stream,
  streamed,
} from '../../../fakes/openaiServer.ts';
import { all, modelOf, one, refusal, request, serve } from './askEndpoint.ts';

const CALLS = 36;
const IN_FLIGHT = 16;
const moments = [
  ['first', 0],
  ['middle', 20],
  ['last', CALLS - 1],
] as const;

const tasks = Array.from({ length: CALLS }, (_, index) => request(String(index)));

function itemOf(body: Readonly<Record<string, unknown>>): number {
  return Number((body['messages'] as readonly { content: string }[])[0]?.content);
}

/** Answers every item with its own number, but has `fault` for one of them: the first time, or each time. */
function faultAt(at: number, fault: Reply, always: boolean): Reply {
  let times = 0;
  return (response, seen) => {
    const item = itemOf(seen.body);
    if (item === at && (always || times++ === 0))
      // The last call is alone by then.
      return at === CALLS - 1 ? later(60, fault)(response, seen) : fault(response, seen);
    const good = seen.body['stream'] === true ? stream(streamed(String(item))) : completion(String(item));
    // The first sixteen are slow enough to be in flight together.
    return later(item < IN_FLIGHT ? 40 : 5 + (item % 7), good)(response, seen);
  };
}

interface Row {
  readonly fault: number;
  readonly name: string;
  readonly reply: Reply;
  readonly change?: Partial<OpenAiEndpoint>;
}

const quick = { firstMs: 150, idleMs: 150, totalMs: 3_000 };
const streaming = { stream: true } as const;
const html = (status: number): Reply =>
  raw(status, { 'content-type': 'text/html' }, '<html>secret page</html>');
const busy = (headers: Readonly<Record<string, string>>, status = 429): Reply =>
  apiError(status, { message: 'slow down' }, headers);
const half = [event(chunk('4')), event(chunk('2'))];
const jsonText = (text: string): Reply => raw(200, { 'content-type': 'application/json' }, text);

/** Written straight to the socket, for what Node's server would not send. */
const wire =
  (text: string): Reply =>
  (response) => {
    response.socket?.write(text, () => response.socket?.destroy());
  };

const brotliBomb = (): Buffer =>
  brotliCompressSync(Buffer.alloc(40_000_000, 0x20), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } });

const again: readonly Row[] = [
  { fault: 4, name: '408', reply: apiError(408) },
  { fault: 5, name: '409', reply: apiError(409) },
  { fault: 8, name: '429 with a second to wait', reply: busy({ 'retry-after': '1' }) },
  {
    fault: 10,
    name: '429 with a date, by a clock that is years off',
    reply: busy({ 'retry-after': 'Fri, 01 Jan 2027 00:00:01 GMT', date: 'Fri, 01 Jan 2027 00:00:00 GMT' }),
  },
  ...['-5', 'soon', '1e9', ''].map((value) => ({
    fault: 11,
    name: `429 with Retry-After "${value}"`,
    reply: busy({ 'retry-after': value }),
  })),
  { fault: 12, name: '429 with retry-after-ms', reply: busy({ 'retry-after-ms': '60' }) },
  {
    fault: 12,
    name: '429 with a window',
    reply: busy({ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '60ms' }),
  },
  ...[500, 502, 504].map((status) => ({ fault: 15, name: String(status), reply: apiError(status) })),
  { fault: 16, name: '503', reply: apiError(503) },
  { fault: 16, name: '503 with a time', reply: busy({ 'retry-after': '0.06' }, 503) },
  ...[529, 520, 521, 522, 523, 524].map((status) => ({
    fault: 17,
    name: `${status} with a page`,
    reply: html(status),
  })),
  { fault: 24, name: 'headers that never come', reply: hang, change: { limits: quick } },
  { fault: 25, name: 'a body that goes silent', reply: stall, change: { limits: quick } },
  {
    fault: 26,
    name: 'a stream of comments only',
    reply: keepAlive(20, half),
    change: { ...streaming, limits: quick },
  },
  { fault: 27, name: 'half a body', reply: halfBody },
  { fault: 28, name: 'half a stream', reply: stream(half, 'cut'), change: streaming },
  { fault: 29, name: 'a stream that ends before its answer', reply: stream(half), change: streaming },
  { fault: 30, name: 'an event that is not JSON', reply: stream([...half, event('{"a')]), change: streaming },
  {
    fault: 31,
    name: 'an overload within a stream',
    reply: stream([...half, event({ error: { message: 'x', type: 'overloaded_error' } })]),
    change: streaming,
  },
  { fault: 32, name: 'JSON cut short', reply: jsonText('{"choices":[') },
  { fault: 34, name: 'an empty body', reply: jsonText('') },
  { fault: 34, name: '204', reply: raw(204, {}, '') },
  { fault: 34, name: 'null', reply: jsonText('null') },
  { fault: 36, name: 'an error with status 200', reply: json(200, { error: { code: 502, message: 'x' } }) },
  {
    fault: 44,
    name: 'a flood of 1xx, then nothing',
    reply: wire('HTTP/1.1 102 Processing\r\n\r\n'.repeat(5_000)),
  },
  {
    fault: 44,
    name: 'headers without end',
    reply: wire(`HTTP/1.1 200 OK\r\n${`x-a: ${'b'.repeat(1_000)}\r\n`.repeat(10_000)}`),
  },
  {
    fault: 44,
    name: 'a length that is too long',
    reply: wire('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{}'),
  },
  {
    fault: 44,
    name: 'two lengths that differ',
    reply: wire('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 9\r\n\r\n{}'),
  },
  {
    fault: 44,
    name: 'a connection reset on reuse',
    reply: (response) => void response.socket?.resetAndDestroy(),
  },
];

const item: readonly (Row & { readonly reason: RegExp; readonly asked?: number })[] = [
  {
    fault: 6,
    name: 'too long',
    reply: apiError(400, {
      message: 'This exceeds the maximum context length',
      code: 'context_length_exceeded',
    }),
    reason: /^too long for the model/,
  },
  {
    fault: 6,
    name: '413',
    reply: apiError(413, { message: 'too big' }),
    reason: /refused the request: too big/,
  },
  {
    fault: 18,
    name: '500 that is not to be asked again',
    reply: apiError(500, { message: 'x' }, { 'x-should-retry': 'false' }),
    reason: /status 500/,
  },
  { fault: 5, name: '409 for ever', reply: apiError(409), reason: /status 409/, asked: 3 },
  { fault: 15, name: '500 for ever', reply: apiError(500), reason: /status 500/, asked: 5 },
  { fault: 17, name: '529 for ever', reply: html(529), reason: /answered with status 529$/, asked: 5 },
  { fault: 32, name: 'malformed for ever', reply: jsonText('{'), reason: /empty or not JSON/, asked: 3 },
  { fault: 34, name: 'empty for ever', reply: jsonText(''), reason: /empty or not JSON/, asked: 3 },
  {
    fault: 35,
    name: 'no choices',
    reply: json(200, completionBody('', 'stop', { choices: [] })),
    reason: /without an answer/,
  },
  { fault: 35, name: 'choices missing', reply: json(200, { id: 'x' }), reason: /without an answer/ },
  {
    fault: 35,
    name: 'message null',
    reply: json(200, { choices: [{ index: 0, message: null }] }),
    reason: /without an answer/,
  },
  ...[null, 7, ['a']].map((content) => ({
    fault: 35,
    name: `content ${JSON.stringify(content)}`,
    reply: json(200, completionBody(content)),
    reason: /without text/,
  })),
  {
    fault: 36,
    name: 'an error of the request with status 200',
    reply: json(200, { error: { message: 'bad item' } }),
    reason: /bad item/,
  },
  {
    fault: 39,
    name: 'a tool call',
    reply: json(200, { choices: [{ index: 0, message: { content: null, tool_calls: [{}] } }] }),
    reason: /tool call instead of text/,
  },
  { fault: 42, name: 'a gzip bomb', reply: gzipBomb(60), reason: /larger than 8 MB/ },
  {
    fault: 42,
    name: 'a brotli bomb',
    reply: raw(200, { 'content-type': 'application/json', 'content-encoding': 'br' }, brotliBomb()),
    reason: /larger than 8 MB/,
  },
  { fault: 42, name: 'a body of 60 MB', reply: jsonText(' '.repeat(60_000_000)), reason: /larger than 8 MB/ },
];

const choices = (...list: readonly (readonly [number, string])[]): Reply =>
  json(200, {
    choices: list.map(([index, content]) => ({ index, message: { content }, finish_reason: 'stop' })),
  });

const outcome: readonly (Row & { readonly answer: object })[] = [
  {
    fault: 30,
    name: 'CRLF, a mark and no space in a stream',
    reply: stream([
      `\uFEFF${streamed('é😀').join('').replaceAll('data: ', 'data:').replaceAll('\n', '\r\n')}`,
    ]),
    change: streaming,
    answer: { ok: true, text: 'é😀' },
  },
  {
    fault: 37,
    name: 'cut at the limit',
    reply: completion('4', 'length'),
    answer: { ok: true, finish: 'length' },
  },
  {
    fault: 38,
    name: 'filtered',
    reply: completion('', 'content_filter'),
    answer: { ok: true, finish: 'refusal' },
  },
  {
    fault: 38,
    name: 'refused',
    reply: json(200, { choices: [{ index: 0, message: { content: null, refusal: 'No.' } }] }),
    answer: { ok: true, text: 'No.', finish: 'refusal' },
  },
  { fault: 38, name: 'empty', reply: completion(''), answer: { ok: true, text: '', finish: 'refusal' } },
  ...[-1, 1e308, 1.5, '7', null].map((count) => ({
    fault: 40,
    name: `usage ${JSON.stringify(count)}`,
    reply: json(
      200,
      completionBody('4', 'stop', { usage: { prompt_tokens: count, completion_tokens: count } }),
    ),
    answer: { ok: true, usage: { input: null, output: null } },
  })),
  {
    fault: 41,
    name: 'answers out of order',
    reply: choices([1, 'b'], [0, 'a']),
    answer: { ok: true, text: 'a' },
  },
  { fault: 41, name: 'an answer twice', reply: choices([0, 'a'], [0, 'b']), answer: { ok: true, text: 'a' } },
  {
    fault: 43,
    name: 'another model',
    reply: json(200, completionBody('4', 'stop', { model: 'other-2' })),
    answer: { ok: true, model: 'other-2' },
  },
];

const paused: readonly (Row & { readonly sentence: RegExp })[] = [
  { fault: 1, name: '401', reply: apiError(401), sentence: /rejected the key/ },
  { fault: 2, name: '403', reply: apiError(403, { message: 'not yours' }), sentence: /not yours/ },
  { fault: 3, name: '404', reply: apiError(404), sentence: /no model "fake"/ },
  {
    fault: 7,
    name: '422 for a parameter',
    reply: apiError(422, { message: 'Unknown parameter: top_q', code: 'unknown_parameter' }),
    sentence: /does not take this kind of request/,
  },
  { fault: 11, name: '429 for two hours', reply: busy({ 'retry-after': '7200' }), sentence: /120 minutes/ },
  {
    fault: 13,
    name: 'no quota',
    reply: apiError(429, { message: 'x', code: 'insufficient_quota' }),
    sentence: /out of credit/,
  },
  {
    fault: 31,
    name: 'no quota, within a stream',
    reply: stream([...half, event({ error: { code: 'insufficient_quota' } })]),
    change: streaming,
    sentence: /out of credit/,
  },
  { fault: 33, name: 'a page with status 200', reply: html(200), sentence: /text\/html instead/ },
];

const unhandled: unknown[] = [];
const note = (error: unknown): number => unhandled.push(error);
beforeAll(() => void process.on('unhandledRejection', note));
afterAll(() => {
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

async function answersOf(
  row: Row,
  at: number,
  always: boolean,
): Promise<{ server: FakeServer; answers: Map<number, ModelAnswer>; timesAsked: number }> {
  const server = await serve(faultAt(at, row.reply, always));
  const answers = await all(modelOf(server, { concurrency: IN_FLIGHT, ...row.change }), tasks);
  expect(answers.size).toBe(CALLS);
  for (const [index, answer] of answers)
    if (index !== at) expect(answer).toMatchObject({ ok: true, text: String(index) });
  return { server, answers, timesAsked: server.seen.length - (CALLS - 1) };
}

describe.each(moments)('at the %s call', (moment, at) => {
  test.each(again.map((row) => [row.fault, row.name, row] as const))(
    '%i %s is asked again',
    async (_fault, _name, row) => {
      const { server, answers, timesAsked } = await answersOf(row, at, false);
      expect(answers.get(at)).toMatchObject({ ok: true, text: String(at) });
      expect(timesAsked).toBe(2);
      if (moment === 'middle') expect(server.peak).toBeGreaterThanOrEqual(IN_FLIGHT);
    },
  );

  test.each(item.map((row) => [row.fault, row.name, row] as const))(
    '%i %s fails that call',
    async (_fault, _name, row) => {
      const { answers, timesAsked } = await answersOf(row, at, true);
      const answer = answers.get(at);
      expect(answer?.ok === false ? answer.reason : '').toMatch(row.reason);
      expect(timesAsked).toBe(row.asked ?? 1);
    },
  );

  test.each(outcome.map((row) => [row.fault, row.name, row] as const))(
    '%i %s is an outcome',
    async (_fault, _name, row) => {
      const warnings: string[] = [];
      const log = {
        info: () => undefined,
        warn: (text: string) => warnings.push(text),
        error: () => undefined,
      };
      const { answers, timesAsked } = await answersOf({ ...row, change: { ...row.change, log } }, at, true);
      expect(answers.get(at)).toMatchObject(row.answer);
      expect(timesAsked).toBe(1);
      expect(warnings.length > 0).toBe(row.fault === 43);
    },
  );

  test.each(paused.map((row) => [row.fault, row.name, row] as const))(
    '%i %s pauses the run',
    async (_fault, _name, row) => {
      const server = await serve(faultAt(at, row.reply, true));
      const got = new Set<number>();
      const run = async (): Promise<void> => {
        const model = modelOf(server, { concurrency: IN_FLIGHT, ...row.change });
        for await (const { index } of model.generate(tasks, { aborted: false })) got.add(index);
      };
      const sentence = await refusal(run());
      expect(sentence).toMatch(row.sentence);
      expect(sentence).toContain(server.host);
      expect(got.has(at)).toBe(false);
      if (moment === 'last') expect(got.size).toBe(CALLS - 1);
      // What had been sent by then still arrives.
      await new Promise((resolve) => setTimeout(resolve, 30));
      const asked = server.seen.length;
      expect(asked).toBeLessThan(at + 2 * IN_FLIGHT);
      expect(server.seen.filter(({ body }) => itemOf(body) === at)).toHaveLength(1);
      await new Promise((resolve) => setTimeout(resolve, 40));
      expect(server.seen).toHaveLength(asked);
    },
  );

  test('19 a server that goes away pauses the run', async () => {
    const away: Reply = async () => {
      await server.close();
    };
    const server: FakeServer = await serve((response, seen) => faultAt(at, away, true)(response, seen));
    const work = all(modelOf(server, { concurrency: IN_FLIGHT }), tasks);
    expect(await refusal(work)).toMatch(/cannot reach 127\.0\.0\.1:\d+ \(ECONNREFUSED\)/);
  });

  test('14 a server that stays busy pauses the run, and is not asked much meanwhile', async () => {
    let since = false;
    const server = await serve((response, seen) => {
      since ||= itemOf(seen.body) === at;
      return (since ? busy({}) : completion(String(itemOf(seen.body))))(response, seen);
    });
    const change = { concurrency: IN_FLIGHT, limits: { patienceMs: 150 } };
    expect(await refusal(all(modelOf(server, change), tasks))).toMatch(/is busy \(429\) and still is/);
    expect(server.seen.length).toBeLessThan(CALLS + 3 * IN_FLIGHT);
  });

  test('9 two minutes to wait are waited, by everyone, and burn no try', async () => {
    const server = await serve(faultAt(at, busy({ 'retry-after': '120' }), true));
    const stop = { aborted: false };
    const got = all(modelOf(server, { concurrency: IN_FLIGHT }), tasks, stop);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const asked = server.seen.length;
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(server.seen).toHaveLength(asked);
    expect(server.seen.filter(({ body }) => itemOf(body) === at)).toHaveLength(1);
    const start = performance.now();
    stop.aborted = true;
    expect((await got).has(at)).toBe(false);
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  test('45 Stop ends all calls within a second and keeps what came', async () => {
    const stop = { aborted: false };
    const server = await serve((response, seen) => {
      const index = itemOf(seen.body);
      if (index < at) return completion(String(index))(response, seen);
      if (index === Math.min(at + IN_FLIGHT, CALLS) - 1) setTimeout(() => (stop.aborted = true), 30);
      return undefined;
    });
    const start = performance.now();
    const got = await all(modelOf(server, { concurrency: IN_FLIGHT }), tasks, stop);
    expect(performance.now() - start).toBeLessThan(1_500);
    expect([...got.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: at }, (_, index) => index));
    const asked = server.seen.length;
    expect(asked).toBe(Math.min(at + IN_FLIGHT, CALLS));
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(server.seen).toHaveLength(asked);
  });
});

describe('before any answer can come', () => {
  test('20 a name that does not resolve', async () => {
    const server = await serve(completion('42'));
    const sentence = await refusal(one(server, { baseURL: 'https://nowhere.invalid/v1' }));
    expect(sentence).toMatch(/cannot reach nowhere\.invalid \((?:ENOTFOUND|EAI_AGAIN)\)/);
  });

  test('22 a port that speaks no TLS', async () => {
    const server = await serve(completion('42'));
    const baseURL = server.baseURL.replace('http:', 'https:');
    expect(await refusal(one(server, { baseURL }))).toMatch(
      /certificate of 127\.0\.0\.1:\d+ is not accepted/,
    );
    expect(server.seen).toHaveLength(0);
  });

  test('23 a proxy that wants a sign-in, and one that is down', async () => {
    const server = await serve(completion('42'));
    let tunnels = 0;
    const proxy = createServer();
    proxy.on('connect', (_request, socket) => {
      tunnels += 1;
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    expect(await refusal(one(server, { proxy: address }))).toMatch(/proxy on the way to .* wants a sign-in/);
    expect(tunnels).toBe(1);
    await new Promise((resolve) => proxy.close(resolve));
    expect(await refusal(one(server, { proxy: address }))).toMatch(
      /through the proxy 127\.0\.0\.1:\d+ \(ECONN/,
    );
    expect(server.seen).toHaveLength(0);
  });
});
