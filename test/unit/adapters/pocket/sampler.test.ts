import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shuffle, stream } from '../../../../src/core/measure/random.ts';
import { openInference } from '../../../../src/adapters/pocket/inference.ts';
import { openLearner } from '../../../../src/adapters/pocket/learner.ts';
import { sample, uniformStream } from '../../../../src/adapters/pocket/sampler.ts';
import type { SampleRequest, Sampled } from '../../../../src/adapters/pocket/sampler.ts';
import { devices, plain, randomTokens, randomWeights, smallShape, wasm } from './devices.ts';

const { vocabulary, context } = smallShape;
const weights = randomWeights(smallShape, 11);

function open(device: typeof wasm, streams: number, rows = 64) {
  const inference = openInference(device, smallShape, { streams, rows, drawable: vocabulary });
  inference.load(weights);
  return inference;
}

function draw(inference: ReturnType<typeof open>, requests: readonly SampleRequest[]): Sampled[] {
  const out: Sampled[] = [];
  sample(
    inference,
    context,
    requests,
    () => false,
    (sampled) => out.push(sampled),
  );
  return out.sort((one, other) => one.index - other.index);
}

/** Several samples a prompt, greedy ones among them. */
function requests(seed: number, prompts: number): SampleRequest[] {
  const random = stream(seed, 'requests');
  return Array.from({ length: prompts }, () => randomTokens(random, 1, 12, vocabulary)).flatMap((prompt) =>
    Array.from({ length: 1 + random.int(4) }, () => ({
      prompt,
      temperature: random.int(3) / 2,
      maxTokens: 1 + random.int(24),
      seed: random.int(2 ** 32),
    })),
  );
}

describe('the sampler', () => {
  it('draws the same text in any order, among any others, with any number of streams', () => {
    const wide = open(wasm, 64);
    const narrow = open(wasm, 3, 20);
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 9 }), (seed, prompts) => {
        const asked = requests(seed, prompts);
        const reference = draw(wide, asked);
        expect(draw(narrow, asked)).toEqual(reference);
        const order = shuffle(stream(seed, 'order'), [...asked.keys()]);
        const shuffled = draw(
          wide,
          order.map((index) => asked[index] as SampleRequest),
        );
        for (const [place, index] of order.entries())
          expect(shuffled[place]?.tokens).toEqual(reference[index]?.tokens);
        const last = asked.length - 1;
        expect(draw(wide, asked.slice(last))[0]?.tokens).toEqual(reference[last]?.tokens);
      }),
      { numRuns: 30 },
    );
  });

  it('draws the same text on the plain twin', () => {
    const asked = requests(4, 5);
    expect(draw(open(plain, 4), asked)).toEqual(draw(open(wasm, 16), asked));
  });

  it.each(devices)('continues with its cache as if it had read everything at once (%s)', (_name, device) => {
    const inference = open(device, 8);
    for (const request of requests(9, 4)) {
      const greedy = { ...request, temperature: 0 };
      const tokens = draw(inference, [greedy])[0]?.tokens ?? [];
      for (const [place, token] of tokens.entries()) {
        const prompt = [...request.prompt, ...tokens.slice(0, place)];
        expect(draw(inference, [{ ...greedy, prompt, maxTokens: 1 }])[0]?.tokens).toEqual([token]);
      }
    }
  });

  it('draws greedily what the learner thinks most likely', () => {
    const learner = openLearner(wasm, smallShape, 512);
    learner.load(weights);
    const inference = open(wasm, 8);
    for (const { prompt } of requests(21, 6)) {
      const logs = Array.from({ length: vocabulary }, (_, token) => token).flatMap((token) =>
        learner.logProbabilities([{ prompt, completion: [token] }]),
      );
      const best = logs.indexOf(Math.max(...logs));
      const [drawn] = draw(inference, [{ prompt, temperature: 0, maxTokens: 1, seed: 1 }]);
      expect(drawn?.tokens).toEqual(best === 0 ? [] : [best]);
    }
  });

  it('draws tokens about as often as their probability', () => {
    const learner = openLearner(wasm, smallShape, 512);
    learner.load(weights);
    const prompt = [3, 1, 4];
    const count = 4000;
    const drawn = draw(
      open(wasm, 64),
      Array.from({ length: count }, (_, seed) => ({ prompt, temperature: 1, maxTokens: 1, seed })),
    );
    for (const token of [1, 2, 3, 4, 5]) {
      const p = Math.exp(learner.logProbabilities([{ prompt, completion: [token] }])[0] as number);
      const share = drawn.filter(({ tokens }) => tokens[0] === token).length / count;
      expect(Math.abs(share - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / count));
    }
  });

  it('ends at the limit, at the end token, and at the edge of the context', () => {
    const inference = open(wasm, 4);
    const all = draw(inference, requests(31, 40));
    const asked = requests(31, 40);
    expect(all).toHaveLength(asked.length);
    for (const { index, tokens, finish } of all) {
      const limit = asked[index]?.maxTokens as number;
      if (finish === 'length') expect(tokens).toHaveLength(limit);
      else expect(tokens.length).toBeLessThan(limit);
    }
    expect(new Set(all.map(({ finish }) => finish)).size).toBe(2);
    const prompt = Array.from({ length: context - 3 }, (_, i) => 1 + (i % 30));
    for (const { tokens } of draw(inference, [{ prompt, temperature: 1, maxTokens: 99, seed: 1 }]))
      expect(tokens.length).toBeLessThanOrEqual(3);
  });

  it('stops when told, and answers afresh afterwards', () => {
    const inference = open(wasm, 2);
    const asked = requests(5, 12);
    let steps = 0;
    const some: Sampled[] = [];
    sample(
      inference,
      context,
      asked,
      () => ++steps > 4,
      (sampled) => some.push(sampled),
    );
    expect(steps).toBe(5);
    expect(some.length).toBeLessThan(asked.length);
    expect(draw(inference, asked)).toHaveLength(asked.length);
  });

  it('has random streams that differ and stay within [0, 1)', () => {
    const [one, two] = [uniformStream(1), uniformStream(2)];
    const values = Array.from({ length: 2000 }, () => [one(), two()] as const);
    expect(values.every(([x, y]) => x >= 0 && x < 1 && y >= 0 && y < 1)).toBe(true);
    expect(values.filter(([x, y]) => x === y).length).toBeLessThan(3);
    const mean = values.reduce((sum, [x]) => sum + x, 0) / values.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.03);
  });
});
