import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeRecipe, editRecipe } from '../../../../src/core/loop/describe.ts';
import type { RecipeField } from '../../../../src/core/model/recipeView.ts';
import { parseRecipe } from '../../../../src/core/loop/parseRecipe.ts';
import { starRecipe } from '../../../fakes/recipes.ts';

const folder = new URL('../../../../media/recipes/', import.meta.url);
const recipes = readdirSync(folder).filter((name) => name.endsWith('.loop.yaml'));
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8');

function apply(text: string, field: RecipeField, value: number): string {
  const edit = editRecipe(text, field, value);
  if (edit === null) throw new Error(`no edit for ${field}`);
  return text.slice(0, edit.start) + edit.text + text.slice(edit.end);
}

const values: Record<RecipeField, fc.Arbitrary<number>> = {
  rounds: fc.integer({ min: 1, max: 1000 }),
  seed: fc.integer({ min: 0, max: 0xffff_ffff }),
  samples: fc.integer({ min: 1, max: 64 }),
  temperature: fc.integer({ min: 0, max: 20 }).map((tenth) => tenth / 10),
  'budget.minutes': fc.integer({ min: 1, max: 1000 }),
  'budget.calls': fc.integer({ min: 1, max: 100_000 }),
  'budget.tokens': fc.integer({ min: 1, max: 100_000 }),
  'budget.usd': fc.double({ min: 0.001, max: 1_000_000, noNaN: true }),
};
const fieldNames = Object.keys(values) as RecipeField[];

describe('an edit of a setting', () => {
  it.each(recipes)('changes that setting and no other byte in %s', (name) => {
    const text = read(name);
    const told = describeRecipe(text).problems.map(({ message }) => message);
    const offered = describeRecipe(text).settings.map(({ field }) => field);
    const change = fc
      .constantFrom(...offered)
      .chain((field) => values[field].map((value) => ({ field, value })));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        let edited = text;
        for (const { field, value } of changes) {
          const before = edited;
          edited = apply(edited, field, value);
          const { settings, problems } = describeRecipe(edited);
          expect(problems.map(({ message }) => message)).toEqual(told);
          expect(settings.find((setting) => setting.field === field)?.value).toBe(value);
          const others = (of: string) =>
            describeRecipe(of).settings.filter((setting) => setting.field !== field);
          expect(others(edited)).toEqual(others(before));
        }
        const comments = (of: string) => of.match(/#.*$/gm);
        expect(comments(edited)).toEqual(comments(text));
      }),
      { numRuns: 60 },
    );
  });

  it('adds what the text does not say yet, in flow and in block style', () => {
    const bare = starRecipe({ control: '' })
      .replace('budget: {}\n', '')
      .replace('{ n: 4, temperature: 1, maxTokens: 20 }', '{}');
    for (const field of fieldNames) {
      const edited = apply(bare, field, 2);
      expect(parseRecipe(edited).problems).toEqual([]);
      expect(describeRecipe(edited).settings.find((setting) => setting.field === field)?.value).toBe(2);
    }
    const block = starRecipe({ budget: '\n  calls: 5' });
    expect(parseRecipe(apply(block, 'budget.tokens', 9)).recipe?.budget).toEqual({ tokens: 9, calls: 5 });
  });

  it('is refused for a value out of range, a setting the recipe has not, and a text that is no recipe', () => {
    const text = read('instruction-search.loop.yaml');
    expect(editRecipe(text, 'rounds', 0)).toBeNull();
    expect(editRecipe(text, 'rounds', 1.5)).toBeNull();
    expect(editRecipe(text, 'seed', Number.NaN)).toBeNull();
    expect(editRecipe(text, 'samples', 4)).toBeNull();
    expect(editRecipe('a: [', 'rounds', 4)).toBeNull();
    expect(editRecipe('', 'rounds', 4)).toBeNull();
  });
});

describe('a description', () => {
  it('of any text has its problems and never throws', () => {
    const text = read('hint-free-star.loop.yaml');
    for (let length = 0; length < text.length; length += 11)
      expect(() => describeRecipe(text.slice(0, length))).not.toThrow();
    expect(describeRecipe('').problems.length).toBeGreaterThan(0);
    expect(describeRecipe('name: half done\n').name).toBe('half done');
  });

  it('says each step and the control in words', () => {
    const { steps, control } = describeRecipe(read('hint-free-star.loop.yaml'));
    expect(steps.map(({ phase }) => phase)).toEqual([
      'acquire',
      'acquire',
      'refine',
      'update',
      'update',
      'evaluate',
      'refine',
    ]);
    expect(steps[0]?.detail).toBe('4 solutions a task at temperature 1');
    expect(control).toBe('the same loop without filter and gate');
  });
});
