// Owns the check of multiple choice: finding the options of a question, and which of them an answer names.
import { describe, expect, test } from 'vitest';
import { findChoices, gradeChoice, readChoice } from '../../../../src/core/measure/choice.ts';

const letters = (question: string): string =>
  findChoices(question)
    .map(({ letter, text }) => `${letter}=${text}`)
    .join(' | ');

describe('findChoices', () => {
  test.each([
    ['Which?\n(A) red\n(B) blue', 'A=red | B=blue'],
    ['Which?\nA) red\nB) blue\nC) green', 'A=red | B=blue | C=green'],
    ['Which?\nA. 12\nB. 13', 'A=12 | B=13'],
    ['Which? (A) red (B) dark blue (C) green', 'A=red | B=dark blue | C=green'],
    ['Options: (a) red, (b) blue', 'A=red | B=blue'],
    ['Ｗhich?\n（Ａ） red\n（Ｂ） blue', 'A=red | B=blue'],
    ['First (A) x (B) y.\nNow:\n(A) red\n(B) blue', 'A=red | B=blue'],
    ['Only (A) stands here', ''],
    ['What is f(a) + f(b)?', ''],
    ['(B) before (C)', ''],
    ['', ''],
  ])('%j', (question, want) => expect(letters(question)).toBe(want));
});

const choices = findChoices('Which?\n(A) red\n(B) blue\n(C) a red house');

describe('readChoice', () => {
  test.each<[string, string | null]>([
    ['B', 'B'],
    ['(b)', 'B'],
    ['B.', 'B'],
    ['**B**', 'B'],
    ['[B]', 'B'],
    ['(B) blue', 'B'],
    ['B) blue', 'B'],
    ['B. blue', 'B'],
    ['option B', 'B'],
    ['Option (B), because it is blue', 'B'],
    ['blue', 'B'],
    ['Blue.', 'B'],
    ['a red house', 'C'],
    ['D', null],
    ['(D) green', null],
    ['green', null],
    ['(A) or (B)', null],
    ['Both of them', null],
    ['', null],
  ])('%j names %j', (answer, letter) => expect(readChoice(answer, choices)).toBe(letter));

  test('takes any letter where the options are not known', () => expect(readChoice('(Q)')).toBe('Q'));
});

describe('gradeChoice', () => {
  test.each<[string | null, string, number | null]>([
    ['(B)', 'B', 1],
    ['blue', '(B)', 1],
    ['B', 'blue', 1],
    ['A', 'B', 0],
    ['green', 'B', 0],
    [null, 'B', 0],
    ['A', 'none of them', null],
    ['none of them', 'None of them.', 1],
  ])('%j against %j: %j', (answer, reference, score) =>
    expect(gradeChoice(answer, reference, choices).score).toBe(score),
  );
});
