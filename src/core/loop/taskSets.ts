/**
 * Owns which tasks a run works on: train tasks of each round, the dev suite, the sealed test suite.
 * Deliberately makes the suites independent of the run's seed, so that runs can be compared, and never lets a task be in two splits.
 */
import { additionInput, additionReference, drawAddition } from '../acquire/addition.ts';
import { hash32 } from '../measure/hash.ts';
import { taskId } from '../measure/identity.ts';
import { shuffle, stream } from '../measure/random.ts';
import type { Split, Task } from '../model/task.ts';
import { DataError, type LoadedTasks, type TaskFiles } from '../ports.ts';
import type { Recipe } from './recipe.ts';
import type { DataSource, GeneratedSource, WholeFile } from './recipeData.ts';

export interface TaskSets {
  readonly dev: readonly Task[];
  readonly test: readonly Task[];
  /** This round's tasks, in a fixed order. */
  train(round: number): readonly Task[];
  /** Up to `count` train tasks that are not this round's and not those of another `step`'s stream. */
  fresh(step: string, round: number, count: number): readonly Task[];
  readonly skipped: LoadedTasks['skipped'];
  /** Sentences on what was set right: tasks found in two splits. */
  readonly warnings: readonly string[];
}

type SplitOf = Exclude<Split, 'live'>;

/** Throws DataError when a file cannot be used or a split is empty. */
export async function loadTaskSets(recipe: Recipe, seed: number, files: TaskFiles): Promise<TaskSets> {
  const { data } = recipe;
  const loaded = 'file' in data ? await splitOneFile(data, files) : await loadSplits(data, files);
  const warnings: string[] = [];
  const test = loaded.test;
  const dev = without(loaded.dev, test, 'dev', 'test', warnings);
  const sealed = [...dev, ...test];
  const pool = loaded.train === null ? null : without(loaded.train, sealed, 'train', 'dev or test', warnings);
  if (dev.length === 0)
    throw new DataError('There are no dev tasks to evaluate on; give data.dev, or a file with more tasks.');
  if (pool?.length === 0)
    throw new DataError('There are no train tasks; give data.train, or a file with more tasks.');
  const source = 'file' in data ? { file: data.file } : data.train;
  return { dev, test, skipped: loaded.skipped, warnings, ...trainTasks(source, pool, seed) };
}

interface Loaded {
  /** Null when train tasks are generated. */
  readonly train: readonly Task[] | null;
  readonly dev: readonly Task[];
  readonly test: readonly Task[];
  readonly skipped: LoadedTasks['skipped'];
}

/** 60 % train, 20 % dev, 20 % test, by the task's own identity: a task stays in its split in every run. */
async function splitOneFile(data: WholeFile, files: TaskFiles): Promise<Loaded> {
  const { tasks, skipped } = await files.load(data.file, 'train', data);
  const splits = tasks.map((task): Task => {
    const bucket = hash32(['split', task.id]) % 5;
    return { ...task, split: bucket === 3 ? 'dev' : bucket === 4 ? 'test' : 'train' };
  });
  const of = (split: SplitOf) => splits.filter((task) => task.split === split);
  return { train: of('train'), dev: of('dev'), test: of('test'), skipped };
}

async function loadSplits(
  data: { readonly train: DataSource; readonly dev: DataSource; readonly test?: DataSource | undefined },
  files: TaskFiles,
): Promise<Loaded> {
  const skipped: LoadedTasks['skipped'][number][] = [];
  const suite = async (source: DataSource, split: SplitOf): Promise<readonly Task[]> => {
    if ('generate' in source) return generate(source, split, 0, 'suite', 0, new Set());
    if (!('file' in source)) throw new DataError('Experiences cannot be a source of tasks yet.');
    const loaded = await files.load(source.file, split, source);
    skipped.push(...loaded.skipped);
    return loaded.tasks;
  };
  const cut = (tasks: readonly Task[], source: DataSource) =>
    'file' in source && source.count !== undefined ? tasks.slice(0, source.count) : tasks;
  const train = 'generate' in data.train ? null : await suite(data.train, 'train');
  const dev = cut(await suite(data.dev, 'dev'), data.dev);
  const test = data.test === undefined ? [] : cut(await suite(data.test, 'test'), data.test);
  return { train, dev, test, skipped };
}

function trainTasks(
  source: DataSource,
  pool: readonly Task[] | null,
  seed: number,
): Pick<TaskSets, 'train' | 'fresh'> {
  if ('generate' in source) {
    const round = (number: number) =>
      generate(source, 'train', seed, 'train', source.fixed === true ? 0 : number, new Set());
    return {
      train: round,
      fresh: (step, number, count) =>
        generate(
          { ...source, count },
          'train',
          seed,
          step,
          number,
          new Set(round(number).map(({ id }) => id)),
        ),
    };
  }
  const tasks = pool ?? [];
  const size = Math.min(source.count ?? tasks.length, tasks.length);
  const train = (number: number) =>
    size === tasks.length ? tasks : shuffle(stream(seed, 'train', number), tasks).slice(0, size);
  return {
    train,
    fresh: (step, number, count) => {
      const used = new Set(train(number).map(({ id }) => id));
      const rest = tasks.filter(({ id }) => !used.has(id));
      return shuffle(stream(seed, step, number), rest.length > 0 ? rest : tasks).slice(0, count);
    },
  };
}

function generate(
  source: GeneratedSource,
  split: SplitOf,
  seed: number,
  name: string,
  round: number,
  avoid: ReadonlySet<string>,
): Task[] {
  const random = stream(seed, name, round, split, source.generate, source.digits.join(','));
  const tasks = new Map<string, Task>();
  const limit = source.count * 50 + 1000;
  for (let tries = 0; tasks.size < source.count && tries < limit; tries++) {
    const digits = source.digits[tasks.size % source.digits.length] as number;
    const problem = drawAddition(random, digits, split);
    const content = { input: additionInput(problem), reference: additionReference(problem) };
    const id = taskId(content);
    if (!avoid.has(id)) tasks.set(id, { id, split, ...content });
  }
  if (tasks.size < source.count) {
    throw new DataError(
      `There are not ${source.count} different problems of ${source.digits.join(', ')} digits in ${split}; ask for fewer.`,
    );
  }
  return [...tasks.values()];
}

function without(
  tasks: readonly Task[],
  sealed: readonly Task[],
  split: string,
  other: string,
  warnings: string[],
): readonly Task[] {
  const ids = new Set(sealed.map(({ id }) => id));
  const rest = tasks.filter(({ id }) => !ids.has(id));
  const dropped = tasks.length - rest.length;
  if (dropped > 0)
    warnings.push(
      `${dropped} ${split} ${dropped === 1 ? 'task is' : 'tasks are'} also in ${other}, and left out of ${split}.`,
    );
  return rest;
}
