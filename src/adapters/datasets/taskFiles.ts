/**
 * Owns the tasks a recipe gets from a person's file: every row that can be one, once, the others accounted for by line and
 * reason. Deliberately draws no split (core/loop/taskSets.ts).
 */
import { taskId } from '../../core/measure/identity.ts';
import type { FileOptions } from '../../core/model/dataset.ts';
import type { TaskId } from '../../core/model/ids.ts';
import type { Split } from '../../core/model/task.ts';
import type { LoadedTasks, StoreViews, TaskFiles, TaskLabels } from '../../core/ports.ts';
import { DataError } from '../../core/ports.ts';
import { formerExperiences } from './formerExperiences.ts';
import { contentMark } from './contentMark.ts';
import type { TaskContent } from './mapRow.ts';
import { createRejections } from './rejections.ts';
import { readTasks, type Reading, type TaskFileLimits } from './readTasks.ts';

interface Kept {
  readonly line: number;
  readonly content: TaskContent;
  readonly labels: TaskLabels | null;
}

const millions = (count: number) => `${Math.floor(count / 1_000_000)} million`;

/**
 * Tasks by what they say, each once. With a sample size the ones with the smallest marks are kept: a mark is a hash, so they
 * are an even draw of the whole file, the same in every order of its rows (bottom-k sampling, Cohen & Kaplan 2007).
 */
function createKeep(file: string, sample: number | undefined, limits: TaskFileLimits) {
  const { mostText = 256_000_000, mostTasks = 2_000_000 } = limits;
  const kept = new Map<string, Kept>();
  let characters = 0;
  const cut = (size: number): void => {
    if (kept.size <= size) return;
    const out = [...kept.keys()].sort().slice(size);
    for (const mark of out) {
      characters -= sizeOf(kept.get(mark)?.content);
      kept.delete(mark);
    }
  };
  return {
    /** Line of the earlier row that says the same; null when this one is new. */
    add(line: number, content: TaskContent, labels: TaskLabels | null): number | null {
      const mark = contentMark(content);
      const earlier = kept.get(mark);
      if (earlier !== undefined) return earlier.line;
      kept.set(mark, { line, content, labels });
      characters += sizeOf(content);
      if (sample !== undefined && kept.size >= 2 * sample) cut(sample);
      if (characters > mostText || kept.size > mostTasks)
        throw new DataError(
          `The data file ${file} holds more than ${kept.size > mostTasks ? `${millions(mostTasks)} tasks` : `${millions(mostText)} characters of tasks`}; add sample: 10000 to use an even draw of it.`,
        );
      return null;
    },
    /** In the order of the file. */
    all(): readonly Kept[] {
      if (sample !== undefined) cut(sample);
      return [...kept.values()].toSorted((a, b) => a.line - b.line);
    },
  };
}

function sizeOf(task: TaskContent | undefined): number {
  if (task === undefined) return 0;
  return (
    task.input.length +
    (task.context?.length ?? 0) +
    (task.reference?.length ?? 0) +
    (task.tests?.length ?? 0)
  );
}

async function load(
  file: string,
  split: Split,
  options: FileOptions,
  folder: string,
  limits: TaskFileLimits,
): Promise<LoadedTasks> {
  const keep = createKeep(file, options.sample, limits);
  const rejections = createRejections();
  const reading = await readTasks(file, options, folder, limits, {
    task(line, { content, labels }) {
      const earlier = keep.add(line, content, labels);
      if (earlier !== null)
        rejections.add(line, 'the same task as an earlier row', null, `the same task as line ${earlier}`);
    },
    reject: (line, reason, field) => rejections.add(line, reason, field),
  });
  const kept = keep
    .all()
    .map(({ content, labels }) => ({ task: { id: taskId(content), split, ...content }, labels }));
  if (kept.length === 0 || reading.reader.unsure) throw nothingUsable(file, reading, rejections.first);
  const labelled = kept.flatMap(({ task, labels }): [TaskId, TaskLabels][] =>
    labels === null ? [] : [[task.id, labels]],
  );
  return {
    tasks: kept.map(({ task }) => task),
    skipped: rejections.skipped(file),
    ...(labelled.length === 0 ? {} : { labels: new Map(labelled) }),
  };
}

function nothingUsable(file: string, { rows, reader }: Reading, first: string | null): DataError {
  if (rows === 0) return new DataError(`The data file ${file} has no usable row: it is empty.`);
  if (reader.unsure && reader.used.map.input !== undefined)
    return new DataError(
      `Nothing in the data file ${file} says which field is the input; add map: { input: "FIELD", reference: "FIELD" }, or run "ratchet data inspect" on it.`,
    );
  return new DataError(
    `The data file ${file} has no usable row (${first ?? 'none is a task'}); "ratchet data inspect" shows what it holds.`,
  );
}

/** Task files named relative to a recipe's folder, and the experiences of a store. Errors are DataError, one sentence with what to do. */
export function taskFiles(
  recipeFolder: string,
  limits: TaskFileLimits = {},
  store?: Pick<StoreViews, 'run' | 'experiences' | 'experience'>,
): TaskFiles {
  return {
    load: (file, split, options = {}) => load(file, split, options, recipeFolder, limits),
    ...(store === undefined ? {} : { experiences: (wanted) => formerExperiences(wanted, store) }),
  };
}
