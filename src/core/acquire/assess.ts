/** Owns `assess` by a metric: a graded judgement on each solution. Deliberately keeps or drops nothing; that is `select`. */
import type { MetricName } from '../measure/grade.ts';
import { graders } from '../measure/grade.ts';
import { feedbackId } from '../measure/identity.ts';
import type { Feedback } from '../model/feedback.ts';
import type { Task } from '../model/task.ts';
import type { PlacedSolution } from './solve.ts';

export interface Grade {
  /** In [0, 1]. */
  readonly score: number;
  readonly reason: string;
}

/** Grades one solution; a failed call, a missing reference and a missing answer score 0 with the reason. */
export function gradeSolution(task: Task, solution: PlacedSolution, metric: MetricName): Grade {
  if (solution.failure !== null) return { score: 0, reason: `no answer: ${solution.failure}` };
  if (task.reference === undefined) return { score: 0, reason: 'the task has no reference to compare with' };
  return graders[metric](solution.answer, task.reference);
}

export function assessByMetric(task: Task, solution: PlacedSolution, metric: MetricName): Feedback {
  const grade = gradeSolution(task, solution, metric);
  return {
    id: feedbackId(solution.id, 'metric', metric),
    solutionId: solution.id,
    source: 'metric',
    by: metric,
    value: { kind: 'score', score: grade.score },
    reason: grade.reason,
  };
}
