/**
 * Owns asking for embeddings through the ledger: an embedder is asked as a model whose answers are vectors as text, so that
 * keys, caps, replay, branches and the cache hold for them as for any call. The same text of the same embedder is one effect
 * of a run, wherever it is asked for.
 * Deliberately compares no vectors: that is the operators'.
 */
import { readVector, vectorText } from '../measure/vectors.ts';
import type { Position } from '../model/event.ts';
import type {
  CallSource,
  Embedder,
  EmbeddingAnswer,
  LanguageModel,
  ModelAnswer,
  ModelRequest,
  StopSignal,
  TextSource,
} from '../ports.ts';
import type { Ledger, OnSettled } from './ledger.ts';

export type Vectors = readonly (Float32Array | null)[];

/** The key of an embedding has no place in a round: what a text's vector is depends on nothing else. */
const STEP = 'embeddings';

/** Costs nothing to write and is drawn from nothing. */
function requestOf(text: string): ModelRequest {
  return {
    messages: [{ role: 'user', content: text }],
    ...{ temperature: 0, maxTokens: 0, seed: 0, weights: null },
  };
}

const textOf = ({ messages }: ModelRequest): string => messages[0]?.content ?? '';

function answerOf(answer: EmbeddingAnswer): ModelAnswer {
  if (!answer.ok) return answer;
  const { vector, ...rest } = answer;
  return { ...rest, text: vectorText(vector), finish: 'stop' };
}

/** Its answers are vectors as text. */
export function embeddingModel(embedder: Embedder): LanguageModel {
  const { price, endpoint } = embedder;
  async function* answers(source: TextSource, stop: StopSignal) {
    for await (const { index, answer } of embedder.embed(source, stop))
      yield { index, answer: answerOf(answer) };
  }
  return {
    name: `${embedder.name} embeddings`,
    ...(price === undefined ? {} : { price }),
    ...(endpoint === undefined ? {} : { endpoint }),
    generate: (requests, stop) => answers(listedTexts(requests.map(textOf)), stop),
    answer: (source, stop) => answers(textsOf(source), stop),
  };
}

function textsOf(source: CallSource): TextSource {
  return {
    size: source.size,
    async next() {
      const call = await source.next();
      return call === null ? null : { index: call.index, text: textOf(call.request) };
    },
    giveBack: (index) => source.giveBack(index),
    close: () => source.close(),
  };
}

/** Texts that are there from the start, as a source. */
export function listedTexts(texts: readonly string[]): TextSource {
  let next = 0;
  return {
    size: texts.length,
    async next() {
      const index = next++;
      const text = texts[index];
      return text === undefined ? null : { index, text };
    },
    giveBack: () => undefined,
    close() {
      next = texts.length;
    },
  };
}

/**
 * A vector for each text, in their order; null for one that got none, which is that text's failure alone. `ledger` is the
 * embedder's (RunContext.embeddingsOf). Throws Halted, ProviderError or StoreError, as asking a model does.
 */
export async function embedTexts(
  ledger: Ledger,
  at: Position,
  texts: readonly string[],
  onSettled: OnSettled = () => undefined,
): Promise<Vectors> {
  const calls = texts.map((text) => ({ item: '', sample: 0, request: requestOf(text) }));
  const answers = await ledger.ask({ step: STEP, round: 0, at }, calls, onSettled);
  return answers.map((answer) => (answer.ok ? readVector(answer.text) : null));
}
