/** Owns the plain twin of output.as.ts: the same ordered sums, one rounding an operation. */
import type { Kernels } from './kernels.ts';
import { exponentials } from './plainScalar.ts';

const f = Math.fround;

type OutputKernels = Pick<Kernels, 'crossEntropy' | 'drawTokens'>;

export function plainOutput(F: Float32Array, I: Int32Array): OutputKernels {
  return {
    crossEntropy: (N, V, logits, targets, weights, probability) => {
      for (let n = 0; n < N; n++) {
        const row = (logits >> 2) + n * V;
        const share = f(1 / exponentials(F, row, V, 1));
        const at = row + (I[(targets >> 2) + n] as number);
        F[(probability >> 2) + n] = f((F[at] as number) * share);
        const weight = F[(weights >> 2) + n] as number;
        const factor = f(share * weight);
        for (let i = 0; i < V; i++) F[row + i] = f((F[row + i] as number) * factor);
        F[at] = f((F[at] as number) - weight);
      }
    },
    drawTokens: (N, V, count, logits, inverse, uniform, out) => {
      for (let n = 0; n < N; n++) {
        const row = (logits >> 2) + n * V;
        const factor = F[(inverse >> 2) + n] as number;
        I[(out >> 2) + n] =
          factor === 0
            ? largest(F, row, count)
            : draw(F, row, count, f(exponentials(F, row, count, factor) * (F[(uniform >> 2) + n] as number)));
      }
    },
  };
}

function largest(F: Float32Array, row: number, count: number): number {
  let token = 0;
  for (let i = 1; i < count; i++) if ((F[row + i] as number) > (F[row + token] as number)) token = i;
  return token;
}

function draw(F: Float32Array, row: number, count: number, left: number): number {
  let token = 0;
  for (let i = 0; i < count && !(left < 0); i++) {
    const e = F[row + i] as number;
    if (e > 0) token = i;
    left = f(left - e);
  }
  return token;
}
