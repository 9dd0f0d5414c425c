// Owns the check of the graders on their own cases; recorded outputs are in prompt/recordedAnswers.test.ts.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type GradeOptions,
  graders,
  type MetricName,
  metricNames,
} from '../../../../src/core/measure/grade.ts';

function check(
  metric: MetricName,
  answer: string | null,
  reference: string,
  score: number,
  options?: GradeOptions,
): void {
  const grade = graders[metric](answer, reference, options);
  expect(grade.score, grade.reason).toBe(score);
  expect(grade.reason).not.toBe('');
}

describe('exact', () => {
  test.each([
    [' Paris \n', 'Paris', 1],
    ['paris', 'Paris', 0],
    ['Paris.', 'Paris', 0],
    ['caf\u0065\u0301', 'caf\u00e9', 1],
    ['18.0', '18', 0],
    ['', '', 1],
  ])('%j against %j: %d', (answer, reference, score) => check('exact', answer, reference, score));
  test('ignoring case', () => check('exact', 'PARIS', 'paris', 1, { ignoreCase: true }));
});

describe('numeric', () => {
  test.each([
    ['$1,234.00', '1234', 1],
    ['18 dollars', '18', 1],
    ['0.5', '1/2', 1],
    ['50%', '0.5', 1],
    ['19', '18', 0],
    ['eighteen', '18', 0],
    ['10:30', '10:30', 1],
    ['10:45', '10:30', 0],
    ['18', 'Paris', 0],
    ['17 or 18', '18', 0],
  ])('%j against %j: %d', (answer, reference, score) => check('numeric', answer, reference, score));
  test('with a tolerance', () => check('numeric', '3.1416', '3.14159', 1, { tolerance: 1e-3 }));
  test('says what is wrong', () => {
    expect(graders.numeric('19', '18').reason).toBe('expected 18, got 19');
    expect(graders.numeric('x', 'Paris').reason).toContain('not a number');
  });
});

describe('contains', () => {
  test.each([
    ['The capital is Paris, of course.', 'Paris', 1],
    ['The capital  is\nParis', 'capital is Paris', 1],
    ['It is 15.', '5', 0],
    ['It is 5.', '5', 1],
    ['It is 1.5', '5', 0],
    ['It is 5,000', '5', 0],
    ['15 and 5', '5', 1],
    ['dogs', 'dog', 1],
    ['anything', '', 0],
    ['the PARIS', 'Paris', 0],
  ])('%j holds %j: %d', (answer, reference, score) => check('contains', answer, reference, score));
  test('ignoring case', () => check('contains', 'the PARIS', 'Paris', 1, { ignoreCase: true }));
});

describe('every grader', () => {
  test('scores a missing answer 0 and says so', () => {
    for (const metric of metricNames) check(metric, null, '18', 0);
    expect(graders.exact(null, '').reason).toContain('no answer');
  });

  test('accepts the reference itself, never throws, and keeps reasons short', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...metricNames),
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.string({ unit: 'binary', maxLength: 300 }),
        (metric, answer, reference) => {
          const grade = graders[metric](answer, reference);
          expect([0, 1]).toContain(grade.score);
          expect(grade.reason.length).toBeLessThan(700);
          if (reference.trim() !== '') expect(graders[metric](reference, reference).score).toBe(1);
        },
      ),
    );
  });
});
