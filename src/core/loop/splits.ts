/**
 * Owns which split each task of one file belongs to: as the file says, else by the task's own identity, so that it stays
 * there in every run and under every seed of a run. Deliberately drops nothing.
 */
import { hash32 } from '../measure/hash.ts';
import type { Split, Task } from '../model/task.ts';
import type { LoadedTasks, TaskLabels } from '../ports.ts';
import type { SplitShares } from './recipeData.ts';

type Part = Exclude<Split, 'live'>;

/** 60 % train, 20 % dev, 20 % sealed test. */
const usual: SplitShares = { train: 0.6, dev: 0.2, test: 0.2, seed: 0 };
const whole = 0x1_0000_0000;

/**
 * Each task with its split. Without strata a unit's place is a hash, so that other tasks that come or go move nothing; with
 * strata the units of each are ranked by their hash and cut, so that each split has its share of every stratum to within
 * one. A unit is a task, or all tasks of a group.
 */
export function splitTasks(
  { tasks, labels }: Pick<LoadedTasks, 'tasks' | 'labels'>,
  shares: SplitShares | undefined,
): readonly Task[] {
  const labelOf = (task: Task): TaskLabels => labels?.get(task.id) ?? {};
  const ranked = tasks.some((task) => labelOf(task).stratum !== undefined)
    ? byStratum(tasks, labelOf, shares ?? usual)
    : null;
  return tasks.map((task) => {
    const { split, group, stratum } = labelOf(task);
    if (split !== undefined) return { ...task, split };
    const unit = group ?? task.id;
    return { ...task, split: ranked?.get(unitKey(stratum, unit)) ?? byHash(unit, shares) };
  });
}

function byHash(unit: string, shares: SplitShares | undefined): Part {
  if (shares === undefined) {
    const bucket = hash32(['split', unit]) % 5;
    return bucket === 3 ? 'dev' : bucket === 4 ? 'test' : 'train';
  }
  return partAt(hash32(['split', shares.seed, unit]) / whole, shares);
}

/** The split at a place in [0, 1) of a line of train, dev and test. */
function partAt(place: number, { train, dev, test }: SplitShares): Part {
  if (place < train) return 'train';
  // Shares are sums of decimals; nothing falls to a test of no share.
  return place < train + dev || test === 0 ? 'dev' : 'test';
}

const unitKey = (stratum: string | undefined, unit: string) => `${stratum ?? ''}\0${unit}`;

function byStratum(
  tasks: readonly Task[],
  labelOf: (task: Task) => TaskLabels,
  shares: SplitShares,
): ReadonlyMap<string, Part> {
  const strata = new Map<string, Set<string>>();
  const home = new Map<string, string>();
  for (const task of tasks) {
    const { stratum = '', group, split } = labelOf(task);
    if (split !== undefined) continue;
    const unit = group ?? task.id;
    // A group lies in the stratum of its first task; it must not be cut in two.
    const own = home.get(unit) ?? stratum;
    home.set(unit, own);
    strata.set(own, (strata.get(own) ?? new Set()).add(unit));
  }
  const places = new Map<string, Part>();
  for (const units of strata.values()) {
    const ranked = [...units]
      .map((unit) => ({ unit, hash: hash32(['split', shares.seed, unit]) }))
      .sort((a, b) => a.hash - b.hash || (a.unit < b.unit ? -1 : 1));
    ranked.forEach(({ unit }, rank) => places.set(unit, partAt((rank + 0.5) / ranked.length, shares)));
  }
  const found = new Map<string, Part>();
  for (const task of tasks) {
    const { stratum, group } = labelOf(task);
    const unit = group ?? task.id;
    const part = places.get(unit);
    if (part !== undefined) found.set(unitKey(stratum, unit), part);
  }
  return found;
}
