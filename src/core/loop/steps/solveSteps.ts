/** Owns how `solve` runs inside a round: alone, as a talk between roles, or with tools. Deliberately judges nothing. */
import { drawsOf, toSolution, type Draw, type PlacedSolution } from '../../acquire/solve.ts';
import { hashOf } from '../../measure/hash.ts';
import { streamSeed } from '../../measure/random.ts';
import type { FinishReason, Task } from '../../model/task.ts';
import type { ModelAnswer } from '../../ports.ts';
import { extractAnswer } from '../../prompt/answer.ts';
import { withUses } from '../../update/memory.ts';
import type { Experience, Origin } from '../arm.ts';
import type { SolveParameters } from '../recipe.ts';
import type { StepContext, StepResult } from '../stepContext.ts';
import { unsolved } from './attempts.ts';
import { framingsOf } from './framing.ts';
import { recallOf } from './recalling.ts';
import { searchSolutions } from './searchSteps.ts';
import { converse, type Said } from './turns.ts';

export const NO_ANSWER: ModelAnswer = { ok: false, reason: 'the provider gave no answer' };

export async function solveStep(context: StepContext, parameters: SolveParameters): Promise<StepResult> {
  const { run, at, arm, values } = context;
  const { principles } = run.recipe.objective;
  const open = parameters.only === 'failures' ? unsolved(values) : null;
  const tasks = open === null ? values.tasks : values.tasks.filter(({ id }) => open.has(id));
  const solver = parameters.by === 'newest' ? (values.contenders.at(-1) ?? arm.inUse) : arm.inUse;
  const memory = parameters.context.includes('memory') ? withUses(solver.state.memory ?? [], arm.uses) : [];
  const framingOf = framingsOf(await recallOf(context, memory, tasks), values, parameters, principles);
  const seedOf = (task: Task, sample: number) => streamSeed(run.seed, at.step, at.round, task.id, sample);
  const draws = drawsOf(tasks, solver, parameters, seedOf, framingOf);
  const said: readonly Said[] =
    parameters.roles.length > 0 || parameters.tools.length > 0
      ? await converse(context, draws, parameters)
      : (
          await (parameters.search === undefined
            ? askDraws(context, draws)
            : searchSolutions(context, draws, parameters.search))
        ).map((answer) => ({ answer, last: null }));
  const origin: Origin = parameters.negated === false ? 'plain' : 'negated';
  const solved = draws.map((draw, index): Experience => {
    const { answer, last } = said[index] ?? { answer: NO_ANSWER, last: null };
    const rule = run.recipe.objective.answer;
    const solution = toSolution(draw, answer, solver, { runId: run.id, at }, rule);
    return {
      task: draw.task,
      // A talk is its whole text; its answer is what was said last.
      solution: last === null ? solution : { ...solution, answer: extractAnswer(last, rule) },
      origin,
      recalled: framingOf(draw.task).knowledge.map(({ id }) => id),
    };
  });
  // A retry of failures leaves the attempts that were right where they are.
  const before =
    parameters.into === 'add'
      ? values.experiences
      : open === null
        ? []
        : values.experiences.filter(({ task }) => !open.has(task.id));
  return {
    values: { experiences: [...before, ...solved] },
    events: [solutionsEvent(solved)],
    rows: { tasks, solutions: solved.map(({ solution }) => solution) },
  };
}

export function askDraws(context: StepContext, draws: readonly Draw[]): Promise<readonly ModelAnswer[]> {
  return context.ask(
    context.at.round,
    draws.map(({ task, sample, request }) => ({ item: task.id, sample, request, input: task.input })),
  );
}

export function solutionsEvent(experiences: readonly Experience[]): StepResult['events'][number] {
  const solutions = experiences.map(({ solution }) => solution);
  return {
    kind: 'solutionsAcquired',
    count: solutions.length,
    failed: solutions.filter(({ failure }) => failure !== null).length,
    finish: countFinishes(solutions),
    meanOutputTokens: meanOutput(solutions),
    digest: hashOf(solutions.map(({ taskId, sample, output }) => [taskId, sample, output])),
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
