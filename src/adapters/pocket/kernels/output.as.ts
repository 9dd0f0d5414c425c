/**
 * Owns what happens to logits: the weighted cross-entropy with its gradient, and drawing a token from a row.
 * Rows are `V` floats apart, V a multiple of 4.
 */
import { exp4, maxLanes, sumLanes } from './vector.as';

/** Replaces logits by exp((logit - max) * inverse) over `bytes` of a row; returns their sum. */
// @ts-ignore: decorator
@inline
function exponentials(row: usize, bytes: usize, inverse: f32): f32 {
  let most = f32x4.splat(-1e30);
  for (let i: usize = 0; i < bytes; i += 16) most = f32x4.max(most, v128.load(row + i));
  const top = f32x4.splat(maxLanes(most));
  const factor = f32x4.splat(inverse);
  let total = f32x4.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const e = exp4(f32x4.mul(f32x4.sub(v128.load(row + i), top), factor));
    v128.store(row + i, e);
    total = f32x4.add(total, e);
  }
  return sumLanes(total);
}

/**
 * Logits[N, V] become weight * (softmax - onehot(target)), the gradient of the weighted cross-entropy;
 * probability[n] receives the target's.
 */
export function crossEntropy(N: i32, V: i32, logits: usize, targets: usize, weights: usize, probability: usize): void {
  const bytes = <usize>(V << 2);
  for (let n = 0; n < N; n++) {
    const row = logits + <usize>n * bytes;
    const share: f32 = <f32>1 / exponentials(row, bytes, 1);
    const at = row + <usize>(load<i32>(targets + (n << 2)) << 2);
    f32.store(probability + (n << 2), f32.load(at) * share);
    const weight = f32.load(weights + (n << 2));
    const factor = f32x4.splat(share * weight);
    for (let i: usize = 0; i < bytes; i += 16) v128.store(row + i, f32x4.mul(v128.load(row + i), factor));
    f32.store(at, f32.load(at) - weight);
  }
}

/**
 * One token a row among the first `count` (a multiple of 4): the first largest where inverse[n] is 0, else by
 * inverse transform from uniform[n] in [0, 1) at temperature 1 / inverse[n]. Overwrites the logits.
 */
export function drawTokens(
  N: i32, V: i32, count: i32, logits: usize, inverse: usize, uniform: usize, out: usize,
): void {
  const bytes = <usize>(count << 2);
  for (let n = 0; n < N; n++) {
    const row = logits + <usize>(n * V << 2);
    const factor = f32.load(inverse + (n << 2));
    let token = 0;
    if (factor == 0) {
      let best = f32.load(row);
      for (let i = 1; i < count; i++) {
        const value = f32.load(row + (i << 2));
        if (value > best) {
          best = value;
          token = i;
        }
      }
    } else {
      let left: f32 = exponentials(row, bytes, factor) * f32.load(uniform + (n << 2));
      for (let i = 0; i < count; i++) {
        const e = f32.load(row + (i << 2));
        if (e > 0) token = i;
        left -= e;
        if (left < 0) break;
      }
    }
    store<i32>(out + (n << 2), token);
  }
}
