/**
 * The forms of recipes that train on Pocket, over the toy that really learns (test/fakes/toyLearner.ts), small; and each of
 * them without one of its steps. How far Pocket itself gets is measured and said in the recipes.
 */
import { describe, expect, it } from 'vitest';
import { beginRun, RecipeError } from '../../../src/core/loop/execute.ts';
import { testRun, type TestRun } from '../../fakes/runServices.ts';
import { mutantsOf, recipeText } from './shippedRecipes.ts';

/** What else a recipe is for; throws where it is missed. */
const forms: Readonly<Record<string, (events: TestRun['told']) => void>> = {
  'vote-and-train': () => undefined,
  'contrast-pairs-pocket': () => undefined,
  'frontier-pocket': (told) => {
    // In the end many tasks are solved every time: those are no longer trained on.
    const sizes = told.flatMap(({ event }) => (event.kind === 'datasetPacked' ? [event.examples] : []));
    expect(sizes.at(-1)).toBeLessThan(28);
  },
};

/** Small, on the toy; a vote needs a model that is right more often than not, which the toy is when told to take steps. */
const onToy = (name: string) =>
  recipeText(name)
    .replace('model: pocket', 'model: toy')
    .replace('compute the sum', 'take steps')
    .replace(/count: (192|256)/, 'count: 32')
    .replaceAll('count: 300', 'count: 60')
    .replace(/^rounds: \d+$/m, 'rounds: 6');

async function keepsItsPromise(name: string, text: string): Promise<void> {
  const test = testRun();
  const { end } = await beginRun(
    { recipePath: 'p.loop.yaml', recipeText: text },
    test.services,
    test.control,
  );
  expect((await end).kind).toBe('done');
  const accepted = test.told.flatMap(({ event }) => (event.kind === 'candidateAccepted' ? [event] : []));
  expect(accepted.length).toBeGreaterThan(0);
  const tested = test.told.flatMap(({ event }) => (event.kind === 'testScored' ? [event] : []));
  expect((tested[0]?.final ?? 0) - (tested[0]?.start ?? 1)).toBeGreaterThan(0.15);
  forms[name]?.(test.told);
}

describe.each(Object.keys(forms))('the recipe %s', (name) => {
  it('trains to be really better', async () => {
    await keepsItsPromise(name, onToy(name));
  });

  it('needs every one of its steps', async () => {
    const idle: string[] = [];
    for (const { without, text } of mutantsOf(onToy(name)))
      await keepsItsPromise(name, text).then(
        () => idle.push(without),
        (error: unknown) => {
          const missed =
            error instanceof RecipeError || (error instanceof Error && error.name === 'AssertionError');
          if (!missed) throw error;
        },
      );
    expect(idle).toEqual([]);
  });
});
