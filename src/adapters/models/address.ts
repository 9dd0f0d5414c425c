/**
 * Owns which addresses a provider may have. Deliberately knows no provider by name and resolves no host.
 */
import { ProviderError } from '../../core/ports.ts';

export interface Address {
  /** Without a trailing slash, as the client wants it. */
  readonly baseURL: string;
  /** Scheme, host and port: what a key is bound to. */
  readonly origin: string;
  /** Host and port, for people. */
  readonly host: string;
  /** False where what is sent can be read on the way: a key never goes there. */
  readonly mayCarryKey: boolean;
}

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);
/** Where clouds hand out the credentials of a machine to whoever asks from it (RFC 3927 link-local, and AWS over IPv6). */
const metadata =
  /^(?:169\.254\.|\[fe[89ab][0-9a-f]:|\[fd00:ec2::254\]|\[::ffff:a9fe:|metadata\.google\.internal\.?$)/u;

/**
 * A base URL such as https://api.example.com/v1. Throws ProviderError when it is none, carries a user name, a query or a
 * fragment, or is neither https nor http on this very machine: prompts and keys do not travel in the clear. With
 * `allowHttp` prompts may, to another machine; keys still do not.
 */
export function readAddress(baseURL: string, allowHttp = false): Address {
  let url: URL;
  try {
    url = new URL(baseURL.trim());
  } catch {
    throw new ProviderError('The base URL is not an address; it looks like https://host/v1.');
  }
  if (url.username !== '' || url.password !== '')
    throw new ProviderError(
      `The base URL of ${url.host} carries a user name or password; store the key as a key.`,
    );
  if (url.search !== '' || url.hash !== '')
    throw new ProviderError(`The base URL of ${url.host} may not have a "?" or "#" part; remove it.`);
  const mayCarryKey = url.protocol === 'https:' || (url.protocol === 'http:' && loopback.has(url.hostname));
  if (!mayCarryKey && !(allowHttp && url.protocol === 'http:'))
    throw new ProviderError(
      `The base URL of ${url.host === '' ? 'the provider' : url.host} must begin with https:// (http:// only for localhost).`,
    );
  if (metadata.test(url.hostname))
    throw new ProviderError(`${url.host} is an address for this machine's own credentials, not of a model.`);
  return { baseURL: url.href.replace(/\/+$/u, ''), origin: url.origin, host: url.host, mayCarryKey };
}

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
