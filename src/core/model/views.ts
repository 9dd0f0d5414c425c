/** Owns the read models that trees, panel and command line are shown. Deliberately resource-shaped, never screen-shaped. */
import type { Candidate, Gain, Interval } from './candidate.ts';
import type { RunCaps, RunCost } from './cost.ts';
import type { Arm, Phase, Position, RunOutcome } from './event.ts';
import type { Annotation, Feedback, Refinement, Verdict } from './feedback.ts';
import type { CandidateId, EvaluationId, RunId, SolutionId, TaskId } from './ids.ts';
import type { Solution, SuiteName, Task } from './task.ts';

export type RunStatus = 'running' | 'paused' | RunOutcome;

export interface RunSummary {
  readonly id: RunId;
  readonly recipeName: string;
  /** Path of the recipe file relative to the workspace, with '/'. */
  readonly recipePath: string;
  readonly status: RunStatus;
  /** One sentence on why it is paused or how it ended; '' while running. */
  readonly message: string;
  readonly seed: number;
  readonly rounds: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** Rounds begun in the main arm so far. */
  readonly round: number;
  readonly arms: readonly Arm[];
  /** The dev score of the main arm's candidate in use, else of its newest dev evaluation; the start's beside it. */
  readonly startScore: number | null;
  readonly score: number | null;
  readonly testScore: number | null;
  readonly calls: number;
  /** Absent where whoever made the summary does not know of costs: the engine adds it (engine/costs.ts). */
  readonly cost?: RunCost;
  readonly caps?: RunCaps;
  /** The run it was branched from, with the last round it shares. */
  readonly origin?: { readonly runId: RunId; readonly through: number };
}

/** What happened in one step of one round: the deepest level of the Loops & Runs tree. */
export interface StepSummary {
  readonly at: Position;
  readonly phase: Phase;
  readonly operator: string;
  /** For people: "768 solutions", "kept 61 of 768". */
  readonly summary: string;
}

export interface RoundSummary {
  readonly arm: Arm;
  readonly round: number;
  readonly score: number | null;
  readonly interval: Interval | null;
  readonly steps: readonly StepSummary[];
}

export interface RunDetail {
  readonly run: RunSummary;
  /** The recipe's text as it was when the run began. */
  readonly recipeText: string;
  readonly rounds: readonly RoundSummary[];
}

export interface ExperienceFilter {
  readonly runId: RunId;
  readonly arm?: Arm;
  readonly round?: number;
  readonly verdict?: Verdict | 'unrefined';
  readonly annotated?: boolean;
}

export interface ExperienceSummary {
  readonly solutionId: SolutionId;
  readonly taskId: TaskId;
  readonly at: Position;
  readonly input: string;
  readonly output: string;
  readonly answer: string | null;
  /** In [0, 1]: a person's judgement if there is one, else the newest of the others; null when nobody judged. */
  readonly score: number | null;
  readonly verdict: Verdict | null;
  readonly reason: string;
  readonly annotation: Annotation | null;
}

export interface ExperiencePage {
  readonly items: readonly ExperienceSummary[];
  /** Pass as `after` to get the next page; null at the end. */
  readonly next: string | null;
}

/** An experience of any run that a search found. */
export interface ExperienceHit extends ExperienceSummary {
  readonly runId: RunId;
}

/** The work of a search is bounded, so a page may hold fewer than were asked for, even none, and yet not be the last. */
export interface ExperienceSearchPage {
  readonly items: readonly ExperienceHit[];
  /** Pass as `after` to get the next page; null at the end. */
  readonly next: string | null;
  /** One sentence for each condition that was not understood and did not count. */
  readonly problems: readonly string[];
}

/** Number of experiences under each (arm, round, verdict) of a run. */
export interface ExperienceCount {
  readonly arm: Arm;
  readonly round: number;
  readonly verdict: Verdict | 'unrefined';
  readonly count: number;
  readonly annotated: number;
}

export interface ExperienceDetail {
  readonly runId: RunId;
  readonly recipeName: string;
  readonly at: Position;
  readonly task: Task;
  readonly solution: Solution;
  readonly candidate: Candidate;
  readonly feedback: readonly Feedback[];
  readonly refinement: Refinement | null;
  readonly annotation: Annotation | null;
}

export interface EvaluationSummary {
  readonly id: EvaluationId;
  readonly runId: RunId;
  readonly at: Position;
  readonly candidateId: CandidateId;
  readonly suite: SuiteName;
  readonly temperature: number;
  readonly tasks: number;
  readonly mean: number;
  readonly interval: Interval;
}

/** A task whose score differs between this evaluation and the one before it on the same suite and arm. */
export interface ChangedTask {
  readonly task: Task;
  readonly before: { readonly score: number; readonly output: string };
  readonly after: { readonly score: number; readonly output: string };
}

export interface EvaluationDetail {
  readonly summary: EvaluationSummary;
  /** The newest before it on the same suite and arm of a candidate that was not refused; null for the first. */
  readonly previous: EvaluationSummary | null;
  readonly changed: readonly ChangedTask[];
}

export interface CandidateSummary {
  readonly candidate: Candidate;
  readonly runId: RunId;
  readonly at: Position;
  /** v1 is the start; numbered in the order they were made within the arm. */
  readonly version: number;
  readonly status: 'inUse' | 'accepted' | 'refused' | 'start' | 'made';
  /** The newest evaluation on the dev suite, else on any suite but test. */
  readonly score: number | null;
  readonly interval: Interval | null;
  /** From the gate that accepted or refused it. */
  readonly gain: Gain | null;
}
