/** Owns judgements on solutions and what was done because of them. Deliberately does not compute either. */
import type { ExperienceKey, FeedbackId, RefinementId, SolutionId } from './ids.ts';

export type FeedbackSource = 'environment' | 'metric' | 'vote' | 'judge' | 'logprob' | 'human';

export type FeedbackValue =
  | { readonly kind: 'pass'; readonly pass: boolean }
  /** Higher is better, in [0, 1]. */
  | { readonly kind: 'score'; readonly score: number }
  | { readonly kind: 'text'; readonly text: string };

export interface Feedback {
  readonly id: FeedbackId;
  readonly solutionId: SolutionId;
  readonly source: FeedbackSource;
  /** Who judged: a metric's name, a judge's version, a person. */
  readonly by: string;
  readonly value: FeedbackValue;
  /** Why, in words a person can read; also the reason when a single task failed. */
  readonly reason?: string;
}

export type Verdict = 'kept' | 'dropped' | 'corrected';

export interface Refinement {
  readonly id: RefinementId;
  readonly solutionId: SolutionId;
  readonly verdict: Verdict;
  readonly reason: string;
  /** Feedback this decision rests on; empty only in a control, which drops the deciding step on purpose. */
  readonly cites: readonly FeedbackId[];
}

/** A person's judgement. It outranks every other source on the same (task input, output) pair, in every run. */
export interface Annotation {
  readonly key: ExperienceKey;
  readonly solutionId: SolutionId;
  readonly verdict: 'accept' | 'reject' | null;
  /** In [0, 1]; null when the person gave none. */
  readonly score: number | null;
  readonly note: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}
