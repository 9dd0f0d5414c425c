/**
 * Owns the forward and backward passes over a packed batch. After the last layer's attention only the rows whose
 * next token is learned go on: a prompt needs keys and values there, but no answer. Deliberately stops at logits;
 * the loss lies between the two passes.
 */
import type { Device } from './kernels/kernels.ts';
import type { Batch } from './learner.ts';
import type { LearnerBuffers, LearnerPlan } from './learnerBuffers.ts';
import type { Matrix, Shape } from './shape.ts';

/** Copies rows of `width` floats together, in ascending order of their numbers. */
function gather(floats: Float32Array, rows: Int32Array, width: number, from: number, to: number): void {
  for (let i = 0; i < rows.length; i++) {
    const at = (from >> 2) + (rows[i] as number) * width;
    floats.copyWithin((to >> 2) + i * width, at, at + width);
  }
}

/** Undoes `gather` in place: rows move up to their places, all others of `count` become 0. */
function scatter(floats: Float32Array, rows: Int32Array, count: number, width: number, at: number): void {
  const base = at >> 2;
  let end = count;
  for (let i = rows.length - 1; i >= 0; i--) {
    const row = rows[i] as number;
    floats.copyWithin(base + row * width, base + i * width, base + (i + 1) * width);
    floats.fill(0, base + (row + 1) * width, base + end * width);
    end = row;
  }
  floats.fill(0, base, base + end * width);
}

/** From tokens to logits of the answer rows. */
export function forwardPass(device: Device, shape: Shape, plan: LearnerPlan, batch: Batch): void {
  const { kernels: k, floats } = device;
  const { buffers: b, layout, forward } = plan;
  const { width: C, shift } = shape;
  const weight = (matrix: Matrix) => b.weights + matrix.at * 4;
  const copyRows = (from: number, to: number, count: number) =>
    floats.copyWithin(to >> 2, from >> 2, (from >> 2) + count * C);
  let n = batch.rows;
  k.embed(n, C, b.tokens, weight(layout.embedding), (b.layers[0] ?? { input: b.output }).input);
  for (const [l, layer] of layout.layers.entries()) {
    const a = b.layers[l] as LearnerBuffers['layers'][number];
    const next = b.layers[l + 1]?.input ?? b.output;
    k.normalize(n, C, a.input, weight(layer.attentionGain), a.attentionInput, a.attentionScale);
    k.shiftTokens(n, C, shift, b.sequences, b.positions, a.attentionInput, b.previous);
    k.multiply(n, 3 * C, C, a.attentionInput, C, forward.of(layer.queryKeyValue), a.qkv, 3 * C, 0);
    k.rotate(n, C, b.positions, b.table, a.qkv, 1);
    k.attend(batch.sequences, b.starts, C, a.qkv, a.shares, a.mixed);
    if (next === b.output) {
      n = batch.answerRows.length;
      gather(floats, batch.answerRows, C, a.mixed, a.mixed);
      gather(floats, batch.answerRows, C, a.input, a.middle);
    } else copyRows(a.input, a.middle, n);
    k.multiply(n, C, C, a.mixed, C, forward.of(layer.attentionOutput), a.middle, C, 1);
    k.normalize(n, C, a.middle, weight(layer.feedGain), a.feedInput, a.feedScale);
    k.multiply(n, 4 * C, C, a.feedInput, C, forward.of(layer.feedIn), a.feed, 4 * C, 0);
    k.squaredRelu(n * 4 * C, a.feed, a.feedActive);
    copyRows(a.middle, next, n);
    k.multiply(n, C, 4 * C, a.feedActive, 4 * C, forward.of(layer.feedOut), next, C, 1);
  }
  const V = shape.vocabulary;
  k.normalize(n, C, b.output, weight(layout.outputGain), b.outputInput, b.outputScale);
  k.multiply(n, V, C, b.outputInput, C, forward.of(layout.head), b.logits, V, 0);
}

/** From the gradient of the logits, in their place, to that of every weight. */
export function backwardPass(device: Device, shape: Shape, plan: LearnerPlan, batch: Batch): void {
  const { kernels: k, floats } = device;
  const { buffers: b, layout, backward } = plan;
  const { width: C, shift } = shape;
  const weight = (matrix: Matrix) => b.weights + matrix.at * 4;
  const gradient = (matrix: Matrix) => b.gradient + matrix.at * 4;
  const clear = (at: number, count: number) => floats.fill(0, at >> 2, (at >> 2) + count);
  /** Gradients of y = x * matrix: of the matrix from x and dy, and of x into dx. */
  const product = (n: number, matrix: Matrix, x: number, dy: number, dx: number) => {
    const { rows, columns } = matrix;
    k.multiplyTransposed(rows, columns, n, x, rows, dy, columns, gradient(matrix), columns, b.scratch);
    k.multiply(n, rows, columns, dy, columns, backward.of(matrix), dx, rows, 0);
  };
  clear(b.gradient, layout.count);
  let n = batch.answerRows.length;
  product(n, layout.head, b.outputInput, b.logits, b.dh);
  clear(b.dx, n * C);
  const outputGain = layout.outputGain;
  k.normalizeBack(n, C, b.output, weight(outputGain), b.outputScale, b.dh, b.dx, gradient(outputGain));
  for (let l = layout.layers.length - 1; l >= 0; l--) {
    const layer = layout.layers[l] as (typeof layout.layers)[number];
    const a = b.layers[l] as LearnerBuffers['layers'][number];
    product(n, layer.feedOut, a.feedActive, b.dx, b.dFeed);
    k.squaredReluBack(n * 4 * C, a.feed, b.dFeed);
    product(n, layer.feedIn, a.feedInput, b.dFeed, b.dh);
    const { feedGain, attentionGain } = layer;
    k.normalizeBack(n, C, a.middle, weight(feedGain), a.feedScale, b.dh, b.dx, gradient(feedGain));
    product(n, layer.attentionOutput, a.mixed, b.dx, b.dh);
    if (n < batch.rows) {
      n = batch.rows;
      scatter(floats, batch.answerRows, n, C, b.dh);
      scatter(floats, batch.answerRows, n, C, b.dx);
    }
    clear(b.dqkv, n * 3 * C);
    k.attendBack(batch.sequences, b.starts, C, a.qkv, a.shares, b.dh, b.dqkv, b.scratch);
    k.rotate(n, C, b.positions, b.table, b.dqkv, -1);
    product(n, layer.queryKeyValue, a.attentionInput, b.dqkv, b.dh);
    k.shiftTokensBack(n, C, shift, b.positions, b.dh);
    k.normalizeBack(
      n,
      C,
      a.input,
      weight(attentionGain),
      a.attentionScale,
      b.dh,
      b.dx,
      gradient(attentionGain),
    );
  }
  k.embedBack(n, C, b.tokens, gradient(layout.embedding), b.dx);
}
