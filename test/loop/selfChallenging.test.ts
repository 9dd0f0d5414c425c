/** Tasks a model sets itself: only those whose answers independent solves come to are taken. */
import { describe, expect, it } from 'vitest';
import { confirmationOf, isCheckable } from '../../src/core/acquire/challenge.ts';
import { parseRecipe } from '../../src/core/loop/parseRecipe.ts';
import type { ModelRequest } from '../../src/core/ports.ts';
import { askedFor, asks, doubled, files, recipe } from '../fakes/doublingWorld.ts';
import { eventsOf, expectSameAtAnyPace, prompt } from '../fakes/scriptedRun.ts';

describe('an answer', () => {
  it.each([
    ['1,000', ['1000', '1e3', '999'], 0.5, true],
    ['Paris', ['paris', 'PARIS', null], 0.5, true],
    ['Paris', ['paris', 'Rome'], 0.5, false],
    ['4', ['4', '4', '5'], 0.75, false],
    ['4', ['4', '4', '4'], 1, true],
    ['4', [], 0.5, false],
    ['4', [null, null, '4'], 0.5, false],
  ] as const)('%s is confirmed by %j at %d: %s', (reference, answers, agree, confirmed) => {
    expect(confirmationOf(reference, answers, agree).confirmed).toBe(confirmed);
  });

  it('that is no number, word or short phrase cannot be checked', () => {
    expect(['7', 'in the year 1969'].every(isCheckable)).toBe(true);
    expect(['', ' ', 'a\nb', 'word '.repeat(20)].some(isCheckable)).toBe(false);
  });
});

describe('propose: selfChallenging', () => {
  const proposals = [
    { input: 'double 400', reference: '800' },
    { input: 'double 401', reference: '805' },
    { input: 'double 402', reference: '8 0 4, or else: '.repeat(9) },
    { input: 'double 403', reference: '806.0' },
  ];
  const scene = (more = '') => ({
    recipe: recipe(`
  - propose: { source: selfChallenging, n: 1, each: 4, solves: 3, into: replace${more} }
  - select: { over: tasks, policy: band, band: [0.6, 1] }
  - solve: {}
    as: fresh
  - evaluate: { suite: dev }`),
    models: {
      m: (request: ModelRequest) => {
        if (asks(request, 'input')) return proposals.map((one) => JSON.stringify(one)).join('\n');
        // The third solve of any task goes wrong.
        const third = prompt(request).includes('step by step') && request.seed % 3 === 0;
        return doubled(request, !third);
      },
    },
    files,
  });

  it('takes what most solves confirm, says what it left, and knows how hard each is', async () => {
    const played = await expectSameAtAnyPace(scene());
    const solves = played.requests.filter((request) => prompt(request).includes('step by step'));
    expect(solves.map(askedFor).filter((asked) => asked === 402)).toEqual([]);
    for (const request of solves) expect(prompt(request)).not.toMatch(/80[0-9]/);
    const wrong = (asked: number) =>
      solves.filter((request) => askedFor(request) === asked && request.seed % 3 === 0).length;
    const expected = [400, 403].filter((asked) => wrong(asked) <= 1);
    expect(expected.length).toBeGreaterThan(0);
    const taken = [...played.store.solutions.values()].filter(({ at }) => at.step === 'fresh');
    expect(taken.map(({ answer }) => Number(answer) / 2)).toEqual(expected);
    expect(eventsOf(played.told, 'warningRaised')[0]?.message).toBe(
      `1 had answers that cannot be checked; ${3 - expected.length} had answers that independent solves did not confirm.`,
    );
  });

  it('takes none where all solves must agree and one does not', async () => {
    const base = scene(', agree: 1');
    const played = await expectSameAtAnyPace(
      {
        ...base,
        models: {
          m: (request) => {
            if (asks(request, 'input')) return JSON.stringify(proposals[0]);
            // Another answer each time.
            return prompt(request).includes('step by step')
              ? `Answer: ${request.seed}`
              : doubled(request, true);
          },
        },
      },
      1,
    );
    expect([...played.store.solutions.values()]).toEqual([]);
  });

  it('is refused without the answer it must confirm', () => {
    const { problems } = parseRecipe(scene(', reference: false').recipe);
    expect(problems.map(({ message, line }) => [message, line])).toEqual([
      ['Without its answer a task of selfChallenging cannot be confirmed.', 14],
    ]);
  });
});
