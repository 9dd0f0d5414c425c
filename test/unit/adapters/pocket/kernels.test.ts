import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '../../../../src/core/measure/random.ts';
import type { Device, Kernels } from '../../../../src/adapters/pocket/kernels/kernels.ts';
import { plain, pocketFolder, wasm } from './devices.ts';

const bytes = 1 << 20;
const a = 0;
const b = 1 << 17;
const c = 2 << 17;
const d = 3 << 17;
const e = 4 << 17;
const scratch = 5 << 17;
const small = 6 << 17;

/** Both devices with the same random contents; integers at `small` are left for the case to set. */
function both(
  seed: number,
  run: (kernels: Kernels, ints: Int32Array, floats: Float32Array) => number | void,
) {
  const results = [wasm(bytes), plain(bytes)].map((device: Device) => {
    const random = stream(seed, 'contents');
    for (let i = 0; i < small >> 2; i++) device.floats[i] = (random.unit() - 0.5) * 4;
    const value = run(device.kernels, device.ints, device.floats);
    // Scratch is not a result.
    device.floats.fill(0, scratch >> 2, small >> 2);
    return { value, memory: Buffer.from(device.ints.buffer) };
  });
  expect(results[0]?.value).toBe(results[1]?.value);
  expect(results[0]?.memory.equals(results[1]?.memory as Buffer)).toBe(true);
}

const seed = fc.integer({ min: 0, max: 1000 });
const count = (most: number) => fc.integer({ min: 1, max: most });
const eights = count(4).map((n) => 8 * n);
const cases = { numRuns: 25 };

describe('the WebAssembly kernels and their plain twin', () => {
  it('multiply alike, to the bit', () => {
    fc.assert(
      fc.property(seed, count(19), eights, count(24), fc.boolean(), (s, M, N, half, more) => {
        const K = 2 * half;
        both(s, (k) => {
          k.packPanels(N, K, b, N, 1, e);
          k.multiply(M, N, K, a, K, e, c, N, more ? 1 : 0);
        });
      }),
      cases,
    );
  });

  it('agree on the weights’ gradient and on transposed panels', () => {
    fc.assert(
      fc.property(seed, count(8), eights, count(300), (s, quarter, N, K) => {
        const M = 4 * quarter;
        both(s, (k) => {
          k.multiplyTransposed(M, N, K, a, M, b, N, c, N, scratch);
          k.packPanels(N, M, b, 1, M, e);
        });
      }),
      cases,
    );
  });

  it('agree on rows: embedding, norm, shift, rotation, activation', () => {
    fc.assert(
      fc.property(seed, count(12), fc.constantFrom(32, 64), (s, N, C) => {
        both(s, (k, ints) => {
          const [tokens, streams, positions] = [small, small + 256, small + 512];
          for (let n = 0; n < N; n++) {
            ints[(tokens >> 2) + n] = (n * 7 + s) % 16;
            ints[(streams >> 2) + n] = n % 2;
            ints[(positions >> 2) + n] = n >> 1;
          }
          k.embed(N, C, tokens, a, b);
          k.normalize(N, C, b, a, c, small + 768);
          k.normalizeBack(N, C, b, a, small + 768, c, d, e);
          k.shiftTokens(N, C, 16, streams, positions, c, e);
          k.shiftTokensBack(N, C, 16, positions, d);
          k.rotate(N, C, positions, e, a, s % 2 === 0 ? 1 : -1);
          k.squaredRelu(N * C, c, b);
          k.squaredReluBack(N * C, c, d);
          k.embedBack(N, C, tokens, e, d);
          return k.sumSquares(N * C, d);
        });
      }),
      cases,
    );
  });

  it('agree on attention, whole and against a cache', () => {
    fc.assert(
      fc.property(seed, fc.array(count(11), { minLength: 1, maxLength: 4 }), (s, lengths) => {
        const C = 64;
        both(s, (k, ints) => {
          let row = 0;
          for (const [i, length] of [...lengths, 0].entries()) {
            ints[(small >> 2) + i] = row;
            row += length;
          }
          k.attend(lengths.length, small, C, a, b, c);
          k.attendBack(lengths.length, small, C, a, b, c, d, scratch);
          const [streams, positions] = [small + 256, small + 512];
          for (const i of lengths.keys()) {
            ints[(streams >> 2) + i] = i;
            ints[(positions >> 2) + i] = lengths[i] as number;
          }
          k.storeKeys(lengths.length, C, 16, streams, positions, a, e);
          k.attendCache(lengths.length, C, 16, streams, positions, a, e, d, scratch);
        });
      }),
      cases,
    );
  });

  it('agree on the loss, on drawn tokens and on the optimizer’s step', () => {
    fc.assert(
      fc.property(
        seed,
        count(9),
        count(8),
        fc.double({ min: 0, max: 4, noNaN: true }),
        (s, N, quarter, factor) => {
          const V = 4 * quarter;
          both(s, (k, ints, floats) => {
            const [targets, inverse, uniform, out] = [small, small + 256, small + 512, small + 768];
            const random = stream(s, 'draws');
            for (let n = 0; n < N; n++) {
              ints[(targets >> 2) + n] = n % V;
              floats[(inverse >> 2) + n] = n % 3 === 0 ? 0 : factor;
              floats[(uniform >> 2) + n] = random.int(1 << 24) / (1 << 24);
            }
            k.drawTokens(N, V, V, b, inverse, uniform, out);
            k.crossEntropy(N, V, a, targets, c, d);
            // The second moment is never negative.
            for (let i = 0; i < 64; i++) floats[(e >> 2) + i] = Math.abs(floats[(e >> 2) + i] as number);
            k.adamw(64, a, b, c, e, 1e-3, 0.9, 0.98, 1.5, 0.999, 0.5);
          });
        },
      ),
      cases,
    );
  });

  it('give a row the same numbers whatever the number of rows', () => {
    const [N, K] = [24, 64];
    const device = wasm(bytes);
    const random = stream(1, 'rows');
    for (let i = 0; i < small >> 2; i++) device.floats[i] = random.unit() - 0.5;
    device.kernels.packPanels(N, K, b, N, 1, e);
    device.kernels.multiply(13, N, K, a, K, e, c, N, 0);
    for (let row = 0; row < 13; row++) {
      device.kernels.multiply(1, N, K, a + row * K * 4, K, e, d, N, 0);
      const at = (c >> 2) + row * N;
      expect([...device.floats.subarray(d >> 2, (d >> 2) + N)]).toEqual([
        ...device.floats.subarray(at, at + N),
      ]);
    }
  });

  it('are what the sources compile to', { timeout: 120_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'kernels-'));
    try {
      const built = join(folder, 'kernels.wasm');
      const script = fileURLToPath(new URL('../../../../scripts/build-kernels.mjs', import.meta.url));
      expect(spawnSync(process.execPath, [script, built]).status).toBe(0);
      expect(readFileSync(built).equals(readFileSync(`${pocketFolder}/kernels.wasm`))).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
