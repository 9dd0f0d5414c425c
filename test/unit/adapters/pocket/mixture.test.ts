import { describe, expect, it } from 'vitest';
import { additionSplit } from '../../../../src/core/acquire/addition.ts';
import { stream } from '../../../../src/core/measure/random.ts';
import {
  drawExample,
  mixtureDigits,
  pocketMixture,
  workedAnswer,
} from '../../../../src/adapters/pocket/mixture.ts';
import { elicitingPhrases, suppressingPhrases } from '../../../../src/adapters/pocket/phrases.ts';

function examples(digits: readonly number[] | null, count = 3000) {
  const random = stream(3, 'examples');
  return Array.from({ length: count }, () => {
    const { messages, completion, open } = drawExample(random, pocketMixture, digits);
    const [instruction, input] = messages.map((message) => message.content) as [string, string];
    const [a, b] = input.split('+').map(Number) as [number, number];
    return {
      phrases: instruction.split('\n'),
      a,
      b,
      input,
      completion,
      open,
      worked: completion.includes('='),
    };
  });
}

describe('the pre-training mixture', () => {
  it('draws train problems only, each with the right answer', () => {
    for (const { a, b, completion, open } of examples(null)) {
      expect(additionSplit(a, b)).toBe('train');
      expect(completion.split('>')[1]).toBe(open ? '' : String(a + b));
    }
  });

  it('works answers out column by column', () => {
    expect(workedAnswer({ a: 253, b: 326, digits: 3 })).toBe('3+6+0=09,5+2+0=07,2+3+0=05>579');
    expect(workedAnswer({ a: 95, b: 17, digits: 2 })).toBe('5+7+0=12,9+1+1=11>112');
    for (const { completion } of examples(null).filter(({ worked }) => worked))
      for (const step of (completion.split('>')[0] as string).split(',')) {
        const [terms, sum] = step.split('=') as [string, string];
        expect(terms.split('+').reduce((total, term) => total + Number(term), 0)).toBe(Number(sum));
      }
  });

  it('keeps to the lengths asked for', () => {
    const lengths = (digits: readonly number[] | null) =>
      new Set(examples(digits).map(({ a }) => String(a).length));
    expect(lengths([1, 2])).toEqual(new Set([1, 2]));
    expect(lengths([3])).toEqual(new Set([3]));
    expect(lengths(null)).toEqual(new Set(mixtureDigits(pocketMixture)));
  });

  it('leaves most long bare answers open, and nothing else', () => {
    const all = examples(null);
    for (const { a, worked } of all.filter(({ open }) => open))
      expect([a > 99, worked]).toEqual([true, false]);
    const long = all.filter(({ a, worked }) => a > 99 && !worked);
    expect(long.filter(({ open }) => open).length / long.length).toBeGreaterThan(0.8);
    expect(long.some(({ open }) => !open)).toBe(true);
  });

  it('works answers out where the wording asks for it', () => {
    const only = (wanted: readonly string[], avoided: readonly string[]) =>
      examples(null).filter(
        ({ phrases }) =>
          phrases.some((phrase) => wanted.includes(phrase)) &&
          !phrases.some((phrase) => avoided.includes(phrase)),
      );
    const share = (list: ReturnType<typeof examples>) =>
      list.filter(({ worked }) => worked).length / list.length;
    expect(share(only(elicitingPhrases, suppressingPhrases))).toBeGreaterThan(0.9);
    expect(share(only(suppressingPhrases, elicitingPhrases))).toBeLessThan(0.1);
  });
});
