// Owns the check of finding a final answer in an output.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AnswerRule, extractAnswer } from '../../../../src/core/prompt/answer.ts';

function check(rule: AnswerRule, cases: readonly (readonly [string, string | null])[]): void {
  test.each(cases)('%j gives %j', (output, answer) => expect(extractAnswer(output, rule)).toBe(answer));
}

describe('after a marker', () => {
  check({ after: '>' }, [
    ['3+6+0=09,2+5+0=07>579', '579'],
    ['1>2>3', '3'],
    ['no marker', null],
    ['ends with >', null],
    ['> 5 \n', '5'],
  ]);
  test('an empty marker is no marker', () => expect(extractAnswer(' 5 ', { after: '' })).toBe('5'));
});

describe('last number', () => {
  check('last-number', [
    ['5 apples, then 1,234.', '1,234'],
    ['so -5', '-5'],
    ['about 45% of them', '45%'],
    ['none at all', null],
  ]);
});

describe('whole', () => {
  check('whole', [
    [' all of\nit ', 'all of\nit'],
    [' \n', null],
  ]);
});

describe('auto', () => {
  check('auto', [
    ['He makes 9 * 2 = 18.\n#### 18', '18'],
    ['She pays $18.\nA: 18', '18'],
    ['**Answer:** 18', '18'],
    ['Final answer: **Paris**.', 'Paris'],
    ['The answer is (C).', '(C)'],
    ['So the answer is False.', 'False'],
    ['The answer is not clear yet.\nBut the answer is 5.', '5'],
    ['The answer is \\boxed{\\frac{1}{2}}.', '\\frac{1}{2}'],
    ['\\boxed{3}, no: \\boxed{4}', '4'],
    ['We get \\boxed{unclosed', 'We get \\boxed{unclosed'],
    ['<answer>\n42\n</answer>', '42'],
    ['<think>the answer is 3</think><answer>4</answer>', '4'],
    ['Answer:\n\n$18$\n', '18'],
    ['정답: 서울', '서울'],
    ['答案是：北京。', '北京'],
    ['Let us see.\n\nParis', 'Paris'],
    ['Answer is 12.5', '12.5'],
    ['answer = 7', '7'],
    ['A. one\nB. two', 'B. two'],
    ['U.S.A: a country\nAnswer: 3', '3'],
    ['and so on...', 'and so on...'],
    ['The answer is', 'The answer is'],
    ['', null],
    [' \n ', null],
    ['"quoted"', 'quoted'],
    ['`code`', 'code'],
  ]);

  test('never throws and gives text of the output', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (output) => {
        const answer = extractAnswer(output, 'auto');
        if (answer === null) expect(output.trim().replace(/[.。]/gu, '')).toBe('');
        else expect(output).toContain(answer);
      }),
    );
  });

  test.each([
    ['boxes', '\\boxed{'.repeat(20_000)],
    ['answers', 'the answer is '.repeat(20_000)],
    ['stars', '*'.repeat(100_000)],
    ['lines', 'A:\n'.repeat(30_000)],
    ['blank', `A:${' '.repeat(200_000)}x`],
  ])('takes time in proportion to the output: %s', (_name, output) => {
    const start = performance.now();
    extractAnswer(output, 'auto');
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});
