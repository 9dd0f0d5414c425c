// Owns the check that every grader is total and quick on any text, and that each name leads to its grader.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gradeBy, type GraderSettings, graderKinds } from '../../../../src/core/measure/graders.ts';
import { type AnswerRule, extractAnswer } from '../../../../src/core/prompt/answer.ts';
import { recordedJson, recordedPresent } from '../recorded.ts';

const grade = (settings: GraderSettings, answer: string | null, reference?: string, input = '') =>
  gradeBy(settings, { output: answer ?? '', answer }, { input, reference });
const settingsOf = (kind: GraderSettings['kind']): GraderSettings => ({ kind });

describe('gradeBy', () => {
  test.each<[GraderSettings, string, string | undefined, string, number | null]>([
    [{ kind: 'exact' }, 'Paris', 'Paris', '', 1],
    [{ kind: 'exact', ignoreCase: true }, 'PARIS', 'Paris', '', 1],
    [{ kind: 'contains' }, 'in Paris now', 'Paris', '', 1],
    [{ kind: 'numeric', tolerance: 0.1 }, '3.15', '3.14', '', 1],
    [{ kind: 'choice' }, 'blue', '(B)', 'Which?\n(A) red\n(B) blue', 1],
    [{ kind: 'regex' }, 'a-17', String.raw`^[a-z]-\d+$`, '', 1],
    [{ kind: 'regex', pattern: '^a' }, 'abc', undefined, '', 1],
    [{ kind: 'json-schema' }, '{"a":1}', '{"required":["a"]}', '', 1],
    [{ kind: 'json-schema', schema: { required: ['b'] } }, '{"a":1}', undefined, '', 0],
    [{ kind: 'format', rules: [{ kind: 'punctuation:no_comma' }] }, 'a, b', undefined, '', 0],
    [{ kind: 'format' }, 'a b', '[{"kind":"punctuation:no_comma"}]', '', 1],
    [{ kind: 'format' }, 'a b', '{"instruction_id_list":["punctuation:no_comma"],"kwargs":[{}]}', '', 1],
    [{ kind: 'format' }, 'a b', 'no rules', '', null],
    [{ kind: 'rouge-l' }, 'the cat sat', 'the cat ran', '', 2 / 3],
    [{ kind: 'edit' }, 'kitten', 'sitting', '', 4 / 7],
    [{ kind: 'math' }, String.raw`\frac{1}{2}`, '0.5', '', 1],
    [{ kind: 'math' }, 'all of them', 'every one', '', null],
    [{ kind: 'arithmetic' }, '(10 - 6) * (5 + 1)', '24', '1 5 6 10', 1],
    [{ kind: 'exact' }, 'Paris', undefined, '', null],
  ])('%j on %j', (settings, answer, reference, input, score) => {
    const result = grade(settings, answer, reference, input);
    if (score === null) expect(result.score).toBeNull();
    else expect(result.score, result.reason).toBeCloseTo(score, 12);
  });

  test('scores a missing answer 0 wherever it reads the answer', () => {
    for (const kind of graderKinds.filter((name) => name !== 'format'))
      expect(grade(settingsOf(kind), null, '18').score, kind).toBe(0);
  });

  test('gives a score in [0, 1] or unknown, with a reason, for any texts', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.string({ unit: fc.constantFrom(...'()[]{}|^$\\*+-/,.=%<>"\'`#0123 aAbxé한\n'), maxLength: 120 }),
      fc.json(),
    );
    fc.assert(
      fc.property(fc.constantFrom(...graderKinds), text, text, text, (kind, answer, reference, input) => {
        const { score, reason } = grade(settingsOf(kind), answer, reference, input);
        expect(score === null || (score >= 0 && score <= 1)).toBe(true);
        expect(reason).not.toBe('');
      }),
      { numRuns: 2_000 },
    );
  });

  test('accepts the reference itself, and likeness does not depend on the order', () => {
    const words = fc.string({ unit: fc.constantFrom(...'abc 한é'), minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(words, words, (a, b) => {
        for (const kind of ['rouge-l', 'edit'] as const)
          expect(grade({ kind }, a, b).score).toBe(grade({ kind }, b, a).score);
        expect(grade({ kind: 'edit' }, a, a).score).toBe(1);
        if (/[a-c한é]/u.test(a)) expect(grade({ kind: 'rouge-l' }, a, a).score).toBe(1);
      }),
    );
  });
});

/** Each repeated up to 50,000 characters, alone and before an x: what makes a backtracking engine or a quadratic scan stand still. */
const hostile = [
  '(((((',
  '[[[[',
  '{"a":[',
  '{"a":1,',
  ')}]',
  '```',
  '```\n{',
  '<<>>',
  '[a',
  '* ',
  '*a*',
  '\n',
  '\n* \n',
  '\n\n',
  ' ',
  '\t\n ',
  '. ',
  '...',
  '?! ',
  'a? ',
  ',,;;',
  '"',
  '*_`"',
  '1,',
  '1/',
  '1+',
  '2^',
  '\\frac{',
  '\\boxed{',
  '$',
  '(A) ',
  'A. x\n',
  'SECTION 1 ',
  'answer is ',
  'Output (a) is ',
  '[[7',
  'a',
  'é',
  '한',
  '가 나 ',
  '\u0301',
  '\ud800',
  'P.P',
  '******',
  '<answer>',
  'A: ',
];
const references = [
  '18',
  'abc',
  '^(a+)+$',
  '{"type":"string","pattern":"^(a+)+$"}',
  '[{"kind":"length_constraints:number_sentences","with":{"relation":"at least","num_sentences":3}},{"kind":"detectable_format:number_bullet_lists","with":{"num_bullets":3}},{"kind":"keywords:forbidden_words","with":{"forbidden_words":["a","b"]}},{"kind":"detectable_format:title"},{"kind":"detectable_format:multiple_sections","with":{"section_spliter":"SECTION","num_sections":9}},{"kind":"startend:end_checker","with":{"end_phrase":"x"}},{"kind":"change_case:capital_word_frequency","with":{"capital_relation":"at least","capital_frequency":1}},{"kind":"language:response_language","with":{"language":"kn"}}]',
];
const rules: readonly AnswerRule[] = [
  'auto',
  'choice',
  'json',
  'code',
  'last-number',
  'whole',
  { after: 'A:' },
];

describe('hostile texts', () => {
  const gradeAll = (text: string): void => {
    for (const rule of rules) extractAnswer(text, rule);
    for (const kind of graderKinds)
      for (const reference of kind === 'edit' || kind === 'rouge-l' || kind === 'math'
        ? references.slice(0, 1)
        : references) {
        const { score } = grade(settingsOf(kind), text, reference, text.slice(0, 10_000));
        expect(score === null || (score >= 0 && score <= 1)).toBe(true);
      }
  };
  // A scan that is quadratic in the text needs minutes for one of these; the time limit is what fails.
  test.each(hostile)(
    '%j repeated is graded in time',
    (unit) => {
      const text = unit.repeat(Math.ceil(50_000 / unit.length));
      gradeAll(text);
      gradeAll(`${text}x`);
    },
    15_000,
  );

  test('long texts against long texts', () => {
    const long = 'ab c'.repeat(15_000);
    for (const kind of graderKinds) grade(settingsOf(kind), long, `${long}x`, long);
    expect(grade({ kind: 'edit' }, 'a'.repeat(500_000), 'b'.repeat(500_000)).score).toBeNull();
  });

  test.skipIf(!recordedPresent)('naughty strings against each other', () => {
    const strings = recordedJson<string[]>('hostile_strings/blns.json');
    strings.forEach((answer, index) => {
      const reference = strings[(index * 7 + 3) % strings.length] ?? '';
      for (const rule of rules) extractAnswer(answer, rule);
      for (const kind of graderKinds) {
        const { score } = grade(settingsOf(kind), answer, reference, reference);
        expect(score === null || (score >= 0 && score <= 1), `${kind} ${answer}`).toBe(true);
        const self = grade(settingsOf(kind), answer, answer).score;
        if (kind === 'exact' || kind === 'edit') expect(self, answer).toBe(1);
        if (kind === 'math') expect(self, answer).not.toBe(0);
      }
    });
  });
});
