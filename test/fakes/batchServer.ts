/**
 * Owns a local server that speaks the batch API as OpenAI documents it (API reference: Files, Batch; guide: Batch API):
 * multipart upload of JSON Lines, the states a batch passes, output and error files, lists in pages, cancelling. Requests
 * are checked as the documents say; what goes wrong, and when, is the test's. Deliberately not a model.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { listenLocally } from './localServer.ts';
import { completionBody } from './openaiServer.ts';

export interface BatchLine {
  readonly custom_id: string;
  readonly method: string;
  readonly url: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Submitted {
  readonly id: string;
  status: string;
  readonly lines: readonly BatchLine[];
  readonly input: string;
  readonly metadata: Readonly<Record<string, string>>;
  outputFile: string | null;
  errorFile: string | null;
  errors: readonly object[];
  counts: { total: number; completed: number; failed: number };
  looks: number;
}

/** What a request of a batch comes to: a line of the output file, one of the error file, or no line at all. */
export type LineResult =
  | { readonly output: object }
  | { readonly error: object }
  | { readonly neither: true };

export interface BatchServerOptions {
  /** What each line comes to; a good completion by default. `attempt` counts the batches that held this line before. */
  readonly answer?: (line: BatchLine, attempt: number) => LineResult;
  /** Errors for which the input is not accepted; none by default. */
  readonly validate?: (batch: Submitted, number: number) => readonly object[];
  /** The state it ends in; completed by default. */
  readonly end?: (batch: Submitted, number: number) => 'completed' | 'expired' | 'cancelled';
  /** Looks at a batch before it ends; 3 by default: validating, in_progress, finalizing. */
  readonly looks?: number;
  /** May answer in the server's place, before it acts or after (`done`); true when it did. */
  readonly intercept?: (
    call: { readonly method: string; readonly path: string; readonly number: number; readonly done: boolean },
    response: ServerResponse,
  ) => boolean;
  /** Replaces a file's text on its way out. */
  readonly file?: (text: string, number: number) => string;
  readonly lists?: boolean;
}

export interface BatchServer {
  readonly baseURL: string;
  readonly host: string;
  readonly batches: readonly Submitted[];
  readonly calls: readonly { readonly method: string; readonly path: string; readonly key: string }[];
  /** How many batches have held each line and ran it: what was paid for. */
  readonly paid: ReadonlyMap<string, number>;
  /** Most bytes one upload held. */
  readonly largest: number;
  close(): Promise<void>;
}

export const goodLine = (line: BatchLine, text?: string): LineResult => {
  const messages = line.body['messages'] as readonly { content: string }[];
  const body = completionBody(text ?? `re: ${messages[0]?.content}`);
  return { output: { status_code: 200, request_id: `req-${line.custom_id.slice(0, 8)}`, body } };
};
export const badLine = (status: number, error: object): LineResult => ({
  error: { status_code: status, request_id: 'req-bad', body: { error } },
});

const send = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
};
const fault = (response: ServerResponse, status: number, message: string): void =>
  send(response, status, { error: { message, type: 'invalid_request_error', param: null, code: null } });

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/** The fields of multipart form data, by name; throws for a body that is none. */
function partsOf(type: string, body: Buffer): ReadonlyMap<string, string> {
  const boundary = /^multipart\/form-data; boundary=(\S+)$/u.exec(type)?.[1];
  if (boundary === undefined) throw new Error('not multipart');
  const text = body.toString('utf8');
  if (!text.endsWith(`\r\n--${boundary}--\r\n`)) throw new Error('no closing boundary');
  const parts = text.split(`--${boundary}\r\n`).slice(1);
  return new Map(
    parts.map((part) => {
      const end = part.indexOf('\r\n\r\n');
      const name = /name="([^"]+)"/u.exec(part.slice(0, end))?.[1] ?? '';
      return [name, part.slice(end + 4).replace(new RegExp(`\r\n(?:--${boundary}--\r\n)?$`, 'u'), '')];
    }),
  );
}

const ended = new Set(['completed', 'failed', 'expired', 'cancelled']);

/** The batch object as the API gives it. */
function shown(batch: Submitted): object {
  return {
    id: batch.id,
    object: 'batch',
    endpoint: batch.lines[0]?.url ?? '/v1/chat/completions',
    input_file_id: batch.input,
    completion_window: '24h',
    status: batch.status,
    output_file_id: batch.outputFile,
    error_file_id: batch.errorFile,
    errors: batch.errors.length === 0 ? null : { object: 'list', data: batch.errors },
    created_at: 1,
    request_counts: batch.counts,
    metadata: batch.metadata,
  };
}

export async function startBatchServer(options: BatchServerOptions = {}): Promise<BatchServer> {
  const { answer = (line) => goodLine(line), looks = 3 } = options;
  const files = new Map<string, string>();
  const batches: Submitted[] = [];
  const calls: { method: string; path: string; key: string }[] = [];
  const paid = new Map<string, number>();
  let downloads = 0;
  let largest = 0;
  const store = (text: string): string => {
    const id = `file-${files.size + 1}`;
    files.set(id, text);
    return id;
  };
  const run = (batch: Submitted, share: number): void => {
    const lines = batch.lines.slice(0, Math.ceil(batch.lines.length * share));
    const output: string[] = [];
    const errors: string[] = [];
    for (const line of lines) {
      const before = paid.get(line.custom_id) ?? 0;
      const result = answer(line, before);
      paid.set(line.custom_id, before + 1);
      const entry = { id: 'batch_req_1', custom_id: line.custom_id };
      if ('output' in result) output.push(JSON.stringify({ ...entry, response: result.output, error: null }));
      else if ('error' in result)
        errors.push(JSON.stringify({ ...entry, response: result.error, error: null }));
    }
    const gone = { code: `batch_${batch.status}`, message: 'This request could not be executed in time.' };
    for (const line of batch.lines.slice(lines.length))
      errors.push(JSON.stringify({ id: 'r', custom_id: line.custom_id, response: null, error: gone }));
    // In any order, as documented.
    if (output.length > 0) batch.outputFile = store(`${output.reverse().join('\n')}\n`);
    if (errors.length > 0) batch.errorFile = store(`${errors.join('\n')}\n`);
    batch.counts = { total: batch.lines.length, completed: output.length, failed: errors.length };
  };
  /** One look at a batch moves it on by one state. */
  const moveOn = (batch: Submitted): void => {
    if (ended.has(batch.status)) return;
    batch.looks += 1;
    const number = batches.indexOf(batch) + 1;
    const errors = options.validate?.(batch, number) ?? [];
    if (errors.length > 0) {
      batch.status = 'failed';
      batch.errors = errors;
      return;
    }
    if (batch.status === 'cancelling') {
      batch.status = 'cancelled';
      run(batch, 0.5);
      return;
    }
    const states = ['validating', 'in_progress', 'finalizing'];
    const state = states[Math.floor((batch.looks * states.length) / (looks + 1))];
    if (batch.looks < looks && state !== undefined) {
      batch.status = state;
      const done = Math.floor((batch.lines.length * batch.looks) / (looks + 1));
      batch.counts = { total: batch.lines.length, completed: done, failed: 0 };
      return;
    }
    batch.status = options.end?.(batch, number) ?? 'completed';
    run(batch, batch.status === 'completed' ? 1 : 0.5);
  };
  const upload = (request: IncomingMessage, body: Buffer, response: ServerResponse): void => {
    largest = Math.max(largest, body.length);
    if (Number(request.headers['content-length']) !== body.length) {
      fault(response, 400, 'the length is not what was announced');
      return;
    }
    const parts = partsOf(request.headers['content-type'] ?? '', body);
    const file = parts.get('file');
    if (parts.get('purpose') !== 'batch' || file === undefined) {
      fault(response, 400, "'purpose' and 'file' are required");
      return;
    }
    const id = store(file);
    send(response, 200, {
      id,
      object: 'file',
      bytes: file.length,
      filename: 'ratchet.jsonl',
      purpose: 'batch',
    });
  };
  const create = (body: Buffer): { status: number; body: object } => {
    const asked = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
    const text = files.get(String(asked['input_file_id']));
    const metadata = (asked['metadata'] ?? {}) as Record<string, string>;
    const long = Object.entries(metadata).some(([name, value]) => name.length > 64 || value.length > 512);
    if (text === undefined || asked['completion_window'] !== '24h' || long)
      return { status: 400, body: { error: { message: 'not a batch' } } };
    const lines = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as BatchLine);
    const ids = new Set(lines.map(({ custom_id: id }) => id));
    const wrong =
      lines.length > 50_000 ||
      ids.size !== lines.length ||
      lines.some(
        ({ custom_id: id, method, url }) => id.length > 64 || method !== 'POST' || url !== asked['endpoint'],
      );
    if (wrong) return { status: 400, body: { error: { message: 'the file is not as documented' } } };
    const batch: Submitted = {
      id: `batch_${batches.length + 1}`,
      status: 'validating',
      lines,
      input: String(asked['input_file_id']),
      metadata,
      outputFile: null,
      errorFile: null,
      errors: [],
      counts: { total: lines.length, completed: 0, failed: 0 },
      looks: 0,
    };
    batches.push(batch);
    return { status: 200, body: shown(batch) };
  };
  const list = (query: URLSearchParams): object => {
    const limit = Number(query.get('limit') ?? 20);
    const newest = batches.toReversed();
    const start = newest.findIndex(({ id }) => id === query.get('after')) + 1;
    const page = newest.slice(start, start + limit);
    return { object: 'list', data: page.map(shown), has_more: start + limit < newest.length };
  };
  const act = (
    method: string,
    url: URL,
    request: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
  ): void => {
    const [, id = '', verb = ''] = /^\/v1\/(?:batches|files)\/([^/]+)\/?(\w*)$/u.exec(url.pathname) ?? [];
    const batch = batches.find((each) => each.id === id);
    const file = files.get(id);
    if (method === 'POST' && url.pathname === '/v1/files') upload(request, body, response);
    else if (method === 'POST' && url.pathname === '/v1/batches') {
      const made = create(body);
      if (options.intercept?.({ method, path: url.pathname, number: batches.length, done: true }, response))
        return;
      send(response, made.status, made.body);
    } else if (url.pathname === '/v1/batches' && options.lists !== false)
      send(response, 200, list(url.searchParams));
    else if (batch !== undefined && verb === 'cancel') {
      if (!ended.has(batch.status)) batch.status = 'cancelling';
      send(response, 200, shown(batch));
    } else if (batch !== undefined) {
      moveOn(batch);
      send(response, 200, shown(batch));
    } else if (file !== undefined && verb === 'content') {
      downloads += 1;
      const text = options.file?.(file, downloads) ?? file;
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      response.end(text);
    } else fault(response, 404, 'there is no such thing');
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const method = request.method ?? 'GET';
    calls.push({ method, path: url.pathname, key: request.headers.authorization ?? '' });
    const number = calls.length;
    bytesOf(request)
      .then((body) => {
        if (options.intercept?.({ method, path: url.pathname, number, done: false }, response)) return;
        act(method, url, request, body, response);
      })
      .catch((error: unknown) => fault(response, 400, String(error)));
  });
  const { host, close } = await listenLocally(server);
  return {
    baseURL: `http://${host}/v1`,
    host,
    batches,
    calls,
    paid,
    get largest() {
      return largest;
    },
    close,
  };
}
