import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRecipe } from '../../../../src/core/loop/parseRecipe.ts';
import { starRecipe } from '../../../fakes/recipes.ts';

const recipes = new URL('../../../../media/recipes/', import.meta.url);
const problemsOf = (text: string) =>
  parseRecipe(text).problems.map(
    ({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`,
  );

/** The whole recipe of the design, as written there. */
const WHOLE = `ratchet: 1
name: star-addition
objective: { ability: addition, metric: exact }
model: pocket                        # a provider's id from the settings, or { provider, model }
instruction: ""
data:
  train: { generate: addition, digits: [2, 3], count: 192 }       # or { file: tasks.jsonl }
  dev:   { generate: addition, digits: [3], count: 500, fixed: true }
rounds: 5
seed: 1
budget: { minutes: 5, calls: 20000 }
steps:
  - solve:    { n: 4, temperature: 1 }
  - assess:   { source: metric, metric: exact }
  - select:   { over: solutions, policy: threshold, keep: ">= 1" }
  - pack:     { form: sft, dedupe: true, replay: { source: pretraining, share: 0.25 } }
  - update:   { slot: weights, op: train, learningRate: 1.0e-3, epochs: 1 }
  - evaluate: { suite: dev, temperature: 0 }
control: { without: [select] }       # the same loop without that step, side by side
`;

describe('recipes', () => {
  it.each(readdirSync(recipes).filter((name) => name.endsWith('.loop.yaml')))(
    'built in: %s has no problem',
    (name) => {
      const text = readFileSync(new URL(name, recipes), 'utf8');
      // A recipe that runs code waits for the sandbox, says so in its head, and is told of that alone.
      const waits = /^# Waits:/m.test(text);
      const others = problemsOf(text).filter((said) => !waits || !said.includes('waits for the sandbox'));
      expect(others).toEqual([]);
      expect(problemsOf(text).length > 0).toBe(waits);
    },
  );

  it('without a gate get the default one, which a control without select leaves out too', () => {
    const { recipe, problems } = parseRecipe(WHOLE);
    expect(problems).toEqual([]);
    expect(recipe?.steps.map(({ path }) => path)).toEqual([
      '1.solve',
      '2.assess',
      '3.select',
      '4.pack',
      '5.update',
      '6.evaluate',
      'gate',
    ]);
    expect(recipe?.controlWithout).toEqual(['3.select', 'gate']);
  });

  it('name a model as a provider, or a provider and its model', () => {
    expect(parseRecipe(starRecipe({ model: '{ provider: openai, model: small }' })).recipe?.model).toBe(
      'openai/small',
    );
  });
});

describe('faults', () => {
  it('name the line, the column and the field', () => {
    const text = WHOLE.replace('rounds: 5', 'rounds: 0')
      .replace('n: 4', 'm: 4')
      .replace('seed: 1', 'sead: 1');
    expect(problemsOf(text)).toEqual([
      '9:1 rounds: Too small: expected number to be >=1.',
      '10:1 sead: "sead" is not known here.',
      '13:17 steps[0].solve.m: "m" is not known here.',
    ]);
  });

  it('of YAML itself have their line', () => {
    expect(problemsOf('ratchet: 1\nname: [')[0]).toMatch(/^2:\d+ /);
    expect(problemsOf('a: 1\na: 2')[0]).toMatch(/^2:1 : Map keys must be unique/);
  });

  it.each([
    ['an operator that does not exist', '  - guess: {}\n', 'has "guess"'],
    ['two operators in one step', '  - solve: {}\n    assess: {}\n', 'this one has "solve" and "assess"'],
    ['a step that is text', '  - solve\n', 'A step is an operator with its parameters'],
    ['a name that is none', '  - solve: {}\n    as: "a b"\n', 'A name is a letter'],
    ['a name used twice', '  - solve: {}\n    as: filter\n', 'Two steps are called "filter"'],
    ['a rule that is none', '  - select: { over: solutions, keep: "about 1" }\n', 'write a rule such as'],
    ['the sealed suite', '  - evaluate: { suite: test }\n', 'Invalid option'],
    ['fresh tasks of dev', '  - evaluate: { suite: dev, fresh: 5 }\n', 'suite train only'],
    ['edits without phrases', '  - revise: { over: instruction }\n', 'need phrases'],
  ])('%s is told', (_name, step, message) => {
    const text = starRecipe({ control: '' }) + step;
    expect(problemsOf(text).join('\n')).toContain(message);
  });

  it('of flow are found before anything is spent, in the loop and in its control', () => {
    const without = (operator: string) => WHOLE.replace(new RegExp(`^  - ${operator}:.*\n`, 'm'), '');
    expect(problemsOf(without('solve')).join()).toContain(
      '"1.assess" needs solutions, which no earlier step makes; add solve before it.',
    );
    expect(problemsOf(without('assess')).join()).toContain('needs feedback');
    expect(problemsOf(without('pack')).join()).toContain('needs dataset');
    expect(problemsOf(without('evaluate')).join()).toContain('Nothing evaluates the dev suite');
    expect(problemsOf(WHOLE.replace('[select]', '[pack]')).join()).toContain(
      'which no earlier step makes in the control',
    );
    expect(problemsOf(WHOLE.replace('[select]', '[nothing]')).join()).toContain(
      'No step is called "nothing"',
    );
  });
});

describe('any text', () => {
  it('gives a recipe or problems, never an error', () => {
    const lines = WHOLE.split('\n');
    for (let length = 0; length < WHOLE.length; length += 3) {
      const { recipe, problems } = parseRecipe(WHOLE.slice(0, length));
      expect(recipe === null).toBe(problems.length > 0);
    }
    for (let left = 0; left < lines.length; left++)
      parseRecipe(lines.filter((_, index) => index !== left).join('\n'));
    fc.assert(
      fc.property(fc.nat(WHOLE.length), fc.string({ unit: 'binary', maxLength: 12 }), (at, inserted) => {
        const { recipe, problems } = parseRecipe(WHOLE.slice(0, at) + inserted + WHOLE.slice(at));
        expect(recipe === null).toBe(problems.length > 0);
        for (const { line, column } of problems) expect(line * column).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });

  it('that is hostile is refused quickly', () => {
    const bomb = Array.from(
      { length: 30 },
      (_, i) => `a${i}: &a${i} [${i === 0 ? 'x' : `*a${i - 1}, *a${i - 1}, *a${i - 1}`}]`,
    ).join('\n');
    expect(parseRecipe(bomb).recipe).toBeNull();
    expect(parseRecipe('x'.repeat(1_000_001)).problems[0]?.message).toContain('1 MB');
    expect(parseRecipe('['.repeat(5000)).recipe).toBeNull();
    expect(
      parseRecipe(WHOLE.replace('name: star-addition', 'name: !!js/function "function(){}"')).recipe?.name ??
        '',
    ).not.toBeInstanceOf(Function);
    expect(parseRecipe('__proto__: { polluted: 1 }').recipe).toBeNull();
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
