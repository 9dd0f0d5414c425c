/** Owns what is known of the attempts at a round's tasks: which are solved, which is the newest. Deliberately pure. */
import { scoreOf } from '../../refine/selectSolutions.ts';
import { hashOf } from '../../measure/hash.ts';
import type { TaskId } from '../../model/ids.ts';
import type { Experience, RoundValues } from '../arm.ts';

/** The score that counts for a solution, in [0, 1]: a person's, else the newest; null when nobody judged it. */
export function scoreOfExperience(values: RoundValues, { solution }: Experience): number | null {
  const feedback = values.feedback.get(solution.id) ?? [];
  const human = feedback.filter(({ source }) => source === 'human');
  return scoreOf(human.length > 0 ? human : feedback);
}

/** Experiences by task, in the order of the tasks. */
export function byTask(values: Pick<RoundValues, 'experiences'>): ReadonlyMap<TaskId, readonly Experience[]> {
  return Map.groupBy(values.experiences, ({ task }) => task.id);
}

/** Tasks none of whose newest solutions has full score. */
export function unsolved(values: RoundValues): ReadonlySet<TaskId> {
  const ids = new Set<TaskId>();
  for (const [id, group] of byTask(values))
    if (!group.some((experience) => (scoreOfExperience(values, experience) ?? 0) >= 1)) ids.add(id);
  return ids;
}

export function isSolved(values: RoundValues): boolean {
  return values.experiences.length > 0 && unsolved(values).size === 0;
}

/** Equal for equal outputs of equal tasks. */
export function outputsOf(values: RoundValues): string {
  return hashOf(values.experiences.map(({ task, solution }) => [task.id, solution.sample, solution.output]));
}
