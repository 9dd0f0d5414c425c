/**
 * Owns the connections to an endpoint's host. Deliberately trusts certificates the way Node does and offers no way round
 * one that is not accepted.
 */
import { Agent, type Dispatcher, ProxyAgent } from 'undici';

const connectMs = 10_000;

/** Times are kept by whoever asks, for each exchange. */
export function connect(proxy: string | null): Dispatcher {
  const options = { headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 30_000 };
  const tls = { timeout: connectMs, rejectUnauthorized: true };
  if (proxy === null) return new Agent({ ...options, connect: tls });
  return new ProxyAgent({ ...options, uri: proxy, requestTls: tls, proxyTls: tls, proxyTunnel: true });
}
