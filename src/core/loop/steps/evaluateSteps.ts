/** Owns how `evaluate` and `select` over candidates run inside a round. Deliberately the only place that moves the pointer in use. */
import { gradeSolution } from '../../acquire/assess.ts';
import { drawsOf, toSolution } from '../../acquire/solve.ts';
import { toEvaluation } from '../../evaluate/evaluate.ts';
import { hashOf } from '../../measure/hash.ts';
import { streamSeed } from '../../measure/random.ts';
import type { Candidate, TaskScore } from '../../model/candidate.ts';
import type { EventBody } from '../../model/event.ts';
import type { Split, Task } from '../../model/task.ts';
import { gate, topCandidates } from '../../refine/selectCandidates.ts';
import type { Scored } from '../arm.ts';
import type { EvaluateParameters, GateParameters } from '../recipe.ts';
import type { StepContext, StepResult } from '../stepContext.ts';

/** Tasks people watch from round to round. */
const SHOWCASE = 8;

export interface Suite {
  readonly split: Split;
  readonly tasks: readonly Task[];
  readonly temperature: number;
  readonly maxTokens: number;
  /** 0 for a fixed suite: the same candidate then has the same score in every round. */
  readonly round: number;
}

/** Scores each candidate on the suite, all calls in one go; each draw's stream is the same for all candidates, so they are paired. */
export async function scoreCandidates(
  context: StepContext,
  candidates: readonly Candidate[],
  suite: Suite,
): Promise<Scored[]> {
  const { run, at } = context;
  const digest = hashOf([
    suite.split,
    suite.temperature,
    suite.maxTokens,
    suite.round,
    suite.tasks.map(({ id }) => id),
  ]);
  const condition = { n: 1, temperature: suite.temperature, maxTokens: suite.maxTokens };
  const seedOf = (task: Task, sample: number) => streamSeed(run.seed, at.step, suite.round, task.id, sample);
  const draws = candidates.map((candidate) => drawsOf(suite.tasks, candidate, condition, seedOf));
  const calls = draws
    .flat()
    .map(({ task, sample, request }) => ({ item: task.id, sample, request, input: task.input }));
  const answers = await context.ask(suite.round, calls);
  return candidates.map((candidate, row) => {
    const scores = (draws[row] ?? []).map((draw, column): TaskScore => {
      const answer = answers[row * suite.tasks.length + column] ?? {
        ok: false as const,
        reason: 'the provider gave no answer',
      };
      const solution = toSolution(
        draw,
        answer,
        candidate,
        { runId: run.id, at },
        run.recipe.objective.answer,
      );
      const { score } = gradeSolution(draw.task, solution, run.recipe.objective.metric);
      return { taskId: draw.task.id, score, output: solution.output };
    });
    const evaluation = toEvaluation(candidate, scores, suite.split, suite.temperature, { runId: run.id, at });
    return { candidate, step: at.step, digest, tasks: suite.tasks, evaluation };
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
  const { suite: split, temperature, maxTokens, fresh } = parameters;
  if (split === 'dev') return { split, tasks: run.sets.dev, temperature, maxTokens, round: 0 };
  const tasks = fresh === undefined ? values.tasks : run.sets.fresh(at.step, at.round, fresh);
  return { split, tasks, temperature, maxTokens, round: at.round };
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
  return scoredResult(context, scored);
}

function scoredResult(context: StepContext, scored: readonly Scored[]): StepResult {
  return {
    arm: { scored: [...context.arm.scored, ...scored] },
    events: scored.map(evaluationEvent),
    rows: { tasks: scored[0]?.tasks ?? [], evaluations: scored.map(({ evaluation }) => evaluation) },
  };
}

function newestOf(scored: readonly Scored[], candidate: Candidate, round: number): Scored | undefined {
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
export async function gateStep(context: StepContext, { confidence }: GateParameters): Promise<StepResult> {
  const { arm, values, at } = context;
  const [best] = topCandidates(
    values.contenders,
    (candidate) => newestOf(arm.scored, candidate, at.round)?.evaluation,
    1,
  );
  const scored = best === undefined ? undefined : newestOf(arm.scored, best, at.round);
  if (best === undefined || scored === undefined) return { events: [] };
  if (best.id === arm.inUse.id) {
    return refuse(context, values.contenders, 'it is the candidate in use already', null);
  }
  const known = arm.scored.findLast(
    (item) =>
      item.candidate.id === arm.inUse.id && item.digest === scored.digest && item.step === scored.step,
  );
  const baseline = known === undefined ? await scoreInUse(context, scored) : { scored: known, result: null };
  const decision = gate(baseline.scored.evaluation, scored.evaluation, confidence);
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

/** Under the contender's own step, so that both meet the same tasks with the same streams. */
async function scoreInUse(
  context: StepContext,
  contender: Scored,
): Promise<{ scored: Scored; result: StepResult }> {
  const { evaluation, tasks, step } = contender;
  const parameters = context.run.recipe.steps.find((item) => item.path === step);
  const maxTokens = parameters?.operator === 'evaluate' ? parameters.with.maxTokens : 512;
  const round = evaluation.suite === 'dev' ? 0 : context.at.round;
  const there = { ...context, at: { ...context.at, step } };
  const suite = { split: evaluation.suite, tasks, temperature: evaluation.temperature, maxTokens, round };
  const [scored] = await scoreCandidates(there, [context.arm.inUse], suite);
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
