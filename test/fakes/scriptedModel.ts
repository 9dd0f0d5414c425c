/**
 * Owns a language model for loop tests: it answers from a function of the request alone, in shuffled order and in
 * batches of any size, so that a loop whose result depends on batching or order fails. Deliberately has no memory
 * between requests, and draws nothing that a request's own seed does not decide.
 */
import { shuffle, stream } from '../../src/core/measure/random.ts';
import type { LanguageModel, ModelAnswer, ModelRequest } from '../../src/core/ports.ts';

export interface Script {
  /** A string is a whole answer, finished with `stop`, with usage counted in characters. May throw ProviderError. */
  readonly answer: (request: ModelRequest) => string | ModelAnswer | Promise<string | ModelAnswer>;
  /** Answers yielded before the model lets other work run. Default 7. */
  readonly batchSize?: number;
  /** Seed of the order in which answers arrive; null keeps the order of the requests. Default 1. */
  readonly orderSeed?: number | null;
  readonly name?: string;
}

export interface ScriptedModel extends LanguageModel {
  /** Every request answered so far, in the order of answering. */
  readonly requests: readonly ModelRequest[];
}

const characters = (request: ModelRequest): number =>
  request.messages.reduce((sum, message) => sum + message.content.length, 0);

function whole(answer: string | ModelAnswer, request: ModelRequest, model: string): ModelAnswer {
  if (typeof answer !== 'string') return answer;
  const usage = { input: characters(request), output: answer.length };
  return { ok: true, text: answer, finish: 'stop', usage, model, requestId: null };
}

export function scriptedModel(script: Script): ScriptedModel {
  const { answer, batchSize = 7, orderSeed = 1, name = 'scripted' } = script;
  const answered: ModelRequest[] = [];
  let calls = 0;
  return {
    name,
    requests: answered,
    async *generate(requests, stop) {
      const indexes = requests.map((_request, index) => index);
      const call = calls++;
      const order = orderSeed === null ? indexes : shuffle(stream(orderSeed, 'order', call), indexes);
      for (const [position, index] of order.entries()) {
        if (position % batchSize === 0) await new Promise((resolve) => setImmediate(resolve));
        if (stop.aborted) return;
        const request = requests[index] as ModelRequest;
        const given = whole(await answer(request), request, name);
        answered.push(request);
        yield { index, answer: given };
      }
    },
  };
}
