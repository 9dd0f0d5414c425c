/**
 * Owns how a training job becomes steps: its sequences, their order, batches, schedule and the weights of the one
 * loss. Deliberately starts every job with fresh optimizer state, so that weights alone say where a job begins.
 */
import { shuffle, stream } from '../../core/measure/random.ts';
import type { TrainingData, TrainingExample, TrainingJob } from '../../core/ports.ts';
import { rowsOf } from './learner.ts';
import type { Learner, Sequence } from './learner.ts';
import { drawExample, pocketMixture } from './mixture.ts';
import type { MixtureExample } from './mixture.ts';
import { exp, log } from './numeric.ts';
import { encodeCompletion, encodePrompt } from './text.ts';

/** Tokens of a batch, at most. */
export const batchTokens = 1024;

/** Steps over which the rate rises to its full value: fresh moments make the first steps all sign and no size. */
const warmUpSteps = 4;

export interface Trained {
  readonly weights: Float32Array<ArrayBuffer>;
  readonly loss: number;
  readonly steps: number;
}

/** What one step learns from: sequences, and their weights given their log-probabilities. */
interface Batch {
  readonly sequences: readonly Sequence[];
  readonly weigh: (logProbabilities: readonly number[]) => {
    readonly weights: number[];
    readonly loss: number;
  };
}

/** What is learned of one draw from the mixture: an open completion has no end token. */
export function mixtureSequence(example: MixtureExample): Sequence {
  const sequence = sequenceOf(example);
  return example.open ? { ...sequence, completion: sequence.completion.slice(0, -1) } : sequence;
}

export function sequenceOf(example: TrainingExample): Sequence {
  return { prompt: encodePrompt(example.messages), completion: encodeCompletion(example.completion) };
}

/** Cuts items into batches of at most `batchTokens` tokens, in order. */
export function inBatches<Item>(items: readonly Item[], tokens: (item: Item) => number): Item[][] {
  const batches: Item[][] = [];
  let room = 0;
  for (const item of items) {
    const need = tokens(item);
    if (need > room || batches.length === 0) {
      batches.push([]);
      room = batchTokens;
    }
    batches.at(-1)?.push(item);
    room -= need;
  }
  return batches;
}

/** Mean negative log-likelihood by completion token. */
export function likelihoodBatch(sequences: readonly Sequence[]): Batch {
  const tokens = sequences.reduce((sum, sequence) => sum + sequence.completion.length, 0);
  return {
    sequences,
    weigh: (logProbabilities) => ({
      weights: sequences.map(() => 1 / tokens),
      loss: -logProbabilities.reduce((sum, value) => sum + value, 0) / tokens,
    }),
  };
}

interface Pair {
  readonly chosen: Sequence;
  readonly rejected: Sequence;
  /** Log-probabilities under the weights the job started from. */
  readonly reference: readonly [chosen: number, rejected: number];
}

/** DPO (Rafailov et al. 2023) plus `nllWeight` times the chosen answer's mean negative log-likelihood by token. */
function preferenceBatch(pairs: readonly Pair[], beta: number, nllWeight: number): Batch {
  return {
    sequences: pairs.flatMap((pair) => [pair.chosen, pair.rejected]),
    weigh: (logProbabilities) => {
      const weights: number[] = [];
      let loss = 0;
      for (const [i, { chosen, reference }] of pairs.entries()) {
        const [good, bad] = [logProbabilities[2 * i] as number, logProbabilities[2 * i + 1] as number];
        const margin = beta * (good - reference[0] - (bad - reference[1]));
        const pull = 1 / (1 + exp(margin));
        const share = nllWeight / chosen.completion.length;
        loss += log(1 + exp(-margin)) - share * good;
        weights.push((beta * pull + share) / pairs.length, (-beta * pull) / pairs.length);
      }
      return { weights, loss: loss / pairs.length };
    },
  };
}

/** One step on a batch; returns its loss before the step. */
export function learn(learner: Learner, batch: Batch, learningRate: number, decay: number): number {
  let loss = 0;
  learner.gradient(batch.sequences, (logProbabilities) => {
    const weighed = batch.weigh(logProbabilities);
    loss = weighed.loss;
    return weighed.weights;
  });
  learner.update(learningRate, decay);
  return loss;
}

function replayed(job: TrainingJob, count: number): Sequence[] {
  if (!job.replay) return [];
  const { share, digits } = job.replay;
  const random = stream(job.seed, 'replay');
  const draws = Math.round(share * count);
  return Array.from({ length: draws }, () => mixtureSequence(drawExample(random, pocketMixture, digits)));
}

/** The batches of each pass, in order. Sequences longer than `context` are left out. */
function passes(learner: Learner, job: TrainingJob, context: number): () => Generator<Batch[]> {
  const fits = (sequence: Sequence) => rowsOf(sequence) <= context;
  const likelihood = (data: readonly Sequence[], pass: number) =>
    inBatches(shuffle(stream(job.seed, 'order', pass), data), rowsOf).map(likelihoodBatch);
  const { data } = job;
  if (data.form === 'sft') {
    const own = data.examples.map(sequenceOf).filter(fits);
    const all = [...own, ...replayed(job, own.length)];
    return function* () {
      for (let pass = 0; pass < job.epochs; pass++) yield likelihood(all, pass);
    };
  }
  const pairs = referenced(learner, data, fits);
  const replay = replayed(job, pairs.length);
  const pairRows = (pair: Pair) => rowsOf(pair.chosen) + rowsOf(pair.rejected);
  return function* () {
    for (let pass = 0; pass < job.epochs; pass++) {
      const ordered = shuffle(stream(job.seed, 'order', pass), pairs);
      const preferences = inBatches(ordered, pairRows).map((batch) =>
        preferenceBatch(batch, data.beta, data.nllWeight),
      );
      yield shuffle(stream(job.seed, 'mix', pass), [...preferences, ...likelihood(replay, pass)]);
    }
  };
}

/** Pairs with their log-probabilities under the learner's weights as loaded. */
function referenced(
  learner: Learner,
  data: TrainingData & { readonly form: 'pairs' },
  fits: (sequence: Sequence) => boolean,
): Pair[] {
  const pairs = data.pairs
    .map(({ messages, chosen, rejected }) => ({
      chosen: sequenceOf({ messages, completion: chosen }),
      rejected: sequenceOf({ messages, completion: rejected }),
    }))
    .filter((pair) => fits(pair.chosen) && fits(pair.rejected));
  const both = pairs.flatMap((pair) => [pair.chosen, pair.rejected]);
  const known = inBatches(both, rowsOf).flatMap((batch) => learner.logProbabilities(batch));
  return pairs.map((pair, i) => ({
    ...pair,
    reference: [known[2 * i] as number, known[2 * i + 1] as number],
  }));
}

/**
 * Runs a job on weights. Deterministic in (weights, job). Returns null when `stopped` said so before the end; with
 * nothing to learn the weights come back unchanged after 0 steps with loss 0.
 */
export function train(
  learner: Learner,
  context: number,
  weights: Float32Array,
  job: TrainingJob,
  stopped: () => boolean,
  onStep: (done: number, total: number) => void,
): Trained | null {
  learner.load(weights);
  const rounds = [...passes(learner, job, context)()];
  const total = rounds.reduce((sum, batches) => sum + batches.length, 0);
  let steps = 0;
  let loss = 0;
  for (const batches of rounds) {
    loss = 0;
    for (const batch of batches) {
      if (stopped()) return null;
      const rate = job.learningRate * Math.min(1, (steps + 1) / warmUpSteps);
      loss += learn(learner, batch, rate, 0) / batches.length;
      onStep(++steps, total);
    }
  }
  return { weights: learner.weights(), loss, steps };
}
