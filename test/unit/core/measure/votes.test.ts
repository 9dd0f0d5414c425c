// Owns the check of votes, answer entropy, pass@k and dual execution agreement on cases worked out by hand.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { agreementSets, rankedPassAtK } from '../../../../src/core/measure/dualAgreement.ts';
import { meanPassAtK, passAtK } from '../../../../src/core/measure/passAtK.ts';
import { answerEntropy, relativeEntropy, vote, voteScore } from '../../../../src/core/measure/votes.ts';

const ballots = (keys: readonly (string | null)[]) => keys.map((key) => ({ key }));

describe('vote', () => {
  test('plurality, abstentions apart', () => {
    const result = vote(ballots(['a', 'b', null, 'a', null]));
    expect(result).toMatchObject({ winners: ['a'], share: 2 / 3, support: 2 / 5 });
    expect([...result.tally]).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
  });

  test('a tie counts by the share of right winners, nobody by 0', () => {
    const tie = vote(ballots(['b', 'a', 'a', 'b', 'c']));
    expect(tie.winners).toEqual(['b', 'a']);
    expect(voteScore(tie, (key) => key === 'a')).toBe(1 / 2);
    const none = vote(ballots([null, null]));
    expect(none).toMatchObject({ winners: [], share: 0, support: 0 });
    expect(voteScore(none, () => true)).toBe(0);
    expect(vote([]).winners).toEqual([]);
  });

  test('weights decide, and sums of fractions tie in any order', () => {
    expect(vote([{ key: 'a', weight: 3 }, { key: 'b' }, { key: 'b' }]).winners).toEqual(['a']);
    const sums = [
      { key: 'a', weight: 0.1 },
      { key: 'a', weight: 0.2 },
      { key: 'b', weight: 0.3 },
    ];
    expect(vote(sums).winners).toEqual(['a', 'b']);
    expect(() => vote([{ key: 'a', weight: -1 }])).toThrow(RangeError);
    expect(() => vote([{ key: null, weight: NaN }])).toThrow(RangeError);
  });

  test('does not depend on the order of the ballots', () => {
    const keys = fc.array(fc.constantFrom('a', 'b', 'c', null), { maxLength: 15 });
    fc.assert(
      fc.property(keys, (list) => {
        const [there, back] = [vote(ballots(list)), vote(ballots(list.toReversed()))];
        expect([...there.winners].sort()).toEqual([...back.winners].sort());
        expect([there.share, there.support]).toEqual([back.share, back.support]);
      }),
    );
  });
});

describe('answer entropy', () => {
  test('0 when all agree, ln n when all differ; no answer agrees with none', () => {
    expect(answerEntropy(['a', 'a', 'a'])).toBe(0);
    expect(answerEntropy(['a', 'b', 'c'])).toBeCloseTo(Math.log(3), 15);
    expect(answerEntropy([null, null, 'a'])).toBeCloseTo(Math.log(3), 15);
    expect(answerEntropy(['a', 'a', 'b', 'b'])).toBeCloseTo(Math.log(2), 15);
    expect(answerEntropy([])).toBe(0);
    expect(relativeEntropy(['a', 'a', 'b', 'b'])).toBeCloseTo(1 / 2, 15);
    expect(relativeEntropy(['a'])).toBeNull();
  });
});

describe('pass@k', () => {
  test('is the share of k-subsets with a pass', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(9), fc.integer({ min: 1, max: 9 }), (n, c, k) => {
        fc.pre(c <= n && k <= n);
        let [all, passing] = [0, 0];
        for (let subset = 0; subset < 2 ** n; subset++) {
          const members = [...subset.toString(2)].filter((bit) => bit === '1').length;
          if (members !== k) continue;
          all++;
          if ((subset & (2 ** c - 1)) !== 0) passing++;
        }
        expect(passAtK(n, c, k)).toBeCloseTo(passing / all, 12);
      }),
    );
  });

  test('does not overflow, and needs k samples', () => {
    expect(passAtK(100_000, 1, 100)).toBeCloseTo(0.001, 12);
    expect(passAtK(3, 1, 4)).toBeNull();
    expect(
      meanPassAtK(
        [
          { samples: 2, passed: 1 },
          { samples: 2, passed: 0 },
        ],
        1,
      ),
    ).toBe(0.25);
    expect(
      meanPassAtK(
        [
          { samples: 2, passed: 1 },
          { samples: 1, passed: 0 },
        ],
        2,
      ),
    ).toBeNull();
    expect(meanPassAtK([], 1)).toBeNull();
    for (const [n, c, k] of [
      [1, 2, 1],
      [2, -1, 1],
      [2, 1, 0],
      [2.5, 1, 1],
    ] as const)
      expect(() => passAtK(n, c, k)).toThrow(RangeError);
  });
});

describe('dual execution agreement', () => {
  const run = (id: string, count: number, passes: string | null) => ({
    id,
    count,
    passes: passes === null ? null : [...passes].map((bit) => bit === '1'),
  });

  test('tests passed times the root of agreeing draws, repeats counted', () => {
    const sets = agreementSets(
      [run('p', 1, '110'), run('q', 3, '110'), run('r', 1, '111'), run('s', 9, '000'), run('t', 9, null)],
      [1, 1, 2],
    );
    expect(sets).toEqual([
      { programs: ['p', 'q'], draws: 4, tests: 2, score: 4 },
      { programs: ['r'], draws: 1, tests: 4, score: 4 },
    ]);
    expect(() => agreementSets([run('p', 1, '10')], [1])).toThrow(RangeError);
  });

  test('pass@k takes one draw a rank, and from the best again when ranks run out', () => {
    const ranks = [
      { score: 1, draws: 10, correct: 1 },
      { score: 9, draws: 4, correct: 2 },
      { score: 9, draws: 4, correct: 0 },
    ];
    expect(rankedPassAtK(ranks, 1)).toBeCloseTo(1 / 4, 12);
    expect(rankedPassAtK(ranks, 2)).toBeCloseTo(1 - 0.75 * 0.9, 12);
    expect(rankedPassAtK(ranks, 3)).toBeCloseTo(1 - 0.75 ** 2 * 0.9, 12);
    expect(rankedPassAtK([], 1)).toBeNull();
  });
});
