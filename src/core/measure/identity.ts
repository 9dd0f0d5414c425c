/** Owns what each noun is identified by. Deliberately leaves times and costs out: they are not part of what a thing is. */
import type { ModelState } from '../model/candidate.ts';
import type {
  CandidateId,
  ContentHash,
  EvaluationId,
  ExperienceKey,
  FeedbackId,
  RefinementId,
  RunId,
  SolutionId,
  TaskId,
} from '../model/ids.ts';
import { asId } from '../model/ids.ts';
import type { Position } from '../model/event.ts';
import type { Task } from '../model/task.ts';
import { hashOf, type Json } from './hash.ts';

/** 128 bits are enough to name a row; the ledger and blobs keep all 256. */
const short = (hash: ContentHash) => hash.slice(0, 32);

export function taskId(task: Omit<Task, 'id' | 'split'>): TaskId {
  const { input, context, reference, choices, tests, entryPoint } = task;
  return asId<TaskId>(short(hashOf({ input, context, reference, choices, tests, entryPoint })));
}

export function candidateId(state: ModelState): CandidateId {
  // Interfaces have no index signature, though all their members are JSON.
  return asId<CandidateId>(short(hashOf(state as unknown as Json)));
}

export function solutionId(runId: RunId, at: Position, task: TaskId, sample: number): SolutionId {
  return asId<SolutionId>(short(hashOf([runId, at.arm, at.round, at.step, task, sample])));
}

export function feedbackId(solution: SolutionId, source: string, by: string): FeedbackId {
  return asId<FeedbackId>(short(hashOf([solution, source, by])));
}

export function refinementId(solution: SolutionId, at: Position): RefinementId {
  return asId<RefinementId>(short(hashOf([solution, at.arm, at.round, at.step])));
}

export function evaluationId(
  runId: RunId,
  at: Position,
  candidate: CandidateId,
  suite: string,
): EvaluationId {
  return asId<EvaluationId>(short(hashOf([runId, at.arm, at.round, at.step, candidate, suite])));
}

/** What a person's judgement is attached to: what was asked and what was answered, whoever answered it. */
export function experienceKey(task: Pick<Task, 'input' | 'context'>, output: string): ExperienceKey {
  const { input, context } = task;
  return asId<ExperienceKey>(short(hashOf({ input, context, output })));
}
