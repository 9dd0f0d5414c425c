/** Owns how `evaluate` runs inside a round, and how one candidate is scored beside another. Deliberately moves no pointer: that is gateSteps.ts. */
import { drawsOf, toSolution, type Draw } from '../../acquire/solve.ts';
import { toEvaluation } from '../../evaluate/evaluate.ts';
import { hashOf } from '../../measure/hash.ts';
import { streamSeed } from '../../measure/random.ts';
import { shuffle, stream } from '../../measure/random.ts';
import { passAtK } from '../../measure/passAtK.ts';
import { mean } from '../../measure/statistics.ts';
import { readParts, retargetMessages } from '../../evaluate/retarget.ts';
import type { Candidate, TaskScore } from '../../model/candidate.ts';
import type { ContentHash } from '../../model/ids.ts';
import type { EventBody } from '../../model/event.ts';
import type { Task } from '../../model/task.ts';
import { isGuard } from '../../refine/guards.ts';
import type { Scored, Suite } from '../arm.ts';
import { evaluationFramings } from './framing.ts';
import { gradeAll, judgeVersion, type Gradable } from './grading.ts';
import { recallOf } from './recalling.ts';
import { NO_ANSWER } from './solveSteps.ts';
import type { EvaluateParameters } from '../recipe.ts';
import type { StepContext, StepResult } from '../stepContext.ts';

/** Tasks people watch from round to round. */
const SHOWCASE = 8;

/** Equal for evaluations that may be compared: the same tasks, asked and judged in the same way. */
export function suiteDigest(context: StepContext, suite: Suite): ContentHash {
  const { split, temperature, maxTokens, round, tasks, repeats, style, recall, passAt } = suite;
  const judge = judgeVersion(context);
  return hashOf([
    split,
    temperature,
    maxTokens,
    round,
    tasks.map(({ id }) => id),
    ...(repeats === 1 && style === 'plain' ? [] : [repeats, style]),
    ...(recall === 1 ? [] : [recall]),
    ...(passAt === null ? [] : [`pass@${passAt}`]),
    ...(judge === null ? [] : [judge]),
  ]);
}

/** Scores each candidate on the suite, all calls in one go; each draw's stream is the same for all candidates, so they are paired. */
export async function scoreCandidates(
  context: StepContext,
  candidates: readonly Candidate[],
  suite: Suite,
): Promise<Scored[]> {
  const { run, at } = context;
  const { repeats } = suite;
  const digest = suiteDigest(context, suite);
  const condition = { n: repeats, temperature: suite.temperature, maxTokens: suite.maxTokens };
  const seedOf = (task: Task, sample: number) => streamSeed(run.seed, at.step, suite.round, task.id, sample);
  const draws: Draw[][] = [];
  for (const candidate of candidates) {
    const recall = await recallOf(context, candidate.state.memory ?? [], suite.tasks);
    draws.push(drawsOf(suite.tasks, candidate, condition, seedOf, evaluationFramings(recall, suite)));
  }
  const calls = draws
    .flat()
    .map(({ task, sample, request }) => ({ item: task.id, sample, request, input: task.input }));
  const answers = await context.ask(suite.round, calls);
  const width = suite.tasks.length * repeats;
  const answered = candidates.flatMap((candidate, row) =>
    (draws[row] ?? []).map((draw, column): Gradable => {
      const answer = answers[row * width + column] ?? NO_ANSWER;
      const place = { runId: run.id, at };
      const solution = toSolution(draw, answer, candidate, place, run.recipe.objective.answer);
      return { task: draw.task, solution };
    }),
  );
  const values = await gradeAll(context, answered, suite.round);
  return candidates.map((candidate, row) => {
    const graded = answered.slice(row * width, (row + 1) * width).map(
      ({ task, solution }, column): TaskScore => ({
        taskId: task.id,
        score: values[row * width + column] ?? 0,
        output: solution.output,
      }),
    );
    const scores = repeats === 1 ? graded : oneEach(graded, suite.passAt);
    const evaluation = toEvaluation(candidate, scores, suite.split, suite.temperature, { runId: run.id, at });
    return { candidate, step: at.step, digest, tasks: suite.tasks, suite, evaluation };
  });
}

/** One score a task, shown with the first of its answers: their mean, or how likely one of `passAt` draws is right. */
function oneEach(graded: readonly TaskScore[], passAt: number | null): TaskScore[] {
  return [...Map.groupBy(graded, ({ taskId }) => taskId).values()].map((group) => {
    const scores = group.map(({ score }) => score);
    const score =
      passAt === null
        ? mean(scores)
        : (passAtK(scores.length, scores.filter((one) => one >= 1).length, passAt) ?? 0);
    return { ...(group[0] as TaskScore), score };
  });
}

export function evaluationEvent({ evaluation, tasks, candidate }: Scored): EventBody {
  const inputs = new Map(tasks.map((task) => [task.id, task.input]));
  return {
    kind: 'evaluationMade',
    evaluationId: evaluation.id,
    candidateId: candidate.id,
    suite: evaluation.suite,
    tasks: tasks.length,
    mean: evaluation.mean,
    interval: evaluation.interval,
    showcase: evaluation.scores
      .slice(0, SHOWCASE)
      .map(({ taskId, score, output }) => ({ taskId, input: inputs.get(taskId) ?? '', output, score })),
    digest: hashOf(evaluation.scores.map(({ taskId, score, output }) => [taskId, score, output])),
  };
}

export function suiteOf(context: StepContext, parameters: EvaluateParameters): Suite {
  const { run, at, values } = context;
  const { suite: split, temperature, maxTokens, fresh, sample, repeats, style, recall } = parameters;
  const passAt = parameters.passAt ?? null;
  const how = { split, temperature, maxTokens, repeats, style, recall, passAt };
  const part = (tasks: readonly Task[], round: number): readonly Task[] => {
    if (sample === undefined || sample >= tasks.length) return tasks;
    const ids = new Set(
      shuffle(stream(run.seed, 'part of a suite', round), tasks)
        .slice(0, sample)
        .map(({ id }) => id),
    );
    return tasks.filter(({ id }) => ids.has(id));
  };
  if (split !== 'train') return { ...how, tasks: part(run.sets[split], 0), round: 0 };
  const tasks = fresh === undefined ? values.tasks : run.sets.fresh(at.step, at.round, fresh);
  return { ...how, tasks: part(tasks, at.round), round: at.round };
}

/** Evaluates this round's contenders; on dev, where there are none, the candidate in use, so that the curve goes on. */
export async function evaluateStep(
  context: StepContext,
  parameters: EvaluateParameters,
): Promise<StepResult> {
  const { arm, values } = context;
  if (parameters.suite !== 'dev' && values.contenders.length === 0) return { events: [] };
  const suite = suiteOf(context, parameters);
  const candidates = values.contenders.length > 0 ? values.contenders : [arm.inUse];
  const scored = await scoreCandidates(context, candidates, suite);
  const result = scoredResult(context, scored);
  const report = parameters.report ? await reportOn(context, scored) : null;
  return report === null ? result : { ...result, events: [...result.events, report] };
}

/** What the failures of the best candidate share, in the model's words; null where nothing failed. Never of the test suite. */
async function reportOn(context: StepContext, scored: readonly Scored[]): Promise<EventBody | null> {
  const { run, at, arm } = context;
  const best = scored.toSorted((a, b) => b.evaluation.mean - a.evaluation.mean)[0];
  if (best === undefined) return null;
  const tasks = new Map(best.tasks.map((task) => [task.id, task]));
  const failures = best.evaluation.scores.flatMap(({ taskId, score, output }) => {
    const task = tasks.get(taskId);
    return task === undefined || score >= 1 ? [] : [{ task, output, score }];
  });
  if (failures.length === 0) return null;
  const [answer] = await context.ask(at.round, [
    {
      item: 'report',
      sample: 0,
      input: run.recipe.objective.ability,
      request: {
        messages: retargetMessages(run.recipe.objective.ability, failures, 'weakness', 5),
        temperature: 0,
        maxTokens: 1024,
        seed: streamSeed(run.seed, at.step, at.round, 'report'),
        weights: arm.inUse.state.weights,
      },
    },
  ]);
  const parts = answer?.ok === true ? readParts(answer.text, 5) : [];
  const text = `${failures.length} of ${best.tasks.length} failed${parts.length === 0 ? '' : `: ${parts.join('; ')}`}`;
  return { kind: 'reportMade', text, digest: hashOf([text]) };
}

export function scoredResult(context: StepContext, scored: readonly Scored[]): StepResult {
  return {
    arm: { scored: [...context.arm.scored, ...scored] },
    events: scored.map(evaluationEvent),
    rows: { tasks: scored[0]?.tasks ?? [], evaluations: scored.map(({ evaluation }) => evaluation) },
  };
}

/** What a candidate is chosen by: its newest evaluation of the round, those of guards apart. */
export function newestOf(scored: readonly Scored[], candidate: Candidate, round: number): Scored | undefined {
  return scored.findLast(
    (item) =>
      item.candidate.id === candidate.id && item.evaluation.at.round === round && !isGuard(item.suite.split),
  );
}

/** What `candidate` has on the tasks a contender was scored on, under the contender's own step, so that both meet the same streams. */
export async function scoreBaseline(
  context: StepContext,
  candidate: Candidate,
  contender: Scored,
): Promise<{ readonly scored: Scored; readonly result: StepResult | null }> {
  const { step, digest, suite } = contender;
  const known = context.arm.scored.findLast(
    (item) => item.candidate.id === candidate.id && item.digest === digest && item.step === step,
  );
  if (known !== undefined) return { scored: known, result: null };
  const there = { ...context, at: { ...context.at, step } };
  const [scored] = await scoreCandidates(there, [candidate], suite);
  if (scored === undefined) throw new RangeError('The candidate in use was not scored.');
  return { scored, result: scoredResult(context, [scored]) };
}
