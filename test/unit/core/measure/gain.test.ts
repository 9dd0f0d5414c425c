// Owns the check of the paired comparison: published values, properties, coverage and power by simulation.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pairedGain } from '../../../../src/core/measure/gain.ts';
import { stream } from '../../../../src/core/measure/random.ts';
import type { Scored } from '../../../../src/core/measure/statistics.ts';
import { asId, type TaskId } from '../../../../src/core/model/ids.ts';

const scored = (scores: readonly number[]): Scored[] =>
  scores.map((score, index) => ({ taskId: asId<TaskId>(`t${index}`), score }));

/** Scores of baseline and candidate from a paired table: both right, candidate only, baseline only, neither. */
function fromTable(both: number, gained: number, lost: number, neither: number): [Scored[], Scored[]] {
  const repeat = (count: number, pair: [number, number]): [number, number][] =>
    Array.from({ length: count }, () => pair);
  const pairs = [
    ...repeat(both, [1, 1]),
    ...repeat(gained, [0, 1]),
    ...repeat(lost, [1, 0]),
    ...repeat(neither, [0, 0]),
  ];
  return [scored(pairs.map(([before]) => before)), scored(pairs.map(([, after]) => after))];
}

const table = fc
  .tuple(fc.nat(30), fc.nat(30), fc.nat(30), fc.nat(30))
  .filter((counts) => counts.some((count) => count > 0));
const pairedScores = fc
  .array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })), {
    minLength: 1,
    maxLength: 40,
  })
  .map((pairs): [Scored[], Scored[]] => [scored(pairs.map(([a]) => a)), scored(pairs.map(([, b]) => b))]);
const anyPairs = fc.oneof(
  table.map((counts) => fromTable(...counts)),
  pairedScores,
);

describe('pairedGain on 0/1 scores', () => {
  // First two: Newcombe, Statistics in Medicine 17 (1998) 2635-2650, method 10. Last two: Fagerland, Lydersen and Laake,
  // Statistical Analysis of Contingency Tables (2017), chapter 8 (Bentur 2009, Cavo 2012), square-and-add.
  test.each<[[number, number, number, number], number, number, number]>([
    [[20, 12, 2, 16], 0.2, 0.0562, 0.3292],
    [[36, 12, 2, 0], 0.2, 0.0569, 0.3404],
    [[1, 1, 7, 12], -0.2857, -0.5069, -0.0256],
    [[59, 6, 16, 80], -0.0621, -0.1186, -0.0046],
  ])('table %j', (counts, gain, low, high) => {
    const result = pairedGain(...fromTable(...counts), 0.95);
    expect(result.gain).toBeCloseTo(gain, 4);
    expect(result.interval.low).toBeCloseTo(low, 4);
    expect(result.interval.high).toBeCloseTo(high, 4);
    expect(result).toMatchObject({ better: counts[1], worse: counts[2], tied: counts[0] + counts[3] });
    expect(result.interval.method).toContain('method 10');
  });

  test('covers the true gain as often as it says, averaged over tables', () => {
    const random = stream(3, 'coverage');
    const trials = 4_000;
    let covered = 0;
    for (let trial = 0; trial < trials; trial++) {
      const weights = Array.from({ length: 4 }, () => 0.1 + random.unit());
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const [both, gained, lost] = weights.map((weight) => weight / total) as [
        number,
        number,
        number,
        number,
      ];
      const counts: [number, number, number, number] = [0, 0, 0, 0];
      for (let draw = 0; draw < 50; draw++) {
        const u = random.unit();
        const cell = u < both ? 0 : u < both + gained ? 1 : u < both + gained + lost ? 2 : 3;
        counts[cell] = counts[cell] + 1;
      }
      const { interval } = pairedGain(...fromTable(...counts), 0.95);
      const truth = gained - lost;
      if (interval.low <= truth && truth <= interval.high) covered++;
    }
    expect(covered / trials).toBeGreaterThan(0.94);
    expect(covered / trials).toBeLessThan(0.97);
  });

  test('a true gain of the smallest visible size is seen about 8 times in 10', () => {
    const random = stream(5, 'power');
    const tasks = 200;
    const changed = 0.3;
    const expected = pairedGain(...fromTable(70, 30, 30, 70), 0.95).smallestVisible;
    const trials = 1_500;
    let seen = 0;
    for (let trial = 0; trial < trials; trial++) {
      const counts: [number, number, number, number] = [0, 0, 0, 0];
      for (let draw = 0; draw < tasks; draw++) {
        const u = random.unit();
        const gained = (changed + expected) / 2;
        const cell = u < gained ? 1 : u < changed ? 2 : u < changed + (1 - changed) / 2 ? 0 : 3;
        counts[cell] = counts[cell] + 1;
      }
      if (pairedGain(...fromTable(...counts), 0.95).interval.low > 0) seen++;
    }
    expect(Math.abs(seen / trials - 0.8)).toBeLessThan(0.05);
  });

  test('smallestVisible follows Connor (1987): 30 % changed, 200 tasks', () => {
    // d sqrt(200) = 1.959964 sqrt(0.3) + 0.841621 sqrt(0.3 - d^2) at d = 0.1075.
    const { smallestVisible } = pairedGain(...fromTable(70, 30, 30, 70), 0.95);
    const side = 1.959964 * Math.sqrt(0.3) + 0.841621 * Math.sqrt(0.3 - smallestVisible ** 2);
    expect(smallestVisible * Math.sqrt(200)).toBeCloseTo(side, 5);
    expect(smallestVisible).toBeCloseTo(0.1075, 3);
  });

  test('no change seen still cannot show any gain however small', () => {
    const result = pairedGain(...fromTable(50, 0, 0, 50), 0.95);
    expect(result.gain).toBe(0);
    expect(result.interval.low).toBeLessThan(0);
    expect(result.smallestVisible).toBeGreaterThan(0.03);
    expect(result.smallestVisible).toBeLessThan(0.1);
  });

  test('three tasks can show nothing', () => {
    expect(pairedGain(...fromTable(0, 3, 0, 0), 0.95).smallestVisible).toBe(1);
  });
});

describe('pairedGain on other scores', () => {
  test('is the t interval on the differences', () => {
    const before = scored([0.1, 0.2, 0.3, 0.4, 0.5]);
    const after = scored([0.2, 0.2, 0.5, 0.5, 0.9]);
    // Differences 0.1 0 0.2 0.1 0.4: mean 0.16, s 0.151658, half width 2.776445 * s / sqrt(5) = 0.188306.
    const result = pairedGain(before, after, 0.95);
    expect(result.interval.low).toBeCloseTo(0.16 - 0.188306, 5);
    expect(result.interval.high).toBeCloseTo(0.16 + 0.188306, 5);
    expect(result).toMatchObject({ tasks: 5, better: 4, worse: 0, tied: 1 });
    expect(result.smallestVisible).toBeCloseTo(((1.959964 + 0.841621) * 0.151658) / Math.sqrt(5), 5);
  });

  test('gives a width to equal differences', () => {
    const result = pairedGain(scored([0.1, 0.2]), scored([0.4, 0.5]), 0.95);
    expect(result.interval.low).toBeLessThan(0);
    expect(result.interval.method).toContain('bound');
  });
});

describe('repeats and matching', () => {
  test('ten answers to two tasks are two tasks', () => {
    const many = (score: number): Scored[] =>
      Array.from({ length: 10 }, (_, index) => ({ taskId: asId<TaskId>(`t${index % 2}`), score }));
    const once = (score: number): Scored[] => scored([score, score]);
    expect(pairedGain(many(0), many(1), 0.95)).toEqual(pairedGain(once(0), once(1), 0.95));
  });

  test('order does not matter, and a different number of repeats is averaged', () => {
    const a = asId<TaskId>('a');
    const b = asId<TaskId>('b');
    const before = [
      { taskId: a, score: 0 },
      { taskId: b, score: 1 },
    ];
    const after = [
      { taskId: b, score: 1 },
      { taskId: a, score: 1 },
      { taskId: a, score: 0 },
    ];
    const result = pairedGain(before, after, 0.95);
    expect(result).toMatchObject({ tasks: 2, gain: 0.25, better: 1, tied: 1 });
    expect(result.interval.method).toContain('Student');
  });

  test('refuses empty sides and different tasks, saying how many', () => {
    expect(() => pairedGain([], scored([1]), 0.95)).toThrow(RangeError);
    expect(() => pairedGain(scored([1]), [], 0.95)).toThrow(RangeError);
    expect(() => pairedGain(scored([1, 1, 0]), scored([1]), 0.95)).toThrow(/2 only in the baseline/);
    expect(() => pairedGain(scored([1]), scored([2]), 0.95)).toThrow(RangeError);
    expect(() => pairedGain(scored([1]), scored([1]), 1)).toThrow(RangeError);
  });
});

describe('any gain', () => {
  test('lies in its interval, in [-1, 1], and its counts add up', () => {
    fc.assert(
      fc.property(anyPairs, ([before, after]) => {
        const result = pairedGain(before, after, 0.95);
        expect(result.interval.low).toBeGreaterThanOrEqual(-1);
        expect(result.interval.high).toBeLessThanOrEqual(1);
        expect(result.interval.low).toBeLessThanOrEqual(result.gain);
        expect(result.interval.high).toBeGreaterThanOrEqual(result.gain);
        expect(result.better + result.worse + result.tied).toBe(before.length);
        expect(result.smallestVisible).toBeGreaterThan(0);
        expect(result.smallestVisible).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('changes sign when the sides change places', () => {
    fc.assert(
      fc.property(anyPairs, ([before, after]) => {
        const [there, back] = [pairedGain(before, after, 0.9), pairedGain(after, before, 0.9)];
        expect(back.gain).toBeCloseTo(-there.gain, 12);
        expect(back.interval.low).toBeCloseTo(-there.interval.high, 9);
        expect(back.interval.high).toBeCloseTo(-there.interval.low, 9);
        expect([back.better, back.worse]).toEqual([there.worse, there.better]);
      }),
    );
  });

  test('four times the same pairs narrow it and show smaller gains', () => {
    fc.assert(
      fc.property(table, ([both, gained, lost, neither]) => {
        const one = pairedGain(...fromTable(both, gained, lost, neither), 0.95);
        const four = pairedGain(...fromTable(4 * both, 4 * gained, 4 * lost, 4 * neither), 0.95);
        const width = ({ interval }: typeof one): number => interval.high - interval.low;
        expect(width(four)).toBeLessThanOrEqual(width(one) + 1e-12);
        expect(four.smallestVisible).toBeLessThanOrEqual(one.smallestVisible + 1e-12);
      }),
    );
  });
});
