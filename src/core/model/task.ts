/** Owns the task and its solution. Deliberately does not say how either is made or judged. */
import type { CandidateId, SolutionId, TaskId } from './ids.ts';

/** `test` is sealed: nothing whose lineage reaches a test task may reach an update. */
export type Split = 'train' | 'dev' | 'test' | 'live';

/** What an evaluation measures on: the tasks of a split, or tasks kept apart because they must not get worse (of split `dev`). */
export type SuiteName = Split | GuardSuite;
export type GuardSuite = 'regression' | 'canary';

export interface Task {
  readonly id: TaskId;
  readonly split: Split;
  readonly input: string;
  readonly context?: string;
  /** Gold answer, as text; absent when nobody knows it. */
  readonly reference?: string;
  /** Answers to choose from, in order; the input shows them with letters from A, and the reference is a letter. */
  readonly choices?: readonly string[];
  /** A program that checks an answer which is code: it fails by an exception (HumanEval, MBPP). */
  readonly tests?: string;
  /** Name of the function `tests` calls. */
  readonly entryPoint?: string;
}

export type FinishReason = 'stop' | 'length' | 'refusal' | 'error';

/** Token counts as the provider reported them; null means unknown, never zero. */
export interface TokenUsage {
  readonly input: number | null;
  readonly output: number | null;
}

export interface Solution {
  readonly id: SolutionId;
  readonly taskId: TaskId;
  readonly candidateId: CandidateId;
  /** Index among the solutions drawn for this task in this step, from 0. */
  readonly sample: number;
  readonly output: string;
  /** The answer extracted from the output, null when none was found. */
  readonly answer: string | null;
  readonly temperature: number;
  readonly finish: FinishReason;
  readonly usage: TokenUsage;
}
