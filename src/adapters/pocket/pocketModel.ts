/** Owns Pocket as a language model: messages in, text out. Deliberately leaves sampling to the worker. */
import type { ContentHash } from '../../core/model/ids.ts';
import type { LanguageModel, ModelAnswer, ModelRequest, StopSignal } from '../../core/ports.ts';
import type { Pool } from './pool.ts';
import type { SampleRequest, Sampled } from './sampler.ts';
import { pocketShape } from './shape.ts';
import { decode, encodePrompt } from './text.ts';
import type { WeightSource } from './weightSource.ts';

interface Answered {
  readonly index: number;
  readonly answer: ModelAnswer;
}

/** A request the worker can take, with its place among those asked. */
interface Prepared {
  readonly index: number;
  readonly weights: ContentHash | null;
  readonly sample: SampleRequest;
}

/** The request as tokens, or why it cannot be answered. */
function prepare(request: ModelRequest, index: number): Prepared | Answered {
  const prompt = encodePrompt(request.messages);
  const refuse = (reason: string): Answered => ({ index, answer: { ok: false, reason } });
  if (prompt.length >= pocketShape.context)
    return refuse(`The prompt has ${prompt.length} tokens; Pocket reads at most ${pocketShape.context - 1}.`);
  if (!(request.maxTokens >= 1)) return refuse('Pocket was asked for no tokens; ask for at least 1.');
  const { temperature, maxTokens, seed, weights } = request;
  return { index, weights, sample: { prompt, temperature, maxTokens, seed } };
}

function answerOf(name: string, { prompt }: SampleRequest, { tokens, finish }: Sampled): ModelAnswer {
  return {
    ok: true,
    text: decode(tokens),
    finish,
    // The token that ends an answer was drawn too.
    usage: { input: prompt.length, output: tokens.length + (finish === 'stop' ? 1 : 0) },
    model: name,
    requestId: null,
  };
}

/** A queue between jobs that push answers and the one loop that takes them. */
function channel<Item>() {
  const items: Item[] = [];
  let wake = () => {};
  let open = true;
  let failure: Error | null = null;
  return {
    push: (item: Item) => {
      items.push(item);
      wake();
    },
    close: (error: Error | null) => {
      failure = error;
      open = false;
      wake();
    },
    async *read(): AsyncGenerator<Item> {
      for (;;) {
        for (let item = items.shift(); item !== undefined; item = items.shift()) yield item;
        if (failure !== null) throw failure;
        if (!open) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

async function* generate(
  name: string,
  pool: Pool,
  source: WeightSource,
  requests: readonly ModelRequest[],
  stop: StopSignal,
): AsyncGenerator<Answered> {
  const byWeights = new Map<ContentHash | null, Prepared[]>();
  for (const [index, request] of requests.entries()) {
    const prepared = prepare(request, index);
    if ('answer' in prepared) yield prepared;
    else {
      const group = byWeights.get(prepared.weights);
      if (group) group.push(prepared);
      else byWeights.set(prepared.weights, [prepared]);
    }
  }
  const answers = channel<Answered>();
  let left = false;
  const stopOrLeft = {
    get aborted() {
      return left || stop.aborted;
    },
  };
  const runGroup = async (asked: ContentHash | null, group: readonly Prepared[]) => {
    const { hash, weights } = await source.get(asked);
    const samples = group.map((prepared) => prepared.sample);
    await pool.sample(hash, weights, samples, stopOrLeft, (sampled) => {
      for (const one of sampled) {
        const { index, sample } = group[one.index] as Prepared;
        answers.push({ index, answer: answerOf(name, sample, one) });
      }
    });
  };
  const all = Promise.all([...byWeights].map(([asked, group]) => runGroup(asked, group)));
  all.then(
    () => answers.close(null),
    (error: unknown) => answers.close(error instanceof Error ? error : new Error(String(error))),
  );
  try {
    yield* answers.read();
  } finally {
    left = true;
  }
}

/** Pocket under this name. Answers come as they finish; `stop` is honoured within about 50 ms. */
export function pocketModel(name: string, pool: Pool, source: WeightSource): LanguageModel {
  return {
    name,
    price: { input: 0, output: 0 },
    generate: (requests, stop) => generate(name, pool, source, requests, stop),
  };
}
