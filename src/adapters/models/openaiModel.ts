/**
 * Owns asking an OpenAI-compatible endpoint (OpenAI, vLLM, Ollama, llama.cpp, LM Studio, OpenRouter...) through the
 * `openai` client: chat completions, several calls at once, what is worth asking again asked again.
 * Deliberately keeps nothing between runs, streams nothing, and never holds the key longer than one exchange.
 */
import type OpenAI from 'openai';
import type { LanguageModel, Log, ModelAnswer, ModelRequest, StopSignal } from '../../core/ports.ts';
import { ProviderError } from '../../core/ports.ts';
import type { Address } from './address.ts';
import { readAddress } from './address.ts';
import { chatBody, withoutField } from './chatRequest.ts';
import type { FaultKind } from './endpointFault.ts';
import { faultOf } from './endpointFault.ts';
import type { ExchangeLimits } from './guardedFetch.ts';
import { guardedFetch } from './guardedFetch.ts';
import type { HostPace } from './hostPace.ts';
import { backoff, hostPace } from './hostPace.ts';
import type { OptionalField, Verdict } from './judgeFault.ts';
import { judgeFault } from './judgeFault.ts';
import { errorInside, readCompletion } from './readCompletion.ts';

export interface OpenAiEndpoint {
  /** The provider's id in the settings; part of the model's name, so that effects of two providers stay apart. */
  readonly provider: string;
  /** https, or http on this machine; for example https://api.openai.com/v1. */
  readonly baseURL: string;
  readonly model: string;
  /** Asked before each exchange; null where the endpoint needs none. */
  readonly apiKey: () => Promise<string | null>;
  /** Calls in flight at once; default 8. */
  readonly concurrency?: number;
  readonly log?: Log;
  readonly limits?: Partial<EndpointLimits>;
}

export interface EndpointLimits extends ExchangeLimits {
  /** First pause between two tries, milliseconds; doubles each time. */
  readonly backoffMs: number;
  /** How long a busy endpoint is waited for before the run pauses, milliseconds. */
  readonly patienceMs: number;
  /** Calls given up in a row, none answered between, after which the endpoint counts as down. */
  readonly givenUpInRow: number;
}

const defaults: EndpointLimits = {
  // Node's own fetch gives up at the same age.
  totalMs: 300_000,
  idleMs: 30_000,
  bytes: 8_000_000,
  backoffMs: 500,
  patienceMs: 600_000,
  givenUpInRow: 5,
};

/** How often `stop` is looked at, milliseconds: the core's signal has no event. */
const stopEveryMs = 50;

/** What one exchange brought: an answer (of whatever kind), or a fault to be judged. */
type Exchange =
  | { readonly answer: ModelAnswer }
  | { readonly fault: FaultKind; readonly sent: readonly OptionalField[] };

/** What calls to one endpoint share. */
interface Session {
  readonly endpoint: OpenAiEndpoint;
  readonly address: Address;
  readonly limits: EndpointLimits;
  readonly pace: HostPace;
  readonly refused: Set<OptionalField>;
  readonly client: () => Promise<OpenAI>;
  givenUp: number;
}

function openSession(endpoint: OpenAiEndpoint): Session {
  const address = readAddress(endpoint.baseURL);
  const limits = { ...defaults, ...endpoint.limits };
  let client: Promise<OpenAI> | null = null;
  const load = async (): Promise<OpenAI> => {
    const { OpenAI: Client } = await import('openai');
    return new Client({
      // The real key is set by guardedFetch, out of reach of the client's own logging; this only satisfies its check.
      apiKey: 'none',
      organization: null,
      project: null,
      baseURL: address.baseURL,
      maxRetries: 0,
      timeout: limits.totalMs * 2,
      logLevel: 'off',
      fetch: guardedFetch(address, endpoint.apiKey, limits),
    });
  };
  return {
    endpoint,
    address,
    limits,
    pace: hostPace(),
    refused: new Set(),
    client: () => (client ??= load()),
    givenUp: 0,
  };
}

/** One exchange. Null when `signal` ended it. Errors that are no fault of the endpoint are thrown on. */
async function exchange(
  session: Session,
  request: ModelRequest,
  signal: AbortSignal,
): Promise<Exchange | null> {
  const { body, sent } = chatBody(request, session.endpoint.model, session.refused);
  // A signal of its own: the client leaves a listener on the one it is given, and a step may make many thousand calls.
  const own = new AbortController();
  const abort = (): void => own.abort();
  signal.addEventListener('abort', abort);
  try {
    const client = await session.client();
    const completion = client.chat.completions.create(body, { signal: own.signal });
    const { data, request_id } = await completion.withResponse();
    const inside = errorInside(data);
    if (inside === null) return { answer: readCompletion(data, session.endpoint.model, request_id) };
    const { status, text } = inside;
    return { fault: { kind: 'status', status: status ?? 400, headers: new Headers(), text }, sent };
  } catch (error) {
    if (signal.aborted) return null;
    const fault = faultOf(error);
    if (fault === null) throw error;
    return { fault, sent };
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Sets a field aside for good; false when it had been set aside meanwhile, which is worth asking again all the same. */
function adapt(session: Session, field: OptionalField): void {
  if (session.refused.has(field)) return;
  session.refused.add(field);
  session.endpoint.log?.warn(`${session.address.host} ${withoutField[field]}.`);
}

function giveUp(session: Session, verdict: Extract<Verdict, { kind: 'retry' }>): ModelAnswer {
  const { address, limits } = session;
  if (verdict.provider) throw new ProviderError(`Ratchet ${verdict.reason}.`);
  session.givenUp += 1;
  if (session.givenUp >= limits.givenUpInRow)
    throw new ProviderError(
      `${address.host} failed ${session.givenUp} calls in a row, last because ${verdict.reason}; resume when it works again.`,
    );
  return { ok: false, reason: verdict.reason };
}

function minutes(ms: number): string {
  return ms < 90_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} minutes`;
}

/** One request to its answer, over as many exchanges as that takes. Null when `signal` ended it. */
async function ask(
  session: Session,
  request: ModelRequest,
  signal: AbortSignal,
): Promise<ModelAnswer | null> {
  const { address, endpoint, limits, pace } = session;
  let tries = 0;
  let waits = 0;
  let busySince: number | null = null;
  for (;;) {
    await pace.ready(signal);
    if (signal.aborted) return null;
    const outcome = await exchange(session, request, signal);
    if (outcome === null) return null;
    if ('answer' in outcome) {
      session.givenUp = 0;
      return outcome.answer;
    }
    const asked = { host: address.host, model: endpoint.model, sent: outcome.sent, now: Date.now() };
    const verdict = judgeFault(outcome.fault, asked);
    switch (verdict.kind) {
      case 'provider':
        throw new ProviderError(verdict.message);
      case 'item':
        return { ok: false, reason: verdict.reason };
      case 'adapt':
        adapt(session, verdict.field);
        break;
      case 'wait': {
        busySince ??= performance.now();
        const wait = verdict.afterMs ?? backoff(++waits, limits.backoffMs);
        const waited = performance.now() - busySince;
        if (waited + wait > Math.max(limits.patienceMs, verdict.afterMs ?? 0))
          throw new ProviderError(
            `${verdict.reason} and still is after ${minutes(waited)}; resume the run later.`,
          );
        pace.hold(wait);
        break;
      }
      case 'retry':
        if (++tries >= verdict.tries) return giveUp(session, verdict);
        await pace.pause(backoff(tries, limits.backoffMs), signal);
    }
  }
}

/** Answers as they come, `concurrency` calls at once; ends early when `stop` is set or the consumer leaves. */
async function* answers(
  session: Session,
  requests: readonly ModelRequest[],
  stop: StopSignal,
): AsyncGenerator<{ readonly index: number; readonly answer: ModelAnswer }> {
  if (requests.some(({ weights }) => weights !== null))
    throw new ProviderError(
      `${session.address.host} cannot answer with weights trained here; use a model that can be trained.`,
    );
  const ending = new AbortController();
  const finished: { index: number; answer: ModelAnswer }[] = [];
  let failure: { readonly error: unknown } | null = null;
  let next = 0;
  let working = true;
  let wake = (): void => undefined;
  const worker = async (): Promise<void> => {
    while (next < requests.length && !ending.signal.aborted && !stop.aborted) {
      const index = next++;
      const answer = await ask(session, requests[index] as ModelRequest, ending.signal);
      if (answer === null) return;
      finished.push({ index, answer });
      wake();
    }
  };
  const guarded = (): Promise<void> =>
    worker().catch((error: unknown) => {
      failure ??= { error };
      ending.abort();
    });
  const workers = Math.min(Math.max(1, session.endpoint.concurrency ?? 8), requests.length);
  const watch = setInterval(() => {
    if (stop.aborted) ending.abort();
  }, stopEveryMs);
  const all = Promise.all(Array.from({ length: workers }, guarded)).then(() => {
    working = false;
    wake();
  });
  try {
    for (;;) {
      // What has been answered has been paid for: it is handed over even when the run is stopping or the provider failed.
      for (let item = finished.shift(); item !== undefined; item = finished.shift()) yield item;
      if (!working) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (finished.length > 0 || !working) resolve();
      });
    }
    rethrow(failure);
  } finally {
    ending.abort();
    clearInterval(watch);
    await all;
  }
}

function rethrow(failure: { readonly error: unknown } | null): void {
  if (failure !== null) throw failure.error;
}

/**
 * A language model behind an OpenAI-compatible endpoint, named `provider/model`. Throws ProviderError at once for an
 * address it will not use. A failed call is an answer with `ok: false`; ProviderError from `generate` means that the
 * provider as a whole cannot answer, in one sentence that names the host and what to do, never the key.
 */
export function openaiModel(endpoint: OpenAiEndpoint): LanguageModel {
  const session = openSession(endpoint);
  return {
    name: `${endpoint.provider}/${endpoint.model}`,
    generate: (requests, stop) => answers(session, requests, stop),
  };
}
