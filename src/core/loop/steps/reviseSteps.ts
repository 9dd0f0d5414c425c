/** Owns how `revise` runs inside a round: whose it is, and solutions tried again. Deliberately makes no candidate. */
import { toSolution } from '../../acquire/solve.ts';
import { streamSeed } from '../../measure/random.ts';
import type { Message } from '../../ports.ts';
import { plainFraming, renderTask } from '../../prompt/messages.ts';
import { OWN_WORDS } from '../../refine/restate.ts';
import type { Experience, Origin } from '../arm.ts';
import type { ReviseParameters } from '../recipe.ts';
import type { StepContext, StepResult } from '../stepContext.ts';
import { unsolved } from './attempts.ts';
import { saidOf } from './framing.ts';
import { editStep, mutateStep } from './mutateSteps.ts';
import { restateKnowledge, restateTasks, restateWorkflow } from './restateSteps.ts';
import { NO_ANSWER, solutionsEvent } from './solveSteps.ts';

type OfSolutions = Extract<ReviseParameters, { over: 'solutions' }>;

export function reviseStep(
  context: StepContext,
  parameters: ReviseParameters,
): Promise<StepResult> | StepResult {
  switch (parameters.over) {
    case 'instruction':
      return parameters.mode === 'edit' ? editStep(context, parameters) : mutateStep(context, parameters);
    case 'solutions':
      return reviseSolutions(context, parameters);
    case 'tasks':
      return restateTasks(context, parameters);
    case 'knowledge':
      return restateKnowledge(context, parameters);
    case 'workflow':
      return restateWorkflow(context, parameters);
  }
}

/** The newest attempt at each task is tried again, with what was said of it, with the reference, or with neither in sight. */
async function reviseSolutions(context: StepContext, parameters: OfSolutions): Promise<StepResult> {
  const { run, at, arm, values } = context;
  const open = parameters.only === 'failures' ? unsolved(values) : null;
  const groups = [...Map.groupBy(values.experiences, ({ task }) => task.id).values()].filter(
    ([first]) => first !== undefined && (open === null || open.has(first.task.id)),
  );
  const last = groups.flatMap((group) => {
    const newest = group.at(-1);
    const usable = parameters.mode !== 'hint' || newest?.task.reference !== undefined;
    return newest === undefined || !usable ? [] : [{ newest, group }];
  });
  const draws = last.map(({ newest, group }) => {
    const request = {
      messages: messagesFor(context, newest, group, parameters),
      temperature: parameters.temperature,
      maxTokens: parameters.maxTokens,
      seed: streamSeed(run.seed, at.step, at.round, newest.task.id, newest.solution.sample),
      weights: arm.inUse.state.weights,
    };
    return { task: newest.task, sample: newest.solution.sample, request };
  });
  const answers = await context.ask(
    at.round,
    draws.map(({ task, sample, request }) => ({ item: task.id, sample, request, input: task.input })),
  );
  const origin: Origin = parameters.mode === 'hint' ? 'hinted' : 'revised';
  const revised = draws.map((draw, index): Experience => {
    const answer = answers[index] ?? NO_ANSWER;
    const place = { runId: run.id, at };
    const solution = toSolution(draw, answer, arm.inUse, place, run.recipe.objective.answer);
    return { task: draw.task, solution, origin, recalled: [] };
  });
  // The attempts that were revised make way: what is selected next is what they became.
  const replaced = new Set(last.map(({ newest }) => newest));
  const kept = values.experiences.filter((experience) => !replaced.has(experience));
  return {
    values: { experiences: [...kept, ...revised] },
    events: [solutionsEvent(revised)],
    rows: { tasks: draws.map(({ task }) => task), solutions: revised.map(({ solution }) => solution) },
  };
}

function messagesFor(
  { arm, values }: StepContext,
  newest: Experience,
  group: readonly Experience[],
  parameters: OfSolutions,
): readonly Message[] {
  const { task, solution } = newest;
  if (parameters.mode === 'hint') {
    const framing = { ...plainFraming, hint: task.reference ?? null, reasoning: true };
    return renderTask(arm.inUse.state, task, framing);
  }
  if (parameters.mode === 'restate')
    return [
      ...renderTask(arm.inUse.state, task, plainFraming),
      { role: 'assistant', content: solution.output },
      { role: 'user', content: OWN_WORDS },
    ];
  const attempts = (parameters.history === 'all' ? group : [newest]).map((experience) => ({
    output: experience.solution.output,
    said: saidInRevision(values, experience, parameters),
  }));
  return renderTask(arm.inUse.state, task, { ...plainFraming, attempts });
}

/** Without a critique only what the step itself knows is said: that failures failed. */
function saidInRevision(
  values: Parameters<typeof saidOf>[0],
  experience: Experience,
  { mode, only }: OfSolutions,
): string | null {
  const said = mode === 'critique' ? saidOf(values, experience) : '';
  return said === '' && only === 'all' ? null : said;
}
