/**
 * Owns the matrix products in AssemblyScript SIMD. Addresses are bytes in linear memory, sizes count floats.
 * Deliberately has one micro-kernel per product and no special case for few rows: every output is the same ordered
 * sum whatever the number of rows, so a row's numbers cannot depend on its batch. A ragged last tile repeats its
 * last row instead. N must be a multiple of 8, K of `multiply` a multiple of 2.
 */

/** Rows of an inner block of the weight gradient: both panels of one block stay in the first-level cache. */
// @ts-ignore: decorator
@inline const BLOCK: i32 = 256;

// @ts-ignore: decorator
@inline
function mac(sum: v128, a: v128, b: v128): v128 {
  return f32x4.add(sum, f32x4.mul(a, b));
}

/** Copies source[k * kStride + n * nStride] into panels [N / 8][K][8], what `multiply` reads as its right side. */
export function packPanels(N: i32, K: i32, source: usize, kStride: i32, nStride: i32, target: usize): void {
  const ks = <usize>(kStride << 2);
  const ns = <usize>(nStride << 2);
  for (let n = 0; n < N; n += 8) {
    for (let k = 0; k < K; k++) {
      const from = source + <usize>k * ks + <usize>n * ns;
      for (let i = 0; i < 8; i++) f32.store(target + (i << 2), f32.load(from + <usize>i * ns));
      target += 32;
    }
  }
}

/** C[M, N] = (accumulate ? C : 0) + A[M, K] * panels, rows of A `lda` apart and of C `ldc` apart. */
export function multiply(
  M: i32, N: i32, K: i32, A: usize, lda: i32, panels: usize, C: usize, ldc: i32, accumulate: i32,
): void {
  const aStride = <usize>(lda << 2);
  const cStride = <usize>(ldc << 2);
  const end = M - 1;
  for (let i = 0; i < M; i += 4) {
    const r1 = <usize>min(i + 1, end);
    const r2 = <usize>min(i + 2, end);
    const r3 = <usize>min(i + 3, end);
    const A0 = A + <usize>i * aStride;
    const A1 = A + r1 * aStride;
    const A2 = A + r2 * aStride;
    const A3 = A + r3 * aStride;
    let p = panels;
    for (let j = 0; j < N; j += 8) {
      const offset = <usize>(j << 2);
      const C0 = C + <usize>i * cStride + offset;
      const C1 = C + r1 * cStride + offset;
      const C2 = C + r2 * cStride + offset;
      const C3 = C + r3 * cStride + offset;
      let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00;
      let c20 = c00, c21 = c00, c30 = c00, c31 = c00;
      if (accumulate) {
        c00 = v128.load(C0); c01 = v128.load(C0, 16); c10 = v128.load(C1); c11 = v128.load(C1, 16);
        c20 = v128.load(C2); c21 = v128.load(C2, 16); c30 = v128.load(C3); c31 = v128.load(C3, 16);
      }
      let a0 = A0, a1 = A1, a2 = A2, a3 = A3;
      const stop = p + <usize>(K << 5);
      while (p < stop) {
        let b0 = v128.load(p), b1 = v128.load(p, 16), t = v128.load32_splat(a0);
        c00 = mac(c00, t, b0); c01 = mac(c01, t, b1);
        t = v128.load32_splat(a1); c10 = mac(c10, t, b0); c11 = mac(c11, t, b1);
        t = v128.load32_splat(a2); c20 = mac(c20, t, b0); c21 = mac(c21, t, b1);
        t = v128.load32_splat(a3); c30 = mac(c30, t, b0); c31 = mac(c31, t, b1);
        b0 = v128.load(p, 32); b1 = v128.load(p, 48); t = v128.load32_splat(a0, 4);
        c00 = mac(c00, t, b0); c01 = mac(c01, t, b1);
        t = v128.load32_splat(a1, 4); c10 = mac(c10, t, b0); c11 = mac(c11, t, b1);
        t = v128.load32_splat(a2, 4); c20 = mac(c20, t, b0); c21 = mac(c21, t, b1);
        t = v128.load32_splat(a3, 4); c30 = mac(c30, t, b0); c31 = mac(c31, t, b1);
        p += 64;
        a0 += 8; a1 += 8; a2 += 8; a3 += 8;
      }
      v128.store(C0, c00); v128.store(C0, c01, 16); v128.store(C1, c10); v128.store(C1, c11, 16);
      v128.store(C2, c20); v128.store(C2, c21, 16); v128.store(C3, c30); v128.store(C3, c31, 16);
    }
  }
}

/**
 * C[M, N] += transpose(A[K, M]) * B[K, N]: the gradient of a weight matrix, summed over rows k in order.
 * M must be a multiple of 4. `scratch` holds BLOCK * (N + 4) floats.
 */
export function multiplyTransposed(
  M: i32, N: i32, K: i32, A: usize, lda: i32, B: usize, ldb: i32, C: usize, ldc: i32, scratch: usize,
): void {
  const aStride = <usize>(lda << 2);
  const bStride = <usize>(ldb << 2);
  const cStride = <usize>(ldc << 2);
  const left = scratch + <usize>(N * BLOCK << 2);
  for (let k0 = 0; k0 < K; k0 += BLOCK) {
    const rows = min(BLOCK, K - k0);
    for (let k = 0; k < rows; k++) {
      const from = B + <usize>(k0 + k) * bStride;
      for (let j = 0; j < N; j += 8) {
        const to = scratch + <usize>((j * rows + (k << 3)) << 2);
        v128.store(to, v128.load(from + (j << 2)));
        v128.store(to, v128.load(from + (j << 2), 16), 16);
      }
    }
    for (let i = 0; i < M; i += 4) {
      const column = A + <usize>k0 * aStride + <usize>(i << 2);
      for (let k = 0; k < rows; k++) v128.store(left + <usize>(k << 4), v128.load(column + <usize>k * aStride));
      const C0 = C + <usize>i * cStride;
      let p = scratch;
      for (let j = 0; j < N; j += 8) {
        const c0 = C0 + <usize>(j << 2);
        const c1 = c0 + cStride, c2 = c1 + cStride, c3 = c2 + cStride;
        let c00 = v128.load(c0), c01 = v128.load(c0, 16), c10 = v128.load(c1), c11 = v128.load(c1, 16);
        let c20 = v128.load(c2), c21 = v128.load(c2, 16), c30 = v128.load(c3), c31 = v128.load(c3, 16);
        let a = left;
        const stop = p + <usize>(rows << 5);
        while (p < stop) {
          const b0 = v128.load(p), b1 = v128.load(p, 16);
          let t = v128.load32_splat(a); c00 = mac(c00, t, b0); c01 = mac(c01, t, b1);
          t = v128.load32_splat(a, 4); c10 = mac(c10, t, b0); c11 = mac(c11, t, b1);
          t = v128.load32_splat(a, 8); c20 = mac(c20, t, b0); c21 = mac(c21, t, b1);
          t = v128.load32_splat(a, 12); c30 = mac(c30, t, b0); c31 = mac(c31, t, b1);
          p += 32;
          a += 16;
        }
        v128.store(c0, c00); v128.store(c0, c01, 16); v128.store(c1, c10); v128.store(c1, c11, 16);
        v128.store(c2, c20); v128.store(c2, c21, 16); v128.store(c3, c30); v128.store(c3, c31, 16);
      }
    }
  }
}
