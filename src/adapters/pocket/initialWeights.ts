/** Owns where pre-training starts: uniform weights scaled by fan-in. Deliberately uses no logarithm or cosine. */
import { stream } from '../../core/measure/random.ts';
import { layoutOf } from './shape.ts';
import type { Matrix, Shape } from './shape.ts';

/**
 * Gains are 1; other matrices are uniform with the standard deviation given below, outputs of a layer scaled down by
 * the depth as in GPT-2 (Radford et al. 2019).
 */
export function initialWeights(shape: Shape, seed: number): Float32Array {
  const layout = layoutOf(shape);
  const weights = new Float32Array(layout.count);
  const random = stream(seed, 'initial weights');
  const draw = ({ at, rows, columns }: Matrix, deviation: number) => {
    const range = deviation * 1.7320508075688772;
    for (let i = at; i < at + rows * columns; i++) weights[i] = (2 * random.unit() - 1) * range;
  };
  const one = ({ at, columns }: Matrix) => weights.fill(1, at, at + columns);
  const narrow = 1 / Math.sqrt(shape.width);
  const depth = 0.3 / Math.sqrt(2 * shape.layers);
  draw(layout.embedding, 0.3);
  for (const layer of layout.layers) {
    one(layer.attentionGain);
    draw(layer.queryKeyValue, narrow);
    draw(layer.attentionOutput, depth * narrow);
    one(layer.feedGain);
    draw(layer.feedIn, narrow);
    draw(layer.feedOut, (depth * narrow) / 2);
  }
  one(layout.outputGain);
  draw(layout.head, 0.02);
  return weights;
}
