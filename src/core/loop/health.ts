/**
 * Owns the facts of a round that its health is measured by, and what people are told of it. Deliberately decides nothing:
 * figures and alarms are core/measure/health.ts.
 */
import { isSelfGiven } from '../acquire/judge.ts';
import { healthWarnings, measureHealth, type Health, type TaskFacts } from '../measure/health.ts';
import { shuffle, stream } from '../measure/random.ts';
import type { EventBody } from '../model/event.ts';
import type { Feedback } from '../model/feedback.ts';
import type { HealthFigures } from '../model/health.ts';
import { isGuard } from '../refine/guards.ts';
import { scoreOf } from '../refine/selectSolutions.ts';
import type { ArmState, RoundValues } from './arm.ts';
import { byTask, scoresOf } from './steps/attempts.ts';

/** What an arm remembers of its rounds' health. */
export interface HealthMemory {
  readonly rounds: readonly Health[];
  /** Texts that rounds made, a sample of each. */
  readonly archive: readonly string[];
}

/** Texts of a round, and of all before, that are compared at most, and characters of each: novelty costs their product. */
const MADE = 24;
const ARCHIVE = 96;
const LENGTH = 1000;
/** A score from here on counts as passed where two judges are compared. */
const PASSES = 0.5;

export interface MeasuredRound {
  readonly memory: HealthMemory;
  readonly events: readonly EventBody[];
}

/** `before` is the arm as the round began, `after` as it ended. Null where the round tried nothing. */
export function measureRound(
  before: ArmState,
  after: ArmState,
  values: RoundValues,
  place: { readonly seed: number; readonly round: number },
): MeasuredRound | null {
  const own = values.experiences.filter(({ solution }) => solution.at.round === place.round);
  if (own.length === 0) return null;
  const made = madeTexts(before, after, values);
  const random = stream(place.seed, 'health', place.round, after.arm);
  const sampled = shuffle(random, made)
    .slice(0, MADE)
    .map((text) => text.slice(0, LENGTH));
  const given = own.flatMap(({ solution }) => values.feedback.get(solution.id) ?? []);
  const health = measureHealth({
    round: place.round,
    tasks: taskFacts({ ...values, experiences: own }),
    made: sampled,
    archive: before.health.archive,
    judgedLengths: own
      .filter(({ solution }) => isJudged(values.feedback.get(solution.id) ?? []))
      .map(({ solution }) => solution.output.length),
    judgedTwice: own.flatMap(({ solution }) => judgedTwice(values.feedback.get(solution.id) ?? [])),
    comparison: comparison(before, after),
  });
  const rounds = [...before.health.rounds, health];
  const archive = [...before.health.archive, ...sampled].slice(-ARCHIVE);
  const selfShare = given.length === 0 ? null : given.filter(isSelfGiven).length / given.length;
  return {
    memory: { rounds, archive },
    events: [{ kind: 'healthMeasured', health: figures(health, selfShare) }, ...newWarnings(rounds)],
  };
}

/** Tasks proposed and lessons learnt; solutions are no measure of it, because the same tasks have the same answers. */
function madeTexts(before: ArmState, after: ArmState, { knowledge }: RoundValues): readonly string[] {
  const known = new Set(before.proposed.map(({ id }) => id));
  const tasks = after.proposed.filter(({ id }) => !known.has(id)).map(({ input }) => input);
  return [...tasks, ...knowledge.map(({ text }) => text)];
}

function taskFacts(values: RoundValues): readonly TaskFacts[] {
  const score = scoresOf(values);
  return [...byTask(values).values()].map((group) => ({
    answers: group.map(({ solution }) => solution.answer),
    passed: group.filter((experience) => (score(experience) ?? 0) >= 1).length,
    lengths: group.map(({ solution }) => solution.output.length),
  }));
}

function isJudged(feedback: readonly Feedback[]): boolean {
  return feedback.some(({ source }) => source === 'judge');
}

function judgedTwice(feedback: readonly Feedback[]): readonly { self: boolean; independent: boolean }[] {
  const self = scoreOf(feedback.filter(isSelfGiven));
  const independent = scoreOf(feedback.filter((item) => !isSelfGiven(item)));
  return self === null || independent === null
    ? []
    : [{ self: self >= PASSES, independent: independent >= PASSES }];
}

/** The candidate accepted in this round against the one before it, where both were scored alike. */
function comparison(before: ArmState, after: ArmState) {
  if (before.inUse.id === after.inUse.id) return null;
  const now = after.scored.findLast(
    ({ candidate, suite }) => candidate.id === after.inUse.id && !isGuard(suite.split),
  );
  const then = after.scored.findLast(
    ({ candidate, digest, step }) =>
      candidate.id === before.inUse.id && digest === now?.digest && step === now.step,
  );
  if (now === undefined || then === undefined) return null;
  const old = new Map(then.evaluation.scores.map(({ taskId, score }) => [taskId, score]));
  const changes = now.evaluation.scores.map(({ taskId, score }) => score - (old.get(taskId) ?? score));
  return {
    better: changes.filter((change) => change > 0).length,
    worse: changes.filter((change) => change < 0).length,
    tasks: changes.length,
  };
}

function figures(health: Health, selfShare: number | null): HealthFigures {
  const { signalShare, novelty, answerEntropy, meanLength, selfAgreement } = health;
  const { regressions, improvements, passAt1, k, passAtK } = health;
  return {
    signalShare,
    novelty,
    answerEntropy,
    meanLength,
    selfShare,
    selfAgreement,
    regressions,
    improvements,
    passAt1,
    k,
    passAtK,
  };
}

/** An alarm that rang in the round before is not rung again. */
function newWarnings(rounds: readonly Health[]): readonly EventBody[] {
  const rang = new Set(healthWarnings(rounds.slice(0, -1)).map(({ signal }) => signal));
  return healthWarnings(rounds)
    .filter(({ signal }) => !rang.has(signal))
    .map(
      ({ says, failure, source }): EventBody => ({
        kind: 'warningRaised',
        message: says,
        seenBefore: `${failure} (${source})`,
      }),
    );
}
