/**
 * Owns `pack`: kept solutions as a training set. Pure. Deliberately refuses tasks of a sealed split:
 * nothing whose lineage reaches a dev or test task may reach an update (law 2).
 */
import type { PlacedSolution } from '../acquire/solve.ts';
import type { Task } from '../model/task.ts';
import type { TrainingExample, TrainingPair } from '../ports.ts';
import { toMessages } from '../prompt/messages.ts';

/** A solution with its task and what was decided; `score` in [0, 1], null when nobody judged it. */
export interface Packable {
  readonly task: Task;
  readonly solution: PlacedSolution;
  readonly kept: boolean;
  readonly score: number | null;
}

export interface Packed<Item> {
  readonly items: readonly Item[];
  readonly duplicates: number;
}

/** A sealed task reached an update: a defect in the recipe's data, never something to train through. */
export class SealedTaskError extends Error {
  override readonly name = 'SealedTaskError';
}

function usable(items: readonly Packable[]): Packable[] {
  for (const { task } of items) {
    if (task.split !== 'train' && task.split !== 'live') {
      throw new SealedTaskError(
        `A ${task.split} task reached an update ("${task.input.slice(0, 60)}"); nothing was trained.`,
      );
    }
  }
  return items.filter(({ solution }) => solution.failure === null && solution.output !== '');
}

/** Kept solutions as examples, under the instruction they were given. Identical (task, output) pairs once if `dedupe`. */
export function packExamples(
  items: readonly Packable[],
  instruction: string,
  dedupe: boolean,
): Packed<TrainingExample> {
  const kept = usable(items).filter((item) => item.kept);
  const chosen = dedupe ? firstOfEach(kept, ({ task, solution }) => `${task.id} ${solution.output}`) : kept;
  return {
    items: chosen.map(({ task, solution }) => ({
      messages: toMessages(instruction, task),
      completion: solution.output,
    })),
    duplicates: kept.length - chosen.length,
  };
}

/** One pair a task that has both: its first kept solution over its first dropped one. */
export function packPairs(items: readonly Packable[], instruction: string): Packed<TrainingPair> {
  const byTask = Map.groupBy(usable(items), ({ task }) => task.id);
  const pairs = [...byTask.values()].flatMap((group): TrainingPair[] => {
    const chosen = group.find((item) => item.kept);
    const rejected = group.find((item) => !item.kept && item.solution.output !== chosen?.solution.output);
    if (chosen === undefined || rejected === undefined) return [];
    return [
      {
        messages: toMessages(instruction, chosen.task),
        chosen: chosen.solution.output,
        rejected: rejected.solution.output,
      },
    ];
  });
  return { items: pairs, duplicates: 0 };
}

function firstOfEach<Item>(items: readonly Item[], key: (item: Item) => string): Item[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const name = key(item);
    return !seen.has(name) && seen.add(name);
  });
}
