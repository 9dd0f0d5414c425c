/** How a memory's items did is experience about them: it outlives a refused candidate, counts once, and decides what is forgotten. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Knowledge } from '../../src/core/model/knowledge.ts';
import type { ModelRequest } from '../../src/core/ports.ts';
import { addUses, withUses, type ItemUses } from '../../src/core/update/memory.ts';
import { asks, doubled, files, recipe } from '../fakes/doublingWorld.ts';
import { eventsOf, expectSameAtAnyPace, prompt } from '../fakes/scriptedRun.ts';

const GOOD = 'Multiply the number by two exactly.';
const BAD = 'Read the number twice before you begin.';

const item = (id: string, helpful = 0, harmful = 0): Knowledge => ({
  id,
  form: 'rule',
  text: id,
  helpful,
  harmful,
  lastRound: 0,
  from: [],
});

describe('counts of use', () => {
  it('grow by one for each use, on whatever is known already', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ id: fc.constantFrom('a', 'b', 'c'), helped: fc.boolean() })),
        fc.nat(9),
        fc.nat(9),
        (used, carried, known) => {
          const before: ItemUses = new Map([['a', { helpful: known, harmful: 0, lastRound: 1 }]]);
          const memory = [item('a', carried), item('b')];
          const after = withUses(memory, addUses(before, memory, used, 2));
          const of = (id: string, helped: boolean) =>
            used.filter((use) => use.id === id && use.helped === helped).length;
          expect(after[0]?.helpful).toBe(Math.max(carried, known) + of('a', true));
          expect(after[0]?.harmful).toBe(of('a', false));
          expect([after[1]?.helpful, after[1]?.harmful]).toEqual([of('b', true), of('b', false)]);
        },
      ),
    );
  });

  it('add to those of a merge that was accepted', () => {
    const uses = addUses(new Map(), [item('a', 3)], [{ id: 'a', helped: true }], 1);
    // Another item, with 2 of its own, was joined to it since.
    const merged = [item('a', 6)];
    const [after] = withUses(merged, addUses(uses, merged, [{ id: 'a', helped: true }], 2));
    expect(after?.helpful).toBe(7);
  });
});

describe('a memory whose candidates are refused', () => {
  /** The first round's rule is accepted; later rounds distill what does no good, and are refused. */
  const model = (request: ModelRequest) => {
    if (!asks(request, 'text')) {
      const asked = prompt(request);
      return doubled(request, asked.includes(GOOD) && !/double 10[01]/.test(asked));
    }
    return JSON.stringify({
      text: prompt(request).includes('Answer: 205') ? GOOD : `${BAD} ${request.seed}`,
    });
  };
  const text = (more: string) =>
    recipe(
      `
  - solve: { recall: 9 }
  - assess: {}
  - distill: { form: rule, unit: batch, size: 9 }
  - update: { slot: memory, op: patch, maxItems: 3 }${more}
  - evaluate: { suite: dev, recall: 9 }`,
      { rounds: 4 },
    );

  it('still knows how the items in use did', async () => {
    const played = await expectSameAtAnyPace({ recipe: text(''), models: { m: model }, files });
    expect(eventsOf(played.told, 'candidateAccepted')).toHaveLength(1);
    expect(eventsOf(played.told, 'candidateRefused').length).toBeGreaterThan(1);
    const counts = eventsOf(played.told, 'candidateMade').flatMap(({ at, candidateId }) =>
      (played.store.candidates.get(candidateId)?.state.memory ?? [])
        .filter((one) => one.text === GOOD)
        .map(({ helpful, harmful }) => [at.round, helpful, harmful]),
    );
    // Four of six tasks are solved with it in each round after the one it was made in.
    expect(counts).toEqual([
      [1, 0, 0],
      [2, 4, 2],
      [3, 8, 4],
      [4, 12, 6],
    ]);
    expect(eventsOf(played.told, 'reportMade')[0]?.text).toBe(
      'uses of memory: 4 in solved attempts, 2 in failed ones',
    );
  });

  it('counts no attempt twice, however often it is looked at', async () => {
    const twice = '\n  - update: { slot: memory, op: patch, maxItems: 3 }\n    as: again';
    const played = await expectSameAtAnyPace({ recipe: text(twice), models: { m: model }, files }, 1);
    const most = Math.max(
      ...[...played.store.candidates.values()].flatMap(({ state }) =>
        (state.memory ?? []).map(({ helpful }) => helpful),
      ),
    );
    expect(most).toBe(12);
  });

  it('makes no candidate of counts alone', async () => {
    const played = await expectSameAtAnyPace(
      {
        recipe: recipe(
          `
  - solve: {}
  - assess: {}
  - distill: { form: rule, unit: batch, size: 9 }
  - update: { slot: memory, op: patch }
  - evaluate: { suite: dev }`,
          { rounds: 3 },
        ),
        models: {
          m: (request) =>
            asks(request, 'text')
              ? JSON.stringify({ text: GOOD })
              : doubled(request, prompt(request).includes(GOOD)),
        },
        files,
      },
      1,
    );
    expect(eventsOf(played.told, 'candidateMade')).toHaveLength(1);
  });
});
