/**
 * A model that really learns, in a few lines: its weights are a skill in [0, 1], it answers an addition right with that
 * probability (from the request's own seed), and training moves its skill towards the share of right completions.
 * It sees nothing but the request.
 */
import { stream } from '../../src/core/measure/random.ts';
import type { Blobs, LanguageModel, ModelRequest, Trainer } from '../../src/core/ports.ts';

const BASE_SKILL = 0.1;

export interface ToyOptions {
  /** Calls answered together before the next is looked at. */
  readonly batch?: number;
  /** Answers come in this order of indices within a batch; default reversed. */
  readonly shuffled?: boolean;
  /** Called before each answer; may throw, or return a reason to fail that call. */
  readonly fault?: (request: ModelRequest, call: number) => string | null;
}

export interface Toy {
  readonly model: LanguageModel;
  readonly trainer: Trainer;
  /** Calls really made. */
  readonly calls: () => number;
  readonly trainings: () => number;
}

export function toyLearner(blobs: Blobs, options: ToyOptions = {}): Toy {
  let calls = 0;
  let trainings = 0;
  const skillOf = async (weights: ModelRequest['weights']) => {
    if (weights === null) return BASE_SKILL;
    const bytes = await blobs.get(weights);
    if (bytes === null) throw new Error('unknown weights');
    return Number(new TextDecoder().decode(bytes));
  };
  const answer = async (request: ModelRequest) => {
    const input = request.messages.at(-1)?.content ?? '';
    const [a, b] = input.split('+').map(Number) as [number, number];
    const skill =
      (await skillOf(request.weights)) + (request.messages[0]?.content.includes('step') ? 0.6 : 0);
    const random = stream(request.seed, 'toy');
    const right = random.unit() < (request.temperature === 0 ? skill : skill);
    return right ? `${a}+${b}>${a + b}` : `>${a + b + 1 + random.int(5)}`;
  };
  const model: LanguageModel = {
    name: 'toy',
    async *generate(requests, stop) {
      const size = options.batch ?? 7;
      for (let start = 0; start < requests.length; start += size) {
        const indices = requests.slice(start, start + size).map((_, offset) => start + offset);
        if (options.shuffled !== false) indices.reverse();
        for (const index of indices) {
          if (stop.aborted) return;
          const request = requests[index] as ModelRequest;
          calls += 1;
          const failed = options.fault?.(request, calls) ?? null;
          const text = await answer(request);
          yield failed !== null
            ? { index, answer: { ok: false as const, reason: failed } }
            : {
                index,
                answer: {
                  ok: true as const,
                  text,
                  finish: 'stop' as const,
                  usage: { input: 5, output: text.length },
                  model: 'toy',
                  requestId: null,
                },
              };
        }
        await Promise.resolve();
      }
    },
  };
  const trainer: Trainer = {
    async train(job, stop, onProgress) {
      if (stop.aborted) return null;
      trainings += 1;
      const before = await skillOf(job.base);
      const texts =
        job.data.form === 'sft'
          ? job.data.examples
          : job.data.pairs.map(({ messages, chosen }) => ({ messages, completion: chosen }));
      const right = texts.filter(({ messages, completion }) => {
        const [a, b] = (messages.at(-1)?.content ?? '').split('+').map(Number) as [number, number];
        return completion.endsWith(`>${a + b}`);
      }).length;
      onProgress(1, 1);
      const share = texts.length === 0 ? 0 : right / texts.length;
      const skill = before + 0.6 * Math.max(0, share - before) * (share > 0.9 ? 1 : 0.02);
      return {
        weights: await blobs.put(new TextEncoder().encode(skill.toFixed(6))),
        loss: 1 - share,
        steps: texts.length,
      };
    },
    async average(all) {
      const skills = await Promise.all(all.map((weights) => skillOf(weights)));
      const skill = skills.reduce((sum, one) => sum + one, 0) / skills.length;
      return blobs.put(new TextEncoder().encode(skill.toFixed(6)));
    },
  };
  return { model, trainer, calls: () => calls, trainings: () => trainings };
}
