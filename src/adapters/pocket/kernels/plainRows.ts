/** Owns the plain twin of rows.as.ts: the same ordered sums, one rounding an operation. */
import type { Kernels } from './kernels.ts';
import { laneProducts } from './plainScalar.ts';

const f = Math.fround;

type RowKernels = Pick<
  Kernels,
  | 'embed'
  | 'embedBack'
  | 'normalize'
  | 'normalizeBack'
  | 'shiftTokens'
  | 'shiftTokensBack'
  | 'rotate'
  | 'squaredRelu'
  | 'squaredReluBack'
  | 'sumSquares'
  | 'adamw'
>;

export function plainRows(F: Float32Array, I: Int32Array): RowKernels {
  return {
    ...embedding(F, I),
    ...normalization(F),
    ...shifts(F, I),
    rotate: rotation(F, I),
    ...pointwise(F),
  };
}

function embedding(F: Float32Array, I: Int32Array): Pick<RowKernels, 'embed' | 'embedBack'> {
  return {
    embed: (N, C, tokens, table, x) => {
      for (let n = 0; n < N; n++) {
        const from = (table >> 2) + (I[(tokens >> 2) + n] as number) * C;
        F.copyWithin((x >> 2) + n * C, from, from + C);
      }
    },
    embedBack: (N, C, tokens, gradient, dx) => {
      for (let n = 0; n < N; n++) {
        const to = (gradient >> 2) + (I[(tokens >> 2) + n] as number) * C;
        for (let i = 0; i < C; i++)
          F[to + i] = f((F[to + i] as number) + (F[(dx >> 2) + n * C + i] as number));
      }
    },
  };
}

function normalization(F: Float32Array): Pick<RowKernels, 'normalize' | 'normalizeBack'> {
  const epsilon = f(1e-5);
  return {
    normalize: (N, C, x, gain, y, scale) => {
      for (let n = 0; n < N; n++) {
        const a = (x >> 2) + n * C;
        const r = f(1 / f(Math.sqrt(f(f(laneProducts(F, a, a, C) / C) + epsilon))));
        F[(scale >> 2) + n] = r;
        for (let i = 0; i < C; i++)
          F[(y >> 2) + n * C + i] = f(f((F[a + i] as number) * r) * (F[(gain >> 2) + i] as number));
      }
    },
    normalizeBack: (N, C, x, gain, scale, dy, dx, dGain) => {
      const lanes = new Float32Array(4);
      for (let n = 0; n < N; n++) {
        const a = (x >> 2) + n * C;
        const d = (dy >> 2) + n * C;
        const o = (dx >> 2) + n * C;
        const r = F[(scale >> 2) + n] as number;
        lanes.fill(0);
        for (let i = 0; i < C; i++) {
          const t = f((F[a + i] as number) * (F[d + i] as number));
          const g = F[(gain >> 2) + i] as number;
          lanes[i & 3] = f((lanes[i & 3] as number) + f(t * g));
          const at = (dGain >> 2) + i;
          F[at] = f((F[at] as number) + f(t * r));
        }
        const even = f((lanes[0] as number) + (lanes[2] as number));
        const sum = f(even + f((lanes[1] as number) + (lanes[3] as number)));
        const k = f(f(f(f(sum * r) * r) * r) / C);
        for (let i = 0; i < C; i++) {
          const direct = f(r * f((F[d + i] as number) * (F[(gain >> 2) + i] as number)));
          F[o + i] = f((F[o + i] as number) + f(direct - f(k * (F[a + i] as number))));
        }
      }
    },
  };
}

function shifts(F: Float32Array, I: Int32Array): Pick<RowKernels, 'shiftTokens' | 'shiftTokensBack'> {
  return {
    shiftTokens: (N, C, width, streams, positions, h, previous) => {
      for (let n = 0; n < N; n++) {
        const row = (h >> 2) + n * C;
        const kept = (previous >> 2) + (I[(streams >> 2) + n] as number) * width;
        const first = I[(positions >> 2) + n] === 0;
        for (let i = 0; i < width; i++) {
          const v = F[row + i] as number;
          F[row + i] = first ? 0 : (F[kept + i] as number);
          F[kept + i] = v;
        }
      }
    },
    shiftTokensBack: (N, C, width, positions, d) => {
      for (let n = 0; n < N; n++) {
        const row = (d >> 2) + n * C;
        const last = n === N - 1 || I[(positions >> 2) + n + 1] === 0;
        for (let i = 0; i < width; i++) F[row + i] = last ? 0 : (F[row + C + i] as number);
      }
    },
  };
}

function rotation(F: Float32Array, I: Int32Array): RowKernels['rotate'] {
  return (N, C, positions, table, qkv, direction) => {
    for (let n = 0; n < N; n++) {
      const cosines = (table >> 2) + (I[(positions >> 2) + n] as number) * 32;
      for (let h = 0; h < 2 * C; h += 32) {
        const row = (qkv >> 2) + n * 3 * C + h;
        for (let i = 0; i < 16; i++) {
          const c = F[cosines + i] as number;
          const s = f((F[cosines + 16 + i] as number) * direction);
          const a = F[row + i] as number;
          const b = F[row + 16 + i] as number;
          F[row + i] = f(f(a * c) - f(b * s));
          F[row + 16 + i] = f(f(a * s) + f(b * c));
        }
      }
    }
  };
}

function pointwise(
  F: Float32Array,
): Pick<RowKernels, 'squaredRelu' | 'squaredReluBack' | 'sumSquares' | 'adamw'> {
  return {
    squaredRelu: (count, a, b) => {
      for (let i = 0; i < count; i++) {
        const v = Math.max(0, F[(a >> 2) + i] as number);
        F[(b >> 2) + i] = f(v * v);
      }
    },
    squaredReluBack: (count, a, d) => {
      for (let i = 0; i < count; i++) {
        const v = Math.max(0, F[(a >> 2) + i] as number);
        const at = (d >> 2) + i;
        F[at] = f((F[at] as number) * f(v + v));
      }
    },
    sumSquares: (count, a) => laneProducts(F, a >> 2, a >> 2, count),
    adamw: (count, w, g, m, v, step, beta1, beta2, correction, keep, clip) => {
      const [b1, b2, steps, corrections] = [f(beta1), f(beta2), f(step), f(correction)];
      const [keeps, clips, n1, n2, tiny] = [f(keep), f(clip), f(1 - b1), f(1 - b2), f(1e-8)];
      for (let i = 0; i < count; i++) {
        const gradient = f((F[(g >> 2) + i] as number) * clips);
        const mean = f(f((F[(m >> 2) + i] as number) * b1) + f(gradient * n1));
        const square = f(f((F[(v >> 2) + i] as number) * b2) + f(f(gradient * gradient) * n2));
        F[(m >> 2) + i] = mean;
        F[(v >> 2) + i] = square;
        const root = f(f(Math.sqrt(f(square * corrections))) + tiny);
        const at = (w >> 2) + i;
        F[at] = f(f((F[at] as number) * keeps) - f(f(steps * mean) / root));
      }
    },
  };
}
