/**
 * Owns answering many requests from an OpenAI-compatible endpoint (OpenAI, Azure, vLLM, Ollama, llama.cpp, LM Studio,
 * OpenRouter...): several calls at once, answers handed over as they come, or by the endpoint's batches.
 * Deliberately keeps nothing between runs but what the host's gate knows, and never holds the key longer than one exchange.
 */
import { priceOf } from '../../core/measure/prices.ts';
import type {
  CallSource,
  LanguageModel,
  ModelAnswer,
  ModelRequest,
  StopSignal,
  TakenCall,
} from '../../core/ports.ts';
import { askAnswer, askSamples, refuseWeights, samplesAtOnce } from './askAnswer.ts';
import { askEndpoint } from './askEndpoint.ts';
import { askMany } from './askMany.ts';
import { sampleGroups } from './sampleGroups.ts';
import { openaiBatches } from './openaiBatches.ts';
import { openaiEmbedder } from './openaiEmbedder.ts';
import { endpointHash, type OpenAiEndpoint, openSession, type Session } from './session.ts';

interface Indexed {
  readonly index: number;
  readonly answer: ModelAnswer;
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

async function* answers(session: Session, calls: CallSource, stop: StopSignal): AsyncGenerator<Indexed> {
  const groups = sampleGroups(calls, () => samplesAtOnce(session));
  try {
    yield* askMany<readonly TakenCall[], Indexed>(
      session,
      groups,
      stop,
      async (unit, signal) => {
        const [first] = unit;
        if (first === undefined) return null;
        const { request, index } = first;
        refuseWeights(session, [request]);
        if (unit.length > 1) {
          const outcome = await askEndpoint(session, askSamples(session, request, unit.length), signal);
          if (outcome === null || outcome === 'unsent') return outcome;
          groups.askAlone(unit.filter((_, place) => (outcome.answer[place] ?? null) === null));
          const came = unit.flatMap((call, place) => {
            const answer = outcome.answer[place] ?? null;
            return answer === null ? [] : [{ index: call.index, answer }];
          });
          return { ...outcome, answer: came };
        }
        const outcome = await askEndpoint(session, askAnswer(session, request), signal);
        if (outcome === null || outcome === 'unsent') return outcome;
        return { ...outcome, answer: [{ index, answer: outcome.answer }] };
      },
      ({ answer }) => (answer.ok ? '' : answer.reason),
    );
  } finally {
    await groups.finish();
  }
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
    endpoint: endpointHash(endpoint),
    generate: (requests, stop) => answers(session, listed(requests), stop),
    answer: (source, stop) => answers(session, source, stop),
    batches: openaiBatches(session),
    embedder: openaiEmbedder(endpoint),
    givesLogprobs: true,
  };
}
