/**
 * Owns one HTTP exchange with an endpoint under rules the client library does not keep: no redirect, the key only to its
 * own origin, a bound on time and on decoded size, JSON or nothing. Every way it can fail is an EndpointFault.
 * Deliberately retries nothing and interprets no status.
 */
import type { Address } from './address.ts';
import type { FaultKind } from './endpointFault.ts';
import { EndpointFault, faultOfFetch } from './endpointFault.ts';

export interface ExchangeLimits {
  /** For the whole exchange, milliseconds. */
  readonly totalMs: number;
  /** Between two pieces of the body, milliseconds. */
  readonly idleMs: number;
  /** Of the decoded body. */
  readonly bytes: number;
}

type Fetch = (url: string | URL | Request, init?: RequestInit) => Promise<Response>;

const fail = (fault: FaultKind): EndpointFault => new EndpointFault(fault);

/** The key without what people paste around it; null when there is none. Throws when a header could not carry it. */
function cleanKey(key: string | null): string | null {
  const bare = (key ?? '').trim().replace(/^Bearer\s+/iu, '');
  if (bare === '') return null;
  if (!/^[\x21-\x7e]+$/u.test(bare)) throw fail({ kind: 'badKey' });
  return bare;
}

/** Text of an endpoint without the key, should it repeat it. */
function redact(text: string, key: string | null): string {
  const known = key === null || key.length < 4 ? text : text.replaceAll(key, '[key]');
  return known.replace(/\b(?:sk|pk|rk)-[\w*.-]{6,}/gu, '[key]');
}

/** Signals that the given time is over; `renew` starts it again. */
function timer(ms: number, onEnd: () => void): { readonly renew: () => void; readonly clear: () => void } {
  let handle = setTimeout(onEnd, ms);
  return {
    renew: () => {
      clearTimeout(handle);
      handle = setTimeout(onEnd, ms);
    },
    clear: () => clearTimeout(handle),
  };
}

/** The decoded body, or a fault once it passes the cap; what is left of it is not read. */
async function readBody(response: Response, limit: number, onPiece: () => void): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response.body ?? []) {
    onPiece();
    length += piece.length;
    if (length > limit) throw fail({ kind: 'tooLarge', megabytes: Math.floor(limit / 1_000_000) });
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}

function isJson(contentType: string): boolean {
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  return type === 'application/json' || type.endsWith('+json');
}

/**
 * A `fetch` for the client: it keeps only method, body and signal of what it is given, so that no header comes from the
 * environment. Resolves with a whole JSON body of a 2xx answer, throws EndpointFault otherwise (also for another status).
 * `key` is asked for each exchange and goes to `address.origin` alone.
 */
export function guardedFetch(
  address: Address,
  key: () => Promise<string | null>,
  limits: ExchangeLimits,
): Fetch {
  return async (target, init = {}) => {
    const url = new URL(target instanceof Request ? target.url : target);
    if (url.origin !== address.origin) throw fail({ kind: 'redirect' });
    const secret = cleanKey(await key());
    const headers = new Headers({ 'content-type': 'application/json', accept: 'application/json' });
    if (secret !== null) headers.set('authorization', `Bearer ${secret}`);
    const late = new AbortController();
    const seconds = Math.round(limits.totalMs / 1000);
    const idleSeconds = Math.round(limits.idleMs / 1000);
    const whole = timer(limits.totalMs, () => late.abort(fail({ kind: 'slow', seconds, silent: false })));
    let idle: ReturnType<typeof timer> | null = null;
    const signal = init.signal ? AbortSignal.any([init.signal, late.signal]) : late.signal;
    try {
      const { method = 'POST', body = null } = init;
      const response = await fetch(url, { method, body, headers, signal, redirect: 'error' });
      idle = timer(limits.idleMs, () =>
        late.abort(fail({ kind: 'slow', seconds: idleSeconds, silent: true })),
      );
      const bytes = await readBody(response, limits.bytes, idle.renew);
      return wholeResponse(response, bytes, secret);
    } catch (error) {
      if (error instanceof EndpointFault) throw error;
      if (late.signal.reason instanceof EndpointFault) throw late.signal.reason;
      // The caller's own stop is not a fault of the endpoint.
      if (init.signal?.aborted === true) throw error;
      throw fail(faultOfFetch(error, seconds));
    } finally {
      whole.clear();
      idle?.clear();
      // Frees the connection when the body was not read to its end.
      late.abort();
    }
  };
}

function wholeResponse(response: Response, bytes: Buffer, secret: string | null): Response {
  const { status, headers } = response;
  if (!response.ok) {
    const text = redact(bytes.subarray(0, 20_000).toString('utf8'), secret);
    throw fail({ kind: 'status', status, headers, text });
  }
  if (status === 204 || bytes.length === 0) throw fail({ kind: 'malformed' });
  const contentType = headers.get('content-type') ?? '';
  if (!isJson(contentType)) throw fail({ kind: 'notJson', contentType: contentType.slice(0, 100) });
  const requestId = headers.get('x-request-id');
  return new Response(new Uint8Array(bytes), {
    status: 200,
    headers: {
      'content-type': 'application/json',
      ...(requestId === null ? {} : { 'x-request-id': requestId.slice(0, 200) }),
    },
  });
}
