/**
 * Owns what one arm of a run (the loop, or its control) knows: its candidates, the pointer in use, and the values of a round.
 * Deliberately plain data; steps read it and return what changes.
 */
import type { PlacedSolution } from '../acquire/solve.ts';
import type { Evaluated } from '../evaluate/evaluate.ts';
import type { Candidate } from '../model/candidate.ts';
import type { Arm } from '../model/event.ts';
import type { Annotation, Feedback, Refinement } from '../model/feedback.ts';
import type { ContentHash, ExperienceKey, SolutionId } from '../model/ids.ts';
import type { Task } from '../model/task.ts';
import type { Draft } from '../refine/revise.ts';
import type { TrainingData } from '../ports.ts';

export interface Experience {
  readonly task: Task;
  readonly solution: PlacedSolution;
}

/** An evaluation with what makes another comparable to it. */
export interface Scored {
  readonly candidate: Candidate;
  readonly step: string;
  readonly digest: ContentHash;
  readonly tasks: readonly Task[];
  readonly evaluation: Evaluated;
}

export interface ArmState {
  readonly arm: Arm;
  readonly start: Candidate;
  /** The pointer that only select over candidates moves. */
  readonly inUse: Candidate;
  readonly scored: readonly Scored[];
  /** Solutions of earlier rounds by what a person may have judged; those once carried into a selection are gone from it. */
  readonly earlier: ReadonlyMap<ExperienceKey, Experience>;
}

/** What the steps of one round have made so far; each step reads the newest value of each kind it needs. */
export interface RoundValues {
  readonly tasks: readonly Task[];
  readonly annotations: ReadonlyMap<ExperienceKey, Annotation>;
  readonly experiences: readonly Experience[];
  readonly feedback: ReadonlyMap<SolutionId, readonly Feedback[]>;
  readonly refinements: ReadonlyMap<SolutionId, Refinement>;
  readonly dataset: Dataset | null;
  readonly drafts: readonly Draft[];
  /** Candidates that no gate has decided on yet. */
  readonly contenders: readonly Candidate[];
}

export interface Dataset {
  readonly data: TrainingDataset;
  readonly replay: { readonly share: number; readonly digits: readonly number[] } | null;
  readonly digest: ContentHash;
}

/** Packed data before the update's own settings join it. */
export type TrainingDataset =
  | Extract<TrainingData, { form: 'sft' }>
  | Pick<Extract<TrainingData, { form: 'pairs' }>, 'form' | 'pairs'>;

export function emptyRound(
  tasks: readonly Task[],
  annotations: ReadonlyMap<ExperienceKey, Annotation>,
): RoundValues {
  return {
    tasks,
    annotations,
    experiences: [],
    feedback: new Map(),
    refinements: new Map(),
    dataset: null,
    drafts: [],
    contenders: [],
  };
}
