/**
 * Owns answering many requests from an OpenAI-compatible endpoint (OpenAI, Azure, vLLM, Ollama, llama.cpp, LM Studio,
 * OpenRouter...): several calls at once, answers handed over as they come.
 * Deliberately keeps nothing between runs but what the host's gate knows, and never holds the key longer than one exchange.
 */
import { priceOf } from '../../core/measure/prices.ts';
import type { LanguageModel, ModelAnswer, ModelRequest, StopSignal } from '../../core/ports.ts';
import { ProviderError } from '../../core/ports.ts';
import { askEndpoint } from './askEndpoint.ts';
import { type OpenAiEndpoint, openSession, type Session } from './session.ts';

/** How often `stop` is looked at, milliseconds: the core's signal has no event. */
const stopEveryMs = 50;

interface Indexed {
  readonly index: number;
  readonly answer: ModelAnswer;
}

/**
 * Holds back calls given up until the host is seen to work: what a host that is down did to them is no outcome of theirs,
 * and a call not handed over is asked again when the run is resumed.
 */
function doubts(session: Session, deliver: (items: readonly Indexed[]) => void) {
  let held: Indexed[] = [];
  const release = (): void => {
    if (held.length > 0) deliver(held);
    held = [];
  };
  return {
    release,
    add(item: Indexed): void {
      held.push(item);
      const { givenUpInRow } = session.limits;
      if (held.length < givenUpInRow) return;
      const last = item.answer.ok ? '' : item.answer.reason;
      held = [];
      throw new ProviderError(
        `${session.address.host} failed ${givenUpInRow} calls in a row, last because ${last}; resume when it works again.`,
      );
    },
  };
}

/** Answers as they come, `concurrency` calls at once; ends early when `stop` is set or the consumer leaves. */
async function* answers(
  session: Session,
  requests: readonly ModelRequest[],
  stop: StopSignal,
): AsyncGenerator<Indexed> {
  if (requests.some(({ weights }) => weights !== null))
    throw new ProviderError(
      `${session.address.host} cannot answer with weights trained here; use a model that can be trained.`,
    );
  const ending = new AbortController();
  let finished: Indexed[] = [];
  let failure: { readonly error: unknown } | null = null;
  let next = 0;
  let working = true;
  let wake = (): void => undefined;
  const deliver = (items: readonly Indexed[]): void => {
    finished.push(...items);
    wake();
  };
  const doubtful = doubts(session, deliver);
  const worker = async (): Promise<void> => {
    while (next < requests.length && !ending.signal.aborted && !stop.aborted) {
      const index = next++;
      const outcome = await askEndpoint(session, requests[index] as ModelRequest, ending.signal);
      if (outcome === null) return;
      const item = { index, answer: outcome.answer };
      if (outcome.doubtful) {
        doubtful.add(item);
        continue;
      }
      doubtful.release();
      deliver([item]);
    }
  };
  const guarded = (): Promise<void> =>
    worker().catch((error: unknown) => {
      failure ??= { error };
      ending.abort();
    });
  const watch = setInterval(() => {
    if (stop.aborted) ending.abort();
  }, stopEveryMs);
  const workers = Math.min(session.concurrency, requests.length);
  const all = Promise.all(Array.from({ length: workers }, guarded)).then(() => {
    // At a failure or a stop nobody knows whose fault they were.
    if (failure === null && !ending.signal.aborted) doubtful.release();
    working = false;
    wake();
  });
  try {
    for (;;) {
      // What has been answered has been paid for: it is handed over even when the run is stopping or the provider failed.
      const batch = finished;
      finished = [];
      yield* batch;
      if (finished.length > 0) continue;
      if (!working) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
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
    price: priceOf(session.address.host, endpoint.model, endpoint.prices ?? []),
    generate: (requests, stop) => answers(session, requests, stop),
  };
}
