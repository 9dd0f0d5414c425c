/**
 * Owns the facts a run leaves behind, in the order they happened. Views fold them; nothing edits them.
 * Deliberately light: artifacts (solutions, feedback, scores) are rows beside the events, bound in by digest.
 */
import type { Gain, Interval, Slot } from './candidate.ts';
import type { RunCost } from './cost.ts';
import type { HealthFigures } from './health.ts';
import type { FeedbackSource } from './feedback.ts';
import type { CandidateId, ContentHash, EvaluationId, RunId, TaskId } from './ids.ts';
import type { KnowledgeForm } from './knowledge.ts';
import type { FinishReason, SuiteName } from './task.ts';

export type Phase = 'acquire' | 'refine' | 'update' | 'evaluate';
export type Arm = 'main' | 'control';

/** Where in a run something happened. Round 0 is the start, before any round; `step` is '' for the run itself. */
export interface Position {
  readonly arm: Arm;
  readonly round: number;
  /** Step path in the recipe: its `as:` name, else index and operator, for example '2.select'. */
  readonly step: string;
}

/** A task and what the candidate made of it: what the panel shows changing from round to round. */
export interface ShowcaseItem {
  readonly taskId: TaskId;
  readonly input: string;
  readonly output: string;
  readonly score: number;
}

export type RunOutcome = 'done' | 'budget' | 'stopped' | 'failed';

/** What happened, before it has a place. */
export type EventBody =
  | {
      readonly kind: 'runStarted';
      readonly recipe: string;
      readonly seed: number;
      readonly rounds: number;
      readonly arms: readonly Arm[];
    }
  | { readonly kind: 'roundStarted' }
  | { readonly kind: 'stepStarted'; readonly phase: Phase; readonly operator: string }
  | { readonly kind: 'dataSkipped'; readonly file: string; readonly line: number; readonly reason: string }
  | {
      readonly kind: 'warningRaised';
      readonly message: string;
      /** The published failure it points at, where there is one. */
      readonly seenBefore?: string;
    }
  | {
      readonly kind: 'tasksAcquired';
      readonly split: SuiteName;
      readonly count: number;
      readonly digest: ContentHash;
    }
  | {
      readonly kind: 'solutionsAcquired';
      readonly count: number;
      readonly failed: number;
      readonly finish: Readonly<Partial<Record<FinishReason, number>>>;
      readonly meanOutputTokens: number | null;
      readonly digest: ContentHash;
    }
  | {
      readonly kind: 'feedbackGiven';
      readonly source: FeedbackSource;
      readonly count: number;
      readonly passed: number;
      readonly digest: ContentHash;
    }
  | {
      readonly kind: 'refinementsMade';
      readonly kept: number;
      readonly dropped: number;
      readonly corrected: number;
      readonly byHuman: number;
      readonly digest: ContentHash;
    }
  | {
      readonly kind: 'datasetPacked';
      readonly form: string;
      readonly examples: number;
      readonly duplicates: number;
      readonly digest: ContentHash;
    }
  | { readonly kind: 'draftsRevised'; readonly count: number; readonly digest: ContentHash }
  | {
      readonly kind: 'tasksSelected';
      readonly kept: number;
      readonly dropped: number;
      readonly reason: string;
      readonly digest: ContentHash;
    }
  | {
      readonly kind: 'knowledgeDistilled';
      readonly form: KnowledgeForm;
      readonly count: number;
      /** Items refused because they copy a task or its answer. */
      readonly refused: number;
      readonly digest: ContentHash;
    }
  | { readonly kind: 'reportMade'; readonly text: string; readonly digest: ContentHash }
  | {
      /** What the next round aims at. */
      readonly kind: 'retargeted';
      readonly policy: string;
      readonly text: string;
      /** Who said yes: a person, or the recipe's own autonomy. */
      readonly by: 'person' | 'recipe';
    }
  | {
      readonly kind: 'candidateMade';
      readonly candidateId: CandidateId;
      readonly slot: Slot;
      readonly note: string;
    }
  | {
      readonly kind: 'candidateAccepted';
      readonly candidateId: CandidateId;
      readonly previous: CandidateId;
      readonly gain: Gain | null;
      readonly reason: string;
    }
  | {
      readonly kind: 'candidateRefused';
      readonly candidateId: CandidateId;
      readonly inUse: CandidateId;
      readonly gain: Gain | null;
      readonly reason: string;
    }
  | {
      readonly kind: 'evaluationMade';
      readonly evaluationId: EvaluationId;
      readonly candidateId: CandidateId;
      readonly suite: SuiteName;
      readonly tasks: number;
      readonly mean: number;
      readonly interval: Interval;
      readonly showcase: readonly ShowcaseItem[];
      readonly digest: ContentHash;
    }
  | {
      readonly kind: 'testScored';
      readonly start: number;
      readonly final: number;
      readonly interval: Interval;
      readonly gain: Gain;
    }
  /** How a round went, by figures published loops went wrong by. */
  | { readonly kind: 'healthMeasured'; readonly health: HealthFigures }
  | { readonly kind: 'annotationsRead'; readonly count: number; readonly digest: ContentHash }
  | { readonly kind: 'runPaused'; readonly reason: string }
  /** `recovered` answers are found and not paid again; `repeated` calls were under way and may be. */
  | { readonly kind: 'runResumed'; readonly recovered: number; readonly repeated?: number }
  | { readonly kind: 'runEnded'; readonly outcome: RunOutcome; readonly message: string };

export type RunEvent = EventBody & { readonly at: Position };

export type RunEventKind = RunEvent['kind'];

/** An event as the store keeps it. `seq` numbers all events of the workspace, from 1, without gaps. */
export interface StoredEvent {
  readonly seq: number;
  readonly runId: RunId;
  /** Milliseconds since 1970; not part of what two equal runs share. */
  readonly time: number;
  readonly event: RunEvent;
}

/** Not kept: what a running step is doing now. */
export interface RunProgress {
  readonly runId: RunId;
  readonly at: Position;
  readonly phase: Phase;
  readonly operator: string;
  readonly done: number;
  readonly total: number;
  /** A few of the newest outputs, newest first, for people to watch. */
  readonly latest: readonly { readonly input: string; readonly output: string }[];
  /** Who answers, where it is not the model at once: said after "1,200 of 100,000". */
  readonly note?: string;
  /** Estimated milliseconds until the run ends; null until a round has been timed. */
  readonly remainingMs: number | null;
  /** What the run has used so far. */
  readonly cost?: RunCost;
}
