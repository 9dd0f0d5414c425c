/** Owns `evaluate`: graded solutions of a suite as one evaluation with its interval. Deliberately asks nothing itself. */
import { evaluationId } from '../measure/identity.ts';
import { interval, mean } from '../measure/statistics.ts';
import type { Candidate, Evaluation, TaskScore } from '../model/candidate.ts';
import type { Position } from '../model/event.ts';
import type { RunId } from '../model/ids.ts';
import type { SuiteName } from '../model/task.ts';

export interface Evaluated extends Evaluation {
  readonly at: Position;
}

/** Confidence of every reported interval on a single score. */
export const CONFIDENCE = 0.95;

export function toEvaluation(
  candidate: Candidate,
  scores: readonly TaskScore[],
  suite: SuiteName,
  temperature: number,
  place: { readonly runId: RunId; readonly at: Position },
): Evaluated {
  const values = scores.map(({ score }) => score);
  return {
    id: evaluationId(place.runId, place.at, candidate.id, suite),
    candidateId: candidate.id,
    suite,
    temperature,
    scores,
    mean: mean(values),
    interval: interval(values, CONFIDENCE),
    at: place.at,
  };
}
