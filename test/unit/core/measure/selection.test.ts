// Owns the check of what choosing does to a score, and of gains on tasks that come in clusters.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pairedGain } from '../../../../src/core/measure/gain.ts';
import { stream } from '../../../../src/core/measure/random.ts';
import {
  confirmWinner,
  expectedMaximum,
  expectedOptimism,
  standardErrorOf,
  tasksToShow,
} from '../../../../src/core/measure/selection.ts';
import type { Scored } from '../../../../src/core/measure/statistics.ts';
import { asId, type TaskId } from '../../../../src/core/model/ids.ts';

const id = (name: string): TaskId => asId<TaskId>(name);
const scored = (scores: readonly number[], prefix = 't'): Scored[] =>
  scores.map((score, index) => ({ taskId: id(`${prefix}${index}`), score }));

describe('the best of many', () => {
  // Expected normal order statistics: Harter (1961), Biometrika 48, 151-165, table 1.
  test.each([
    [1, 0],
    [2, 0.5642],
    [3, 0.8463],
    [4, 1.0294],
    [10, 1.5388],
    [50, 2.2491],
    [100, 2.5076],
  ])('the largest of %d', (k, value) => expect(expectedMaximum(k)).toBeCloseTo(value, 3));

  test('grows with k and with the error', () => {
    expect(expectedOptimism(0.02, 10)).toBeCloseTo(0.0308, 3);
    expect(expectedMaximum(1_000_000)).toBeCloseTo(4.863, 2);
    expect(() => expectedMaximum(0)).toThrow(RangeError);
  });

  test('tasksToShow is where smallestVisible gets down to the gain', () => {
    for (const [gain, changed] of [
      [0.1, 0.3],
      [0.05, 0.2],
      [0.2, 0.2],
    ] as const) {
      const n = tasksToShow(gain, changed, 0.95);
      const visible = (size: number): number => {
        const lost = Math.round(((changed - gain) / 2) * size);
        const won = Math.round(((changed + gain) / 2) * size);
        const before = Array.from({ length: size }, (_task, index) => (index < lost ? 1 : 0));
        const after = Array.from({ length: size }, (_task, index) =>
          index >= lost && index < lost + won ? 1 : 0,
        );
        return pairedGain(scored(before), scored(after), 0.95).smallestVisible;
      };
      expect(visible(n * 4)).toBeLessThan(gain);
      expect(visible(Math.floor(n / 4))).toBeGreaterThan(gain);
      expect(visible(n)).toBeCloseTo(gain, 1);
    }
    expect(() => tasksToShow(0, 0.5, 0.95)).toThrow(RangeError);
  });

  test('a winner by luck is not confirmed, a better one is', () => {
    const random = stream(5, 'winner');
    const draw = (n: number, p: number): number[] =>
      Array.from({ length: n }, () => Number(random.unit() < p));
    let confirmedByLuck = 0;
    let confirmedBetter = 0;
    let shrinkage = 0;
    let optimism = 0;
    const trials = 60;
    for (let trial = 0; trial < trials; trial++) {
      const base = scored(draw(100, 0.5));
      const best = Array.from({ length: 20 }, () => pairedGain(base, scored(draw(100, 0.5)), 0.95)).reduce(
        (a, b) => (b.gain > a.gain ? b : a),
      );
      const freshBase = scored(draw(400, 0.5), 'f');
      const luck = confirmWinner(best, pairedGain(freshBase, scored(draw(400, 0.5), 'f'), 0.95), 20);
      const real = confirmWinner(best, pairedGain(freshBase, scored(draw(400, 0.7), 'f'), 0.95), 20);
      confirmedByLuck += Number(luck.confirmed);
      confirmedBetter += Number(real.confirmed);
      shrinkage += luck.shrinkage / trials;
      optimism += luck.expectedOptimism / trials;
      expect(luck.reason).toContain('chosen among 20');
    }
    expect(confirmedByLuck).toBeLessThan(trials / 8);
    expect(confirmedBetter).toBeGreaterThan(trials * 0.9);
    expect(shrinkage).toBeGreaterThan(0.04);
    expect(optimism).toBeGreaterThan(shrinkage * 0.8);
  });

  test('says when the winner is worse', () => {
    const [low, high] = [
      scored(Array.from({ length: 50 }, () => 0)),
      scored(Array.from({ length: 50 }, () => 1)),
    ];
    const [up, down] = [pairedGain(low, high, 0.95), pairedGain(high, low, 0.95)];
    expect(confirmWinner(up, down, 5)).toMatchObject({ confirmed: false });
    expect(confirmWinner(up, down, 5).reason).toContain('worse on fresh tasks');
    expect(standardErrorOf(up)).toBeGreaterThan(0);
  });
});

describe('gains on clustered tasks', () => {
  const clusterOf = (scores: readonly Scored[], size: number) =>
    new Map(scores.map(({ taskId }, index) => [taskId, `c${Math.floor(index / size)}`]));

  test('clusters of one task change nothing', () => {
    const score = fc.constantFrom(0, 0.25, 1);
    fc.assert(
      fc.property(fc.array(fc.tuple(score, score), { minLength: 1, maxLength: 20 }), (pairs) => {
        const [a, b] = [scored(pairs.map(([x]) => x)), scored(pairs.map(([, y]) => y))];
        expect(pairedGain(a, b, 0.95, clusterOf(a, 1))).toEqual(pairedGain(a, b, 0.95));
        expect(pairedGain(a, b, 0.95, new Map())).toEqual(pairedGain(a, b, 0.95));
      }),
    );
  });

  test('copies of a task in one cluster count about as that task alone', () => {
    const [before, after] = [
      [0, 0.5, 1, 0, 0.5, 0],
      [1, 0.5, 0.5, 0.5, 1, 0],
    ];
    const copies = (scores: readonly number[]): Scored[] =>
      scored(scores.flatMap((score) => Array.from({ length: 10 }, () => score)));
    const [a, b] = [copies(before), copies(after)];
    const [plain, naive, aware] = [
      pairedGain(scored(before), scored(after), 0.95),
      pairedGain(a, b, 0.95),
      pairedGain(a, b, 0.95, clusterOf(a, 10)),
    ];
    expect(aware.gain).toBeCloseTo(plain.gain, 12);
    expect(aware.interval.low).toBeCloseTo(plain.interval.low, 10);
    expect(aware.interval.high).toBeCloseTo(plain.interval.high, 10);
    expect(aware.smallestVisible).toBeCloseTo(plain.smallestVisible, 10);
    expect(naive.interval.low).toBeGreaterThan(aware.interval.low);
    expect(aware.interval.method).toContain('6 clusters');
  });

  test('one cluster says nothing, and equal clusters give a bound', () => {
    const [a, b] = [scored([0, 0, 0, 0]), scored([1, 1, 1, 1])];
    expect(pairedGain(a, b, 0.95, clusterOf(a, 4))).toMatchObject({
      gain: 1,
      interval: { low: -1, high: 1 },
      smallestVisible: 1,
    });
    const bound = pairedGain(a, b, 0.95, clusterOf(a, 2)).interval;
    expect(bound.low).toBeLessThan(0.9);
    expect(bound.high).toBe(1);
  });

  test('covers the true gain where tasks rise and fall together, as the plain interval does not', () => {
    const random = stream(9, 'clusters');
    const trials = 400;
    let [covered, naive] = [0, 0];
    for (let trial = 0; trial < trials; trial++) {
      const shifts = Array.from({ length: 20 }, () => 0.4 * (random.unit() - 0.5));
      const before = Array.from({ length: 100 }, () => 0.3 + 0.1 * random.unit());
      const after = before.map(
        (score, index) => score + 0.1 + (shifts[Math.floor(index / 5)] ?? 0) + 0.02 * random.unit() - 0.01,
      );
      const [a, b] = [scored(before), scored(after)];
      const holds = ({ interval }: { interval: { low: number; high: number } }): boolean =>
        interval.low <= 0.1 && 0.1 <= interval.high;
      if (holds(pairedGain(a, b, 0.9, clusterOf(a, 5)))) covered++;
      if (holds(pairedGain(a, b, 0.9))) naive++;
    }
    expect(covered / trials).toBeGreaterThan(0.86);
    expect(covered / trials).toBeLessThan(0.95);
    expect(naive / trials).toBeLessThan(0.75);
  });
});
