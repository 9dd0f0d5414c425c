/**
 * Owns training arithmetic: one weighted cross-entropy over a packed batch, its gradient, and an AdamW step.
 * Supervised learning, rejection sampling and DPO differ only in the weights they give each sequence.
 * Deliberately knows no jobs, no schedule and no text.
 */
import { backwardPass, forwardPass } from './learnerPasses.ts';
import { planLearner } from './learnerBuffers.ts';
import type { Device } from './kernels/kernels.ts';
import { log, rotaryTable } from './numeric.ts';
import type { Shape } from './shape.ts';

/** A prompt and the answer learned after it, the end token included. */
export interface Sequence {
  readonly prompt: readonly number[];
  readonly completion: readonly number[];
}

export interface Learner {
  /** Takes weights to start from and forgets the optimizer's state. */
  readonly load: (weights: Float32Array) => void;
  /** A copy of the weights as they are. */
  readonly weights: () => Float32Array<ArrayBuffer>;
  /** log p(completion | prompt) in nats, by sequence. */
  readonly logProbabilities: (batch: readonly Sequence[]) => number[];
  /**
   * Gradient of sum over sequences of weight * -log p(completion | prompt), where `weigh` is given the sequences'
   * log-probabilities and returns their weights. Returns the log-probabilities.
   */
  readonly gradient: (
    batch: readonly Sequence[],
    weigh: (logProbabilities: readonly number[]) => readonly number[],
  ) => number[];
  /** The gradient as `gradient` left it, for checks. */
  readonly lastGradient: () => Float32Array;
  /** AdamW on the last gradient, clipped to norm 1. */
  readonly update: (learningRate: number, decay: number) => void;
}

/** Tokens of a sequence that the network reads: the last one is only predicted. */
export function rowsOf(sequence: Sequence): number {
  return sequence.prompt.length + sequence.completion.length - 1;
}

const beta1 = 0.9;
const beta2 = 0.98;

/** A packed batch as the passes see it. */
export interface Batch {
  readonly rows: number;
  readonly sequences: number;
  /** Rows whose next token is learned, ascending: only these need logits. */
  readonly answerRows: Int32Array;
  /** Sequence of each answer row. */
  readonly owners: Int32Array;
}

function place(
  { ints, floats }: Device,
  plan: ReturnType<typeof planLearner>,
  batch: readonly Sequence[],
): Batch {
  const b = plan.buffers;
  const answerRows: number[] = [];
  const owners: number[] = [];
  let row = 0;
  for (const [s, sequence] of batch.entries()) {
    ints[(b.starts >> 2) + s] = row;
    const tokens = [...sequence.prompt, ...sequence.completion];
    for (let position = 0; position + 1 < tokens.length; position++, row++) {
      ints[(b.tokens >> 2) + row] = tokens[position] as number;
      ints[(b.positions >> 2) + row] = position;
      ints[(b.sequences >> 2) + row] = s;
      if (position + 1 < sequence.prompt.length) continue;
      ints[(b.targets >> 2) + answerRows.length] = tokens[position + 1] as number;
      floats[(b.targetWeights >> 2) + answerRows.length] = 1;
      answerRows.push(row);
      owners.push(s);
    }
  }
  ints[(b.starts >> 2) + batch.length] = row;
  return {
    rows: row,
    sequences: batch.length,
    answerRows: Int32Array.from(answerRows),
    owners: Int32Array.from(owners),
  };
}

/** A learner for batches of at most `rows` tokens (by `rowsOf`); `makeDevice` is given the bytes it must hold. */
export function openLearner(makeDevice: (bytes: number) => Device, shape: Shape, rows: number): Learner {
  const plan = planLearner(shape, rows);
  const device = makeDevice(plan.bytes);
  const { floats, kernels } = device;
  const { buffers: b, layout } = plan;
  const view = (at: number, count: number) => floats.subarray(at >> 2, (at >> 2) + count);
  floats.set(rotaryTable(shape.context), b.table >> 2);
  let correction1 = 1;
  let correction2 = 1;

  const forward = (sequences: readonly Sequence[]) => {
    const batch = place(device, plan, sequences);
    forwardPass(device, shape, plan, batch);
    const count = batch.answerRows.length;
    kernels.crossEntropy(count, shape.vocabulary, b.logits, b.targets, b.targetWeights, b.probability);
    const sums = sequences.map(() => 0);
    for (let i = 0; i < count; i++) {
      const owner = batch.owners[i] as number;
      sums[owner] = (sums[owner] as number) + log(floats[(b.probability >> 2) + i] as number);
    }
    return { batch, sums };
  };

  return {
    load: (weights) => {
      floats.set(weights, b.weights >> 2);
      view(b.mean, layout.count).fill(0);
      view(b.square, layout.count).fill(0);
      correction1 = 1;
      correction2 = 1;
      plan.forward.pack(kernels, b.weights);
    },
    weights: () => view(b.weights, layout.count).slice(),
    logProbabilities: (sequences) => forward(sequences).sums,
    gradient: (sequences, weigh) => {
      const { batch, sums } = forward(sequences);
      const weights = weigh(sums);
      for (const [i, owner] of batch.owners.entries()) {
        const weight = weights[owner] as number;
        const row = (b.logits >> 2) + i * shape.vocabulary;
        for (let v = row; v < row + shape.vocabulary; v++) floats[v] = (floats[v] as number) * weight;
      }
      plan.backward.pack(kernels, b.weights);
      backwardPass(device, shape, plan, batch);
      return sums;
    },
    lastGradient: () => view(b.gradient, layout.count).slice(),
    update: (learningRate, decay) => {
      const norm = Math.sqrt(kernels.sumSquares(layout.count, b.gradient));
      correction1 *= beta1;
      correction2 *= beta2;
      kernels.adamw(
        layout.count,
        b.weights,
        b.gradient,
        b.mean,
        b.square,
        learningRate / (1 - correction1),
        beta1,
        beta2,
        1 / (1 - correction2),
        1 - learningRate * decay,
        norm > 1 ? 1 / norm : 1,
      );
      plan.forward.pack(kernels, b.weights);
    },
  };
}
