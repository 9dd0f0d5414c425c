/**
 * Owns answering many requests from an OpenAI-compatible endpoint (OpenAI, Azure, vLLM, Ollama, llama.cpp, LM Studio,
 * OpenRouter...): several calls at once, answers handed over as they come.
 * Deliberately keeps nothing between runs but what the host's gate knows, and never holds the key longer than one exchange.
 */
import { priceOf } from '../../core/measure/prices.ts';
import type { CallSource, LanguageModel, ModelAnswer, ModelRequest, StopSignal } from '../../core/ports.ts';
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

/** Requests that are there from the start, as a source. */
function listed(requests: readonly ModelRequest[]): CallSource {
  let next = 0;
  return {
    size: requests.length,
    async next() {
      const index = next++;
      const request = requests[index];
      return request === undefined ? null : { index, request };
    },
    giveBack: () => undefined,
    close() {
      next = requests.length;
    },
  };
}

/** Answers as they come, `concurrency` calls at once; ends early when `stop` is set or the consumer leaves. */
async function* answers(session: Session, source: CallSource, stop: StopSignal): AsyncGenerator<Indexed> {
  const ending = new AbortController();
  let finished: Indexed[] = [];
  let failure: { readonly error: unknown } | null = null;
  let working = true;
  let waiting = 0;
  let idleTicks = 0;
  let wake = (): void => undefined;
  const deliver = (items: readonly Indexed[]): void => {
    finished.push(...items);
    wake();
  };
  const doubtful = doubts(session, deliver);
  const end = (): void => {
    ending.abort();
    source.close();
  };
  const worker = async (): Promise<void> => {
    while (!ending.signal.aborted && !stop.aborted) {
      waiting += 1;
      const call = await source.next();
      waiting -= 1;
      if (call === null) return;
      const { index, request } = call;
      if (request.weights !== null) throw notTrainable(session);
      const outcome = await askEndpoint(session, request, ending.signal);
      if (outcome === 'unsent') source.giveBack(index);
      if (outcome === null || outcome === 'unsent') return;
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
      end();
    });
  const workers = Math.min(session.concurrency, source.size);
  const watch = setInterval(() => {
    if (stop.aborted) end();
    // Nothing is in flight that could clear the host of its doubts, and the source may wait for just these answers.
    idleTicks = waiting === workers ? idleTicks + 1 : 0;
    if (idleTicks > 1) doubtful.release();
  }, stopEveryMs);
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
    end();
    clearInterval(watch);
    await all;
  }
}

function notTrainable({ address }: Session): ProviderError {
  return new ProviderError(
    `${address.host} cannot answer with weights trained here; use a model that can be trained.`,
  );
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
    generate: (requests, stop) => answers(session, listed(requests), stop),
    answer: (source, stop) => answers(session, source, stop),
  };
}
