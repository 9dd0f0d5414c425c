import { describe, expect, it } from 'vitest';
import { stream } from '../../../../src/core/measure/random.ts';
import type { TrainingJob } from '../../../../src/core/ports.ts';
import { openLearner } from '../../../../src/adapters/pocket/learner.ts';
import { initialWeights } from '../../../../src/adapters/pocket/initialWeights.ts';
import { layoutOf, pocketShape } from '../../../../src/adapters/pocket/shape.ts';
import type { Matrix } from '../../../../src/adapters/pocket/shape.ts';
import { inBatches, sequenceOf, train } from '../../../../src/adapters/pocket/train.ts';
import { devices, plain, randomTokens, randomWeights, smallShape, wasm } from './devices.ts';

function sequences(seed: number, count: number) {
  const random = stream(seed, 'sequences');
  return Array.from({ length: count }, () => ({
    prompt: randomTokens(random, 1, 9, smallShape.vocabulary),
    completion: randomTokens(random, 1, 9, smallShape.vocabulary),
  }));
}

describe('the learner', () => {
  it.each(devices)('has the gradient that differences of its loss have (%s)', (_name, device) => {
    const layout = layoutOf(smallShape);
    const learner = openLearner(device, smallShape, 128);
    const weights = randomWeights(smallShape, 5);
    const batch = sequences(5, 4);
    const factors = [0.7, -0.4, 1.1, 0.2];
    learner.load(weights);
    learner.gradient(batch, () => factors);
    const gradient = learner.lastGradient();
    const loss = (at: number, change: number) => {
      const moved = weights.slice();
      moved[at] = (moved[at] as number) + change;
      learner.load(moved);
      const logs = learner.logProbabilities(batch);
      return {
        value: -logs.reduce((sum, log, i) => sum + log * (factors[i] as number), 0),
        at: moved[at],
      };
    };
    const token = batch[0]?.prompt[0] as number;
    const random = stream(5, 'places');
    const matrices: Matrix[] = [
      ...layout.layers.flatMap((layer) => Object.values({ ...layer })),
      layout.outputGain,
      layout.head,
      { at: layout.embedding.at + token * smallShape.width, rows: 1, columns: smallShape.width },
    ];
    for (const { at, rows, columns } of matrices)
      for (let i = 0; i < 3; i++) {
        const place = at + random.int(rows * columns);
        const [up, down] = [loss(place, 4e-3), loss(place, -4e-3)];
        const numeric = (up.value - down.value) / (up.at - down.at);
        const error = Math.abs(numeric - (gradient[place] as number)) / (0.05 + Math.abs(numeric));
        expect(error).toBeLessThan(0.01);
      }
  });

  it('has the same bits on both devices after steps', () => {
    const [one, two] = [wasm, plain].map((device) => {
      const learner = openLearner(device, smallShape, 256);
      learner.load(randomWeights(smallShape, 2));
      for (let step = 0; step < 3; step++) {
        learner.gradient(sequences(step, 6), (logs) => logs.map(() => 0.1));
        learner.update(1e-3, 0.01);
      }
      return Buffer.from(learner.weights().buffer);
    });
    expect(one?.equals(two as Buffer)).toBe(true);
  });

  it('gives a sequence the same log-probability alone and in a batch', () => {
    const learner = openLearner(wasm, smallShape, 256);
    learner.load(randomWeights(smallShape, 3));
    const batch = sequences(3, 7);
    const alone = batch.flatMap((sequence) => learner.logProbabilities([sequence]));
    expect(learner.logProbabilities(batch)).toEqual(alone);
  });
});

const messages = (input: string) => [
  { role: 'system', content: '' } as const,
  { role: 'user', content: input } as const,
];

function job(change: Partial<TrainingJob>): TrainingJob {
  const inputs = ['1+2', '3+4', '12+31', '7+7', '25+14'];
  const data = {
    form: 'pairs',
    pairs: inputs.map((input) => ({ messages: messages(input), chosen: `${input}>1`, rejected: '>99' })),
    beta: 0.1,
    nllWeight: 0.2,
  } as const;
  return { base: null, data, replay: null, learningRate: 1e-3, epochs: 1, seed: 1, ...change };
}

describe('training', () => {
  const go = () => false;
  const quiet = () => {};
  const start = initialWeights(pocketShape, 1);
  const learner = openLearner(wasm, pocketShape, 1024);
  const run = (asked: TrainingJob, from = start) =>
    train(learner, pocketShape.context, from, asked, go, quiet);

  it('by preference lowers its loss and raises the margin', () => {
    const short = run(job({}));
    const long = run(job({ epochs: 12 }));
    expect(short?.steps).toBe(1);
    expect(long?.steps).toBe(12);
    expect(long?.loss).toBeLessThan(short?.loss as number);
    const { data } = job({});
    if (data.form !== 'pairs') throw new Error('expected pairs');
    const margin = (weights: Float32Array) => {
      learner.load(weights);
      return data.pairs.reduce((sum, pair) => {
        const sequence = (completion: string) => sequenceOf({ messages: pair.messages, completion });
        const [good, bad] = learner.logProbabilities([sequence(pair.chosen), sequence(pair.rejected)]);
        return sum + (good as number) - (bad as number);
      }, 0);
    };
    expect(margin(long?.weights as Float32Array)).toBeGreaterThan(margin(start) + 5);
  });

  it('starts a preference job at the loss of equal models', () => {
    const once = run(job({ data: { ...job({}).data, nllWeight: 0 } as TrainingJob['data'] }));
    expect(once?.loss).toBeCloseTo(Math.log(2), 9);
  });

  it('by examples lowers their loss, and replays only lengths asked for', () => {
    const examples = ['1+2', '3+4'].map((input) => ({ messages: messages(input), completion: '>5' }));
    const asked = job({ data: { form: 'sft', examples }, replay: { share: 2, digits: [1] }, epochs: 1 });
    const once = run(asked);
    const often = run({ ...asked, epochs: 30 });
    expect(often?.loss).toBeLessThan((once?.loss as number) / 2);
    expect(often?.steps).toBe(30);
  });

  it('changes nothing where there is nothing to learn', () => {
    const nothing = run(job({ data: { form: 'sft', examples: [] }, replay: { share: 0.25, digits: [1] } }));
    expect(nothing?.steps).toBe(0);
    expect(nothing?.weights).toEqual(start);
  });

  it('leaves out what is longer than the context', () => {
    const examples = [{ messages: messages('1+1'), completion: '1'.repeat(400) }];
    expect(run(job({ data: { form: 'sft', examples } }))?.steps).toBe(0);
  });

  it('stops between steps and reports each one', () => {
    const seen: string[] = [];
    const result = train(
      learner,
      pocketShape.context,
      start,
      job({ epochs: 9 }),
      () => seen.length === 3,
      (done, total) => seen.push(`${done}/${total}`),
    );
    expect(result).toBeNull();
    expect(seen).toEqual(['1/9', '2/9', '3/9']);
  });

  it('cuts batches at their token limit and never empties one', () => {
    const sizes = [600, 500, 1024, 1, 1023, 2];
    expect(inBatches(sizes, (size) => size)).toEqual([[600], [500], [1024], [1, 1023], [2]]);
  });
});
