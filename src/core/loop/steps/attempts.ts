/** Owns what is known of the attempts at a round's tasks: which are solved, which is the newest. Deliberately pure. */
import { comparable, newestJudge, scoreOf } from '../../refine/selectSolutions.ts';
import { hashOf } from '../../measure/hash.ts';
import type { TaskId } from '../../model/ids.ts';
import type { Experience, RoundValues } from '../arm.ts';

export type Scores = (experience: Experience) => number | null;

/**
 * The score that counts for each solution, in [0, 1]: a person's, else the newest; null when nobody judged it, or only
 * another version of the judge who judged last (law 5).
 */
export function scoresOf({ experiences, feedback }: Pick<RoundValues, 'experiences' | 'feedback'>): Scores {
  const judge = newestJudge(
    experiences.map(({ solution }) => ({ feedback: feedback.get(solution.id) ?? [] })),
  );
  return ({ solution }) => {
    const own = feedback.get(solution.id) ?? [];
    const human = scoreOf(own.filter(({ source }) => source === 'human'));
    return human ?? scoreOf(comparable(own, judge));
  };
}

/** Experiences by task, in the order of the tasks. */
export function byTask(values: Pick<RoundValues, 'experiences'>): ReadonlyMap<TaskId, readonly Experience[]> {
  return Map.groupBy(values.experiences, ({ task }) => task.id);
}

/** Tasks none of whose newest solutions has full score. */
export function unsolved(values: RoundValues): ReadonlySet<TaskId> {
  const ids = new Set<TaskId>();
  const score = scoresOf(values);
  for (const [id, group] of byTask(values))
    if (!group.some((experience) => (score(experience) ?? 0) >= 1)) ids.add(id);
  return ids;
}

export function isSolved(values: RoundValues): boolean {
  return values.experiences.length > 0 && unsolved(values).size === 0;
}

/** Equal for equal outputs of equal tasks. */
export function outputsOf(values: RoundValues): string {
  return hashOf(values.experiences.map(({ task, solution }) => [task.id, solution.sample, solution.output]));
}
