// Owns the check of reading a judge's words, and of finding code and JSON in an output.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { extractAnswer } from '../../../../src/core/prompt/answer.ts';
import { fencedBlocks, findJsonText } from '../../../../src/core/prompt/blocks.ts';
import { readPreference, readRating } from '../../../../src/core/prompt/verdict.ts';

describe('readRating', () => {
  test.each<[string, number | null]>([
    ['Good work. Rating: [[7]]', 7],
    ['First [[3]], on reflection [[ 8.5 ]]', 8.5],
    ['Rating: 6', 6],
    ['**Score:** 9/10', 9],
    ['The rating is 4.', 4],
    ['7', 7],
    [' 7/10 ', 7],
    ['Rating: [[11]]', null],
    ['[[0]]', null],
    ['Rating: excellent', null],
    ['There are 7 reasons', null],
    ['[[A]]', null],
    ['', null],
  ])('%j is %j', (text, rating) => expect(readRating(text, 1, 10)).toBe(rating));
});

describe('readPreference', () => {
  test.each([
    ['[[A]]', 'first'],
    ['I first liked [[A]], but [[B]]', 'second'],
    ['[[C]]', 'tie'],
    ['Output (a)', 'first'],
    ['Output (b)', 'second'],
    ['Both are fine. Therefore, Output (b) is better.', 'second'],
    ['It is clear that Output (a) is better than Output (b).', 'first'],
    ['Output (a) is better in style.\n\nOverall, Output (b) is the better one.', 'second'],
    ['Assistant B is clearly better', 'second'],
    ['Response 1 is superior.', 'first'],
    ['Output (a) is not better than Output (b), nor is it worse.', null],
    ['Neither Output (a) nor Output (b) is better.', null],
    ['I cannot say whether Output (a) is better.', null],
    ['Output (a) and Output (b) are equally good.', null],
    ['Both Output (a) and\nOutput (b) are good', null],
    ['', null],
  ])('%j: %j', (text, preference) => expect(readPreference(text)).toBe(preference));

  test('any text has a verdict or none', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(['first', 'second', 'tie', null]).toContain(readPreference(text));
        const rating = readRating(text, 1, 10);
        expect(rating === null || (rating >= 1 && rating <= 10)).toBe(true);
      }),
    );
  });
});

describe('fencedBlocks', () => {
  test('languages, longer fences, tildes, an open end', () => {
    const output = '```py\na\n```\ntext\n````\n```\nb\n````\n~~~JS x=1\nc\n~~~\n```\nopen\nend';
    expect(fencedBlocks(output)).toEqual([
      { language: 'py', text: 'a' },
      { language: '', text: '```\nb' },
      { language: 'js', text: 'c' },
      { language: '', text: 'open\nend' },
    ]);
    expect(fencedBlocks('no `code` here')).toEqual([]);
  });
});

describe('answers by rule', () => {
  test.each<[string, 'json' | 'code' | 'choice', string | null]>([
    ['{"a": 1}', 'json', '{"a": 1}'],
    ['Here:\n```json\n{"a": [1]}\n```\nDone', 'json', '{"a": [1]}'],
    ['The result is {"a": "}"} as asked', 'json', '{"a": "}"}'],
    ['Use {x} and then [1, 2]', 'json', '[1, 2]'],
    ['no JSON {', 'json', null],
    ['Text\n```js\n  return 1;\n```\n', 'code', '  return 1;'],
    ['  x = 1\n', 'code', '  x = 1'],
    ['```\n```', 'code', null],
    ['The answer is (B).', 'choice', 'B'],
    ['Answer: B) Paris', 'choice', 'B'],
    ['Because of that, (C) it is\nhope that helps', 'choice', 'C'],
    ['The answer is Paris', 'choice', 'Paris'],
    ['', 'choice', null],
  ])('%j by %s: %j', (output, rule, answer) => expect(extractAnswer(output, rule)).toBe(answer));

  test('JSON that is found can be read', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.string({ unit: fc.constantFrom(...'ab .,\n'), maxLength: 20 }),
        (value, noise) => {
          const wrapped = JSON.stringify({ value });
          expect(JSON.parse(findJsonText(`${noise}${wrapped}${noise}`) ?? 'null')).toEqual(
            JSON.parse(wrapped),
          );
        },
      ),
    );
  });
});
