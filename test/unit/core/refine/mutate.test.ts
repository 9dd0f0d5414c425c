/** Each way of making a draft shows the model what its method needs, and nothing of what another one needs. */
import { describe, expect, it } from 'vitest';
import {
  mutationMessages,
  readInstruction,
  readPhrase,
  readWay,
  wayMessages,
  type Mutation,
  type MutationInput,
} from '../../../../src/core/refine/mutate.ts';

/** A word for each part of what a mutation may be shown. */
const input: MutationInput = {
  ability: 'ABILITY',
  parents: [
    { instruction: 'FIRST', score: 0.25 },
    { instruction: 'SECOND', score: 0.5 },
    { instruction: 'THIRD', score: null },
  ],
  best: { instruction: 'BEST-OF-ALL', score: 0.75 },
  traces: [{ input: 'TRACE', reference: 'GOLD', output: 'OUTPUT', score: 0, said: 'CRITIQUE' }],
  history: [
    { instruction: 'WORSE', score: 0.1 },
    { instruction: 'BETTER', score: 0.9 },
  ],
  examples: [{ input: 'EXAMPLE', reference: 'EXAMPLE-ANSWER' }],
  ancestors: ['ELDEST', 'ELDER'],
  wins: [['WON-BY-FIRST'], ['WON-BY-SECOND']],
  way: 'WAY-TO-CHANGE',
  phrase: 'ONE-PHRASE',
};

const words = [
  'FIRST',
  'SECOND',
  'THIRD',
  'BEST-OF-ALL',
  'TRACE',
  'GOLD',
  'OUTPUT',
  'CRITIQUE',
  'WORSE',
  'BETTER',
  'EXAMPLE',
  'EXAMPLE-ANSWER',
  'ELDEST',
  'ELDER',
  'WON-BY-FIRST',
  'WON-BY-SECOND',
  'WAY-TO-CHANGE',
  'ONE-PHRASE',
  '25 of 100',
  '50 of 100',
  '75 of 100',
  '10 of 100',
  '90 of 100',
  'not scored',
] as const;

const textOf = (mutation: Mutation) =>
  mutationMessages(mutation, input)
    .map(({ content }) => content)
    .join('\n');
const shownIn = (text: string) =>
  words.filter((word) => new RegExp(`(?<![\\w-])${word}(?![\\w-])`).test(text));

const shows: Readonly<Record<Mutation, readonly string[]>> = {
  reflect: ['FIRST', 'TRACE', 'GOLD', 'OUTPUT', 'CRITIQUE'],
  firstOrder: ['FIRST', 'WAY-TO-CHANGE'],
  zeroOrder: ['WAY-TO-CHANGE'],
  lineage: ['ELDEST', 'ELDER'],
  trajectory: ['WORSE', 'BETTER', 'EXAMPLE', 'EXAMPLE-ANSWER', '10 of 100', '90 of 100'],
  hyper: ['FIRST', 'WAY-TO-CHANGE'],
  crossover: ['FIRST', 'SECOND', 'WAY-TO-CHANGE', '25 of 100', '50 of 100'],
  differential: [
    'FIRST',
    'SECOND',
    'THIRD',
    'BEST-OF-ALL',
    'WAY-TO-CHANGE',
    '25 of 100',
    '50 of 100',
    '75 of 100',
    'not scored',
  ],
  merge: ['FIRST', 'SECOND', 'ELDEST', 'WON-BY-FIRST', 'WON-BY-SECOND', '25 of 100', '50 of 100'],
  paraphrase: ['FIRST', 'ONE-PHRASE'],
};

describe('a draft by', () => {
  it.each(Object.entries(shows))('%s is shown what it needs and no more', (mutation, expected) => {
    expect([...shownIn(textOf(mutation as Mutation))].sort()).toEqual([...expected].sort());
    expect(textOf(mutation as Mutation)).toContain('Ability: ABILITY');
  });

  it('no two modes asks the same, but for hyper, whose way was changed first', () => {
    const texts = Object.keys(shows).map((mutation) => textOf(mutation as Mutation));
    expect(new Set(texts).size).toBe(texts.length - 1);
    expect(wayMessages('ABILITY', 'WAY-TO-CHANGE').at(-1)?.content).toMatch(/WAY-TO-CHANGE[^]*better way/);
  });

  it('trajectory goes from worst to best, lineage from eldest on', () => {
    expect(textOf('trajectory')).toMatch(/WORSE[^]*BETTER/);
    expect(textOf('lineage')).toMatch(/ELDEST[^]*ELDER\n/);
  });

  it('differential names its four steps in order', () => {
    expect(textOf('differential')).toMatch(/1\. Find[^]*2\. Change[^]*3\. Put[^]*4\. Cross/);
  });
});

describe('a reply', () => {
  it('is read by the member that was asked for', () => {
    expect(readInstruction('x {"instruction": "a"} y')).toBe('a');
    expect(readWay('{"way": "b"}')).toBe('b');
    expect(readPhrase('{"phrase": "c\\nd"}')).toBe('c d');
    expect([readInstruction('a'), readWay('{"instruction": "b"}'), readPhrase('{"phrase": 1.5}')]).toEqual([
      null,
      null,
      '1.5',
    ]);
  });
});
