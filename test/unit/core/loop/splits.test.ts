// Owns the check of splitting one file, of near copies told, of experiences of earlier runs, and of writing a recipe's data.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editData, newLoopText } from '../../../../src/core/loop/editData.ts';
import { nearCopies } from '../../../../src/core/loop/leaks.ts';
import { parseRecipe } from '../../../../src/core/loop/parseRecipe.ts';
import type { Recipe } from '../../../../src/core/loop/recipe.ts';
import { splitTasks } from '../../../../src/core/loop/splits.ts';
import { loadTaskSets } from '../../../../src/core/loop/taskSets.ts';
import { taskId } from '../../../../src/core/measure/identity.ts';
import type { Split, Task } from '../../../../src/core/model/task.ts';
import type { TaskFiles, TaskLabels } from '../../../../src/core/ports.ts';
import { starRecipe } from '../../../fakes/recipes.ts';

const task = (input: string, reference = 'r', split: Split = 'train'): Task => ({
  id: taskId({ input, reference }),
  split,
  input,
  reference,
});
const many = Array.from({ length: 400 }, (_, index) => task(`task ${index}`));
const shares = { train: 0.6, dev: 0.2, test: 0.2, seed: 3 };
const counts = (tasks: readonly Task[]) =>
  ['train', 'dev', 'test'].map((split) => tasks.filter((item) => item.split === split).length);
const labelled = (label: (task: Task, index: number) => TaskLabels) =>
  new Map(many.map((item, index) => [item.id, label(item, index)]));

describe('splitting one file', () => {
  test('a task stays where it is when others come or go, or the order changes', () => {
    const all = new Map(splitTasks({ tasks: many }, shares).map(({ id, split }) => [id, split]));
    for (const { id, split } of splitTasks({ tasks: many.slice(100).toReversed() }, shares))
      expect(split).toBe(all.get(id));
    const other = splitTasks({ tasks: many }, { ...shares, seed: 4 });
    expect(other.filter(({ id, split }) => all.get(id) !== split).length).toBeGreaterThan(50);
  });

  test('shares are kept, a share of nothing is nothing', () => {
    const [train = 0, dev = 0, test = 0] = counts(splitTasks({ tasks: many }, shares));
    expect([Math.abs(train - 240) < 40, Math.abs(dev - 80) < 32, Math.abs(test - 80) < 32]).toEqual([
      true,
      true,
      true,
    ]);
    expect(counts(splitTasks({ tasks: many }, { train: 0.7, dev: 0.3, test: 0, seed: 0 }))[2]).toBe(0);
  });

  test('each split has its share of every stratum, to within one', () => {
    const strata = labelled((_task, index) => ({ stratum: index % 40 === 0 ? 'rare' : 'common' }));
    const split = splitTasks({ tasks: many, labels: strata }, shares);
    expect(counts(split.filter(({ id }) => strata.get(id)?.stratum === 'rare'))).toEqual([6, 2, 2]);
    expect(counts(split.filter(({ id }) => strata.get(id)?.stratum === 'common'))).toEqual([234, 78, 78]);
  });

  test('a group is never cut in two, with or without strata', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.boolean(), (groups, strata) => {
        const labels = labelled((_task, index) => ({
          group: `g${index % groups}`,
          ...(strata ? { stratum: `s${index % 3}` } : {}),
        }));
        const home = new Map<string, Set<Split>>();
        for (const { id, split } of splitTasks({ tasks: many, labels }, shares)) {
          const group = labels.get(id)?.group ?? '';
          home.set(group, (home.get(group) ?? new Set()).add(split));
        }
        expect([...home.values()].every((splits) => splits.size === 1)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  test('what the file says stands', () => {
    const labels = labelled((_task, index) => (index < 10 ? { split: 'test' } : {}));
    expect(counts(splitTasks({ tasks: many, labels }, shares).slice(0, 10))).toEqual([0, 0, 10]);
  });
});

describe('near copies', () => {
  const story =
    'A farmer has seventeen hens and each of them lays four eggs in a week, how many eggs is that';
  test('are found in other case, punctuation and inside a longer text; other tasks are not', () => {
    const sealed = [task(story), task('short one')];
    const found = nearCopies(
      [
        task(`${story.toUpperCase()}?!`),
        task(`Think first. ${story} in the end?`),
        task('Short  one.'),
        task('a train leaves the station at nine and arrives at noon, how far is it'),
      ],
      sealed,
    );
    expect([found.count, found.checked]).toEqual([3, 4]);
    expect(found.first?.sealed.input).toBe(story);
    expect(nearCopies([task('another short one')], sealed).count).toBe(0);
  });
  test('wording that all tasks share does not count', () => {
    const wording = 'Answer the following question with a single number and nothing else please';
    const sealed = Array.from({ length: 80 }, (_, index) =>
      task(`${wording} ${index} plus ${index * 7} makes what number then`),
    );
    expect(
      nearCopies([task(`${wording} who wrote the book about the white whale and the sea captain`)], sealed)
        .count,
    ).toBe(0);
  });
});

function recipeWith(data: string): Recipe {
  const { recipe, problems } = parseRecipe(starRecipe().replace(/^data:\n( .*\n)+/m, `data: ${data}\n`));
  if (recipe === null) throw new Error(JSON.stringify(problems));
  return recipe;
}
const filesOf = (named: Record<string, readonly Task[]>, former: readonly Task[] = []): TaskFiles => ({
  load: async (file, split) => ({
    tasks: (named[file] ?? []).map((item) => ({ ...item, split })),
    skipped: [],
  }),
  experiences: async () => former.map((item) => ({ task: item, score: 1 })),
});

describe('sources', () => {
  test('the same question with another answer is a leak, and left out of train', async () => {
    const sets = await loadTaskSets(
      recipeWith('{ train: { file: a }, dev: { file: b } }'),
      1,
      filesOf({ a: [task('q', '1'), task('p', '1')], b: [task('q', '2')] }),
    );
    expect(sets.train(1).map(({ input }) => input)).toEqual(['p']);
    expect(sets.warnings[0]).toMatch(/1 train task is also in dev or test/);
  });

  const former = [
    task('t', 'r', 'train'),
    task('d', 'r', 'dev'),
    task('s', 'r', 'test'),
    task('l', 'r', 'live'),
  ];
  const experiences = '{ experiences: { run: abc } }';
  test('of experiences never make a sealed task a train task', async () => {
    const sets = await loadTaskSets(
      recipeWith(`{ train: ${experiences}, dev: { file: b } }`),
      1,
      filesOf({ b: [task('x')] }, former),
    );
    expect(sets.train(1).map(({ input, split }) => [input, split])).toEqual([
      ['t', 'train'],
      ['l', 'train'],
    ]);
    expect(sets.warnings[0]).toBe(
      '2 experiences of run abc were made on sealed tasks, and left out of train.',
    );
  });
  test('of experiences guard what an earlier run solved, sealed from training and never of a test', async () => {
    const sets = await loadTaskSets(
      recipeWith(`{ train: { file: a }, dev: { file: b }, canary: ${experiences} }`),
      1,
      filesOf({ a: [task('t', 'r'), task('other')], b: [task('x')] }, former),
    );
    expect(sets.canary.map(({ input, split }) => [input, split])).toEqual([
      ['t', 'dev'],
      ['d', 'dev'],
      ['l', 'dev'],
    ]);
    expect(sets.train(1).map(({ input }) => input)).toEqual(['other']);
    expect(sets.warnings).toHaveLength(2);
  });
  test('of experiences make no sealed test, and are missed by name', async () => {
    const load = (data: string, files: TaskFiles) => loadTaskSets(recipeWith(data), 1, files);
    const file = '{ file: b }';
    await expect(
      load(`{ train: ${file}, dev: ${file}, test: ${experiences} }`, filesOf({ b: many }, former)),
    ).rejects.toThrow(/sealed test cannot be made of experiences/);
    await expect(
      load(`{ train: ${experiences}, dev: ${file} }`, filesOf({ b: many }, [task('s', 'r', 'test')])),
    ).rejects.toThrow(/has no kept experience/);
  });
});

describe("writing a recipe's data", () => {
  const data = {
    file: 'my data.csv',
    shape: 'alpaca',
    map: { input: 'instruction', context: ['a', 'b'] },
    split: shares,
  } as const;
  const original = starRecipe();

  test('changes nothing but data, and reads back as it was said', () => {
    for (const text of [
      original,
      original.replace(/^data:\n( .*\n)+/m, 'data: tasks.jsonl # mine\n'),
      original.replace(/^data:\n( .*\n)+/m, ''),
      original.replaceAll('\n', '\r\n'),
    ]) {
      const edit = editData(text, data);
      if (edit === null) throw new Error('no edit');
      const changed = text.slice(0, edit.start) + edit.text + text.slice(edit.end);
      const { recipe, problems } = parseRecipe(changed);
      expect(problems).toEqual([]);
      expect(recipe?.data).toEqual(data);
      const kept = (part: string) => part.replace(/^data:.*\r?\n(?:[ ].*\r?\n)*/m, '');
      expect(kept(changed)).toBe(kept(text));
    }
  });
  test('of a file alone is its name', () => {
    const edit = editData(original, { file: 'tasks.jsonl' });
    expect(edit?.text).toBe(' tasks.jsonl');
  });
  test('is refused where the text is no recipe', () => {
    expect(editData('[1, 2]', data)).toBeNull();
    expect(editData('a: [', data)).toBeNull();
  });
  test('a new loop is a sound recipe, whatever its names', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 30 }),
        fc.string({ minLength: 1, maxLength: 30 }),
        (name, file) => {
          const text = newLoopText({
            name,
            model: 'pocket',
            metric: 'exact',
            data: { file, shape: 'plain', map: { input: name } },
          });
          const { recipe, problems } = parseRecipe(text);
          expect(problems).toEqual([]);
          expect([recipe?.name, recipe?.data]).toEqual([
            name,
            { file, shape: 'plain', map: { input: name } },
          ]);
        },
      ),
    );
  });
});
