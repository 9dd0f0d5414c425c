/** Owns the layout of the learner's memory. Deliberately computes nothing. */
import { arena } from './arena.ts';
import { gradientBlock } from './kernels/kernels.ts';
import { layoutOf } from './shape.ts';
import type { Layout, Shape } from './shape.ts';
import { panels } from './weightPanels.ts';
import type { Panels } from './weightPanels.ts';

/** Byte addresses of one layer's activations, kept from the forward to the backward pass. */
export interface LayerBuffers {
  readonly input: number;
  readonly attentionScale: number;
  readonly attentionInput: number;
  readonly qkv: number;
  readonly shares: number;
  readonly mixed: number;
  readonly middle: number;
  readonly feedScale: number;
  readonly feedInput: number;
  readonly feed: number;
  readonly feedActive: number;
}

export interface LearnerBuffers {
  readonly weights: number;
  readonly gradient: number;
  readonly mean: number;
  readonly square: number;
  readonly table: number;
  readonly tokens: number;
  readonly positions: number;
  readonly sequences: number;
  readonly starts: number;
  /** By answer row: the tokens to predict, their weights and the probabilities given to them. */
  readonly targets: number;
  readonly targetWeights: number;
  readonly probability: number;
  readonly layers: readonly LayerBuffers[];
  readonly output: number;
  readonly outputScale: number;
  readonly outputInput: number;
  readonly logits: number;
  readonly dFeed: number;
  readonly dx: number;
  readonly dqkv: number;
  readonly dh: number;
  readonly scratch: number;
  readonly previous: number;
}

export interface LearnerPlan {
  readonly layout: Layout;
  readonly buffers: LearnerBuffers;
  readonly forward: Panels;
  readonly backward: Panels;
  readonly bytes: number;
}

/** Room for batches of `rows` tokens. */
export function planLearner(shape: Shape, rows: number): LearnerPlan {
  const layout = layoutOf(shape);
  const memory = arena();
  const { width, context, vocabulary, shift } = shape;
  const wide = (factor: number) => memory.take((rows + 3) * factor * width);
  const layers = layout.layers.map(() => ({
    input: wide(1),
    attentionScale: memory.take(rows),
    attentionInput: wide(1),
    qkv: wide(3),
    shares: memory.take((rows * (context + 3) * width) / 32),
    mixed: wide(1),
    middle: wide(1),
    feedScale: memory.take(rows),
    feedInput: wide(1),
    feed: wide(4),
    feedActive: wide(4),
  }));
  const buffers: LearnerBuffers = {
    weights: memory.take(layout.count),
    gradient: memory.take(layout.count),
    mean: memory.take(layout.count),
    square: memory.take(layout.count),
    table: memory.take(context * 32),
    tokens: memory.take(rows),
    positions: memory.take(rows),
    sequences: memory.take(rows),
    starts: memory.take(rows + 1),
    targets: memory.take(rows),
    targetWeights: memory.take(rows),
    probability: memory.take(rows),
    layers,
    output: wide(1),
    outputScale: memory.take(rows),
    outputInput: wide(1),
    logits: memory.take(rows * vocabulary),
    dFeed: wide(4),
    dx: wide(1),
    dqkv: wide(3),
    dh: wide(1),
    scratch: memory.take(gradientBlock * (Math.max(4 * width, vocabulary) + 4)),
    previous: memory.take(rows * shift),
  };
  return {
    layout,
    buffers,
    forward: panels(layout, memory, false),
    backward: panels(layout, memory, true),
    bytes: memory.bytes(),
  };
}
