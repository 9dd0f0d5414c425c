// Owns the check of format rules on own texts; recorded ones are in recordedGraders.test.ts.
import { expect, test } from 'vitest';
import {
  formatRuleKinds,
  gradeFormatRule,
  gradeFormatRules,
  readFormatRules,
  type RuleParameters,
} from '../../../../src/core/measure/formatRules.ts';
import {
  capitalWordBounds,
  languageByScript,
  sentenceBounds,
} from '../../../../src/core/measure/textBounds.ts';

const atLeast = (name: string, value: number): RuleParameters => ({ relation: 'at least', [name]: value });
const lessThan = (name: string, value: number): RuleParameters => ({ relation: 'less than', [name]: value });

test.each<[string, RuleParameters, string, number | null]>([
  ['keywords:existence', { keywords: ['Dog', 'cat'] }, 'A dog, a CAT', 1],
  ['keywords:existence', { keywords: ['dog', 'cow'] }, 'A dog', 0],
  ['keywords:existence', { keywords: ['c++'] }, 'I like C++', 1],
  ['keywords:existence', {}, 'A dog', null],
  ['keywords:frequency', { keyword: 'war', ...atLeast('frequency', 3) }, 'War and warm wars', 1],
  ['keywords:frequency', { keyword: 'war', ...lessThan('frequency', 3) }, 'War and warm wars', 0],
  ['keywords:frequency', { keyword: 'aa', ...atLeast('frequency', 2) }, 'aaa', 0],
  ['keywords:forbidden_words', { forbidden_words: ['war'] }, 'warm', 1],
  ['keywords:forbidden_words', { forbidden_words: ['war'] }, 'no War!', 0],
  ['keywords:forbidden_words', { forbidden_words: ['été'] }, 'L’été', 0],
  ['keywords:forbidden_words', { forbidden_words: ['t'] }, 'été', 1],
  ['keywords:letter_frequency', { letter: 'L', let_relation: 'at least', let_frequency: 3 }, 'Hello all', 1],
  ['keywords:letter_frequency', { letter: 'l', let_relation: 'less than', let_frequency: 3 }, 'Hello all', 0],
  ['keywords:letter_frequency', { letter: 'll', let_relation: 'at least', let_frequency: 1 }, 'all', null],
  ['language:response_language', { language: 'kn' }, 'ಕನ್ನಡ ಒಂದು ಭಾಷೆ', 1],
  ['language:response_language', { language: 'kn' }, 'This is English', 0],
  ['language:response_language', { language: 'hi' }, 'यह हिन्दी है', null],
  ['language:response_language', { language: 'de' }, 'Das ist Deutsch', null],
  ['language:response_language', { language: 'de' }, '이것은 한국어', 0],
  ['length_constraints:number_sentences', atLeast('num_sentences', 3), 'One. Two', 0],
  ['length_constraints:number_sentences', atLeast('num_sentences', 2), 'Really? Yes indeed', 1],
  ['length_constraints:number_sentences', lessThan('num_sentences', 2), 'He met Dr. Smith there', null],
  ['length_constraints:number_paragraphs', { num_paragraphs: 2 }, 'one\n***\ntwo', 1],
  ['length_constraints:number_paragraphs', { num_paragraphs: 2 }, '***\none\n***\ntwo\n***', 1],
  ['length_constraints:number_paragraphs', { num_paragraphs: 2 }, 'one\n***\n***\ntwo', 0],
  ['length_constraints:number_words', atLeast('num_words', 4), 'It’s a well-known fact', 1],
  ['length_constraints:number_words', lessThan('num_words', 4), 'one two three', 1],
  ['length_constraints:number_words', lessThan('num_words', 3), 'one two three', 0],
  [
    'length_constraints:nth_paragraph_first_word',
    { num_paragraphs: 2, nth_paragraph: 2, first_word: 'Then' },
    'First, this.\n\n"Then", that.',
    1,
  ],
  [
    'length_constraints:nth_paragraph_first_word',
    { num_paragraphs: 2, nth_paragraph: 2, first_word: 'then' },
    'First.\n\nAfter then.',
    0,
  ],
  [
    'length_constraints:nth_paragraph_first_word',
    { num_paragraphs: 2, nth_paragraph: 1, first_word: 'a' },
    'a\n\nb\n\nc',
    0,
  ],
  ['detectable_content:number_placeholders', { num_placeholders: 2 }, '[name], [address]', 1],
  ['detectable_content:number_placeholders', { num_placeholders: 2 }, '[[name]] [\n]', 0],
  ['detectable_content:postscript', { postscript_marker: 'P.S.' }, 'Yours\np. s. more', 1],
  ['detectable_content:postscript', { postscript_marker: 'P.P.S' }, 'Yours\nP.S. more', 0],
  ['detectable_format:number_bullet_lists', { num_bullets: 3 }, '* a\n- b\n  * c\n** d', 1],
  ['detectable_format:number_bullet_lists', { num_bullets: 2 }, '* a\n- b\n- c', 0],
  ['detectable_format:constrained_response', {}, 'Well: My answer is no.', 1],
  ['detectable_format:constrained_response', {}, 'No.', 0],
  ['detectable_format:number_highlighted_sections', { num_highlights: 2 }, '*a* and *b*', 1],
  ['detectable_format:number_highlighted_sections', { num_highlights: 2 }, '*a* and * *\n*b\nc*', 0],
  [
    'detectable_format:multiple_sections',
    { section_spliter: 'Part', num_sections: 2 },
    'Part 1\nx\nPart2\ny',
    1,
  ],
  ['detectable_format:multiple_sections', { section_spliter: 'Part', num_sections: 2 }, 'Part 1, part 2', 0],
  ['detectable_format:json_format', {}, '```json\n{"a":[1]}\n```', 1],
  ['detectable_format:json_format', {}, 'Here: {"a":1}', 0],
  ['detectable_format:title', {}, 'A <<poem of joy>>', 1],
  ['detectable_format:title', {}, '<< >>\n<<\n>>', 0],
  ['combination:two_responses', {}, 'a\n******\nb', 1],
  ['combination:two_responses', {}, 'a\n******\na', 0],
  ['combination:two_responses', {}, 'a******b******c', 0],
  ['combination:repeat_prompt', { prompt_to_repeat: 'Say hi. ' }, ' say hi. Hi', 1],
  ['combination:repeat_prompt', { prompt_to_repeat: 'Say hi.' }, 'Sure! Say hi.', 0],
  ['startend:end_checker', { end_phrase: 'The end' }, '"All. THE END"', 1],
  ['startend:end_checker', { end_phrase: 'The end' }, 'The end.', 0],
  ['startend:quotation', {}, ' "all of it" ', 1],
  ['startend:quotation', {}, '"', 0],
  [
    'change_case:capital_word_frequency',
    { capital_relation: 'at least', capital_frequency: 2 },
    'VERY, VERY big',
    1,
  ],
  [
    'change_case:capital_word_frequency',
    { capital_relation: 'less than', capital_frequency: 2 },
    'A big one',
    1,
  ],
  [
    'change_case:capital_word_frequency',
    { capital_relation: 'at least', capital_frequency: 2 },
    'the U.S. team',
    null,
  ],
  ['change_case:english_capital', {}, 'ALL BIG', null],
  ['change_case:english_capital', {}, 'Not all BIG', 0],
  ['change_case:english_lowercase', {}, 'all small', null],
  ['change_case:english_lowercase', {}, '123', 0],
  ['punctuation:no_comma', {}, 'none; here', 1],
  ['punctuation:no_comma', {}, 'one, here', 0],
  ['no:such_rule', {}, 'text', null],
  ['constructor', {}, 'text', null],
])('%s %j on %j: %j', (kind, parameters, text, score) => {
  expect(gradeFormatRule(text, { kind, with: parameters }).score).toBe(score);
});

test('all 25 kinds are there, and an empty output keeps none of them', () => {
  expect(formatRuleKinds).toHaveLength(25);
  for (const kind of formatRuleKinds) expect(gradeFormatRule(' \n', { kind }).score, kind).toBe(0);
});

test('loose forgives a first or last line and asterisks', () => {
  const rule = { kind: 'startend:quotation' };
  expect(gradeFormatRule('Sure:\n"text"', rule).score).toBe(0);
  expect(gradeFormatRule('Sure:\n"text"', rule, true).score).toBe(1);
  expect(gradeFormatRule('**"text"**', rule, true).score).toBe(1);
  expect(gradeFormatRule('Sure:\n"text"\nBye\nBye', rule, true).score).toBe(0);
});

test('several rules: one broken is 0, one open is unknown', () => {
  const [comma, quotes, small] = [
    { kind: 'punctuation:no_comma' },
    { kind: 'startend:quotation' },
    { kind: 'change_case:english_lowercase' },
  ];
  expect(gradeFormatRules('"a"', [comma, quotes]).score).toBe(1);
  expect(gradeFormatRules('"a, b"', [comma, quotes]).score).toBe(0);
  expect(gradeFormatRules('"a"', [comma, small]).score).toBeNull();
  expect(gradeFormatRules('a', [quotes, small]).score).toBe(0);
  expect(gradeFormatRules('a', []).score).toBeNull();
});

test('rules are read from a list or from a row of the published file', () => {
  const rule = { kind: 'keywords:existence', with: { keywords: ['a'] } };
  expect(readFormatRules([rule])).toEqual([rule]);
  const row = { instruction_id_list: [rule.kind], kwargs: [rule.with] };
  expect(readFormatRules(row)).toEqual([rule]);
  for (const other of [null, 'text', {}, [1], [{ with: {} }], { ...row, kwargs: [] }])
    expect(readFormatRules(other)).toBeNull();
});

test('bounds hold the true count', () => {
  expect(sentenceBounds('')).toEqual({ least: 0, most: 0 });
  expect(sentenceBounds('One sentence only.')).toEqual({ least: 1, most: 1 });
  expect(sentenceBounds('This is plain. That follows! Is it? Yes.')).toEqual({ least: 4, most: 4 });
  const doubtful = sentenceBounds('Mr. Smith paid $3.50 to approx. Ten people');
  expect(doubtful.least).toBe(1);
  expect(doubtful.most).toBeGreaterThanOrEqual(4);
  expect(capitalWordBounds('I CANNOT see NASA’s X-15')).toEqual({ least: 2, most: 5 });
  expect(languageByScript('12345', 'en')).toBeNull();
});

// Half a million marks that do not reach the end: a regular expression that trims them would need minutes.
test.each(['.', '?! ', '" ', '*)'])('%j repeated is counted in time', (unit) => {
  const text = `${unit.repeat(500_000 / unit.length)}x`;
  expect(sentenceBounds(text).least).toBeGreaterThanOrEqual(1);
  for (const kind of formatRuleKinds) gradeFormatRule(text, { kind });
});
