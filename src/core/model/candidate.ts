/** Owns the model state that a loop evolves, and its evaluation. Deliberately holds no weights: those are blobs by hash. */
import type { CandidateId, ContentHash, EvaluationId, TaskId } from './ids.ts';
import type { Demonstration, Knowledge } from './knowledge.ts';
import type { SuiteName } from './task.ts';

/** A judge is what it is told to look for: scores of two versions are never compared (law 5). */
export interface JudgeState {
  /** Provider id, as in a recipe's `model`. */
  readonly model: string;
  readonly rubric: string;
}

/** What can be updated; a slot that holds nothing is absent rather than empty, so that equal states are one candidate. */
export interface ModelState {
  /** Provider id of the model that answers. */
  readonly model: string;
  readonly instruction: string;
  /** Hash of trained weights in the blob store; null means the provider's own. */
  readonly weights: ContentHash | null;
  /** Worked examples, in the order they are shown. */
  readonly demonstrations?: readonly Demonstration[];
  /** External memory, oldest first. */
  readonly memory?: readonly Knowledge[];
  /** Working memory: notes that the next attempts see, oldest first. */
  readonly scratch?: readonly string[];
  /** Steps the model is told to follow. */
  readonly workflow?: string;
  readonly judge?: JudgeState;
}

export type Slot = 'instruction' | 'demonstrations' | 'memory' | 'scratch' | 'workflow' | 'weights' | 'judge';

/** Immutable and content-addressed: only `update` makes one, nothing changes one. */
export interface Candidate {
  readonly id: CandidateId;
  readonly state: ModelState;
  readonly parents: readonly CandidateId[];
  /** What was done, for people: "trained on 412 solutions", "swapped phrase 2 and 3". */
  readonly note: string;
}

/** Two-sided interval on a mean; `low <= mean <= high`. */
export interface Interval {
  readonly low: number;
  readonly high: number;
  /** For example 0.95. */
  readonly confidence: number;
  readonly method: string;
}

export interface TaskScore {
  readonly taskId: TaskId;
  /** In [0, 1]. */
  readonly score: number;
  readonly output: string;
}

export interface Evaluation {
  readonly id: EvaluationId;
  readonly candidateId: CandidateId;
  readonly suite: SuiteName;
  readonly temperature: number;
  readonly scores: readonly TaskScore[];
  readonly mean: number;
  readonly interval: Interval;
}

/** Paired comparison of two candidates on the same tasks: candidate minus baseline. */
export interface Gain {
  readonly tasks: number;
  readonly gain: number;
  readonly interval: Interval;
  readonly better: number;
  readonly worse: number;
  readonly tied: number;
  /** The smallest true gain this many tasks would show with 80 % power at this confidence. */
  readonly smallestVisible: number;
}
