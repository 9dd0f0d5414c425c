/** Search over prefixes: it must leave a promising branch that leads nowhere for one it left before. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  grown,
  nextThought,
  outcome,
  seedTree,
  type Thought,
  type Tree,
} from '../../src/core/acquire/treeSearch.ts';
import type { ModelRequest } from '../../src/core/ports.ts';
import { askedFor, asks, files, recipe } from '../fakes/doublingWorld.ts';
import { eventsOf, expectSameAtAnyPace, play, prompt } from '../fakes/scriptedRun.ts';

/** "left" looks best and is a dead end; "right" looks less good and leads to the answer. */
function maze(request: ModelRequest): string {
  const text = prompt(request);
  if (asks(request, 'score')) {
    const answer = /<<<ANSWER\n([^]*?)\nANSWER>>>/.exec(text)?.[1] ?? '';
    const value = answer.includes('Answer:')
      ? 8
      : answer.includes('dead end')
        ? 0
        : answer.includes('left')
          ? 9
          : 6;
    return JSON.stringify({ score: value });
  }
  const asked = askedFor(request) ?? 0;
  if (!text.includes('Write the next step')) return `Answer: ${2 * asked + 1}`;
  const said = request.messages.find(({ role }) => role === 'assistant')?.content ?? '';
  if (said.includes('left')) return `dead end ${request.seed % 3}`;
  if (said.includes('right')) return `Answer: ${2 * asked}`;
  return request.seed % 2 === 0 ? 'go left' : 'go right';
}

const steps = (search: string) => `
  - solve: { search: ${search}, temperature: 1 }
  - assess: {}
  - select: { over: solutions }
  - evaluate: { suite: dev }`;

describe('solve by search', () => {
  it('backtracks: tries the branch that looks best, leaves it, and finds the answer in the other', async () => {
    const played = await expectSameAtAnyPace({
      recipe: recipe(steps('{ breadth: 8, depth: 3, expansions: 10 }')),
      models: { m: maze },
      files,
    });
    expect(eventsOf(played.told, 'refinementsMade')[0]).toMatchObject({ kept: 6, dropped: 0 });
    for (const { output } of played.store.solutions.values())
      expect(output).toMatch(/^go right\nAnswer: \d+$/);
    const tried = played.requests.filter(({ messages }) =>
      messages.some(({ role, content }) => role === 'assistant' && content === 'go left'),
    );
    expect(tried).toHaveLength(6 * 8);
  });

  it('never shows the one who values a prefix the reference', async () => {
    const played = await play({
      recipe: recipe(steps('{ breadth: 2, depth: 2, expansions: 3 }')),
      models: { m: maze },
      files,
    });
    const valued = played.requests.filter((request) => asks(request, 'score'));
    expect(valued.length).toBeGreaterThan(0);
    for (const request of valued) expect(prompt(request)).not.toContain('REFERENCE');
  });

  it('ends at its limit with the best prefix, and with a failure where no step ever came', async () => {
    const short = await play({
      recipe: recipe(steps('{ breadth: 8, expansions: 1 }')),
      models: { m: maze },
      files,
    });
    for (const { output, finish } of short.store.solutions.values())
      expect([output, finish]).toEqual(['go left', 'length']);
    const mute = await play({ recipe: recipe(steps('{ expansions: 2 }')), models: { m: () => ' ' }, files });
    for (const { finish } of mute.store.solutions.values()) expect(finish).toBe('error');
    expect(mute.end.kind).toBe('done');
  });
});

describe('the order of a search', () => {
  const thought = fc.record({ value: fc.integer({ min: 0, max: 4 }), final: fc.boolean() });

  it('takes the best open prefix further, never beyond its limits, and ends at the best answer', () => {
    fc.assert(
      fc.property(fc.array(fc.array(thought, { maxLength: 4 }), { maxLength: 12 }), (turns) => {
        const limits = { depth: 3, expansions: 8 };
        let tree: Tree = seedTree;
        let taken = 0;
        for (const [turn, made] of turns.entries()) {
          const next = nextThought(tree, limits);
          if (next === null) break;
          taken += 1;
          expect(next.steps.length).toBeLessThan(limits.depth);
          const able = tree.open.filter(({ steps: own, final }) => final || own.length < limits.depth);
          expect(next.value).toBe(Math.max(...able.map(({ value }) => value)));
          const children = made.map(
            ({ value, final }, index): Thought => ({
              steps: [...next.steps, `${turn}.${index}`],
              value,
              final,
            }),
          );
          tree = grown(tree, next, children);
          expect(tree.open).not.toContain(next);
        }
        expect(taken).toBeLessThanOrEqual(limits.expansions);
        const answers = tree.open.filter(({ final }) => final);
        const end = outcome(tree);
        if (answers.length > 0) {
          expect(end?.final).toBe(true);
          expect(end?.value).toBe(Math.max(...answers.map(({ value }) => value)));
        } else expect(end?.final ?? false).toBe(false);
      }),
    );
  });
});
