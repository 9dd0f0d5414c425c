/**
 * Owns the faults an API can have, as rows: what the server does, and what that must come to. The number is that of the
 * list of 45; the list a row stands in is what must come of it. Deliberately asks nothing: apiFaults.test.ts does.
 */
import { brotliCompressSync, constants } from 'node:zlib';
import type { OpenAiEndpoint } from '../../../../src/adapters/models/session.ts';
import {
  apiError,
  chunk,
  completion,
  completionBody,
  event,
  gzipBomb,
  halfBody,
  hang,
  json,
  keepAlive,
  type Reply,
  raw,
  stall,
  stream,
  streamed,
} from '../../../fakes/openaiServer.ts';

export interface Row {
  readonly fault: number;
  readonly name: string;
  readonly reply: Reply;
  readonly change?: Partial<OpenAiEndpoint>;
}

/** Soon enough to wait for, late enough for the calls beside it on a machine with much else to do. */
const quick = { firstMs: 1_000, idleMs: 1_000, totalMs: 20_000 };
const streaming = { stream: true } as const;
const html = (status: number): Reply =>
  raw(status, { 'content-type': 'text/html' }, '<html>secret page</html>');
export const busy = (headers: Readonly<Record<string, string>>, status = 429): Reply =>
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
  brotliCompressSync(Buffer.alloc(30_000_000, 0x20), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } });

export const again: readonly Row[] = [
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

export const item: readonly (Row & { readonly reason: RegExp; readonly asked?: number })[] = [
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
  { fault: 42, name: 'a gzip bomb', reply: gzipBomb(30), reason: /larger than 8 MB/ },
  {
    fault: 42,
    name: 'a brotli bomb',
    reply: raw(200, { 'content-type': 'application/json', 'content-encoding': 'br' }, brotliBomb()),
    reason: /larger than 8 MB/,
  },
  { fault: 42, name: 'a body of 20 MB', reply: jsonText(' '.repeat(20_000_000)), reason: /larger than 8 MB/ },
];

const choices = (...list: readonly (readonly [number, string])[]): Reply =>
  json(200, {
    choices: list.map(([index, content]) => ({ index, message: { content }, finish_reason: 'stop' })),
  });

export const outcome: readonly (Row & { readonly answer: object })[] = [
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

export const paused: readonly (Row & { readonly sentence: RegExp })[] = [
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
