// Owns the check of judges' statistics on textbook cases, and of the corrections by simulation.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  categoryKappa,
  classification,
  cohenKappa,
  correctedMean,
  correctedShare,
  swapReport,
  type VerdictPair,
  verdictOfBothOrders,
} from '../../../../src/core/measure/judgeStatistics.ts';
import { stream } from '../../../../src/core/measure/random.ts';

const table = (counts: readonly (readonly [string, string, number])[]): VerdictPair[] =>
  counts.flatMap(([a, b, count]) => Array.from({ length: count }, (): VerdictPair => [a, b]));

describe('kappa', () => {
  test('a table worked out by hand', () => {
    // Observed 35 / 50; chance 25 / 50 * 30 / 50 + 25 / 50 * 20 / 50 = 0.5.
    const pairs = table([
      ['yes', 'yes', 20],
      ['yes', 'no', 5],
      ['no', 'yes', 10],
      ['no', 'no', 15],
    ]);
    expect(cohenKappa(pairs)).toBeCloseTo(0.4, 12);
    expect(categoryKappa(pairs, 'yes')).toBeCloseTo(0.4, 12);
  });

  test('1 for perfect, 0 for independent, none where chance is certain', () => {
    expect(
      cohenKappa(
        table([
          ['a', 'a', 3],
          ['b', 'b', 2],
          ['c', 'c', 1],
        ]),
      ),
    ).toBeCloseTo(1, 12);
    expect(
      cohenKappa(
        table([
          ['a', 'a', 4],
          ['a', 'b', 4],
          ['b', 'a', 4],
          ['b', 'b', 4],
        ]),
      ),
    ).toBeCloseTo(0, 12);
    expect(cohenKappa(table([['a', 'a', 5]]))).toBeNull();
    expect(cohenKappa([])).toBeNull();
  });

  test('symmetric, at most 1, and blind to names and order', () => {
    const verdict = fc.constantFrom('a', 'b', 'c');
    fc.assert(
      fc.property(fc.array(fc.tuple(verdict, verdict), { minLength: 1, maxLength: 20 }), (pairs) => {
        const kappa = cohenKappa(pairs);
        const turned = cohenKappa(pairs.map(([a, b]): VerdictPair => [`${b}!`, `${a}!`]).reverse());
        if (kappa === null) expect(turned).toBeNull();
        else {
          expect(turned).toBeCloseTo(kappa, 12);
          expect(kappa).toBeLessThanOrEqual(1 + 1e-12);
        }
      }),
    );
  });

  test('one category against the rest', () => {
    const pairs = table([
      ['a', 'a', 4],
      ['b', 'c', 4],
      ['c', 'b', 4],
    ]);
    expect(categoryKappa(pairs, 'a')).toBeCloseTo(1, 12);
    expect(cohenKappa(pairs)).toBeLessThan(0.1);
  });
});

test('classification averages over categories', () => {
  const report = classification(
    table([
      ['a', 'a', 3],
      ['a', 'b', 1],
      ['b', 'b', 1],
      ['b', 'a', 1],
    ]),
  );
  expect(report?.accuracy).toBeCloseTo(4 / 6, 12);
  expect(report?.precision).toBeCloseTo((3 / 4 + 1 / 2) / 2, 12);
  expect(report?.recall).toBeCloseTo((3 / 4 + 1 / 2) / 2, 12);
  expect(report?.f1).toBeCloseTo((3 / 4 + 1 / 2) / 2, 12);
  expect(classification([])).toBeNull();
});

describe('order swaps', () => {
  const items = [
    { first: 'x', swapped: 'x', label: 'x' },
    { first: 'x', swapped: 'y', label: 'y' },
    { first: null, swapped: 'y', label: 'y' },
    { first: null, swapped: null, label: 'x' },
  ];
  test('an unparsed verdict agrees with none and is wrong', () => {
    expect(swapReport(items)).toMatchObject({
      pairs: 4,
      unparsed: 3,
      agreement: 1 / 4,
      accuracy: { first: 1 / 4, swapped: 3 / 4, both: 1 / 2 },
    });
    expect(swapReport(items.map(({ first, swapped }) => ({ first, swapped })))?.accuracy).toBeNull();
    expect(swapReport([])).toBeNull();
  });
  test('both orders have to say the same', () => {
    expect(items.map(verdictOfBothOrders)).toEqual(['x', null, null, null]);
  });
});

describe('correctedShare', () => {
  test('by hand, and nothing to correct for a perfect judge', () => {
    const result = correctedShare(
      { items: 1000, passed: 800 },
      { good: 100, goodPassed: 90, bad: 100, badFailed: 70 },
      0.95,
    );
    expect(result).toMatchObject({ reported: 0.8, sensitivity: 0.9, specificity: 0.7 });
    expect(result.corrected).toBeCloseTo(0.5 / 0.6, 12);
    expect(result.interval.low).toBeLessThan(0.78);
    expect(result.interval.high).toBeGreaterThan(0.88);
    const perfect = correctedShare(
      { items: 100, passed: 40 },
      { good: 50, goodPassed: 50, bad: 50, badFailed: 50 },
      0.95,
    );
    expect(perfect.corrected).toBeCloseTo(0.4, 12);
  });

  test('says nothing where the judge is no better than chance or was not checked', () => {
    for (const check of [
      { good: 10, goodPassed: 5, bad: 10, badFailed: 5 },
      { good: 10, goodPassed: 2, bad: 10, badFailed: 2 },
      { good: 0, goodPassed: 0, bad: 10, badFailed: 10 },
    ]) {
      const result = correctedShare({ items: 100, passed: 50 }, check, 0.95);
      expect(result.corrected).toBeNull();
      expect(result.interval).toMatchObject({ low: 0, high: 1 });
    }
    const none = { good: 1, goodPassed: 2, bad: 1, badFailed: 1 };
    expect(() => correctedShare({ items: 1, passed: 1 }, none, 0.95)).toThrow(RangeError);
  });

  test('the interval covers the true share about as often as it says, where the reported share does not', () => {
    const random = stream(11, 'judge');
    const draws = (n: number, p: number): number => {
      let hits = 0;
      for (let index = 0; index < n; index++) if (random.unit() < p) hits++;
      return hits;
    };
    const [truth, sensitivity, specificity] = [0.6, 0.85, 0.75];
    let [covered, plain] = [0, 0];
    const trials = 600;
    for (let trial = 0; trial < trials; trial++) {
      const good = draws(300, truth);
      const passed = draws(good, sensitivity) + draws(300 - good, 1 - specificity);
      const check = {
        good: 80,
        goodPassed: draws(80, sensitivity),
        bad: 80,
        badFailed: draws(80, specificity),
      };
      const { interval, reported } = correctedShare({ items: 300, passed }, check, 0.9);
      if (interval.low <= truth && truth <= interval.high) covered++;
      if (Math.abs(reported - truth) < 1.645 * Math.sqrt((reported * (1 - reported)) / 300)) plain++;
    }
    expect(covered / trials).toBeGreaterThan(0.87);
    expect(covered / trials).toBeLessThan(0.96);
    expect(plain / trials).toBeLessThan(covered / trials);
  });
});

describe('correctedMean', () => {
  test('moves the judged mean by the mean error, and covers', () => {
    const result = correctedMean(
      [0.8, 0.9, 0.7, 0.8],
      [
        [0.8, 0.6],
        [0.9, 0.7],
        [0.7, 0.5],
      ],
      0.95,
    );
    expect(result?.reported).toBeCloseTo(0.8, 12);
    expect(result?.corrected).toBeCloseTo(0.6, 12);
    expect(result?.interval.low).toBeLessThan(0.6);
    expect(
      correctedMean(
        [0.5],
        [
          [0.5, 0.5],
          [0.4, 0.4],
        ],
        0.95,
      ),
    ).toBeNull();
    const random = stream(12, 'mean');
    let covered = 0;
    const trials = 500;
    for (let trial = 0; trial < trials; trial++) {
      const item = (): readonly [number, number] => {
        const person = 0.2 + 0.5 * random.unit();
        return [Math.min(1, person + 0.1 + 0.2 * random.unit()), person];
      };
      const pairs = Array.from({ length: 25 }, item);
      const judged = Array.from({ length: 100 }, () => item()[0]);
      const { interval } = correctedMean(judged, pairs, 0.9) ?? { interval: { low: 2, high: 2 } };
      if (interval.low <= 0.45 && 0.45 <= interval.high) covered++;
    }
    expect(covered / trials).toBeGreaterThan(0.85);
    expect(covered / trials).toBeLessThan(0.96);
  });
});
