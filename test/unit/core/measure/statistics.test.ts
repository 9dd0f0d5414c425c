// Owns the check of intervals on a mean: published values, properties, and coverage by simulation.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stream } from '../../../../src/core/measure/random.ts';
import { interval, mean, meanByTask, standardDeviation } from '../../../../src/core/measure/statistics.ts';
import { asId, type TaskId } from '../../../../src/core/model/ids.ts';

const binary = (right: number, of: number): number[] =>
  Array.from({ length: of }, (_, index) => (index < right ? 1 : 0));
const id = (name: string): TaskId => asId<TaskId>(name);
const scores = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 60 });
const confidences = fc.double({ min: 0.5, max: 0.999, noNaN: true });

describe('interval on 0/1 scores', () => {
  // Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998) 857-872, table I, method 3.
  test.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('%d of %d', (right, of, low, high) => {
    const limits = interval(binary(right, of), 0.95);
    expect(limits.low).toBeCloseTo(low, 4);
    expect(limits.high).toBeCloseTo(high, 4);
    expect(limits).toMatchObject({ method: 'Wilson score', confidence: 0.95 });
  });

  test('mirrors when every score is turned round', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.nat(50), (right, wrong) => {
        fc.pre(right + wrong > 0);
        const [a, b] = [
          interval(binary(right, right + wrong), 0.9),
          interval(binary(wrong, right + wrong), 0.9),
        ];
        expect(a.low).toBeCloseTo(1 - b.high, 12);
      }),
    );
  });

  test('covers the true rate as often as it says, averaged over rates', () => {
    const random = stream(7, 'coverage');
    const trials = 4_000;
    let covered = 0;
    for (let trial = 0; trial < trials; trial++) {
      const rate = 0.05 + 0.9 * random.unit();
      const limits = interval(
        Array.from({ length: 40 }, () => (random.unit() < rate ? 1 : 0)),
        0.95,
      );
      if (limits.low <= rate && rate <= limits.high) covered++;
    }
    expect(covered / trials).toBeGreaterThan(0.94);
    expect(covered / trials).toBeLessThan(0.965);
  });
});

describe('interval on other scores', () => {
  test('is the textbook t interval', () => {
    // Mean 0.5, s = 0.15811, n = 5, t(0.975, 4) = 2.776445: half width 0.19632.
    const limits = interval([0.3, 0.4, 0.5, 0.6, 0.7], 0.95);
    expect(limits.low).toBeCloseTo(0.5 - 0.196324, 5);
    expect(limits.high).toBeCloseTo(0.5 + 0.196324, 5);
    expect(limits.method).toContain('t');
  });

  test('gives a width to scores that do not vary, and to a single one', () => {
    for (const list of [[0.5, 0.5, 0.5], [0.5]]) {
      const limits = interval(list, 0.95);
      expect(limits.high - limits.low).toBeGreaterThan(0.5);
      expect(limits.method).toContain('bound');
    }
  });

  test('covers the true mean as often as it says', () => {
    const random = stream(11, 'coverage');
    const trials = 4_000;
    let covered = 0;
    for (let trial = 0; trial < trials; trial++) {
      const limits = interval(
        Array.from({ length: 25 }, () => (random.unit() + random.unit()) / 2),
        0.95,
      );
      if (limits.low <= 0.5 && 0.5 <= limits.high) covered++;
    }
    expect(Math.abs(covered / trials - 0.95)).toBeLessThan(0.012);
  });
});

describe('any interval', () => {
  test('lies in [0, 1] and holds the mean', () => {
    fc.assert(
      fc.property(scores, confidences, (list, confidence) => {
        const limits = interval(list, confidence);
        expect(limits.low).toBeGreaterThanOrEqual(0);
        expect(limits.high).toBeLessThanOrEqual(1);
        expect(limits.low).toBeLessThanOrEqual(mean(list));
        expect(limits.high).toBeGreaterThanOrEqual(mean(list));
      }),
    );
  });

  test('narrows with more of the same scores and widens with confidence', () => {
    const width = (list: readonly number[], confidence: number): number => {
      const { low, high } = interval(list, confidence);
      return high - low;
    };
    fc.assert(
      fc.property(
        fc.oneof(
          scores,
          fc.nat(9).map((right) => binary(right, 10)),
        ),
        (list) => {
          expect(width([...list, ...list, ...list, ...list], 0.95)).toBeLessThanOrEqual(
            width(list, 0.95) + 1e-12,
          );
          expect(width(list, 0.99)).toBeGreaterThanOrEqual(width(list, 0.9) - 1e-12);
        },
      ),
    );
  });

  test.each([[[]], [[1.1]], [[-0.1, 0.5]], [[NaN]]])('refuses scores %j', (list: number[]) =>
    expect(() => interval(list, 0.95)).toThrow(RangeError),
  );
  test.each([0, 1, NaN, 95])('refuses confidence %d', (confidence) =>
    expect(() => interval([1], confidence)).toThrow(RangeError),
  );
});

describe('mean, standardDeviation, meanByTask', () => {
  test('an empty mean is an error, not NaN', () => expect(() => mean([])).toThrow(RangeError));
  test('one value has no spread', () => expect(standardDeviation([0.4])).toBe(0));
  test('averages within a task, in order of first appearance', () => {
    const list = [
      { taskId: id('b'), score: 1 },
      { taskId: id('a'), score: 0.5 },
      { taskId: id('b'), score: 0 },
    ];
    expect([...meanByTask(list)]).toEqual([
      ['b', 0.5],
      ['a', 0.5],
    ]);
  });
});
