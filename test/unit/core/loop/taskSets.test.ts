import { describe, expect, it } from 'vitest';
import { additionSplit } from '../../../../src/core/acquire/addition.ts';
import { parseRecipe } from '../../../../src/core/loop/parseRecipe.ts';
import type { Recipe } from '../../../../src/core/loop/recipe.ts';
import { loadTaskSets } from '../../../../src/core/loop/taskSets.ts';
import type { Task } from '../../../../src/core/model/task.ts';
import { DataError, type TaskFiles } from '../../../../src/core/ports.ts';
import { starRecipe } from '../../../fakes/recipes.ts';
import { additionTask } from '../../../fakes/runServices.ts';

const noFiles: TaskFiles = { load: async () => ({ tasks: [], skipped: [] }) };
const filesOf = (named: Record<string, readonly Task[]>): TaskFiles => ({
  load: async (file, split) => ({
    tasks: (named[file] ?? []).map((task) => ({ ...task, split })),
    skipped: [{ file, line: 3, reason: 'not JSON' }],
  }),
});

function recipeWith(data: string): Recipe {
  const { recipe, problems } = parseRecipe(starRecipe().replace(/^data:\n( .*\n)+/m, `data: ${data}\n`));
  if (recipe === null) throw new Error(JSON.stringify(problems));
  return recipe;
}

const generated = recipeWith(
  '{ train: { generate: addition, digits: [2, 3], count: 50 }, dev: { generate: addition, digits: [3], count: 300 }, test: { generate: addition, digits: [3], count: 300 } }',
);
const many = Array.from({ length: 500 }, (_, i) => additionTask(i, 2 * i + 1));

describe('generated tasks', () => {
  it('are of the split their problem belongs to, so that no training draw meets a suite', async () => {
    const sets = await loadTaskSets(generated, 7, noFiles);
    const splitOf = ({ input }: Task) => additionSplit(...(input.split('+').map(Number) as [number, number]));
    expect(new Set(sets.dev.map(splitOf))).toEqual(new Set(['dev']));
    expect(new Set(sets.test.map(splitOf))).toEqual(new Set(['test']));
    for (let round = 1; round < 20; round++) {
      expect(new Set([...sets.train(round), ...sets.fresh('x', round, 80)].map(splitOf))).toEqual(
        new Set(['train']),
      );
    }
  });

  it('belong to one split in either order of their terms', () => {
    for (let i = 0; i < 1000; i++) expect(additionSplit(i, 999 - i)).toBe(additionSplit(999 - i, i));
  });

  it('are fresh each round, the same for the same seed, and suites do not depend on the seed', async () => {
    const [a, b] = [await loadTaskSets(generated, 7, noFiles), await loadTaskSets(generated, 8, noFiles)];
    expect(a.dev).toEqual(b.dev);
    expect(a.train(1)).not.toEqual(a.train(2));
    expect(a.train(1)).toEqual((await loadTaskSets(generated, 7, noFiles)).train(1));
    expect(a.train(1)).not.toEqual(b.train(1));
    expect(a.train(1).map(({ reference }) => reference?.length)).toContain(3);
    const used = new Set(a.train(1).map(({ id }) => id));
    expect(a.fresh('confirm', 1, 100).filter(({ id }) => used.has(id))).toEqual([]);
  });

  it('that cannot be so many are refused with a sentence', async () => {
    const tooMany = recipeWith(
      '{ train: { generate: addition, digits: [1], count: 500 }, dev: { generate: addition, digits: [3], count: 5 } }',
    );
    await expect(loadTaskSets(tooMany, 1, noFiles).then((sets) => sets.train(1))).rejects.toThrow(
      'There are not 500 different problems of 1 digits in train; ask for fewer.',
    );
  });
});

describe('tasks of one file', () => {
  it('stay in their split in every run, and report the lines that were skipped', async () => {
    const recipe = recipeWith('tasks.jsonl');
    const sets = await loadTaskSets(recipe, 1, filesOf({ 'tasks.jsonl': many }));
    const again = await loadTaskSets(recipe, 2, filesOf({ 'tasks.jsonl': [...many].reverse() }));
    const ids = (tasks: readonly Task[]) => tasks.map(({ id }) => id).sort();
    expect(ids(sets.test)).toEqual(ids(again.test));
    expect(ids(sets.dev)).toEqual(ids(again.dev));
    expect(sets.train(1).length + sets.dev.length + sets.test.length).toBe(500);
    expect(sets.dev.length).toBeGreaterThan(60);
    expect(sets.skipped).toEqual([{ file: 'tasks.jsonl', line: 3, reason: 'not JSON' }]);
  });

  it('that are too few for a suite are refused with a way forward', async () => {
    await expect(
      loadTaskSets(recipeWith('tasks.jsonl'), 1, filesOf({ 'tasks.jsonl': many.slice(0, 1) })),
    ).rejects.toThrow(DataError);
  });
});

describe('tasks of several files', () => {
  const recipe = recipeWith(
    '{ train: { file: train.jsonl, count: 20 }, dev: { file: dev.jsonl }, test: { file: test.jsonl } }',
  );

  it('never stand in two splits: what a suite has is taken out of training, and told', async () => {
    const files = filesOf({
      'train.jsonl': many.slice(0, 100),
      'dev.jsonl': many.slice(90, 130),
      'test.jsonl': many.slice(120, 160),
    });
    const sets = await loadTaskSets(recipe, 1, files);
    expect(sets.dev).toHaveLength(30);
    expect(sets.warnings).toEqual([
      '10 dev tasks are also in test, and left out of dev.',
      '10 train tasks are also in dev or test, and left out of train.',
    ]);
    const sealed = new Set([...sets.dev, ...sets.test].map(({ id }) => id));
    for (let round = 1; round < 30; round++)
      for (const { id } of sets.train(round)) expect(sealed.has(id)).toBe(false);
  });

  it('are drawn anew each round when a count is given', async () => {
    const files = filesOf({
      'train.jsonl': many.slice(0, 100),
      'dev.jsonl': many.slice(200, 230),
      'test.jsonl': many.slice(300, 330),
    });
    const sets = await loadTaskSets(recipe, 1, files);
    expect(sets.train(1)).toHaveLength(20);
    expect(sets.train(1)).not.toEqual(sets.train(2));
    const used = new Set(sets.train(1).map(({ id }) => id));
    expect(sets.fresh('x', 1, 30).every(({ id }) => !used.has(id))).toBe(true);
  });
});
