// Owns the check of comparing texts: common subsequences, edits, ROUGE-L, novelty, diversity, retrieval.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cosine,
  distinctRuns,
  kCenter,
  noveltyAgainst,
  runOverlap,
  spread,
} from '../../../../src/core/measure/diversity.ts';
import { filterNovel } from '../../../../src/core/measure/novelty.ts';
import { bm25, nearestVectors } from '../../../../src/core/measure/retrieval.ts';
import { rougeL, rougePool } from '../../../../src/core/measure/rouge.ts';
import { commonSubsequence, editDistance } from '../../../../src/core/measure/sequences.ts';
import { gradeEmbedding, gradeRougeL } from '../../../../src/core/measure/similarity.ts';
import { asciiWords, trimEndOf, unicodeWords, wordRuns } from '../../../../src/core/measure/words.ts';

const numbers = fc.array(fc.nat(5), { maxLength: 100 }).map((list) => Int32Array.from(list));

/** The table of Wagner and Fischer, cell by cell: slow and plain. */
function table(
  a: Int32Array,
  b: Int32Array,
  cell: (up: number, left: number, corner: number, same: boolean) => number,
  edge: (n: number) => number,
): number {
  let row = Array.from({ length: b.length + 1 }, (_cell, j) => edge(j));
  a.forEach((item, i) => {
    const next = [edge(i + 1)];
    for (let j = 1; j <= b.length; j++)
      next.push(cell(row[j] as number, next[j - 1] as number, row[j - 1] as number, item === b[j - 1]));
    row = next;
  });
  return row[b.length] as number;
}

describe('sequences', () => {
  test('agree with the plain tables, across blocks of 32', () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const common = table(
          a,
          b,
          (up, left, corner, same) => (same ? corner + 1 : Math.max(up, left)),
          () => 0,
        );
        expect(commonSubsequence(a, b)).toBe(common);
        const edits = table(
          a,
          b,
          (up, left, corner, same) => Math.min(up + 1, left + 1, corner + (same ? 0 : 1)),
          (n) => n,
        );
        expect(editDistance(a, b)).toBe(edits);
        expect(editDistance(b, a)).toBe(edits);
      }),
      { numRuns: 400 },
    );
  });
});

describe('words', () => {
  test('ASCII words are those of rouge_score; words of any script keep the others', () => {
    expect(asciiWords('It’s a $5-Deal, naïve!')).toEqual(['it', 's', 'a', '5', 'deal', 'na', 've']);
    expect(unicodeWords('naïve 한국어 문장, 漢字')).toEqual(['naïve', '한국어', '문장', '漢', '字']);
    expect(unicodeWords('यह हिन्दी')).toEqual(['यह', 'हिन्दी']);
    expect(asciiWords('한국어')).toEqual([]);
    expect(wordRuns(['a', 'b', 'c'], 2)).toEqual(['a b', 'b c']);
    expect(wordRuns(['a'], 2)).toEqual([]);
    expect(trimEndOf('a, b ,;\n', ',;')).toBe('a, b');
  });
});

describe('ROUGE-L', () => {
  // "police killed the gunman" and its two rewordings: Lin (2004), section 3.1, with beta 1.
  test.each([
    ['police killed the gunman', 'police kill the gunman', 3 / 4],
    ['police killed the gunman', 'the gunman kill police', 1 / 2],
    ['the cat', 'the cat sat down', (2 * 0.5 * 1) / 1.5],
    ['', 'a', 0],
    ['a', '...', 0],
  ])('%j, %j: %d', (reference, prediction, f) =>
    expect(rougeL(reference, prediction, asciiWords).f).toBeCloseTo(f, 15),
  );

  test('a pool gives what pairs give', () => {
    const pool = rougePool(asciiWords);
    const texts = ['the cat sat', 'a dog ran off', 'cat the'];
    for (const text of texts) pool.add(text);
    expect(pool.similarities('the cat ran')).toEqual(
      texts.map((text) => rougeL(text, 'the cat ran', asciiWords).f),
    );
  });

  test('the grader compares Korean by its own words', () => {
    expect(gradeRougeL('오늘 날씨가 좋다', '오늘 날씨가 나쁘다').score).toBeCloseTo(2 / 3, 15);
  });
});

describe('filterNovel', () => {
  test('drops what is too much like the pool or an earlier text, and names it', () => {
    const pool = ['Write a poem about the sea'];
    const texts = [
      'write a poem about the sea!',
      'Sort these numbers',
      'Sort these numbers now',
      'Add two numbers',
      '???',
      '???',
    ];
    const verdicts = filterNovel(texts, pool);
    expect(verdicts.map(({ kept }) => kept)).toEqual([false, true, false, true, true, false]);
    expect(verdicts[0]).toMatchObject({ near: pool[0], similarity: 1 });
    expect(verdicts[2]).toMatchObject({ near: 'Sort these numbers', similarity: (2 * 3) / 7 });
    expect(filterNovel(texts, pool, { limit: 0.9 }).map(({ kept }) => kept)).toEqual([
      false,
      true,
      true,
      true,
      true,
      false,
    ]);
  });

  test('a similarity at the limit is still new', () => {
    const [a, b] = ['a b c d e f g x y z', 'a b c d e f g p q r'];
    expect(rougeL(a, b, asciiWords).f).toBe(0.7);
    expect(filterNovel([b], [a])).toEqual([{ kept: true }]);
  });

  test('keeping again changes nothing', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab c'), maxLength: 12 });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 12 }), (texts) => {
        const keep = (list: readonly string[]): string[] => {
          const verdicts = filterNovel(list, []);
          return list.filter((_text, index) => verdicts[index]?.kept);
        };
        expect(keep(keep(texts))).toEqual(keep(texts));
      }),
    );
  });
});

describe('diversity', () => {
  test('k-center takes the farthest next', () => {
    const places = [0, 1, 2, 10, 11, 30];
    const distance = (a: number, b: number): number =>
      Math.abs((places[a] as number) - (places[b] as number));
    expect(kCenter(6, 3, distance)).toEqual([0, 5, 4]);
    expect(kCenter(6, 2, distance, [5])).toEqual([0, 4]);
    expect(kCenter(2, 5, distance)).toEqual([0, 1]);
    expect(kCenter(0, 3, distance)).toEqual([]);
  });

  test('k-center is at most twice as wide as the best choice', () => {
    const points = fc.array(fc.nat(50), { minLength: 3, maxLength: 7 });
    fc.assert(
      fc.property(points, (places) => {
        const distance = (a: number, b: number): number =>
          Math.abs((places[a] as number) - (places[b] as number));
        const width = (centers: readonly number[]): number =>
          Math.max(
            ...places.map((_place, item) => Math.min(...centers.map((center) => distance(item, center)))),
          );
        const pairs = places.flatMap((_a, i) => places.slice(i + 1).map((_b, j) => [i, i + 1 + j]));
        const best = Math.min(...pairs.map(width));
        expect(width(kCenter(places.length, 2, distance))).toBeLessThanOrEqual(2 * best);
      }),
    );
  });

  test('cosine', () => {
    expect(cosine([1, 0], [0, 2])).toBe(0);
    expect(cosine([1, 1], [2, 2])).toBeCloseTo(1, 15);
    expect(cosine([1, 2], [-1, -2])).toBeCloseTo(-1, 15);
    expect(cosine([1e200, 1e200], [1e-200, 1e-200])).toBeCloseTo(1, 15);
    for (const [a, b] of [
      [
        [0, 0],
        [1, 1],
      ],
      [[1], [1, 2]],
      [[], []],
      [[NaN], [1]],
      [[Infinity], [1]],
    ] as const)
      expect(cosine(a, b)).toBeNull();
    expect(gradeEmbedding([1, 0], [-1, 0]).score).toBe(0);
    expect(gradeEmbedding(null, [1]).score).toBeNull();
  });

  test('shares of distinct and of shared word runs', () => {
    expect(distinctRuns(['a b a b', 'a b'], 2)).toBeCloseTo(2 / 4, 15);
    expect(distinctRuns(['a'], 2)).toBeNull();
    expect(runOverlap('a b c d', 'x b c d', 3)).toBeCloseTo(1 / 2, 15);
    expect(runOverlap('a', 'a', 3)).toBeNull();
  });

  test('novelty against an archive and spread among each other', () => {
    expect(noveltyAgainst(['a b c'], ['a b c', 'x'])).toBe(0);
    expect(noveltyAgainst(['a b', 'x y'], ['a b'])).toBeCloseTo(0.5, 15);
    expect(noveltyAgainst(['a'], [])).toBeNull();
    expect(spread(['a b', 'a b', 'x y'])).toBeCloseTo(2 / 3, 15);
    expect(spread(['a'])).toBeNull();
  });
});

describe('retrieval', () => {
  const memory = [
    'Check the units before adding',
    'Carry the one when the digits add up to ten or more',
    'Read the question twice',
    'Carry carry carry',
  ];

  test('BM25 by hand', () => {
    const found = bm25(['a b', 'a c c', 'd'], { words: asciiWords }).search('c', 5);
    // N 3, n 1, frequency 2, length 3 of mean 2.
    const weight = Math.log(1 + 2.5 / 1.5);
    expect(found).toEqual([{ index: 1, score: weight * ((2 * 2.2) / (2 + 1.2 * (0.25 + 0.75 * 1.5))) }]);
  });

  test('rare words count more, repeats less and less, unknown words nothing', () => {
    const index = bm25(memory);
    expect(index.search('how do I carry digits?', 2).map((one) => one.index)).toEqual([1, 3]);
    expect(index.search('carry', 1)[0]?.index).toBe(3);
    expect(index.search('zebra', 3)).toEqual([]);
    expect(index.search('carry', 0)).toEqual([]);
    expect(bm25([]).search('carry', 3)).toEqual([]);
    expect(bm25(['오늘 날씨가 좋다', '숙제를 해라']).search('날씨가', 1)[0]?.index).toBe(0);
  });

  test('scores are never negative and the order is stable', () => {
    const text = fc.string({ unit: fc.constantFrom(...'abc '), maxLength: 20 });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 8 }), text, (texts, query) => {
        const found = bm25(texts).search(query, 100);
        expect(found.every(({ score }) => score > 0)).toBe(true);
        for (const [at, one] of found.entries()) {
          const next = found[at + 1];
          if (next !== undefined)
            expect(one.score > next.score || (one.score === next.score && one.index < next.index)).toBe(true);
        }
      }),
    );
  });

  test('nearest vectors', () => {
    const vectors = [
      [1, 0],
      [0, 1],
      [0, 0],
      [1, 1],
    ];
    expect(nearestVectors([1, 0.1], vectors, 2).map(({ index }) => index)).toEqual([0, 3]);
    expect(
      nearestVectors(
        [1, 1],
        [
          [2, 2],
          [1, 1],
        ],
        2,
      ).map(({ index }) => index),
    ).toEqual([0, 1]);
  });
});
