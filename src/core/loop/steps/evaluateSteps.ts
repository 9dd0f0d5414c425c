/** Owns how `evaluate` and `select` over candidates run inside a round. Deliberately the only place that moves the pointer in use. */
import { drawsOf, toSolution } from '../../acquire/solve.ts';
import { toEvaluation } from '../../evaluate/evaluate.ts';
import { hashOf } from '../../measure/hash.ts';
import { streamSeed } from '../../measure/random.ts';
import { shuffle, stream } from '../../measure/random.ts';
import { mean } from '../../measure/statistics.ts';
import { readParts, retargetMessages } from '../../evaluate/retarget.ts';
import type { Candidate, TaskScore } from '../../model/candidate.ts';
import type { EventBody } from '../../model/event.ts';
import type { Task } from '../../model/task.ts';
import { gate, topCandidates } from '../../refine/selectCandidates.ts';
import type { Scored, Suite } from '../arm.ts';
import { evaluationFramings } from './framing.ts';
import { gradeAll, judgeVersion, type Gradable } from './grading.ts';
import { NO_ANSWER } from './solveSteps.ts';
import type { EvaluateParameters, GateParameters } from '../recipe.ts';
import type { StepContext, StepResult } from '../stepContext.ts';

/** Tasks people watch from round to round. */
const SHOWCASE = 8;

/** Scores each candidate on the suite, all calls in one go; each draw's stream is the same for all candidates, so they are paired. */
export async function scoreCandidates(
  context: StepContext,
  candidates: readonly Candidate[],
  suite: Suite,
): Promise<Scored[]> {
  const { run, at } = context;
  const { repeats } = suite;
  const digest = hashOf([
    suite.split,
    suite.temperature,
    suite.maxTokens,
    suite.round,
    suite.tasks.map(({ id }) => id),
    ...(repeats === 1 && suite.style === 'plain' ? [] : [repeats, suite.style]),
    ...(suite.recall === 1 ? [] : [suite.recall]),
    ...(judgeVersion(context) === null ? [] : [judgeVersion(context)]),
  ]);
  const condition = { n: repeats, temperature: suite.temperature, maxTokens: suite.maxTokens };
  const seedOf = (task: Task, sample: number) => streamSeed(run.seed, at.step, suite.round, task.id, sample);
  const draws = candidates.map((candidate) =>
    drawsOf(suite.tasks, candidate, condition, seedOf, evaluationFramings(candidate, suite)),
  );
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
    const scores = repeats === 1 ? graded : meansOf(graded);
    const evaluation = toEvaluation(candidate, scores, suite.split, suite.temperature, { runId: run.id, at });
    return { candidate, step: at.step, digest, tasks: suite.tasks, suite, evaluation };
  });
}

/** One score a task: the mean of its answers, shown with the first of them. */
function meansOf(graded: readonly TaskScore[]): TaskScore[] {
  return [...Map.groupBy(graded, ({ taskId }) => taskId).values()].map((group) => ({
    ...(group[0] as TaskScore),
    score: mean(group.map(({ score }) => score)),
  }));
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
  const how = { split, temperature, maxTokens, repeats, style, recall };
  const part = (tasks: readonly Task[], round: number): readonly Task[] => {
    if (sample === undefined || sample >= tasks.length) return tasks;
    const ids = new Set(
      shuffle(stream(run.seed, 'part of a suite', round), tasks)
        .slice(0, sample)
        .map(({ id }) => id),
    );
    return tasks.filter(({ id }) => ids.has(id));
  };
  if (split === 'dev') return { ...how, tasks: part(run.sets.dev, 0), round: 0 };
  const tasks = fresh === undefined ? values.tasks : run.sets.fresh(at.step, at.round, fresh);
  return { ...how, tasks: part(tasks, at.round), round: at.round };
}

/** Evaluates this round's contenders; on dev, where there are none, the candidate in use, so that the curve goes on. */
export async function evaluateStep(
  context: StepContext,
  parameters: EvaluateParameters,
): Promise<StepResult> {
  const { arm, values } = context;
  if (parameters.suite === 'train' && values.contenders.length === 0) return { events: [] };
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

function scoredResult(context: StepContext, scored: readonly Scored[]): StepResult {
  return {
    arm: { scored: [...context.arm.scored, ...scored] },
    events: scored.map(evaluationEvent),
    rows: { tasks: scored[0]?.tasks ?? [], evaluations: scored.map(({ evaluation }) => evaluation) },
  };
}

export function newestOf(scored: readonly Scored[], candidate: Candidate, round: number): Scored | undefined {
  return scored.findLast((item) => item.candidate.id === candidate.id && item.evaluation.at.round === round);
}

export function selectTopStep(context: StepContext, k: number): StepResult {
  const { arm, values, at } = context;
  const kept = topCandidates(
    values.contenders,
    (candidate) => newestOf(arm.scored, candidate, at.round)?.evaluation,
    k,
  );
  const refused = values.contenders.filter((candidate) => !kept.includes(candidate));
  return {
    values: { contenders: kept },
    events: refused.map(
      (candidate): EventBody => ({
        kind: 'candidateRefused',
        candidateId: candidate.id,
        inUse: arm.inUse.id,
        gain: null,
        reason: 'scored lower than others of its round',
      }),
    ),
  };
}

/**
 * Accepts the best contender if the paired interval of its gain over the candidate in use is above 0, and refuses the rest.
 * The one in use is scored on the very same tasks first where it was not yet.
 */
export async function gateStep(
  context: StepContext,
  { confidence, maxRegressions }: GateParameters,
): Promise<StepResult> {
  const { arm, values, at } = context;
  const [best] = topCandidates(
    values.contenders,
    (candidate) => newestOf(arm.scored, candidate, at.round)?.evaluation,
    1,
  );
  const scored = best === undefined ? undefined : newestOf(arm.scored, best, at.round);
  if (best === undefined) return { events: [] };
  if (scored === undefined)
    return refuse(context, values.contenders, 'nothing evaluated it in this round', null);
  if (best.id === arm.inUse.id) {
    return refuse(context, values.contenders, 'it is the candidate in use already', null);
  }
  const baseline = await scoreBaseline(context, arm.inUse, scored);
  const decision = gate(baseline.scored.evaluation, scored.evaluation, confidence, maxRegressions ?? null);
  const others = refuse(
    context,
    values.contenders.filter(({ id }) => id !== best.id),
    'another of its round scored higher',
    null,
  );
  const verdict: EventBody = decision.accepted
    ? {
        kind: 'candidateAccepted',
        candidateId: best.id,
        previous: arm.inUse.id,
        gain: decision.gain,
        reason: decision.reason,
      }
    : {
        kind: 'candidateRefused',
        candidateId: best.id,
        inUse: arm.inUse.id,
        gain: decision.gain,
        reason: decision.reason,
      };
  return {
    values: { contenders: [] },
    arm: { ...baseline.result?.arm, ...(decision.accepted ? { inUse: best } : {}) },
    events: [...(baseline.result?.events ?? []), ...others.events, verdict],
    ...(baseline.result?.rows === undefined ? {} : { rows: baseline.result.rows }),
  };
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

function refuse(
  context: StepContext,
  candidates: readonly Candidate[],
  reason: string,
  gain: null,
): StepResult {
  const inUse = context.arm.inUse.id;
  return {
    values: { contenders: [] },
    events: candidates.map(
      ({ id }): EventBody => ({ kind: 'candidateRefused', candidateId: id, inUse, gain, reason }),
    ),
  };
}

/** The control's stand-in for a gate it leaves out: the newest contender is used, proven or not. */
export function withoutGate(context: StepContext): StepResult {
  const newest = context.values.contenders.at(-1);
  if (newest === undefined) return { events: [] };
  return {
    values: { contenders: [] },
    arm: { inUse: newest },
    events: [
      {
        kind: 'candidateAccepted',
        candidateId: newest.id,
        previous: context.arm.inUse.id,
        gain: null,
        reason: 'control: accepted without a gate',
      },
    ],
  };
}
