// Owns the check of mathematical equivalence and of arithmetic tasks.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseExpression } from '../../../../src/core/measure/expression.ts';
import { exactValue, floatValue } from '../../../../src/core/measure/expressionValue.ts';
import { gradeArithmetic, gradeMath, sameMath } from '../../../../src/core/measure/mathEquivalence.ts';

describe('sameMath', () => {
  test.each<[string, string, boolean | null]>([
    [String.raw`\frac{1}{2}`, '0.5', true],
    [String.raw`\frac12`, '.5', true],
    [String.raw`-\dfrac{3}{4}`, '-0.75', true],
    ['1/3', '2/6', true],
    ['1/3', '0.33', null],
    ['1/3', '0.5', false],
    [String.raw`\sqrt{8}`, String.raw`2\sqrt{2}`, true],
    [String.raw`\sqrt2`, '1.414', null],
    [String.raw`\sqrt2`, '1.5', false],
    [String.raw`\sqrt[3]{-8}`, '-2', true],
    ['x^2 + 2x + 1', '(x+1)^2', true],
    ['x + 1', 'x + 2', false],
    ['|x|', 'x', false],
    [String.raw`\sin x`, String.raw`\sin(x)`, true],
    ['5x', '5y', null],
    ['a/(b+1)', 'a/(1+b)', true],
    [String.raw`\left(\frac{1}{2}, 3\right)`, '(0.5,3)', true],
    ['(1,2)', '(2,1)', false],
    ['{1,2}', '{2,1}', true],
    [String.raw`\{1, 2\}`, String.raw`\{2, 3\}`, false],
    ['1, 2', '2, 1', true],
    ['[1,2)', '(1,2)', null],
    ['x = 5', '5', true],
    [String.raw`x \in \{1,2\}`, '{1,2}', true],
    ['1,234', '1234', true],
    ['$12.50$', '12.5', true],
    [String.raw`3\pi`, '3π', true],
    [String.raw`3\pi`, '9.42', null],
    ['2^{10}', '1024', true],
    ['10!', '3628800', true],
    ['1e3', '1000', true],
    ['45%', '45', true],
    [String.raw`45\%`, '0.45', true],
    ['45%', '44', false],
    [String.raw`1\frac{1}{2}`, '3/2', true],
    ['1 1/2', '1.5', true],
    [String.raw`90^\circ`, '90', true],
    [String.raw`\text{even}`, 'even', true],
    ['even', 'odd', null],
    [String.raw`-\infty`, '-∞', true],
    ['12 apples', '12', null],
    ['2 3', '6', null],
    ['1/0', '1/0', true],
    ['1/0', '2/0', null],
    ['', '', null],
    ['123456789012345678901', '123456789012345678902', false],
  ])('%j and %j: %j', (a, b, verdict) => {
    expect(sameMath(a, b)).toBe(verdict);
    expect(sameMath(b, a)).toBe(verdict);
  });

  test('any fraction equals itself in every spelling, and no other whole number', () => {
    const whole = fc.integer({ min: -1_000, max: 1_000 });
    fc.assert(
      fc.property(whole, fc.integer({ min: 1, max: 1_000 }), whole, (over, under, other) => {
        expect(sameMath(`${over}/${under}`, String.raw`\frac{${over * 3}}{${under * 3}}`)).toBe(true);
        expect(sameMath(String(over), String(other))).toBe(over === other);
        expect(sameMath(`(${over})x + ${under}`, `${under} + (${over})*x`)).toBe(true);
      }),
    );
  });

  test('symmetric, and never false of a text and itself', () => {
    const text = fc.string({ unit: fc.constantFrom(...'0123.,/^*+-()[]{}x %=\\'), maxLength: 20 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(sameMath(a, b)).toBe(sameMath(b, a));
        expect(sameMath(a, a)).not.toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('expressions', () => {
  const value = (text: string): number | null => {
    const expression = parseExpression(text);
    return expression === null ? null : floatValue(expression, new Map());
  };
  test.each([
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['8 / 4 / 2', 1],
    ['8 - 4 - 2', 2],
    ['2^3^2', 512],
    ['-2^2', -4],
    ['2^-1', 0.5],
    ['2(3 + 4)', 14],
    ['--3', 3],
    ['3!', 6],
    ['|-3|', 3],
    ['2 × 3 ÷ 4', 1.5],
    ['√9', 3],
  ])('%s is %d', (text, want) => expect(value(text)).toBeCloseTo(want, 12));

  test.each(['', '1 +', '(1', '1)', '2 3', 'hello there', '1..2', '#', '('.repeat(500)])(
    '%j is none',
    (text) => expect(parseExpression(text)).toBeNull(),
  );

  test('exact values agree with floating point, and huge ones are left alone', () => {
    const leaf = fc.integer({ min: 0, max: 20 }).map(String);
    const formula = fc.letrec<{ sum: string }>((tie) => ({
      sum: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc
          .tuple(tie('sum'), fc.constantFrom('+', '-', '*', '/'), tie('sum'))
          .map(([a, sign, b]) => `(${a}${sign}${b})`),
      ),
    })).sum;
    fc.assert(
      fc.property(formula, (text) => {
        const expression = parseExpression(text);
        expect(expression).not.toBeNull();
        const exact = expression === null ? null : exactValue(expression);
        if (exact !== null) expect(value(text)).toBeCloseTo(Number(exact.over) / Number(exact.under), 6);
      }),
    );
    const huge = parseExpression('9^9999');
    expect(huge === null ? undefined : exactValue(huge)).toBeNull();
    expect(gradeMath('9^9^9^9^9', '1').score).not.toBe(1);
  });
});

describe('gradeArithmetic', () => {
  const numbers = ['4', '5', '6', '10'];
  test.each<[string | null, number]>([
    ['(5 * (10 - 4)) - 6', 1],
    ['(5 * (10 - 4)) - 6 = 24', 1],
    ['4 + 10 + 5 + 5', 0],
    ['(10 - 4) * (6 - 5)', 0],
    ['(10 - 6) * (5 - 4) * 4', 0],
    ['(10 - 6) * (4 + 5)', 0],
    ['24', 0],
    ['I cannot', 0],
    [null, 0],
  ])('%j: %d', (answer, score) => expect(gradeArithmetic(answer, numbers, '24').score).toBe(score));

  test('fractions on the way are exact; a division by zero is no value', () => {
    expect(gradeArithmetic('8 / (3 - 8 / 3)', ['3', '3', '8', '8'], '24').score).toBe(1);
    expect(gradeArithmetic('1 / (2 - 2)', ['1', '2', '2'], '24').score).toBe(0);
    expect(gradeArithmetic('1 + 2', ['1', '2'], 'three').score).toBeNull();
  });
});
