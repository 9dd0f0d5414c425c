/**
 * Owns causal attention over heads of 32 floats: whole sequences for training, and single rows against a cache of
 * keys and values for sampling. Both use one routine for a row, so a token's numbers are the same either way.
 * Deliberately assumes 3 readable rows after the last key: keys are read four at a time, the surplus is masked.
 */
import { exp4, maxLanes, sumLanes } from './vector.as';

/** 1 / sqrt(32) */
// @ts-ignore: decorator
@inline const SCALE: f32 = 0.17677669529663687;

// @ts-ignore: decorator
@inline
function dot(q0: v128, q1: v128, q2: v128, q3: v128, q4: v128, q5: v128, q6: v128, q7: v128, k: usize): v128 {
  let even = f32x4.mul(q0, v128.load(k));
  let odd = f32x4.mul(q1, v128.load(k, 16));
  even = f32x4.add(even, f32x4.mul(q2, v128.load(k, 32)));
  odd = f32x4.add(odd, f32x4.mul(q3, v128.load(k, 48)));
  even = f32x4.add(even, f32x4.mul(q4, v128.load(k, 64)));
  odd = f32x4.add(odd, f32x4.mul(q5, v128.load(k, 80)));
  even = f32x4.add(even, f32x4.mul(q6, v128.load(k, 96)));
  odd = f32x4.add(odd, f32x4.mul(q7, v128.load(k, 112)));
  return f32x4.add(even, odd);
}

/** out[u] = q . key[u] for u < count, four keys at a time; lanes are summed in the order of `sumLanes`. */
// @ts-ignore: decorator
@inline
function dots(q: usize, keys: usize, stride: usize, count: i32, out: usize): void {
  const q0 = v128.load(q), q1 = v128.load(q, 16), q2 = v128.load(q, 32), q3 = v128.load(q, 48);
  const q4 = v128.load(q, 64), q5 = v128.load(q, 80), q6 = v128.load(q, 96), q7 = v128.load(q, 112);
  for (let u = 0; u < count; u += 4) {
    const a = dot(q0, q1, q2, q3, q4, q5, q6, q7, keys);
    const b = dot(q0, q1, q2, q3, q4, q5, q6, q7, keys + stride);
    const c = dot(q0, q1, q2, q3, q4, q5, q6, q7, keys + (stride << 1));
    const d = dot(q0, q1, q2, q3, q4, q5, q6, q7, keys + 3 * stride);
    const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
    const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
    const sums = f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
    v128.store(out + (u << 2), sums);
    keys += 4 * stride;
  }
}

/** One query over `count` keys and values; p receives the probabilities, zero up to the next multiple of 4. */
// @ts-ignore: decorator
@inline
function attendRow(q: usize, keys: usize, values: usize, stride: usize, count: i32, p: usize, out: usize): void {
  dots(q, keys, stride, count, p);
  const padded = (count + 3) & ~3;
  for (let u = count; u < padded; u++) f32.store(p + (u << 2), -1e30);
  const bytes = <usize>(padded << 2);
  let most = f32x4.splat(-1e30);
  for (let i: usize = 0; i < bytes; i += 16) most = f32x4.max(most, v128.load(p + i));
  const top = f32x4.splat(maxLanes(most));
  const scale = f32x4.splat(SCALE);
  let total = f32x4.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const e = exp4(f32x4.mul(f32x4.sub(v128.load(p + i), top), scale));
    v128.store(p + i, e);
    total = f32x4.add(total, e);
  }
  const share = f32x4.splat(<f32>1 / sumLanes(total));
  for (let i: usize = 0; i < bytes; i += 16) v128.store(p + i, f32x4.mul(v128.load(p + i), share));
  let o0 = f32x4.splat(0), o1 = o0, o2 = o0, o3 = o0, o4 = o0, o5 = o0, o6 = o0, o7 = o0;
  for (let u = 0; u < count; u++) {
    const w = v128.load32_splat(p + (u << 2));
    o0 = f32x4.add(o0, f32x4.mul(w, v128.load(values)));
    o1 = f32x4.add(o1, f32x4.mul(w, v128.load(values, 16)));
    o2 = f32x4.add(o2, f32x4.mul(w, v128.load(values, 32)));
    o3 = f32x4.add(o3, f32x4.mul(w, v128.load(values, 48)));
    o4 = f32x4.add(o4, f32x4.mul(w, v128.load(values, 64)));
    o5 = f32x4.add(o5, f32x4.mul(w, v128.load(values, 80)));
    o6 = f32x4.add(o6, f32x4.mul(w, v128.load(values, 96)));
    o7 = f32x4.add(o7, f32x4.mul(w, v128.load(values, 112)));
    values += stride;
  }
  v128.store(out, o0); v128.store(out, o1, 16); v128.store(out, o2, 32); v128.store(out, o3, 48);
  v128.store(out, o4, 64); v128.store(out, o5, 80); v128.store(out, o6, 96); v128.store(out, o7, 112);
}

/**
 * Sequences packed end to end: starts[S + 1] are row numbers. Writes out[N, C] and the probabilities P: by sequence,
 * head and row, rows of the length rounded up to a multiple of 4.
 */
export function attend(S: i32, starts: usize, C: i32, qkv: usize, P: usize, out: usize): void {
  const width = <usize>(C << 2);
  const stride = <usize>3 * width;
  for (let s = 0; s < S; s++) {
    const first = load<i32>(starts + (s << 2));
    const length = load<i32>(starts + ((s + 1) << 2)) - first;
    const row = <usize>(((length + 3) & ~3) << 2);
    const base = qkv + <usize>first * stride;
    for (let h: usize = 0; h < width; h += 128) {
      for (let t = 0; t < length; t++) {
        attendRow(
          base + <usize>t * stride + h, base + width + h, base + (width << 1) + h, stride, t + 1,
          P, out + <usize>(first + t) * width + h,
        );
        P += row;
      }
    }
  }
}

/** Adds the gradients of `attend` to dqkv, which must be zero where it was not written; `scratch` holds one row of P. */
export function attendBack(
  S: i32, starts: usize, C: i32, qkv: usize, P: usize, dout: usize, dqkv: usize, scratch: usize,
): void {
  const width = <usize>(C << 2);
  const stride = <usize>3 * width;
  for (let s = 0; s < S; s++) {
    const first = load<i32>(starts + (s << 2));
    const length = load<i32>(starts + ((s + 1) << 2)) - first;
    const row = <usize>(((length + 3) & ~3) << 2);
    for (let h: usize = 0; h < width; h += 128) {
      const head = <usize>first * stride + h;
      for (let t = 0; t < length; t++) {
        const d = dout + <usize>(first + t) * width + h;
        dots(d, qkv + head + (width << 1), stride, t + 1, scratch);
        let mean: f32 = 0;
        for (let u = 0; u <= t; u++) mean += f32.load(scratch + (u << 2)) * f32.load(P + (u << 2));
        const d0 = v128.load(d), d1 = v128.load(d, 16), d2 = v128.load(d, 32), d3 = v128.load(d, 48);
        const d4 = v128.load(d, 64), d5 = v128.load(d, 80), d6 = v128.load(d, 96), d7 = v128.load(d, 112);
        let dv = dqkv + head + (width << 1);
        for (let u = 0; u <= t; u++) {
          const p = v128.load32_splat(P + (u << 2));
          v128.store(dv, f32x4.add(v128.load(dv), f32x4.mul(p, d0)));
          v128.store(dv, f32x4.add(v128.load(dv, 16), f32x4.mul(p, d1)), 16);
          v128.store(dv, f32x4.add(v128.load(dv, 32), f32x4.mul(p, d2)), 32);
          v128.store(dv, f32x4.add(v128.load(dv, 48), f32x4.mul(p, d3)), 48);
          v128.store(dv, f32x4.add(v128.load(dv, 64), f32x4.mul(p, d4)), 64);
          v128.store(dv, f32x4.add(v128.load(dv, 80), f32x4.mul(p, d5)), 80);
          v128.store(dv, f32x4.add(v128.load(dv, 96), f32x4.mul(p, d6)), 96);
          v128.store(dv, f32x4.add(v128.load(dv, 112), f32x4.mul(p, d7)), 112);
          dv += stride;
        }
        const q = qkv + head + <usize>t * stride;
        const q0 = v128.load(q), q1 = v128.load(q, 16), q2 = v128.load(q, 32), q3 = v128.load(q, 48);
        const q4 = v128.load(q, 64), q5 = v128.load(q, 80), q6 = v128.load(q, 96), q7 = v128.load(q, 112);
        let dk = dqkv + head + width;
        for (let u = 0; u <= t; u++) {
          const at = <usize>(u << 2);
          const ds = f32.load(P + at) * (f32.load(scratch + at) - mean) * SCALE;
          f32.store(scratch + at, ds);
          const w = f32x4.splat(ds);
          v128.store(dk, f32x4.add(v128.load(dk), f32x4.mul(w, q0)));
          v128.store(dk, f32x4.add(v128.load(dk, 16), f32x4.mul(w, q1)), 16);
          v128.store(dk, f32x4.add(v128.load(dk, 32), f32x4.mul(w, q2)), 32);
          v128.store(dk, f32x4.add(v128.load(dk, 48), f32x4.mul(w, q3)), 48);
          v128.store(dk, f32x4.add(v128.load(dk, 64), f32x4.mul(w, q4)), 64);
          v128.store(dk, f32x4.add(v128.load(dk, 80), f32x4.mul(w, q5)), 80);
          v128.store(dk, f32x4.add(v128.load(dk, 96), f32x4.mul(w, q6)), 96);
          v128.store(dk, f32x4.add(v128.load(dk, 112), f32x4.mul(w, q7)), 112);
          dk += stride;
        }
        const dq = dqkv + head + <usize>t * stride;
        for (let i: usize = 0; i < 128; i += 16) {
          let sum = v128.load(dq + i);
          let k = qkv + head + width + i;
          for (let u = 0; u <= t; u++) {
            sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(scratch + (u << 2)), v128.load(k)));
            k += stride;
          }
          v128.store(dq + i, sum);
        }
        P += row;
      }
    }
  }
}

/** Copies keys and values of qkv[N, 3C] to cache[stream][position][2C], `T` positions a stream. */
export function storeKeys(N: i32, C: i32, T: i32, streams: usize, positions: usize, qkv: usize, cache: usize): void {
  const width = <usize>(C << 2);
  for (let n = 0; n < N; n++) {
    const stream = load<i32>(streams + (n << 2));
    const position = load<i32>(positions + (n << 2));
    memory.copy(
      cache + <usize>(stream * T + position) * (width << 1),
      qkv + <usize>(3 * n + 1) * width,
      width << 1,
    );
  }
}

/** Rows of queries (rows of qkv[N, 3C]) over the cache up to each row's own position; `scratch` holds T + 3 floats. */
export function attendCache(
  N: i32, C: i32, T: i32, streams: usize, positions: usize, qkv: usize, cache: usize, out: usize, scratch: usize,
): void {
  const width = <usize>(C << 2);
  const stride = <usize>(width << 1);
  for (let n = 0; n < N; n++) {
    const position = load<i32>(positions + (n << 2));
    const base = cache + <usize>(load<i32>(streams + (n << 2)) * T) * stride;
    for (let h: usize = 0; h < width; h += 128) {
      attendRow(
        qkv + <usize>(3 * n) * width + h, base + h, base + width + h, stride, position + 1,
        scratch, out + <usize>n * width + h,
      );
    }
  }
}
