/**
 * Owns which tasks a run works on: train tasks of each round, the dev suite, the sealed test suite.
 * Deliberately makes the suites independent of the run's seed, so that runs can be compared, and never lets a task be in two splits.
 */
import { additionInput, additionReference, drawAddition } from '../acquire/addition.ts';
import { taskId } from '../measure/identity.ts';
import { shuffle, stream } from '../measure/random.ts';
import type { GuardSuite, Split, Task } from '../model/task.ts';
import { DataError, type LoadedTasks, type TaskFiles } from '../ports.ts';
import type { Recipe } from './recipe.ts';
import { nearCopies } from './leaks.ts';
import type { DataSource, ExperienceSource, GeneratedSource, GuardSources, WholeFile } from './recipeData.ts';
import { splitTasks } from './splits.ts';

export interface TaskSets {
  readonly dev: readonly Task[];
  readonly test: readonly Task[];
  /** Tasks that must not get worse, of split dev: as sealed from training as the dev suite. */
  readonly regression: readonly Task[];
  readonly canary: readonly Task[];
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
  const warnings = [...loaded.warnings];
  const test = loaded.test;
  const dev = without(loaded.dev, test, 'dev', 'test', warnings);
  const guards = await loadGuards(data, files, warnings);
  const regression = without(guards.regression, test, 'regression', 'test', warnings);
  const canary = without(guards.canary, test, 'canary', 'test', warnings);
  const sealed = [...dev, ...test, ...regression, ...canary];
  const pool =
    loaded.train === null
      ? null
      : without(loaded.train, sealed, 'train', sealedNames(regression, canary), warnings);
  if (dev.length === 0)
    throw new DataError('There are no dev tasks to evaluate on; give data.dev, or a file with more tasks.');
  if (pool?.length === 0)
    throw new DataError('There are no train tasks; give data.train, or a file with more tasks.');
  if (pool !== null) warnings.push(...leakWarnings(pool, dev, 'dev'), ...leakWarnings(pool, test, 'test'));
  const source = 'file' in data ? { file: data.file } : data.train;
  const skipped = [...loaded.skipped, ...guards.skipped];
  return { dev, test, regression, canary, skipped, warnings, ...trainTasks(source, pool, seed) };
}

function sealedNames(regression: readonly Task[], canary: readonly Task[]): string {
  return regression.length + canary.length > 0 ? 'a sealed suite' : 'dev or test';
}

/** Empty where the recipe names none. */
async function loadGuards(
  data: GuardSources,
  files: TaskFiles,
  warnings: string[],
): Promise<Pick<TaskSets, GuardSuite | 'skipped'>> {
  const skipped: LoadedTasks['skipped'][number][] = [];
  const tasksOf = async (name: GuardSuite): Promise<readonly Task[]> => {
    const source = data[name];
    if (source === undefined) return [];
    if ('generate' in source) return generate(source, 'dev', 0, name, 0, new Set());
    const own =
      'experiences' in source
        ? { tasks: await formerTasks(source.experiences, 'dev', files, warnings), skipped: [] }
        : await files.load(source.file, 'dev', source);
    skipped.push(...own.skipped);
    const tasks = own.tasks.map((task) => ({ ...task, split: 'dev' as const }));
    if (tasks.length === 0)
      throw new DataError(`There are no ${name} tasks; give data.${name} some, or take it out.`);
    return source.count === undefined ? tasks : tasks.slice(0, source.count);
  };
  return { regression: await tasksOf('regression'), canary: await tasksOf('canary'), skipped };
}

interface Loaded {
  /** Null when train tasks are generated. */
  readonly train: readonly Task[] | null;
  readonly dev: readonly Task[];
  readonly test: readonly Task[];
  readonly skipped: LoadedTasks['skipped'];
  readonly warnings: readonly string[];
}

async function splitOneFile(data: WholeFile, files: TaskFiles): Promise<Loaded> {
  const loaded = await files.load(data.file, 'train', data);
  const splits = splitTasks(loaded, data.split);
  const of = (split: SplitOf) => splits.filter((task) => task.split === split);
  return { train: of('train'), dev: of('dev'), test: of('test'), skipped: loaded.skipped, warnings: [] };
}

async function loadSplits(
  data: { readonly train: DataSource; readonly dev: DataSource; readonly test?: DataSource | undefined },
  files: TaskFiles,
): Promise<Loaded> {
  const skipped: LoadedTasks['skipped'][number][] = [];
  const warnings: string[] = [];
  const suite = async (source: DataSource, split: SplitOf): Promise<readonly Task[]> => {
    if ('generate' in source) return generate(source, split, 0, 'suite', 0, new Set());
    if ('experiences' in source) return formerTasks(source.experiences, split, files, warnings);
    const loaded = await files.load(source.file, split, source);
    skipped.push(...loaded.skipped);
    return loaded.tasks;
  };
  const cut = (tasks: readonly Task[], source: DataSource) =>
    'generate' in source || source.count === undefined ? tasks : tasks.slice(0, source.count);
  const train = 'generate' in data.train ? null : await suite(data.train, 'train');
  const dev = cut(await suite(data.dev, 'dev'), data.dev);
  const test = data.test === undefined ? [] : cut(await suite(data.test, 'test'), data.test);
  return { train, dev, test, skipped, warnings };
}

/** Splits of an earlier run whose tasks may be used in this one: what was sealed then never reaches an update (law 2). */
const usable: Readonly<Record<'train' | 'dev', readonly Split[]>> = {
  train: ['train', 'live'],
  dev: ['train', 'live', 'dev'],
};

async function formerTasks(
  wanted: ExperienceSource,
  split: SplitOf,
  files: TaskFiles,
  warnings: string[],
): Promise<readonly Task[]> {
  if (split === 'test')
    throw new DataError(
      'A sealed test cannot be made of experiences, which a loop has learned from; give data.test a file.',
    );
  if (files.experiences === undefined)
    throw new DataError('There are no earlier runs here to take experiences from; name a file instead.');
  const former = await files.experiences(wanted);
  const open = former.filter(({ task }) => usable[split].includes(task.split));
  const left = former.length - open.length;
  if (left > 0)
    warnings.push(
      `${left} ${left === 1 ? 'experience' : 'experiences'} of run ${wanted.run} ${left === 1 ? 'was' : 'were'} made on sealed tasks, and left out of ${split}.`,
    );
  if (open.length === 0)
    throw new DataError(
      `Run ${wanted.run} has no ${wanted.verdict} experience that may be used for ${split}; name another run or a lower minScore.`,
    );
  return open.map(({ task }) => ({ ...task, split }));
}

function leakWarnings(train: readonly Task[], sealed: readonly Task[], name: string): readonly string[] {
  if (sealed.length === 0) return [];
  const { count, first, checked } = nearCopies(train, sealed);
  if (first === null) return [];
  const begin = ({ input }: Task) =>
    `"${Array.from(input.replace(/\s+/g, ' ').trim()).slice(0, 60).join('')}"`;
  const looked = checked < train.length ? ` (of the first ${checked} looked at)` : '';
  return [
    `${count} train ${count === 1 ? 'task nearly equals' : 'tasks nearly equal'} a ${name} task${looked}, so a gain may be memory; for example ${begin(first.train)} beside ${begin(first.sealed)}.`,
  ];
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

/** The same question in two splits is a leak, whatever each of them calls the right answer. */
const questionOf = ({ input, context }: Task) => `${input}\0${context ?? ''}`;

function without(
  tasks: readonly Task[],
  sealed: readonly Task[],
  split: string,
  other: string,
  warnings: string[],
): readonly Task[] {
  const questions = new Set(sealed.map(questionOf));
  const rest = tasks.filter((task) => !questions.has(questionOf(task)));
  const dropped = tasks.length - rest.length;
  if (dropped > 0)
    warnings.push(
      `${dropped} ${split} ${dropped === 1 ? 'task is' : 'tasks are'} also in ${other}, and left out of ${split}.`,
    );
  return rest;
}
