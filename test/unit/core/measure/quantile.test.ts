// Owns the check of quantiles against published values (Wichura 1988; tables of Student's t).
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalQuantile, studentQuantile } from '../../../../src/core/measure/quantile.ts';

describe('normalQuantile', () => {
  test.each([
    [0.25, -0.6744897501960817],
    [0.001, -3.090232306167814],
    [1e-20, -9.262340089798408],
    [0.975, 1.959963984540054],
    [0.995, 2.5758293035489004],
    [0.8, 0.8416212335729143],
  ])('p = %d', (p, z) => expect(Math.abs(normalQuantile(p) - z)).toBeLessThan(1e-14 * Math.abs(z) * 10));

  test('is odd around one half', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 0.5, noNaN: true }), (p) => {
        expect(normalQuantile(p) + normalQuantile(1 - p)).toBeCloseTo(0, 9);
      }),
    );
  });

  test.each([0, 1, -1, NaN])('refuses %d', (p) => expect(() => normalQuantile(p)).toThrow(RangeError));
});

describe('studentQuantile', () => {
  test.each([
    [0.975, 1, 12.706204736174694],
    [0.975, 2, 4.302652729749462],
    [0.975, 5, 2.570581835636314],
    [0.975, 10, 2.2281388519649385],
    [0.975, 30, 2.0422724563012373],
    [0.975, 100, 1.9839715184496334],
    [0.995, 4, 4.604094871415897],
    [0.9995, 3, 12.923978636687485],
    [0.95, 120, 1.6576508985523],
  ])('p = %d with %d degrees of freedom', (p, freedom, t) =>
    expect(Math.abs(studentQuantile(p, freedom) / t - 1)).toBeLessThan(1e-9),
  );

  test('closed forms: tan for one degree of freedom, sqrt for two', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.501, max: 0.9999, noNaN: true }), (p) => {
        const two = ((2 * p - 1) * Math.SQRT2) / Math.sqrt(1 - (2 * p - 1) ** 2);
        expect(studentQuantile(p, 1) / Math.tan(Math.PI * (p - 0.5))).toBeCloseTo(1, 9);
        expect(studentQuantile(p, 2) / two).toBeCloseTo(1, 9);
      }),
    );
  });

  test('falls to the normal quantile as freedom grows', () => {
    const values = [3, 30, 300, 3_000, 300_000, 2_000_000].map((freedom) => studentQuantile(0.975, freedom));
    expect(values).toEqual([...values].sort((a, b) => b - a));
    expect(Math.abs((values[4] as number) - 1.9599639845)).toBeLessThan(1e-5);
    expect(values[5]).toBe(normalQuantile(0.975));
  });

  test('is odd and refuses less than one degree of freedom', () => {
    expect(studentQuantile(0.025, 7)).toBeCloseTo(-studentQuantile(0.975, 7), 10);
    expect(studentQuantile(0.5, 7)).toBe(0);
    expect(() => studentQuantile(0.9, 0)).toThrow(RangeError);
  });
});
