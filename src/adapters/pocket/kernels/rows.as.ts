/**
 * Owns the kernels that treat each row by itself: embedding, RMSNorm, token shift, rotary position, squared ReLU,
 * and the weights' AdamW step. Addresses are bytes, sizes count floats and are multiples of 4.
 */
import { sumLanes } from './vector.as';

/** x[n] = table[token[n]], rows of C. */
export function embed(N: i32, C: i32, tokens: usize, table: usize, x: usize): void {
  const width = <usize>(C << 2);
  for (let n = 0; n < N; n++) {
    memory.copy(x + <usize>n * width, table + <usize>load<i32>(tokens + (n << 2)) * width, width);
  }
}

/** gradient[token[n]] += dx[n]. */
export function embedBack(N: i32, C: i32, tokens: usize, gradient: usize, dx: usize): void {
  const width = <usize>(C << 2);
  for (let n = 0; n < N; n++) {
    const to = gradient + <usize>load<i32>(tokens + (n << 2)) * width;
    const from = dx + <usize>n * width;
    for (let i: usize = 0; i < width; i += 16) {
      v128.store(to + i, f32x4.add(v128.load(to + i), v128.load(from + i)));
    }
  }
}

/** y = x * gain / sqrt(mean(x^2) + 1e-5) by row; `scale` keeps the reciprocal root (Zhang and Sennrich 2019). */
export function normalize(N: i32, C: i32, x: usize, gain: usize, y: usize, scale: usize): void {
  const width = <usize>(C << 2);
  for (let n = 0; n < N; n++) {
    const a = x + <usize>n * width;
    const o = y + <usize>n * width;
    let s = f32x4.splat(0);
    for (let i: usize = 0; i < width; i += 16) {
      const v = v128.load(a + i);
      s = f32x4.add(s, f32x4.mul(v, v));
    }
    const r: f32 = 1 / sqrt<f32>(sumLanes(s) / <f32>C + <f32>1e-5);
    f32.store(scale + (n << 2), r);
    const rv = f32x4.splat(r);
    for (let i: usize = 0; i < width; i += 16) {
      v128.store(o + i, f32x4.mul(f32x4.mul(v128.load(a + i), rv), v128.load(gain + i)));
    }
  }
}

/** Adds the gradients of `normalize` to dx and dGain. */
export function normalizeBack(
  N: i32,
  C: i32,
  x: usize,
  gain: usize,
  scale: usize,
  dy: usize,
  dx: usize,
  dGain: usize,
): void {
  const width = <usize>(C << 2);
  for (let n = 0; n < N; n++) {
    const a = x + <usize>n * width;
    const d = dy + <usize>n * width;
    const o = dx + <usize>n * width;
    const r = f32.load(scale + (n << 2));
    const rv = f32x4.splat(r);
    let s = f32x4.splat(0);
    for (let i: usize = 0; i < width; i += 16) {
      const t = f32x4.mul(v128.load(a + i), v128.load(d + i));
      s = f32x4.add(s, f32x4.mul(t, v128.load(gain + i)));
      v128.store(dGain + i, f32x4.add(v128.load(dGain + i), f32x4.mul(t, rv)));
    }
    const k = f32x4.splat((sumLanes(s) * r * r * r) / <f32>C);
    for (let i: usize = 0; i < width; i += 16) {
      const direct = f32x4.mul(rv, f32x4.mul(v128.load(d + i), v128.load(gain + i)));
      const v = f32x4.sub(direct, f32x4.mul(k, v128.load(a + i)));
      v128.store(o + i, f32x4.add(v128.load(o + i), v));
    }
  }
}

/**
 * Token shift (Peng et al. 2023): the first `width` floats of each row become those of the previous token of its
 * stream, 0 at position 0. `previous` keeps the last unshifted part by stream, so a stream can go on in a later call.
 * Rows of one stream must be in order of position.
 */
export function shiftTokens(
  N: i32,
  C: i32,
  width: i32,
  streams: usize,
  positions: usize,
  h: usize,
  previous: usize,
): void {
  const bytes = <usize>(width << 2);
  for (let n = 0; n < N; n++) {
    const row = h + <usize>((n * C) << 2);
    const kept = previous + <usize>load<i32>(streams + (n << 2)) * bytes;
    const first = load<i32>(positions + (n << 2)) == 0;
    for (let i: usize = 0; i < bytes; i += 16) {
      const v = v128.load(row + i);
      v128.store(row + i, first ? f32x4.splat(0) : v128.load(kept + i));
      v128.store(kept + i, v);
    }
  }
}

/** Gradient of `shiftTokens` in place, for whole sequences that start at position 0. */
export function shiftTokensBack(N: i32, C: i32, width: i32, positions: usize, d: usize): void {
  const bytes = <usize>(width << 2);
  const stride = <usize>(C << 2);
  for (let n = 0; n < N; n++) {
    const row = d + <usize>n * stride;
    const last = n == N - 1 || load<i32>(positions + ((n + 1) << 2)) == 0;
    for (let i: usize = 0; i < bytes; i += 16) {
      v128.store(row + i, last ? f32x4.splat(0) : v128.load(row + stride + i));
    }
  }
}

/**
 * Rotates queries and keys of qkv[N, 3C] by position (Su et al. 2021), heads of 32; direction -1 undoes it.
 * table[position] = 16 cosines, 16 sines.
 */
export function rotate(N: i32, C: i32, positions: usize, table: usize, qkv: usize, direction: f32): void {
  const sign = f32x4.splat(direction);
  const half = <usize>(C << 3);
  for (let n = 0; n < N; n++) {
    const cosines = table + <usize>(load<i32>(positions + (n << 2)) << 7);
    const row = qkv + <usize>(n * C * 12);
    for (let h: usize = 0; h < half; h += 128) {
      for (let i: usize = 0; i < 64; i += 16) {
        const c = v128.load(cosines + i);
        const s = f32x4.mul(v128.load(cosines + i, 64), sign);
        const a = v128.load(row + h + i);
        const b = v128.load(row + h + i, 64);
        v128.store(row + h + i, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s)));
        v128.store(row + h + i, f32x4.add(f32x4.mul(a, s), f32x4.mul(b, c)), 64);
      }
    }
  }
}

/** b = max(a, 0)^2 (So et al. 2021). */
export function squaredRelu(count: i32, a: usize, b: usize): void {
  const zero = f32x4.splat(0);
  const bytes = <usize>(count << 2);
  for (let i: usize = 0; i < bytes; i += 16) {
    const v = f32x4.max(zero, v128.load(a + i));
    v128.store(b + i, f32x4.mul(v, v));
  }
}

/** d *= 2 max(a, 0). */
export function squaredReluBack(count: i32, a: usize, d: usize): void {
  const zero = f32x4.splat(0);
  const bytes = <usize>(count << 2);
  for (let i: usize = 0; i < bytes; i += 16) {
    const v = f32x4.max(zero, v128.load(a + i));
    v128.store(d + i, f32x4.mul(v128.load(d + i), f32x4.add(v, v)));
  }
}

export function sumSquares(count: i32, a: usize): f32 {
  const bytes = <usize>(count << 2);
  let s = f32x4.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const v = v128.load(a + i);
    s = f32x4.add(s, f32x4.mul(v, v));
  }
  return sumLanes(s);
}

/**
 * AdamW (Loshchilov and Hutter 2019) on `count` weights: step = rate / (1 - beta1^t), correction = 1 / (1 - beta2^t),
 * keep = 1 - rate * decay; the gradient is scaled by `clip` first. Moments are updated in place.
 */
export function adamw(
  count: i32,
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  step: f32,
  beta1: f32,
  beta2: f32,
  correction: f32,
  keep: f32,
  clip: f32,
): void {
  const bytes = <usize>(count << 2);
  const b1 = f32x4.splat(beta1),
    b2 = f32x4.splat(beta2);
  const n1 = f32x4.splat(<f32>1 - beta1),
    n2 = f32x4.splat(<f32>1 - beta2);
  const steps = f32x4.splat(step),
    corrections = f32x4.splat(correction),
    keeps = f32x4.splat(keep);
  const clips = f32x4.splat(clip),
    tiny = f32x4.splat(1e-8);
  for (let i: usize = 0; i < bytes; i += 16) {
    const gradient = f32x4.mul(v128.load(g + i), clips);
    const mean = f32x4.add(f32x4.mul(v128.load(m + i), b1), f32x4.mul(gradient, n1));
    const square = f32x4.add(f32x4.mul(v128.load(v + i), b2), f32x4.mul(f32x4.mul(gradient, gradient), n2));
    v128.store(m + i, mean);
    v128.store(v + i, square);
    const root = f32x4.add(f32x4.sqrt(f32x4.mul(square, corrections)), tiny);
    const change = f32x4.div(f32x4.mul(steps, mean), root);
    v128.store(w + i, f32x4.sub(f32x4.mul(v128.load(w + i), keeps), change));
  }
}
