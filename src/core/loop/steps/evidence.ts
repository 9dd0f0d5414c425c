/**
 * Owns what a mutation of an instruction is shown of the run so far: attempts, scores, ancestors, tasks one is better on.
 * Deliberately shows train tasks only, whoever was measured on what else (law 2).
 */
import { shuffle, stream } from '../../measure/random.ts';
import type { Candidate } from '../../model/candidate.ts';
import type { CandidateId } from '../../model/ids.ts';
import type { Rated, Trace } from '../../refine/mutate.ts';
import type { ArmState } from '../arm.ts';
import type { StepContext } from '../stepContext.ts';
import { scoresOf } from './attempts.ts';
import { saidOf } from './framing.ts';

/** Failures first, then the rest, in an order of this draft's own. */
export function tracesOf(context: StepContext, count: number, sample: number): readonly Trace[] {
  const { run, at, values } = context;
  const random = stream(run.seed, at.step, at.round, sample, 'evidence');
  const scoreOf = scoresOf(values);
  const ranked = values.experiences
    .map((experience) => ({ experience, score: scoreOf(experience), order: random.unit() }))
    .sort((a, b) => (a.score ?? 0) - (b.score ?? 0) || a.order - b.order);
  return ranked.slice(0, count).map(({ experience, score }) => ({
    input: experience.task.input,
    reference: experience.task.reference ?? null,
    output: experience.solution.output,
    score,
    said: saidOf(values, experience),
  }));
}

/** The newest dev mean of a candidate; null where it has none. */
export function devScore({ scored }: ArmState, { id }: Candidate): number | null {
  return (
    scored.findLast(({ candidate, suite }) => candidate.id === id && suite.split === 'dev')?.evaluation
      .mean ?? null
  );
}

export function ratedOf(arm: ArmState, candidate: Candidate): Rated {
  return { instruction: candidate.state.instruction, score: devScore(arm, candidate) };
}

/** The best so many of the instructions with a dev score, worst first. */
export function historyOf({ arm }: StepContext, count: number): readonly Rated[] {
  const best = new Map<string, number>();
  for (const { candidate, evaluation } of arm.scored)
    if (evaluation.suite === 'dev') best.set(candidate.state.instruction, evaluation.mean);
  return [...best]
    .map(([instruction, score]) => ({ instruction, score }))
    .sort((a, b) => a.score - b.score)
    .slice(-count);
}

export function examplesOf({ run, at, values }: StepContext, count: number, sample: number) {
  return shuffle(stream(run.seed, at.step, at.round, sample, 'examples'), values.tasks)
    .slice(0, count)
    .map(({ input, reference = null }) => ({ input, reference }));
}

/** First parents from the start to the candidate, itself last. */
function lineOf({ archive, start }: ArmState, candidate: Candidate): readonly Candidate[] {
  const known = new Map([start, ...archive, candidate].map((item) => [item.id, item]));
  const line: Candidate[] = [];
  for (let next: Candidate | undefined = candidate; next !== undefined && !line.includes(next); ) {
    line.unshift(next);
    const parent: CandidateId | undefined = next.parents[0];
    next = parent === undefined ? undefined : known.get(parent);
  }
  return line;
}

/** The different instructions of the candidate's line, oldest first, its own last; at most `count`. */
export function ancestorsOf({ arm }: StepContext, candidate: Candidate, count: number): readonly string[] {
  const texts = lineOf(arm, candidate).map(({ state }) => state.instruction);
  return texts.filter((text, index) => text !== texts[index + 1]).slice(-count);
}

/** Whether one of the two grew from the other. */
export function isLineal({ arm }: StepContext, a: Candidate, b: Candidate): boolean {
  const grewFrom = (one: Candidate, other: Candidate) => lineOf(arm, one).some(({ id }) => id === other.id);
  return grewFrom(a, b) || grewFrom(b, a);
}

/** The newest instruction that both lines share and neither has itself; none where there is none. */
export function commonAncestorOf({ arm }: StepContext, a: Candidate, b: Candidate): readonly string[] {
  const other = new Set(lineOf(arm, b).map(({ id }) => id));
  const shared = lineOf(arm, a).findLast(({ id }) => other.has(id) && id !== a.id && id !== b.id);
  return shared === undefined ? [] : [shared.state.instruction];
}

/** Tasks shown for each side of a merge. */
const WINS = 3;

/** Train tasks each of two is better on, where both were scored on the same. */
export function winsOf({ arm }: StepContext, a: Candidate, b: Candidate): readonly (readonly string[])[] {
  const train = arm.scored.filter(({ suite }) => suite.split === 'train');
  for (const own of train.toReversed()) {
    if (own.candidate.id !== a.id) continue;
    const other = train.findLast(
      ({ candidate, digest, step }) => candidate.id === b.id && digest === own.digest && step === own.step,
    );
    if (other === undefined) continue;
    const scores = new Map(other.evaluation.scores.map(({ taskId, score }) => [taskId, score]));
    const inputs = new Map(own.tasks.map(({ id, input }) => [id, input]));
    const better = (sign: 1 | -1) =>
      own.evaluation.scores
        .filter(({ taskId, score }) => sign * (score - (scores.get(taskId) ?? score)) > 0)
        .slice(0, WINS)
        .map(({ taskId }) => inputs.get(taskId) ?? '');
    return [better(1), better(-1)];
  }
  return [];
}
