/**
 * Owns what one arm of a run (the loop, or its control) knows: its candidates, the pointer in use, and the values of a round.
 * Deliberately plain data; steps read it and return what changes.
 */
import type { PlacedSolution } from '../acquire/solve.ts';
import type { Evaluated } from '../evaluate/evaluate.ts';
import type { Candidate } from '../model/candidate.ts';
import type { Arm } from '../model/event.ts';
import type { Annotation, Feedback, Refinement } from '../model/feedback.ts';
import { foundIslands, type Islands } from '../refine/islands.ts';
import type { CandidateId, ContentHash, ExperienceKey, SolutionId, TaskId } from '../model/ids.ts';
import type { Knowledge } from '../model/knowledge.ts';
import type { SuiteName, Task } from '../model/task.ts';
import type { Draft } from '../refine/revise.ts';
import type { ItemUses } from '../update/memory.ts';
import type { RewardExample } from '../update/pack.ts';
import type { TrainingData, TrainingExample } from '../ports.ts';
import type { HealthMemory } from './health.ts';

/** How a solution came about: `negated` asked for a bad one, `hinted` saw the reference. */
export type Origin = 'plain' | 'negated' | 'hinted' | 'revised';

export interface Experience {
  readonly task: Task;
  readonly solution: PlacedSolution;
  readonly origin: Origin;
  /** The memory items that were in its prompt. */
  readonly recalled: readonly string[];
}

/** What was said of a task, in [0, 1]. */
export interface TaskScoreNote {
  readonly score: number;
  readonly by: string;
  readonly reason: string;
}

/** What the loop aims at now; only `retarget` changes it. */
export interface Aim {
  /** Bound of a threshold selection that says none of its own; null while nothing set one. */
  readonly threshold: number | null;
  /** Solve rates tasks are wanted at; null while nothing set one. */
  readonly band: readonly [number, number] | null;
  /** Parts of the objective to work on, for `propose`. */
  readonly focus: readonly string[];
}

/** What candidates are scored on. */
export interface Suite {
  readonly split: SuiteName;
  readonly tasks: readonly Task[];
  readonly temperature: number;
  readonly maxTokens: number;
  /** Answers to each task; their mean score counts. */
  readonly repeats: number;
  readonly style: 'plain' | 'cot';
  /** Memory items retrieved for a task. */
  readonly recall: number;
  /** A task's score is how likely one of so many draws is right (pass@k); null for the mean of its answers. */
  readonly passAt: number | null;
  /** 0 for a fixed suite: the same candidate then has the same score in every round. */
  readonly round: number;
}

/** An evaluation with what makes another comparable to it. */
export interface Scored {
  readonly candidate: Candidate;
  readonly step: string;
  readonly digest: ContentHash;
  readonly tasks: readonly Task[];
  readonly suite: Suite;
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
  /** Every candidate made, oldest first, where the recipe keeps an archive. */
  readonly archive: readonly Candidate[];
  /** Which of the archive is on which island; one island of all where the recipe has no more. */
  readonly islands: Islands;
  /** The round of the last migration; 0 before there was one. */
  readonly migrated: number;
  /** The way each candidate's instruction was changed in when it was made, where it was told one. */
  readonly ways: ReadonlyMap<CandidateId, string>;
  readonly aim: Aim;
  /** Tasks that `propose` made and that were kept, all rounds. */
  readonly proposed: readonly Task[];
  /** What was trained on in earlier rounds, for replay. */
  readonly packed: readonly TrainingExample[];
  /** How memory items did, whatever became of the candidates that carried the counts. */
  readonly uses: ItemUses;
  /** Solutions of this round those counts hold already. */
  readonly counted: ReadonlySet<SolutionId>;
  readonly health: HealthMemory;
}

export function startArm(arm: Arm, start: Candidate, islands: number): ArmState {
  return {
    arm,
    start,
    inUse: start,
    scored: [],
    earlier: new Map(),
    archive: [start],
    islands: foundIslands(islands, start.id),
    migrated: 0,
    ways: new Map(),
    aim: { threshold: null, band: null, focus: [] },
    proposed: [],
    packed: [],
    uses: new Map(),
    counted: new Set(),
    health: { rounds: [], archive: [] },
  };
}

/** A candidate drafts grow from, and the island it was drawn on. */
export interface Parent {
  readonly candidate: Candidate;
  readonly island: number;
}

/** What the steps of one round have made so far; each step reads the newest value of each kind it needs. */
export interface RoundValues {
  readonly tasks: readonly Task[];
  readonly annotations: ReadonlyMap<ExperienceKey, Annotation>;
  readonly experiences: readonly Experience[];
  readonly feedback: ReadonlyMap<SolutionId, readonly Feedback[]>;
  readonly refinements: ReadonlyMap<SolutionId, Refinement>;
  /** What was said of tasks. */
  readonly taskScores: ReadonlyMap<TaskId, TaskScoreNote>;
  readonly knowledge: readonly Knowledge[];
  readonly dataset: Dataset | null;
  /** Candidates the next drafts grow from; the one in use when empty. */
  readonly parents: readonly Parent[];
  readonly drafts: readonly Draft[];
  /** Candidates that no gate has decided on yet. */
  readonly contenders: readonly Candidate[];
}

export interface Dataset {
  readonly data: TrainingDataset;
  /** From the model's own pre-training; null for none. */
  readonly replay: { readonly share: number; readonly digits: readonly number[] } | null;
  readonly digest: ContentHash;
}

/** Packed data before the update's own settings join it. */
export type TrainingDataset =
  | Extract<TrainingData, { form: 'sft' }>
  | { readonly form: 'reward'; readonly examples: readonly RewardExample[] }
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
    taskScores: new Map(),
    knowledge: [],
    dataset: null,
    parents: [],
    drafts: [],
    contenders: [],
  };
}
