import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseRecipe } from '../../src/core/loop/parseRecipe.ts';

const media = new URL('../../media/', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, media), 'utf8');
const recipesIn = (folder: string) =>
  readdirSync(new URL(folder, media)).filter((name) => name.endsWith('.loop.yaml'));

describe('the sample workspace', () => {
  it('has the recipes it shares with the built-in ones word for word', () => {
    const builtIn = recipesIn('recipes/');
    const shared = recipesIn('sample/').filter((name) => builtIn.includes(name));
    expect(shared.length).toBeGreaterThanOrEqual(2);
    for (const name of shared) expect(read(`sample/${name}`)).toBe(read(`recipes/${name}`));
  });

  it('holds recipes without a problem', () => {
    for (const name of recipesIn('sample/')) expect(parseRecipe(read(`sample/${name}`)).problems).toEqual([]);
  });

  it('has tasks that are right', () => {
    const lines = read('sample/tasks.jsonl').trim().split('\n');
    expect(new Set(lines).size).toBe(600);
    for (const line of lines) {
      const { input, reference } = JSON.parse(line) as { input: string; reference: string };
      const [a, b] = input.split('+').map(Number);
      expect(Number(reference)).toBe((a ?? NaN) + (b ?? NaN));
    }
  });
});
