import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { additionInput, drawAddition } from '../../../../src/core/acquire/addition.ts';
import { stream } from '../../../../src/core/measure/random.ts';
import { workedAnswer } from '../../../../src/adapters/pocket/mixture.ts';
import { allPhrases } from '../../../../src/adapters/pocket/phrases.ts';
import { pocketShape } from '../../../../src/adapters/pocket/shape.ts';
import {
  decode,
  drawableTokens,
  encodeCompletion,
  encodePrompt,
  endToken,
  tokensInUse,
} from '../../../../src/adapters/pocket/text.ts';

const prompt = (instruction: string, input: string) =>
  encodePrompt([
    { role: 'system', content: instruction },
    { role: 'user', content: input },
  ]);

/** The first of the characters, `?`. */
const unknownToken = 1;

describe('Pocket’s text', () => {
  it('fits the network', () => {
    expect(tokensInUse).toBeLessThanOrEqual(pocketShape.vocabulary);
    expect(drawableTokens % 4).toBe(0);
  });

  it('comes back as it went in, for worked answers and anything that can be drawn', () => {
    const random = stream(1, 'problems');
    for (let i = 0; i < 50; i++) {
      const answer = workedAnswer(drawAddition(random, 1 + random.int(4), 'train'));
      expect(decode(encodeCompletion(answer))).toBe(answer);
    }
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: drawableTokens - 1 })), (tokens) => {
        expect(encodeCompletion(decode(tokens))).toEqual([...tokens, endToken]);
      }),
    );
  });

  it('reads an instruction by its words only', () => {
    expect(prompt('Think step by step.\n\nBe CAREFUL!', '1+2')).toEqual(
      prompt('think step by step be careful', '1+2'),
    );
    for (const phrase of allPhrases) {
      const words = prompt(phrase, '').slice(1, -3);
      expect(words).toHaveLength(phrase.split(' ').length);
      expect(words).not.toContain(unknownToken);
    }
  });

  it('reads a run of unknown words as one', () => {
    const unknown = prompt('zebra', '1+2');
    expect(prompt('Répondez, s’il vous plaît, 中文 zebra', '1+2').length).toBeLessThan(unknown.length + 3);
    expect(prompt('zebra quagga', '1+2')).toEqual(unknown);
    expect(prompt('zebra solve', '1+2')).not.toEqual(unknown);
  });

  it('keeps context lines apart from the question', () => {
    expect(prompt('', 'a=7\nb=3\na=')).not.toEqual(prompt('', 'a=7;b=3a='));
    expect(prompt('', '1+2')).toEqual(prompt('', ' 1 + 2 \n'));
    expect(prompt('', additionInput({ a: 1, b: 2, digits: 1 }))).toEqual(prompt('', '1+2'));
  });

  it('takes any text without error, within the vocabulary, and lets none spell a control token', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
      fc.constant('<bos>|QA'),
    );
    fc.assert(
      fc.property(hostile, hostile, hostile, (instruction, input, answer) => {
        const tokens = encodePrompt([
          { role: 'user', content: input },
          { role: 'assistant', content: answer },
          { role: 'system', content: instruction },
          { role: 'user', content: input },
        ]);
        const all = [...tokens, ...encodeCompletion(answer)];
        expect(all.every((token) => token >= 0 && token < tokensInUse)).toBe(true);
        const controls = (list: readonly number[]) =>
          list.filter((token) => token >= drawableTokens && token < drawableTokens + 4).length;
        expect(controls(tokens)).toBe(6);
        expect(controls(encodeCompletion(answer))).toBe(0);
        expect(encodeCompletion(answer).indexOf(endToken)).toBe(encodeCompletion(answer).length - 1);
        decode(all);
      }),
    );
  });
});
