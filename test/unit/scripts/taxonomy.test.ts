import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { testedSettings } from '../../../scripts/lib/operatorSettings.ts';
import { root } from '../../../scripts/lib/places.ts';
import { cells, shippedRecipes, taxonomyText } from '../../../scripts/lib/taxonomy.ts';

describe('the table of the taxonomy', () => {
  it('is up to date; npm run docs:taxonomy makes it so', () => {
    expect(readFileSync(path.join(root, 'docs', 'taxonomy.md'), 'utf8')).toBe(taxonomyText());
  });

  it('has the 22 cells, and names tests that are there', () => {
    expect(new Set(cells.map(({ code }) => code)).size).toBe(22);
    for (const [file] of taxonomyText().matchAll(/test\/[\w/.]+\.ts/g))
      expect(existsSync(path.join(root, file))).toBe(true);
  });

  it('names a test for every setting of an operator that is not what it does anyway', () => {
    const untested = testedSettings().filter(({ tests, isDefault }) => tests.length === 0 && !isDefault);
    expect(
      untested.map(({ operator, form, parameter, value }) => [operator, form, parameter, value]),
    ).toEqual([]);
  });

  it.each(shippedRecipes())('$name has a step for every cell it claims', ({ cells: claimed, steps }) => {
    for (const code of claimed) {
      const cell = cells.find((item) => item.code === code);
      expect(
        steps.some((step) => cell?.uses(step) === true),
        code,
      ).toBe(true);
    }
  });

  it('leaves no cell without a recipe', () => {
    const used = new Set(shippedRecipes().flatMap((recipe) => recipe.cells));
    expect(cells.filter(({ code }) => !used.has(code)).map(({ code }) => code)).toEqual([]);
  });
});
