/**
 * Owns `pack`: kept solutions as training data. Pure. Deliberately refuses tasks of a sealed split: nothing whose lineage
 * reaches a dev or test task may reach an update (law 2). Prompts are made anew from the task alone, so that neither a hint
 * nor a negation is in them (law 4), and lines that repeat a hint are left out of the answers.
 */
import type { PlacedSolution } from '../acquire/solve.ts';
import type { Task } from '../model/task.ts';
import type { TrainingExample, TrainingPair } from '../ports.ts';
import { HINT_MARK, toMessages } from '../prompt/messages.ts';

/** A solution with its task and what was decided; `score` in [0, 1], null when nobody judged it. */
export interface Packable {
  readonly task: Task;
  readonly solution: PlacedSolution;
  readonly kept: boolean;
  readonly score: number | null;
  /** It was asked for as a bad one. */
  readonly negated: boolean;
  /** What a judge said to do better; null where nobody did. */
  readonly critique: string | null;
}

export interface Packed<Item> {
  readonly items: readonly Item[];
  readonly duplicates: number;
}

/** A solution with its score, for training a reward model elsewhere. */
export interface RewardExample extends TrainingExample {
  /** In [0, 1]. */
  readonly score: number;
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

/** Without the lines that begin with a hint's mark or another of these. */
export function stripped(output: string, marks: readonly string[]): string {
  const all = [HINT_MARK, ...marks].map((mark) => mark.toLowerCase());
  const lines = output.split('\n');
  const rest = lines.filter((line) => !all.some((mark) => line.trim().toLowerCase().startsWith(mark)));
  return rest.length === lines.length ? output : rest.join('\n').trim();
}

export interface PackOptions {
  readonly instruction: string;
  readonly strip: readonly string[];
}

function example({ task, solution }: Packable, { instruction, strip }: PackOptions): TrainingExample {
  return { messages: toMessages(instruction, task), completion: stripped(solution.output, strip) };
}

/** Kept solutions as examples, under the instruction alone. Identical (task, output) pairs once if `dedupe`. */
export function packExamples(
  items: readonly Packable[],
  options: PackOptions,
  dedupe: boolean,
): Packed<TrainingExample> {
  const kept = usable(items).filter((item) => item.kept && !item.negated);
  const chosen = dedupe ? firstOfEach(kept, ({ task, solution }) => `${task.id} ${solution.output}`) : kept;
  return {
    items: chosen.map((item) => example(item, options)).filter(({ completion }) => completion !== ''),
    duplicates: kept.length - chosen.length,
  };
}

export type PairRule = 'keptDropped' | 'bestWorst' | 'positiveNegative' | 'goldOwn';

/**
 * One pair a task. keptDropped: its first kept solution over its first dropped one. bestWorst: by score (Self-Rewarding,
 * Yuan et al. 2024). positiveNegative: an answer over one that was asked for as bad (RLCD, Yang et al. 2023). goldOwn: the
 * reference over the model's own (SPIN, Chen et al. 2024).
 */
export function packPairs(
  items: readonly Packable[],
  options: PackOptions,
  rule: PairRule = 'keptDropped',
): Packed<TrainingPair> {
  const byTask = Map.groupBy(usable(items), ({ task }) => task.id);
  const pairs = [...byTask.values()].flatMap((group): TrainingPair[] => {
    const pair = pairOf(group, rule, options.strip);
    if (pair === null || pair.chosen === '' || pair.rejected === '' || pair.chosen === pair.rejected)
      return [];
    const task = group[0]?.task;
    return task === undefined ? [] : [{ messages: toMessages(options.instruction, task), ...pair }];
  });
  return { items: pairs, duplicates: 0 };
}

function pairOf(
  group: readonly Packable[],
  rule: PairRule,
  strip: readonly string[],
): { readonly chosen: string; readonly rejected: string } | null {
  const pair = (chosen: Packable | undefined, rejected: Packable | undefined) =>
    chosen === undefined || rejected === undefined
      ? null
      : {
          chosen: stripped(chosen.solution.output, strip),
          rejected: stripped(rejected.solution.output, strip),
        };
  const positive = group.filter(({ negated }) => !negated);
  switch (rule) {
    case 'keptDropped': {
      const chosen = positive.find(({ kept }) => kept);
      return pair(
        chosen,
        group.find(({ kept, solution }) => !kept && solution.output !== chosen?.solution.output),
      );
    }
    case 'bestWorst': {
      const ranked = positive
        .filter(({ score }) => score !== null)
        .toSorted((a, b) => (b.score ?? 0) - (a.score ?? 0));
      const [best, worst] = [ranked[0], ranked.at(-1)];
      return best?.kept === true && (best.score ?? 0) > (worst?.score ?? 0) ? pair(best, worst) : null;
    }
    case 'positiveNegative':
      return pair(
        positive.find(({ kept }) => kept),
        group.find(({ negated }) => negated),
      );
    case 'goldOwn': {
      const own = positive[0];
      const gold = own?.task.reference;
      return own === undefined || gold === undefined
        ? null
        : { chosen: gold, rejected: stripped(own.solution.output, strip) };
    }
  }
}

/** Every judged solution with its score, kept or not. */
export function packRewards(items: readonly Packable[], options: PackOptions): Packed<RewardExample> {
  const judged = usable(items).flatMap((item) =>
    item.score === null ? [] : [{ ...example(item, options), score: item.score }],
  );
  return { items: judged, duplicates: 0 };
}

/** Kept critiques as examples of judging: the prompt holds task and answer, the completion is what was said. */
export function packCritiques(items: readonly Packable[], options: PackOptions): Packed<TrainingExample> {
  const said = usable(items).flatMap(({ task, solution, critique, kept, negated }): TrainingExample[] =>
    critique === null || !kept || negated
      ? []
      : [
          {
            messages: [
              ...toMessages(options.instruction, task),
              { role: 'assistant', content: stripped(solution.output, options.strip) },
              { role: 'user', content: 'Say what exactly to do better in that answer.' },
            ],
            completion: critique,
          },
        ],
  );
  return { items: said, duplicates: 0 };
}

function firstOfEach<Item>(items: readonly Item[], key: (item: Item) => string): Item[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const name = key(item);
    return !seen.has(name) && seen.add(name);
  });
}
