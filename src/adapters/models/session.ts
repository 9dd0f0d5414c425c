/**
 * Owns what all calls to one endpoint share: its address, client, gate, and what it was found not to take.
 * Deliberately asks nothing itself.
 */
import type OpenAI from 'openai';
import type { Dispatcher } from 'undici';
import { hashOf } from '../../core/measure/hash.ts';
import type { PriceRow } from '../../core/measure/prices.ts';
import type { Log } from '../../core/ports.ts';
import type { Address } from './address.ts';
import { proxyHost, readAddress } from './address.ts';
import { chatProtocol } from './chatProtocol.ts';
import type { ExchangeLimits } from './guardedFetch.ts';
import { guardedFetch } from './guardedFetch.ts';
import type { HostGate, HostGates } from './hostGate.ts';
import { hostGates } from './hostGate.ts';
import type { OptionalField } from './judgeFault.ts';
import type { Protocol } from './protocol.ts';
import { responsesProtocol } from './responsesProtocol.ts';

export interface OpenAiEndpoint {
  /** The provider's id in the settings; part of the model's name, so that effects of two providers stay apart. */
  readonly provider: string;
  /** https, or http on this machine; for example https://api.openai.com/v1. */
  readonly baseURL: string;
  readonly model: string;
  /** Asked before each exchange; null where the endpoint needs none. */
  readonly apiKey: () => Promise<string | null>;
  /** Chat completions, which everyone speaks, unless said otherwise; `auto` is Responses where OpenAI itself answers. */
  readonly api?: 'chat' | 'responses' | 'auto';
  /** The query parameter api-version, which Azure wants. */
  readonly apiVersion?: string;
  /** Sent with every request, beside those of the exchange itself; never a key. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default `authorization`, as a bearer token. */
  readonly keyHeader?: 'authorization' | 'api-key' | 'x-api-key';
  /** Whether http may go to another machine, without a key; default false. */
  readonly allowHttp?: boolean;
  /** Whether answers are asked for in pieces: shows early that a slow endpoint is at work. Default false. */
  readonly stream?: boolean;
  /** Calls in flight at once, at most; default 8. A busy host gets fewer. */
  readonly concurrency?: number;
  /**
   * Samples of one request asked for in one call, at most (`n` of chat completions); default 1. Neither with `stream` nor
   * through the Responses API. Such samples have no seed.
   */
  readonly samplesPerCall?: number;
  /** Such as http://host:port; none by default. */
  readonly proxy?: string;
  /** The connections to use instead of this process's own; tests watch the wire with it. */
  readonly dispatcher?: Dispatcher;
  /** The user's own prices, which go before the table's. */
  readonly prices?: readonly PriceRow[];
  readonly log?: Log;
  readonly limits?: Partial<EndpointLimits>;
  /** In [0, 1), for the spread of pauses. */
  readonly random?: () => number;
  /** Shared by all that ask the same hosts; this process's own by default. */
  readonly gates?: HostGates;
}

export interface EndpointLimits extends ExchangeLimits {
  /** First pause between two tries, milliseconds; doubles each time. */
  readonly backoffMs: number;
  /** How long a busy endpoint is waited for before the run pauses, milliseconds. */
  readonly patienceMs: number;
  /** Calls given up in a row, none answered between, after which the endpoint counts as down. */
  readonly givenUpInRow: number;
  /** Between two looks at a batch, milliseconds: at first, growing to the second. */
  readonly pollMs: readonly [number, number];
  /** Most requests, and bytes, of one batch. */
  readonly batch: { readonly requests: number; readonly bytes: number };
}

export interface Session {
  readonly endpoint: OpenAiEndpoint;
  readonly protocol: Protocol;
  readonly address: Address;
  readonly limits: EndpointLimits;
  readonly gate: HostGate;
  readonly random: () => number;
  readonly concurrency: number;
  readonly refused: Set<OptionalField>;
  readonly client: () => Promise<OpenAI>;
  /** The model that answered last, by the endpoint's word. */
  answeredAs: string | null;
  /** Whether the newest exchange carried a key. */
  keyed: boolean;
}

const processGates = hostGates();
const defaultConcurrency = 8;

/** An endpoint that does not stream says nothing until the whole answer is there, so it gets longer to begin. */
function defaults(stream: boolean): EndpointLimits {
  return {
    totalMs: 600_000,
    firstMs: stream ? 60_000 : 300_000,
    idleMs: 30_000,
    bytes: 8_000_000,
    backoffMs: 500,
    patienceMs: 600_000,
    givenUpInRow: 5,
    pollMs: [2_000, 60_000],
    // What OpenAI documents (API reference, "Create batch"); others take as many or say so.
    batch: { requests: 50_000, bytes: 200_000_000 },
  };
}

/** Of the place that answers and how it is asked; no address leaves this folder. */
export function endpointHash({ baseURL, api, apiVersion }: OpenAiEndpoint): string {
  return hashOf([baseURL, api ?? null, apiVersion ?? null]);
}

const openAiOrigin = 'https://api.openai.com';

function speaksResponses({ api }: OpenAiEndpoint, { origin }: Address): boolean {
  return api === 'responses' || (api === 'auto' && origin === openAiOrigin);
}

/** Throws ProviderError for an address or proxy that cannot be used. Connects to nothing. */
export function openSession(endpoint: OpenAiEndpoint): Session {
  const { stream = false, proxy = null, random = Math.random, gates = processGates } = endpoint;
  const address = readAddress(endpoint.baseURL, endpoint.allowHttp);
  const proxyName = proxy === null ? null : proxyHost(proxy);
  const limits = { ...defaults(stream), ...endpoint.limits };
  const protocol = speaksResponses(endpoint, address) ? responsesProtocol : chatProtocol;
  const concurrency = Math.max(1, endpoint.concurrency ?? defaultConcurrency);
  const gate = gates(address.origin, { backoffMs: limits.backoffMs, random });
  gate.allow(concurrency);
  const load = async (): Promise<OpenAI> => {
    const [{ OpenAI: Client }, { connect }] = await Promise.all([
      import('openai'),
      import('./connection.ts'),
    ]);
    return new Client({
      // The real key is set by guardedFetch, out of reach of the client's own logging; this only satisfies its check.
      apiKey: 'none',
      organization: null,
      project: null,
      baseURL: address.baseURL,
      ...(endpoint.apiVersion === undefined ? {} : { defaultQuery: { 'api-version': endpoint.apiVersion } }),
      maxRetries: 0,
      timeout: limits.totalMs * 2,
      logLevel: 'off',
      fetch: guardedFetch({
        address,
        key: async () => {
          const key = address.mayCarryKey ? await endpoint.apiKey() : null;
          session.keyed = key !== null && key.trim() !== '';
          return key;
        },
        headers: endpoint.headers ?? {},
        keyHeader: endpoint.keyHeader ?? 'authorization',
        limits,
        dispatcher: endpoint.dispatcher ?? connect(proxy),
        proxy: proxyName,
        reader: protocol.reader,
      }),
    });
  };
  let client: Promise<OpenAI> | null = null;
  const session: Session = {
    endpoint,
    protocol,
    address,
    limits,
    gate,
    random,
    concurrency,
    refused: new Set(),
    client: () => (client ??= load()),
    answeredAs: null,
    keyed: false,
  };
  return session;
}
