/**
 * Owns the ways in which one exchange with an endpoint can fail, as data. Deliberately decides nothing: what to do about
 * a fault is judged in judgeFault.ts.
 */

import type { HeaderReader } from './rateHeaders.ts';

export type FaultKind =
  /** The endpoint answered with a status outside of 200-299. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers: HeaderReader;
      readonly text: string;
    }
  | { readonly kind: 'redirect' }
  /** A proxy on the way wants a sign-in, which comes as an error of its tunnel. */
  | { readonly kind: 'proxySignIn' }
  /** The proxy on the way makes no connection; `proxy` is its host and port. */
  | { readonly kind: 'proxyDown'; readonly proxy: string; readonly code: string }
  /** Certificate or protocol of the encrypted connection; `code` as Node names it. */
  | { readonly kind: 'tls'; readonly code: string }
  /** No connection could be made. */
  | { readonly kind: 'unreachable'; readonly code: string }
  /** The connection ended before the answer did. */
  | { readonly kind: 'dropped'; readonly code: string }
  /** No answer at all in the time given (`first`), nothing more of one that had begun (`idle`), or no whole one (`total`). */
  | { readonly kind: 'slow'; readonly seconds: number; readonly wait: 'first' | 'idle' | 'total' }
  /** A stream that ended before the answer did. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'tooLarge'; readonly megabytes: number }
  /** A good status, but not an answer of an API: a sign-in page, say. */
  | { readonly kind: 'notJson'; readonly contentType: string }
  /** JSON was announced, and what came is empty or not JSON. */
  | { readonly kind: 'malformed' }
  /** A key that cannot stand in a header. */
  | { readonly kind: 'badKey' };

/** Thrown inside an exchange. Its message names no key, no prompt and no header. */
export class EndpointFault extends Error {
  override readonly name = 'EndpointFault';
  readonly fault: FaultKind;
  constructor(fault: FaultKind) {
    super(`exchange failed: ${fault.kind}`);
    this.fault = fault;
  }
}

/** The fault an error stands for, found through the errors that wrap it; null when it is none. */
export function faultOf(error: unknown): FaultKind | null {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if (at instanceof EndpointFault) return at.fault;
  }
  return null;
}

const tlsCode = /^(?:ERR_TLS|ERR_SSL|CERT_|EPROTO|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO|HOSTNAME_MISMATCH)/;
const unreachableCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENETDOWN',
  'EHOSTDOWN',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** What a failed exchange means, from the codes along its chain of causes. `proxy` is the host of the one on the way. */
export function faultOfExchange(error: unknown, proxy: string | null): FaultKind {
  const codes: string[] = [];
  for (let at = error, depth = 0; at instanceof Error && depth < 8; depth++) {
    if (/proxy.{0,20}\b407\b/iu.test(at.message)) return { kind: 'proxySignIn' };
    const tunnel = /proxy response.{0,4}?\b(\d{3})\b/iu.exec(at.message);
    if (tunnel !== null) return { kind: 'proxyDown', proxy: proxy ?? 'the proxy', code: tunnel[1] ?? '' };
    const code = (at as NodeJS.ErrnoException).code;
    if (typeof code === 'string') codes.push(code);
    at = at instanceof AggregateError ? at.errors[0] : at.cause;
  }
  const tls = codes.find((code) => tlsCode.test(code));
  if (tls !== undefined) return { kind: 'tls', code: tls };
  const unreachable = codes.find((code) => unreachableCodes.has(code));
  if (unreachable !== undefined && proxy !== null) return { kind: 'proxyDown', proxy, code: unreachable };
  if (unreachable !== undefined) return { kind: 'unreachable', code: unreachable };
  return { kind: 'dropped', code: codes[0] ?? 'closed' };
}
