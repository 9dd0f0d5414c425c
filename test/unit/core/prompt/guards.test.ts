// Owns the check of what an instruction must not become.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { guardInstruction } from '../../../../src/core/prompt/guards.ts';

const training = ['Janet sells sixteen fresh duck eggs every day at the market for two dollars each.'];

function check(
  before: string,
  after: string,
  reason: RegExp | null,
  texts: readonly string[] = training,
): void {
  const verdict = guardInstruction(before, after, texts);
  if (reason === null) expect(verdict).toEqual({ ok: true });
  else expect(verdict.ok ? '' : verdict.reason).toMatch(reason);
}

describe('template variables', () => {
  test('kept in any place', () => check('Answer {{ input }} now', 'Now: {{input}}', null));
  test('lost', () =>
    check('Answer {{input}} as {name}', 'Answer', /lost the template variable \{\{input\}\}, \{name\}/));
  test('changed in kind', () => check('{{input}}', '{input}', /\{\{input\}\}/));
  test('a new one is no loss', () => check('Answer', 'Answer {input}', null));
  test('TeX arguments are no variables', () =>
    check('Write \\boxed{answer} or x^{n} \\frac{a}{b}', 'Write it', null));
});

describe('size', () => {
  test('empty', () => check('a', ' \n', /empty/));
  test('too long', () => check('a', 'b '.repeat(10_001), /20002 characters/));
});

describe('copies of training text', () => {
  test('eight words, whatever their case and punctuation', () =>
    check(
      'Solve.',
      'Note: Sixteen FRESH duck eggs, every day; at the',
      /copies a training text: "sixteen fresh duck/,
    ));
  test('seven words, under forty characters', () => check('', 'x at the market for two dollars each', null));
  test('forty characters without eight words', () =>
    check('', 'internationalisation of counterrevolutionaries', /copies/, [
      'the internationalisation of counterrevolutionaries',
    ]));
  test('forty characters in a script without spaces', () => {
    const text = '天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳云腾致雨露结为霜';
    check('', `请记住${text}`, /copies/, [`课文：${text}。`]);
    check('', `请记住${text.slice(0, 30)}`, null, [`课文：${text}。`]);
  });
  test('allowed where it stood before', () => {
    const quote = 'sixteen fresh duck eggs every day at the market';
    check(`Example: ${quote}`, `${quote}. Be brief.`, null);
    check(`Example: ${quote}`, `${quote} for two dollars each`, /copies/);
  });

  test('is found wherever it stands, and own words never are', () => {
    const word = fc.stringMatching(/^[a-z]{3,6}$/);
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 8, maxLength: 30 }),
        fc.array(word, { maxLength: 10 }),
        fc.array(word, { maxLength: 10 }),
        fc.nat(),
        (source, head, tail, at) => {
          const start = at % (source.length - 7);
          const after = [...head, ...source.slice(start, start + 8), ...tail].join(' ');
          expect(guardInstruction('', after, [source.join(' ')]).ok).toBe(false);
          expect(guardInstruction(after, after, [source.join(' ')]).ok).toBe(true);
          expect(guardInstruction('', source.slice(0, 5).join(' ').slice(0, 39), ['', 'QQQ']).ok).toBe(true);
        },
      ),
    );
  });

  test('ten thousand long texts take less than a second', () => {
    const texts = Array.from({ length: 10_000 }, (_, index) => `text ${index} `.repeat(20));
    const start = performance.now();
    check('', 'think step by step and then answer the question in one line '.repeat(20), null, texts);
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});
