/**
 * Owns a local OpenAI-compatible server that misbehaves as told: each request is answered by a script, so that every
 * fault of an endpoint can be had at any moment of a run. Bound to 127.0.0.1. Deliberately not a model.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Server } from 'node:net';
import { gzipSync } from 'node:zlib';
import { listenLocally } from './localServer.ts';

export interface SeenRequest {
  /** From 1, in order of arrival. */
  readonly number: number;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Readonly<Record<string, unknown>>;
  /** Milliseconds since the server started. */
  readonly at: number;
}

/** Writes the answer, or holds the connection. */
export type Reply = (response: ServerResponse, request: SeenRequest) => void | Promise<void>;

export interface FakeServer {
  /** Ends in /v1. */
  readonly baseURL: string;
  readonly host: string;
  readonly seen: readonly SeenRequest[];
  /** The most requests that were open at once. */
  readonly peak: number;
  close(): Promise<void>;
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
}

/** A chat completion as OpenAI sends it; `change` replaces members of its top level. */
export function completionBody(
  text: unknown,
  finish: string | null = 'stop',
  change: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'fake-1',
    choices: [
      { index: 0, message: { role: 'assistant', content: text, refusal: null }, finish_reason: finish },
    ],
    usage: { prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 },
    ...change,
  };
}

export const completion = (text: string, finish = 'stop'): Reply =>
  json(200, completionBody(text, finish), { 'x-request-id': 'req-1' });

export const apiError = (
  status: number,
  error: Readonly<Record<string, unknown>> = { message: 'no' },
  headers: Readonly<Record<string, string>> = {},
): Reply => json(status, { error }, headers);

export const raw =
  (status: number, headers: Readonly<Record<string, string>>, body: string | Uint8Array): Reply =>
  (response) => {
    response.writeHead(status, headers);
    response.end(body);
  };

/** Headers and half of the body, then the connection is cut. */
export const halfBody: Reply = (response) => {
  const body = JSON.stringify(completionBody('whole'));
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(body.length) });
  response.write(body.slice(0, body.length / 2), () => response.destroy());
};

/** Nothing is ever answered. */
export const hang: Reply = () => undefined;

/** One byte every `ms` milliseconds, without end. */
export const trickle =
  (ms: number): Reply =>
  (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(' '), ms);
    response.on('close', () => clearInterval(timer));
  };

/** Begins an answer and goes silent. */
export const stall: Reply = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('{"choices":');
};

/** The bytes of one event of a stream. */
export const event = (data: unknown): string =>
  `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;

/** One piece of a streamed completion; `change` replaces members of its top level. */
export const chunk = (
  text: string | null,
  finish: string | null = null,
  change: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'fake-1',
  choices: [{ index: 0, delta: text === null ? {} : { content: text }, finish_reason: finish }],
  ...change,
});

/** What a stream ends with when `stream_options.include_usage` is set. */
export const usageChunk = chunk(null, null, {
  choices: [],
  usage: { prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 },
});

export const streamed = (text: string): readonly string[] => [
  event(chunk('')),
  ...[...text].map((character) => event(chunk(character))),
  event(chunk(null, 'stop')),
  event(usageChunk),
  event('[DONE]'),
];

export type StreamEnd = 'end' | 'cut' | 'silent';

/** Writes the pieces, `everyMs` apart, and then ends the answer, cuts the connection, or says nothing more. */
export const stream =
  (pieces: readonly (string | Uint8Array)[], end: StreamEnd = 'end', everyMs = 0): Reply =>
  async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'req-1' });
    for (const piece of pieces) {
      if (response.destroyed) return;
      await new Promise<unknown>((resolve) => response.write(piece, resolve));
      if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
    if (end === 'end') response.end();
    if (end === 'cut') response.destroy();
  };

/** Comments, `ms` apart, that only keep the connection open, without end. */
export const keepAlive =
  (ms: number, before: readonly string[] = []): Reply =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const piece of before) response.write(piece);
    const timer = setInterval(() => response.write(': still here\n\n'), ms);
    response.on('close', () => clearInterval(timer));
  };

/** A response as the Responses API sends it; `change` replaces members of its top level. */
export const responseBody = (
  text: string,
  change: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> => ({
  id: 'resp-1',
  object: 'response',
  status: 'completed',
  model: 'fake-1',
  error: null,
  incomplete_details: null,
  output: [
    { type: 'reasoning', summary: [] },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text, annotations: [] }] },
  ],
  usage: { input_tokens: 11, output_tokens: 3, total_tokens: 14 },
  ...change,
});

/** A few kilobytes that unpack to `megabytes`. */
export const gzipBomb = (megabytes: number): Reply =>
  raw(
    200,
    { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    gzipSync(Buffer.alloc(megabytes * 1_000_000, 0x20)),
  );

export const later =
  (ms: number, reply: Reply): Reply =>
  async (response, request) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    await reply(response, request);
  };

/** Replies in turn; the last one answers whatever comes after. */
export function inTurn(...replies: readonly Reply[]): Reply {
  return (response, request) => {
    const reply = replies[Math.min(request.number, replies.length) - 1];
    return reply?.(response, request);
  };
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const text = Buffer.concat(pieces).toString('utf8');
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

/** `door` takes the connections, for those that are not plain HTTP. */
export async function startOpenAiServer(
  reply: Reply,
  door: (listener: RequestListener) => Server = createServer,
): Promise<FakeServer> {
  const seen: SeenRequest[] = [];
  const started = performance.now();
  let open = 0;
  let peak = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const number = seen.length + 1;
    const entry = {
      number,
      path: request.url ?? '',
      headers: request.headers,
      at: performance.now() - started,
    };
    open += 1;
    peak = Math.max(peak, open);
    response.on('close', () => {
      open -= 1;
    });
    // Numbered at arrival: the body of a second request may be complete before that of the first.
    const place = seen.push({ ...entry, body: {} }) - 1;
    const whole = { ...entry, body: await readJson(request) };
    seen[place] = whole;
    await reply(response, whole);
  };
  const server = door((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  const { host, close } = await listenLocally(server);
  return {
    baseURL: `http://${host}/v1`,
    host,
    seen,
    get peak() {
      return peak;
    },
    close,
  };
}
