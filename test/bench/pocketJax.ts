/**
 * Owns the yardstick for training speed: a transformer of Pocket's width, depth and vocabulary in @jax-js/jax, jitted,
 * value and gradient only. Deliberately lighter than Pocket's own step (no rotary position, no token shift, no
 * optimizer), so that the comparison can only be too kind to the yardstick.
 */
import { blockUntilReady, defaultDevice, init, jit, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import { stream } from '../../src/core/measure/random.ts';
import type { Shape } from '../../src/adapters/pocket/shape.ts';

type Layer = {
  qkv: np.Array;
  output: np.Array;
  feedIn: np.Array;
  feedOut: np.Array;
  gain: np.Array;
  feedGain: np.Array;
};
type Weights = { embedding: np.Array; layers: Layer[]; gain: np.Array; head: np.Array };

const headSize = 32;

function normalize(x: np.Array, gain: np.Array): np.Array {
  const width = x.shape.at(-1) as number;
  const mean = np.sum(np.square(x.ref), -1, { keepdims: true }).mul(1 / width);
  return x.div(np.sqrt(mean.add(1e-5))).mul(gain);
}

function loss(
  weights: Weights,
  tokens: np.Array,
  targets: np.Array,
  batch: number,
  length: number,
): np.Array {
  let x = np.matmul(tokens, weights.embedding);
  const width = x.shape.at(-1) as number;
  const heads = width / headSize;
  for (const layer of weights.layers) {
    const qkv = np.matmul(normalize(x.ref, layer.gain), layer.qkv);
    const [q, k, v] = np.split(qkv, 3, -1).map((part) => part.reshape([batch, length, heads, headSize]));
    const mixed = nn.dotProductAttention(q as np.Array, k as np.Array, v as np.Array, { isCausal: true });
    x = x.add(np.matmul(mixed.reshape([batch * length, width]), layer.output));
    const active = np.square(nn.relu(np.matmul(normalize(x.ref, layer.feedGain), layer.feedIn)));
    x = x.add(np.matmul(active, layer.feedOut));
  }
  const logits = np.matmul(normalize(x, weights.gain), weights.head);
  return np.sum(nn.logSoftmax(logits, -1).mul(targets)).mul(-1 / (batch * length));
}

/** Processor milliseconds of one step on `batch` sequences of `length` tokens, the best of `repeats`. */
export async function measureJax(
  shape: Shape,
  batch: number,
  length: number,
  repeats: number,
): Promise<number> {
  await init('wasm');
  defaultDevice('wasm');
  const random = stream(1, 'yardstick');
  const matrix = (rows: number, columns: number, size: number) =>
    np
      .array(Float32Array.from({ length: rows * columns }, () => (random.unit() - 0.5) * size))
      .reshape([rows, columns]);
  const { width, vocabulary, layers } = shape;
  const ones = () => np.ones([width]);
  const weights: Weights = {
    embedding: matrix(vocabulary, width, 1),
    layers: Array.from({ length: layers }, () => ({
      qkv: matrix(width, 3 * width, 0.4),
      output: matrix(width, width, 0.1),
      feedIn: matrix(width, 4 * width, 0.4),
      feedOut: matrix(4 * width, width, 0.1),
      gain: ones(),
      feedGain: ones(),
    })),
    gain: ones(),
    head: matrix(width, vocabulary, 0.1),
  };
  const oneHot = () => {
    const rows = new Float32Array(batch * length * vocabulary);
    for (let row = 0; row < batch * length; row++) rows[row * vocabulary + random.int(vocabulary)] = 1;
    return np.array(rows).reshape([batch * length, vocabulary]);
  };
  const [tokens, targets] = [oneHot(), oneHot()];
  const step = jit(valueAndGrad((w: Weights, x: np.Array, y: np.Array) => loss(w, x, y, batch, length)));
  let best = Infinity;
  for (let i = 0; i < repeats; i++) {
    const before = process.cpuUsage();
    const [value, gradient] = step(tree.ref(weights), tokens.ref, targets.ref);
    await blockUntilReady(gradient);
    const { user, system } = process.cpuUsage(before);
    tree.dispose(gradient);
    if (!Number.isFinite(Number(await value.jsAsync()))) throw new Error('The yardstick computed no loss.');
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}
