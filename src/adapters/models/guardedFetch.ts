/**
 * Owns one HTTP exchange with an endpoint under rules the client library does not keep: no redirect, the key only to its
 * own origin, bounds on time and on decoded size, an API's answer or nothing. Every way it can fail is an EndpointFault.
 * Deliberately retries nothing and interprets no status.
 */
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Address } from './address.ts';
import type { FaultKind } from './endpointFault.ts';
import { EndpointFault, faultOfExchange } from './endpointFault.ts';
import { exchangeContext, type Upload } from './exchangeContext.ts';
import { onAbort } from './onAbort.ts';
import type { StreamReader } from './protocol.ts';
import type { HeaderReader } from './rateHeaders.ts';
import { readLines, readStream, readText } from './readBody.ts';

export interface ExchangeLimits {
  /** For the whole exchange, milliseconds. */
  readonly totalMs: number;
  /** Until an answer begins: the first bytes of a whole one, the first event with data of a streamed one; milliseconds. */
  readonly firstMs: number;
  /** Between two pieces of a body, or two events with data of a stream, milliseconds. */
  readonly idleMs: number;
  /** Of the decoded body, or of one event of a stream. */
  readonly bytes: number;
}

export interface Exchanges {
  readonly address: Address;
  /** Asked for each exchange; goes to `address.origin` alone. */
  readonly key: () => Promise<string | null>;
  /** The header the key goes in. */
  readonly keyHeader: 'authorization' | 'api-key' | 'x-api-key';
  /** The user's own, which never replace those of the exchange. */
  readonly headers: Readonly<Record<string, string>>;
  readonly limits: ExchangeLimits;
  readonly dispatcher: Dispatcher;
  /** Host and port of the proxy the dispatcher goes through; null without one. */
  readonly proxy: string | null;
  readonly reader: () => StreamReader;
}

type Fetch = (url: string | URL | Request, init?: RequestInit) => Promise<Response>;
type Wait = Extract<FaultKind, { kind: 'slow' }>['wait'];
type Answer = Dispatcher.ResponseData;

const fail = (fault: FaultKind): EndpointFault => new EndpointFault(fault);

/** The key without what people paste around it; null when there is none. Throws when a header could not carry it. */
function cleanKey(key: string | null): string | null {
  const bare = (key ?? '').trim().replace(/^Bearer\s+/iu, '');
  if (bare === '') return null;
  if (!/^[\x21-\x7e]+$/u.test(bare)) throw fail({ kind: 'badKey' });
  return bare;
}

const keyHeaderOf = (name: Exchanges['keyHeader'], key: string): Readonly<Record<string, string>> =>
  name === 'authorization' ? { authorization: `Bearer ${key}` } : { [name]: key };

/** Text of an endpoint without the key, should it repeat it. */
function redact(text: string, key: string | null): string {
  const known = key === null || key.length < 4 ? text : text.replaceAll(key, '[key]');
  return known.replace(/\b(?:sk|pk|rk)-[\w*.-]{6,}/gu, '[key]');
}

/** Two clocks on one exchange: the whole of it, and whatever is waited for just now. */
function clocks(limits: ExchangeLimits, onEnd: (fault: EndpointFault) => void) {
  const end = (ms: number, wait: Wait) => () =>
    onEnd(fail({ kind: 'slow', seconds: Math.round(ms / 1000), wait }));
  const whole = setTimeout(end(limits.totalMs, 'total'), limits.totalMs);
  const first = setTimeout(end(limits.firstMs, 'first'), limits.firstMs);
  let idle: ReturnType<typeof setTimeout> | null = null;
  return {
    /** Something of the request was taken. */
    went: (): void => {
      if (idle === null) first.refresh();
    },
    /** Something of the answer came. */
    came: (): void => {
      if (idle !== null) {
        idle.refresh();
        return;
      }
      clearTimeout(first);
      idle = setTimeout(end(limits.idleMs, 'idle'), limits.idleMs);
    },
    clear: (): void => {
      clearTimeout(whole);
      clearTimeout(first);
      if (idle !== null) clearTimeout(idle);
    },
  };
}

function header(headers: Answer['headers'], name: string): string {
  const value = headers[name];
  return (Array.isArray(value) ? value.join(', ') : value) ?? '';
}

function typeOf(headers: Answer['headers']): string {
  return header(headers, 'content-type').split(';')[0]?.trim().toLowerCase() ?? '';
}

const readerOf = (headers: Answer['headers']): HeaderReader => ({
  get: (name) => (headers[name] === undefined ? null : header(headers, name).slice(0, 200)),
});

/** The body of an answer, from JSON, or of a streamed one put together. */
async function readAnswer(
  answer: Answer,
  { limits, reader }: Exchanges,
  secret: string | null,
  onLine: ((line: unknown) => Promise<void> | null) | null,
  came: () => void,
): Promise<unknown> {
  const { statusCode: status, headers, body } = answer;
  const encoding = header(headers, 'content-encoding');
  const type = typeOf(headers);
  if (status >= 300 && status < 400) throw fail({ kind: 'redirect' });
  if (status >= 200 && status < 300 && type === 'text/event-stream')
    return readStream(body, encoding, limits.bytes, reader(), came);
  came();
  if (onLine !== null && status >= 200 && status < 300) {
    if (type === 'text/html') throw fail({ kind: 'notJson', contentType: type });
    return { lines: await readLines(body, encoding, limits.bytes, onLine, came) };
  }
  const text = await readText(body, encoding, limits.bytes, came);
  if (status < 200 || status >= 300) {
    const said = redact(text.slice(0, 20_000), secret);
    throw fail({ kind: 'status', status, headers: readerOf(headers), text: said });
  }
  if (status === 204 || text === '') throw fail({ kind: 'malformed' });
  if (type !== 'application/json' && !type.endsWith('+json'))
    throw fail({ kind: 'notJson', contentType: type.slice(0, 100) });
  const read: unknown = JSON.parse(text);
  if (read === null) throw fail({ kind: 'malformed' });
  return read;
}

/** What the client gets: the answer travels beside it. One for all, since making one costs more than reading a short answer. */
const nothing = new Response(null);

/** Files take as long as they take, as long as they move. */
const fileFactor = 6;

function* counted(upload: Upload, went: () => void): Generator<Uint8Array> {
  for (const piece of upload.pieces()) {
    went();
    yield piece;
  }
}

/**
 * A `fetch` for the client: it keeps only method and body of what it is given, so that no header comes from the
 * environment, and leaves the answer of a 2xx status in the context it is called in, with an empty response for the
 * client. Throws EndpointFault for everything else, also for another status.
 */
export function guardedFetch(exchanges: Exchanges): Fetch {
  const { address, key, limits, dispatcher, proxy } = exchanges;
  return async (target, init = {}) => {
    const context = exchangeContext.getStore();
    if (context === undefined) throw new Error('An exchange was begun outside of its context.');
    const url = new URL(target instanceof Request ? target.url : target);
    if (url.origin !== address.origin) throw fail({ kind: 'redirect' });
    const secret = address.mayCarryKey ? cleanKey(await key()) : null;
    const late = new AbortController();
    const abort = (): void => late.abort();
    if (context.signal.aborted) abort();
    const deaf = onAbort(context.signal, abort);
    const { upload = null, onLine = null } = context;
    const file = upload !== null || onLine !== null;
    const bounds = file ? { ...limits, totalMs: limits.totalMs * fileFactor } : limits;
    const clock = clocks(bounds, (fault) => late.abort(fault));
    let answer: Answer | null = null;
    try {
      const { method = 'POST', body = null } = init;
      answer = await dispatcher.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method,
        body:
          upload === null
            ? typeof body === 'string'
              ? body
              : null
            : Readable.from(counted(upload, clock.went)),
        headers: {
          ...exchanges.headers,
          'content-type': upload?.contentType ?? 'application/json',
          accept: onLine === null ? 'application/json, text/event-stream' : '*/*',
          ...(upload === null ? {} : { 'content-length': String(upload.length) }),
          ...(secret === null ? {} : keyHeaderOf(exchanges.keyHeader, secret)),
        },
        signal: late.signal,
      });
      const read = await readAnswer(answer, exchanges, secret, onLine, clock.came);
      context.answer = { body: read, headers: readerOf(answer.headers) };
      return nothing;
    } catch (error) {
      if (error instanceof EndpointFault) throw error;
      if (error instanceof SyntaxError) throw fail({ kind: 'malformed' });
      if (late.signal.reason instanceof EndpointFault) throw late.signal.reason;
      // The caller's own stop is not a fault of the endpoint.
      if (context.signal.aborted) throw error;
      throw fail(faultOfExchange(error, proxy));
    } finally {
      clock.clear();
      deaf();
      // Frees the connection when the body was not read to its end; what that does to the body no longer matters.
      answer?.body.on('error', () => undefined).destroy();
    }
  };
}
