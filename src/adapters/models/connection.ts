/**
 * Owns the connections to an endpoint's host. Deliberately trusts certificates the way Node does and offers no way round
 * one that is not accepted.
 */
import type { Dispatcher } from 'undici';
import { ProviderError } from '../../core/ports.ts';

const connectMs = 10_000;

/** The proxy's host and port, for people. Throws ProviderError for what is no address of one. */
export function proxyHost(proxy: string): string {
  try {
    const { protocol, host } = new URL(proxy);
    if ((protocol === 'http:' || protocol === 'https:') && host !== '') return host;
  } catch {
    // Said below.
  }
  throw new ProviderError('The proxy is not an address; it looks like http://host:port.');
}

/** Times are kept by whoever asks, for each exchange; loaded at first use, as the client is. */
export async function connect(proxy: string | null): Promise<Dispatcher> {
  const { Agent, ProxyAgent } = await import('undici');
  const options = { headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 30_000 };
  const tls = { timeout: connectMs, rejectUnauthorized: true };
  if (proxy === null) return new Agent({ ...options, connect: tls });
  return new ProxyAgent({ ...options, uri: proxy, requestTls: tls, proxyTls: tls, proxyTunnel: true });
}
