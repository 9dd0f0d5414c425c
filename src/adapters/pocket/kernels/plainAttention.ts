/** Owns the plain twin of attention.as.ts: the same ordered sums, one rounding an operation. */
import type { Kernels } from './kernels.ts';
import { exponentials } from './plainScalar.ts';

const f = Math.fround;
const headSize = 32;
const scale = f(0.17677669529663687);

type AttentionKernels = Pick<Kernels, 'attend' | 'attendBack' | 'storeKeys' | 'attendCache'>;

export function plainAttention(F: Float32Array, I: Int32Array): AttentionKernels {
  return { attend: attend(F, I), attendBack: attendBack(F, I), ...cached(F, I) };
}

/** q . k over one head: even and odd vectors of four apart, lanes added as in sumLanes. */
function dot(F: Float32Array, q: number, k: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let t0 = 0;
  let t1 = 0;
  let t2 = 0;
  let t3 = 0;
  for (let i = 0; i < headSize; i += 8) {
    s0 = f(s0 + f((F[q + i] as number) * (F[k + i] as number)));
    s1 = f(s1 + f((F[q + i + 1] as number) * (F[k + i + 1] as number)));
    s2 = f(s2 + f((F[q + i + 2] as number) * (F[k + i + 2] as number)));
    s3 = f(s3 + f((F[q + i + 3] as number) * (F[k + i + 3] as number)));
    t0 = f(t0 + f((F[q + i + 4] as number) * (F[k + i + 4] as number)));
    t1 = f(t1 + f((F[q + i + 5] as number) * (F[k + i + 5] as number)));
    t2 = f(t2 + f((F[q + i + 6] as number) * (F[k + i + 6] as number)));
    t3 = f(t3 + f((F[q + i + 7] as number) * (F[k + i + 7] as number)));
  }
  return f(f(f(s0 + t0) + f(s2 + t2)) + f(f(s1 + t1) + f(s3 + t3)));
}

function attendRow(
  F: Float32Array,
  q: number,
  keys: number,
  values: number,
  stride: number,
  count: number,
  p: number,
  out: number,
): void {
  const padded = (count + 3) & ~3;
  for (let u = 0; u < count; u++) F[p + u] = dot(F, q, keys + u * stride);
  for (let u = count; u < padded; u++) F[p + u] = -1e30;
  const share = f(1 / exponentials(F, p, padded, scale));
  for (let u = 0; u < padded; u++) F[p + u] = f((F[p + u] as number) * share);
  F.fill(0, out, out + headSize);
  for (let u = 0; u < count; u++) {
    const w = F[p + u] as number;
    const v = values + u * stride;
    for (let i = 0; i < headSize; i++) F[out + i] = f((F[out + i] as number) + f(w * (F[v + i] as number)));
  }
}

function attend(F: Float32Array, I: Int32Array): AttentionKernels['attend'] {
  return (S, starts, C, qkv, P, out) => {
    const stride = 3 * C;
    let p = P >> 2;
    for (let s = 0; s < S; s++) {
      const first = I[(starts >> 2) + s] as number;
      const length = (I[(starts >> 2) + s + 1] as number) - first;
      const base = (qkv >> 2) + first * stride;
      for (let h = 0; h < C; h += headSize)
        for (let t = 0; t < length; t++) {
          const o = (out >> 2) + (first + t) * C + h;
          attendRow(F, base + t * stride + h, base + C + h, base + 2 * C + h, stride, t + 1, p, o);
          p += (length + 3) & ~3;
        }
    }
  };
}

function attendBack(F: Float32Array, I: Int32Array): AttentionKernels['attendBack'] {
  return (S, starts, C, qkv, P, dout, dqkv, scratch) => {
    const stride = 3 * C;
    let p = P >> 2;
    for (let s = 0; s < S; s++) {
      const first = I[(starts >> 2) + s] as number;
      const length = (I[(starts >> 2) + s + 1] as number) - first;
      for (let h = 0; h < C; h += headSize)
        for (let t = 0; t < length; t++) {
          const d = (dout >> 2) + (first + t) * C + h;
          attendBackRow(F, first * stride + h, t, C, qkv >> 2, p, d, dqkv >> 2, scratch >> 2);
          p += (length + 3) & ~3;
        }
    }
  };
}

/** One query's share of the gradients; `head` is where its sequence's head starts within qkv and dqkv. */
function attendBackRow(
  F: Float32Array,
  head: number,
  t: number,
  C: number,
  qkv: number,
  p: number,
  d: number,
  dqkv: number,
  scratch: number,
): void {
  const stride = 3 * C;
  let mean = 0;
  for (let u = 0; u <= t; u++) {
    const z = dot(F, d, qkv + head + 2 * C + u * stride);
    F[scratch + u] = z;
    mean = f(mean + f(z * (F[p + u] as number)));
  }
  const q = qkv + head + t * stride;
  const dq = dqkv + head + t * stride;
  for (let u = 0; u <= t; u++) {
    const w = F[p + u] as number;
    const ds = f(f(w * f((F[scratch + u] as number) - mean)) * scale);
    const k = head + C + u * stride;
    const v = dqkv + head + 2 * C + u * stride;
    for (let i = 0; i < headSize; i++) {
      F[v + i] = f((F[v + i] as number) + f(w * (F[d + i] as number)));
      F[dqkv + k + i] = f((F[dqkv + k + i] as number) + f(ds * (F[q + i] as number)));
      F[dq + i] = f((F[dq + i] as number) + f(ds * (F[qkv + k + i] as number)));
    }
  }
}

function cached(F: Float32Array, I: Int32Array): Pick<AttentionKernels, 'storeKeys' | 'attendCache'> {
  return {
    storeKeys: (N, C, T, streams, positions, qkv, cache) => {
      for (let n = 0; n < N; n++) {
        const row = (I[(streams >> 2) + n] as number) * T + (I[(positions >> 2) + n] as number);
        const from = (qkv >> 2) + n * 3 * C + C;
        F.copyWithin((cache >> 2) + row * 2 * C, from, from + 2 * C);
      }
    },
    attendCache: (N, C, T, streams, positions, qkv, cache, out, scratch) => {
      for (let n = 0; n < N; n++) {
        const count = (I[(positions >> 2) + n] as number) + 1;
        const base = (cache >> 2) + (I[(streams >> 2) + n] as number) * T * 2 * C;
        for (let h = 0; h < C; h += headSize) {
          const q = (qkv >> 2) + n * 3 * C + h;
          const o = (out >> 2) + n * C + h;
          attendRow(F, q, base + h, base + C + h, 2 * C, count, scratch >> 2, o);
        }
      }
    },
  };
}
