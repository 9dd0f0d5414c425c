import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasText, parseSearch, wordsOf } from '../../../../src/adapters/store/searchQuery.ts';

const EMPTY = parseSearch('');

describe('a search', () => {
  test('is read as conditions and words', () => {
    expect(
      parseSearch(
        'score:<0.5 SCORE:>=0.1 round:3 verdict:kept arm:control annotated:yes Carry "the tens" ad* ->',
      ),
    ).toEqual({
      phrases: [
        { words: ['carry'], prefix: false },
        { words: ['the', 'tens'], prefix: false },
        { words: ['ad'], prefix: true },
      ],
      literals: ['->'],
      scores: [
        { operator: '<', score: 0.5 },
        { operator: '>=', score: 0.1 },
      ],
      unscored: false,
      rounds: { from: 3, to: 3 },
      arm: 'control',
      verdict: 'kept',
      annotated: true,
      problems: [],
    });
    expect(parseSearch('round:2-5 score:1 score:none')).toMatchObject({
      rounds: { from: 2, to: 5 },
      scores: [{ operator: '=', score: 1 }],
      unscored: true,
    });
  });

  test.each(['score:high', 'round:x', 'verdict:good', 'annotated:maybe', 'arm:left', 'score:', 'score:.'])(
    '%s is told to be not understood, and does not count',
    (text) => {
      const { problems, ...rest } = parseSearch(text);
      expect(problems).toHaveLength(1);
      expect(problems[0]).toContain(text);
      expect({ ...rest, problems: [] }).toEqual(EMPTY);
    },
  );

  test('takes what only looks like a condition as words', () => {
    expect(parseSearch('constructor:x http://a.b "score:1"')).toMatchObject({
      scores: [],
      problems: [],
      phrases: [{ words: ['constructor', 'x'] }, { words: ['http', 'a', 'b'] }, { words: ['score', '1'] }],
    });
  });

  test('may be any text, of any length', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3000 }), (text) => {
        const query = parseSearch(text);
        const words = query.phrases.flatMap((phrase) => phrase.words);
        expect(query.phrases.length + query.literals.length).toBeLessThanOrEqual(16);
        for (const word of words) expect(word).toMatch(/^[\p{L}\p{N}\p{M}]+$/u);
      }),
    );
  });
});

describe('words', () => {
  test('have neither case nor Latin accents; characters of spaceless scripts stand alone', () => {
    expect(wordsOf('Ångström, naïve ÉTÉ! x_1')).toEqual(['angstrom', 'naive', 'ete', 'x', '1']);
    expect(wordsOf('進位carry十の位')).toEqual(['進', '位', 'carry', '十', 'の', '位']);
    expect(wordsOf('한국어')).toEqual(['한', '국', '어']);
    expect(wordsOf('किताब')).toEqual(['किताब']);
  });

  test('of a phrase follow each other within one text', () => {
    const has = (query: string, ...texts: string[]) => hasText(parseSearch(query), texts);
    expect(has('"carry the"', 'Carry, the tens')).toBe(true);
    expect(has('"the carry"', 'carry the tens')).toBe(false);
    expect(has('"the tens"', 'carry the', 'tens')).toBe(false);
    expect(has('carry tens', 'carry the', 'tens')).toBe(true);
    expect(has('進位', '先進位後')).toBe(true);
    expect(has('進後', '先進位後')).toBe(false);
    expect(has('ten', 'the tens')).toBe(false);
    expect(has('ten*', 'the tens')).toBe(true);
    expect(has('->', '1 -> 2')).toBe(true);
    expect(has('=> 2', '1 -> 2')).toBe(false);
  });
});
