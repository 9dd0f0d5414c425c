/** Owns how `solve` and `assess` run inside a round. Deliberately leaves what a call or a grade is to core/acquire. */
import { assessByMetric } from '../../acquire/assess.ts';
import { drawsOf, toSolution, type PlacedSolution } from '../../acquire/solve.ts';
import { hashOf } from '../../measure/hash.ts';
import { streamSeed } from '../../measure/random.ts';
import type { Feedback } from '../../model/feedback.ts';
import type { SolutionId } from '../../model/ids.ts';
import type { FinishReason } from '../../model/task.ts';
import type { AssessParameters, SolveParameters } from '../recipe.ts';
import type { Experience } from '../arm.ts';
import type { StepContext, StepResult } from '../stepContext.ts';

export async function solveStep(context: StepContext, parameters: SolveParameters): Promise<StepResult> {
  const { run, at, arm, values } = context;
  const draws = drawsOf(values.tasks, arm.inUse, parameters, (task, sample) =>
    streamSeed(run.seed, at.step, at.round, task.id, sample),
  );
  const calls = draws.map(({ task, sample, request }) => ({
    item: task.id,
    sample,
    request,
    input: task.input,
  }));
  const answers = await context.ask(at.round, calls);
  const experiences = draws.map((draw, index): Experience => {
    const answer = answers[index] ?? { ok: false as const, reason: 'the provider gave no answer' };
    const solution = toSolution(draw, answer, arm.inUse, { runId: run.id, at }, run.recipe.objective.answer);
    return { task: draw.task, solution };
  });
  const solutions = experiences.map(({ solution }) => solution);
  return {
    values: { experiences },
    events: [
      {
        kind: 'solutionsAcquired',
        count: solutions.length,
        failed: solutions.filter(({ failure }) => failure !== null).length,
        finish: countFinishes(solutions),
        meanOutputTokens: meanOutput(solutions),
        digest: hashOf(solutions.map(({ taskId, sample, output }) => [taskId, sample, output])),
      },
    ],
    rows: { tasks: values.tasks, solutions },
  };
}

export function assessStep(context: StepContext, parameters: AssessParameters): StepResult {
  const { run, values } = context;
  const metric = parameters.metric ?? run.recipe.objective.metric;
  const given = values.experiences.map(({ task, solution }) => assessByMetric(task, solution, metric));
  const feedback = new Map<SolutionId, readonly Feedback[]>(values.feedback);
  for (const item of given) feedback.set(item.solutionId, [...(feedback.get(item.solutionId) ?? []), item]);
  return {
    values: { feedback },
    events: [
      {
        kind: 'feedbackGiven',
        source: 'metric',
        count: given.length,
        passed: given.filter(({ value }) => value.kind === 'score' && value.score >= 1).length,
        digest: hashOf(
          given.map((item, index) => {
            const solution = values.experiences[index]?.solution;
            return [
              solution?.taskId ?? '',
              solution?.sample ?? 0,
              item.value.kind === 'score' ? item.value.score : 0,
            ];
          }),
        ),
      },
    ],
    rows: { feedback: given },
  };
}

function countFinishes(solutions: readonly PlacedSolution[]): Partial<Record<FinishReason, number>> {
  const counts: Partial<Record<FinishReason, number>> = {};
  for (const { finish } of solutions) counts[finish] = (counts[finish] ?? 0) + 1;
  return counts;
}

function meanOutput(solutions: readonly PlacedSolution[]): number | null {
  const known = solutions.flatMap(({ usage }) => (usage.output === null ? [] : [usage.output]));
  return known.length === 0 ? null : known.reduce((sum, tokens) => sum + tokens, 0) / known.length;
}
