/**
 * Owns how the objective's metric scores solutions of a suite: by a grader, by a judge, and by a judge where the grader of
 * mathematics cannot tell. The judge is frozen: the recipe's own, with the weights the run began with, so that all
 * candidates of a run meet the same one; its version is part of what makes evaluations comparable (law 5).
 */
import { EQUALITY, gradeSolution } from '../../acquire/assess.ts';
import { judgeName, judgeSolution, readJudgement } from '../../acquire/judge.ts';
import type { PlacedSolution } from '../../acquire/solve.ts';
import { streamSeed } from '../../measure/random.ts';
import type { Metric } from '../../model/metric.ts';
import type { Task } from '../../model/task.ts';
import type { StepContext } from '../stepContext.ts';
import { likenessOf } from './likeness.ts';

export interface Gradable {
  readonly task: Task;
  readonly solution: PlacedSolution;
}

const SCALE = 10;
const LENGTH = 512;

function rubricOf(metric: Metric, own: string): string {
  return metric === 'judge' ? own : EQUALITY;
}

function frozenJudge({ run, arm }: StepContext) {
  const provider = run.recipe.judge ?? run.recipe.model;
  return { provider, weights: provider === run.recipe.model ? arm.start.state.weights : null };
}

/** The version of the judge that has a say in these scores; null where none has. */
export function judgeVersion(context: StepContext): string | null {
  const { metric, rubric } = context.run.recipe.objective;
  if (metric === 'embedding') return `embedding by ${context.run.recipe.embedder ?? ''}`;
  if (metric !== 'judge' && metric !== 'math') return null;
  const { provider, weights } = frozenJudge(context);
  return judgeName(
    { model: provider, rubric: rubricOf(metric, rubric) },
    weights,
    { scale: SCALE, critique: false },
    provider === context.run.recipe.model,
  );
}

/** A score in [0, 1] for each item, in their order; an unreadable judgement scores 0. */
export async function gradeAll(
  context: StepContext,
  items: readonly Gradable[],
  round: number,
): Promise<readonly number[]> {
  const { metric, rubric } = context.run.recipe.objective;
  if (metric === 'embedding') return (await likenessOf(context, items)).map(({ score }) => score ?? 0);
  const graded = items.map(({ task, solution }) => {
    if (metric === 'judge') return solution.failure === null ? null : 0;
    return gradeSolution(task, solution, metric).score;
  });
  const open = items.filter((_, index) => graded[index] === null);
  if (open.length === 0 || (metric !== 'judge' && metric !== 'math'))
    return graded.map((score) => score ?? 0);
  const judged = await judge(context, open, rubricOf(metric, rubric), round);
  let next = 0;
  return graded.map((score) => {
    if (score !== null) return score;
    const given = judged[next++] ?? 0;
    return metric === 'math' ? Number(given >= 0.5) : given;
  });
}

async function judge(
  context: StepContext,
  items: readonly Gradable[],
  rubric: string,
  round: number,
): Promise<readonly number[]> {
  const { provider, weights } = frozenJudge(context);
  const calls = items.map(({ task, solution }) => ({
    item: `${task.id}/${solution.candidateId}/judged`,
    sample: solution.sample,
    input: task.input,
    request: {
      messages: judgeSolution(task, solution.output, rubric, { scale: SCALE, critique: false }),
      temperature: 0,
      maxTokens: LENGTH,
      seed: streamSeed(context.run.seed, 'frozen judge', task.id, solution.sample),
      weights,
    },
  }));
  const answers = await context.ask(round, calls, provider);
  return answers.map((answer) => (answer.ok ? (readJudgement(answer.text, SCALE)?.score ?? 0) : 0));
}
