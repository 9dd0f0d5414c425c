/** Owns `assess` by a metric: a graded judgement on each solution. Deliberately keeps or drops nothing; that is `select`. */
import { gradeBy, type GraderKind } from '../measure/graders.ts';
import { feedbackId } from '../measure/identity.ts';
import type { Metric } from '../model/metric.ts';
import type { Feedback } from '../model/feedback.ts';
import type { Task } from '../model/task.ts';
import type { PlacedSolution } from './solve.ts';

export type GraderName = Exclude<Metric, 'judge' | 'embedding'>;

const KINDS: Readonly<Partial<Record<GraderName, GraderKind>>> = {
  jsonSchema: 'json-schema',
  rougeL: 'rouge-l',
};

export interface Grade {
  /** In [0, 1]; null where the grader cannot tell, which leaves the question to a judge. */
  readonly score: number | null;
  readonly reason: string;
}

/** Grades one solution; a failed call, a missing reference and a missing answer score 0 with the reason. */
export function gradeSolution(task: Task, solution: PlacedSolution, metric: GraderName): Grade {
  if (solution.failure !== null) return { score: 0, reason: `no answer: ${solution.failure}` };
  if (task.reference === undefined) return { score: 0, reason: 'the task has no reference to compare with' };
  return gradeBy({ kind: KINDS[metric] ?? metric } as { kind: GraderKind }, solution, task);
}

/** What is asked of a judge where the grader of mathematics cannot tell. */
export const EQUALITY =
  'Is the final answer mathematically equal to the reference? Full score if it is, none if it is not.';

export function assessByMetric(task: Task, solution: PlacedSolution, metric: GraderName): Feedback {
  const { score, reason } = gradeSolution(task, solution, metric);
  return {
    id: feedbackId(solution.id, 'metric', metric),
    solutionId: solution.id,
    source: 'metric',
    by: metric,
    value:
      score === null
        ? { kind: 'text', text: 'it could not be told whether this is right' }
        : { kind: 'score', score },
    reason,
  };
}
