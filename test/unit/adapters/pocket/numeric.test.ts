import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHalves, toHalves } from '../../../../src/adapters/pocket/halfPrecision.ts';
import { cosSin, exp, log, rotaryTable } from '../../../../src/adapters/pocket/numeric.ts';

const between = (min: number, max: number) => fc.double({ min, max, noNaN: true });

describe('arithmetic of our own', () => {
  it('is as good as the platform’s', () => {
    fc.assert(
      fc.property(between(-600, 600), (x) => {
        expect(Math.abs(exp(x) / Math.exp(x) - 1)).toBeLessThan(1e-12);
      }),
    );
    fc.assert(
      fc.property(between(1e-300, 1e300), (x) => {
        expect(Math.abs(log(x) - Math.log(x))).toBeLessThan(1e-12 * Math.max(1, Math.abs(Math.log(x))));
      }),
    );
    fc.assert(
      fc.property(between(-3000, 3000), (x) => {
        const [cosine, sine] = cosSin(x);
        expect(Math.abs(cosine - Math.cos(x))).toBeLessThan(1e-11);
        expect(Math.abs(sine - Math.sin(x))).toBeLessThan(1e-11);
      }),
    );
    expect(Number.isFinite(log(0))).toBe(true);
    expect(Number.isFinite(exp(1e9))).toBe(true);
  });

  it('turns slower with each pair of the rotary table', () => {
    const table = rotaryTable(2);
    expect([...table.subarray(0, 16)]).toEqual(Array.from({ length: 16 }, () => 1));
    expect(table[32]).toBeCloseTo(Math.cos(1), 6);
    expect(table[32 + 16 + 15]).toBeCloseTo(Math.sin(1e5 ** (-15 / 16)), 9);
  });
});

describe('half precision', () => {
  it('keeps every half as it is', () => {
    const halves = new Uint8Array(2 * 65_536);
    const view = new DataView(halves.buffer);
    // Infinities and NaN (exponent 31) are not weights.
    for (let half = 0; half < 65_536; half++)
      view.setUint16(2 * half, (half & 0x7c00) === 0x7c00 ? 0 : half, true);
    expect(Buffer.from(toHalves(fromHalves(halves))).equals(Buffer.from(halves))).toBe(true);
  });

  it('rounds to the nearest half', () => {
    fc.assert(
      fc.property(fc.float({ min: -60_000, max: 60_000, noNaN: true }), (value) => {
        const [rounded] = fromHalves(toHalves(Float32Array.of(value))) as unknown as [number];
        expect(Math.abs(rounded - value)).toBeLessThanOrEqual(Math.max(2 ** -25, Math.abs(value) * 2 ** -11));
      }),
      { numRuns: 2000 },
    );
  });
});
