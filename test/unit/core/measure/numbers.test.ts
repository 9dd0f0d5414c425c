// Owns the check of reading numbers as people and models write them.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findNumbers, parseNumber, sameNumber } from '../../../../src/core/measure/numbers.ts';

describe('parseNumber', () => {
  test.each([
    ['18', 18],
    ['-10', -10],
    ['−10', -10],
    ['+7', 7],
    ['18.', 18],
    ['3.50', 3.5],
    ['.5', 0.5],
    ['1,234', 1234],
    ['1,234,567.89', 1234567.89],
    ['12,34,567', 1234567],
    ['1.234,56', 1234.56],
    ['1.234.567', 1234567],
    ['1\u202f234\u202f567', 1234567],
    ["1'234.5", 1234.5],
    ['1{,}5', 1],
    ['3,5', 3.5],
    ['0,125', 0.125],
    ['$18', 18],
    ['-$5', -5],
    ['$-5.25', -5.25],
    ['US$ 1,000', 1000],
    ['USD18', 18],
    ['18 €', 18],
    ['₩12,000원', 12000],
    ['합계는 18개', 18],
    ['45%', 45],
    ['45 percent', 45],
    ['1/2', 0.5],
    ['-3/4', -0.75],
    ['1 3/4 cups', 1.75],
    ['½', 0.5],
    ['2½', 2.5],
    ['\\frac{3}{4}', 0.75],
    ['-\\dfrac{1}{4}', -0.25],
    ['$\\frac{1}{2}$', 0.5],
    ['1e-3', 0.001],
    ['6.02×10^23', 6.02e23],
    ['3 x 10^4', 3e4],
    ['1.5 \\times 10^{6}', 1.5e6],
    ['10²', 100],
    ['2^10', 1024],
    ['2.5 million', 2.5e6],
    ['-1.8 billion', -1.8e9],
    ['１２３', 123],
    ['٤٢', 42],
    ['18 dollars a day for 5 days', 18],
    ['**18**', 18],
    ['(18)', 18],
    ['x = 5', 5],
    ['16 - 3 - 4 = 9 eggs', 9],
    ['π ≈ 3.14', 3.14],
    ['Tom has 5 apples and eats 2, leaving 3.', 3],
    ['about 3 hours', 3],
    ['a 5-year-old', 5],
    ['Step 1: 7', 7],
    ['5 m²', 5],
    ['room 12b', 12],
  ])('%j is %d', (text, value) => expect(parseNumber(text)?.value).toBe(value));

  test.each([
    '',
    'none',
    'CO2',
    'x1',
    'v2',
    '10:30',
    '11/22/2001',
    '2001-11-22',
    '5-10',
    '3 + 4',
    '16 - 3',
    '12 × 4',
    '1e999',
    '...',
    '½½½'.slice(3),
    '\\frac{1}{0}',
  ])('%j is no number', (text) => expect(parseNumber(text)).toBeNull());

  test('reads back every integer and decimal it is given, with and without separators', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (value) => {
        expect(parseNumber(String(value))?.value).toBe(value);
        expect(parseNumber(value.toLocaleString('en-US'))?.value).toBe(value);
        expect(parseNumber(`The answer is $${value}.`)?.value).toBe(value);
      }),
    );
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), (value) => {
        const text = value.toFixed(3);
        expect(parseNumber(text)?.value).toBe(Number(text) === 0 ? parseNumber(text)?.value : Number(text));
      }),
    );
  });
});

describe('findNumbers', () => {
  test('lists them with their text, in order', () => {
    expect(findNumbers('He pays $5 for 2 kg, 10% off.').map(({ text }) => text)).toEqual(['5', '2', '10%']);
  });

  test('never throws, stays in order and in bounds on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        let last = 0;
        for (const found of findNumbers(text)) {
          expect(Number.isFinite(found.value)).toBe(true);
          expect(found.start).toBeGreaterThanOrEqual(last);
          expect(found.end).toBeLessThanOrEqual(text.length);
          last = found.end;
        }
      }),
    );
  });

  test.each([
    ['digits', '1'.repeat(200_000)],
    ['groups', '1,12'.repeat(50_000)],
    ['groups of three', ',123'.repeat(50_000)],
    ['spaces', `1${' '.repeat(200_000)}2`],
    ['dots', '1.'.repeat(100_000)],
    ['operators', '1+'.repeat(100_000)],
    ['slashes', '1/'.repeat(100_000)],
    ['fractions', '\\frac{'.repeat(30_000)],
    ['words', 'x1'.repeat(100_000)],
  ])('takes time in proportion to the text: %s', (_name, text) => {
    const start = performance.now();
    findNumbers(text);
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});

describe('sameNumber', () => {
  const same = (a: string, b: string, tolerance?: number): boolean => {
    const [left, right] = [parseNumber(a), parseNumber(b)];
    return left !== null && right !== null && sameNumber(left, right, tolerance);
  };
  test.each([
    ['1/3', '0.3333333333333333', true],
    ['0.1', '1/10', true],
    ['18.0', '18', true],
    ['45%', '45', true],
    ['45%', '0.45', true],
    ['45%', '4.5', false],
    ['45%', '45.0%', true],
    ['18', '18.01', false],
    ['123456789012345678901', '123456789012345678902', false],
    ['007', '7', true],
    ['-0', '0', true],
  ])('%j and %j: %s', (a, b, expected) => {
    expect(same(a, b)).toBe(expected);
    expect(same(b, a)).toBe(expected);
  });

  test('within a tolerance', () => {
    expect(same('3.1416', '3.1415', 1e-3)).toBe(true);
    expect(same('3.2', '3.1', 1e-3)).toBe(false);
  });
});
