/** Owns the plain twin of matrix.as.ts: the same ordered sums, one rounding an operation. */
import type { Kernels } from './kernels.ts';

const f = Math.fround;

type MatrixKernels = Pick<Kernels, 'packPanels' | 'multiply' | 'multiplyTransposed'>;

export function plainMatrix(F: Float32Array): MatrixKernels {
  return {
    packPanels: (N, K, source, kStride, nStride, target) => {
      const from = source >> 2;
      let to = target >> 2;
      for (let n = 0; n < N; n += 8)
        for (let k = 0; k < K; k++)
          for (let i = 0; i < 8; i++) F[to++] = F[from + k * kStride + (n + i) * nStride] as number;
    },
    multiply: (M, N, K, A, lda, panels, C, ldc, accumulate) => {
      for (let i = 0; i < M; i++)
        for (let j = 0; j < N; j += 4) {
          const panel = (panels >> 2) + (j >> 3) * K * 8 + (j & 7);
          tile(F, (A >> 2) + i * lda, 1, panel, 8, K, (C >> 2) + i * ldc + j, accumulate !== 0);
        }
    },
    multiplyTransposed: (M, N, K, A, lda, B, ldb, C, ldc) => {
      for (let i = 0; i < M; i++)
        for (let j = 0; j < N; j += 4)
          tile(F, (A >> 2) + i, lda, (B >> 2) + j, ldb, K, (C >> 2) + i * ldc + j, true);
    },
  };
}

/** Four neighbouring outputs: c[0..3] (+)= sum over k of a[k * aStride] * b[k * bStride + 0..3]. */
function tile(
  F: Float32Array,
  a: number,
  aStride: number,
  b: number,
  bStride: number,
  K: number,
  c: number,
  accumulate: boolean,
): void {
  let c0 = accumulate ? (F[c] as number) : 0;
  let c1 = accumulate ? (F[c + 1] as number) : 0;
  let c2 = accumulate ? (F[c + 2] as number) : 0;
  let c3 = accumulate ? (F[c + 3] as number) : 0;
  for (let k = 0; k < K; k++) {
    const t = F[a] as number;
    c0 = f(c0 + f(t * (F[b] as number)));
    c1 = f(c1 + f(t * (F[b + 1] as number)));
    c2 = f(c2 + f(t * (F[b + 2] as number)));
    c3 = f(c3 + f(t * (F[b + 3] as number)));
    a += aStride;
    b += bStride;
  }
  F[c] = c0;
  F[c + 1] = c1;
  F[c + 2] = c2;
  F[c + 3] = c3;
}
