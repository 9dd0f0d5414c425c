/** Islands of a population: apart until the best of each move on in a ring, and better for it. */
import { describe, expect, it } from 'vitest';
import { parseRecipe } from '../../src/core/loop/parseRecipe.ts';
import { asId, type CandidateId } from '../../src/core/model/ids.ts';
import type { ModelRequest } from '../../src/core/ports.ts';
import { foundIslands, migrate, settle } from '../../src/core/refine/islands.ts';
import { askedFor, asks, doubled, doubling, files, recipe } from '../fakes/doublingWorld.ts';
import { eventsOf, expectSameAtAnyPace, play, prompt } from '../fakes/scriptedRun.ts';

const id = (name: string) => asId<CandidateId>(name);

describe('migration', () => {
  it('takes the best of each island to the next, all at once, and those nobody scored nowhere', () => {
    const scores: Record<string, number> = { a: 0.1, b: 0.5, c: 0.9 };
    const islands = [new Set([id('a'), id('b')]), new Set([id('c')]), new Set([id('x')])];
    const { islands: next, moved } = migrate(islands, (one) => scores[one] ?? null, 1);
    expect(next.map((members) => [...members])).toEqual([
      ['a', 'b'],
      ['c', 'b'],
      ['x', 'c'],
    ]);
    expect(moved).toBe(2);
  });

  it('newcomers live where their drafts were made, else with their parent', () => {
    const founded = foundIslands(3, id('start'));
    const one = settle(founded, id('a'), [1], id('start'));
    const two = settle(one, id('b'), [], id('a'));
    expect(two.map((members) => members.size)).toEqual([1, 3, 1]);
  });
});

describe('a population on islands', () => {
  /**
   * Odd numbers need one word, even ones another. A draft finds one of them, by the luck of its seed, and is then stuck;
   * crossing two instructions gives what both have.
   */
  const odd = 'Mind the odd.';
  const even = 'Mind the even.';
  const model = (luck: ReadonlyMap<number, string>) => (request: ModelRequest) => {
    const asked = prompt(request);
    if (asks(request, 'instruction')) {
      const has = [odd, even].filter((word) => asked.includes(word));
      const crossed = asked.includes('Two instructions');
      if (crossed) return JSON.stringify({ instruction: ['Answer.', ...has].join(' ') });
      const found = has.length > 0 ? `Stuck ${request.seed % 9973}. ${has[0]}` : luck.get(request.seed);
      return JSON.stringify({ instruction: `Answer. ${found ?? `Nothing ${request.seed % 9973}.`}` });
    }
    const number = askedFor(request) ?? 0;
    return doubled(request, asked.includes(number % 2 === 1 ? odd : even));
  };
  const text = (every: number) =>
    recipe(
      `
  - select: { over: candidates, policy: tournament, k: 1, size: 9 }
  - revise: { over: instruction, mode: firstOrder, n: 2 }
    as: change
  - revise: { over: instruction, mode: crossover, n: 2 }
  - update: { slot: instruction }
  - evaluate: { suite: dev }`,
      {
        rounds: 3,
        more: `population: { islands: 2, migrate: { every: ${every} } }\ninstruction: Start here.`,
      },
    );
  /** The first round's draft of each island finds one of the two words: the seeds of its two drafts are looked up first. */
  const scene = async (every: number) => {
    const world = { ...files, 'dev.jsonl': doubling(200, 20) };
    const blind = await play({ recipe: text(every), models: { m: model(new Map()) }, files: world });
    const firsts = blind.requests
      .filter(
        (request) =>
          prompt(request).includes('Change it in this way') && prompt(request).includes('Start here.'),
      )
      .map(({ seed }) => seed);
    const luck = new Map([
      [firsts[0] ?? 0, odd],
      [firsts[1] ?? 0, even],
    ]);
    return { recipe: text(every), models: { m: model(luck) }, files: world };
  };
  const best = (scores: readonly { mean: number }[]) => Math.max(...scores.map(({ mean }) => mean));

  it('finds with migration what no island finds alone', async () => {
    const together = await expectSameAtAnyPace(await scene(1), 2);
    const apart = await play(await scene(1000));
    expect(best(eventsOf(apart.told, 'evaluationMade'))).toBe(0.5);
    expect(best(eventsOf(together.told, 'evaluationMade'))).toBe(1);
    const reports = eventsOf(together.told, 'reportMade').map(({ text: said }) => said);
    expect(reports.some((said) => /island 1: .*island 2: .*joined the next island/.test(said))).toBe(true);
  });

  it('needs a step that draws parents', () => {
    const { problems } = parseRecipe(
      recipe('  - evaluate: { suite: dev }', { more: 'population: { islands: 3 }' }),
    );
    expect(problems.map(({ line, message }) => [line, message])).toEqual([
      [11, expect.stringContaining('No step draws parents')],
    ]);
  });
});
