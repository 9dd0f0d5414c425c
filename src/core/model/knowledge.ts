/** Owns what is distilled from experiences: rules, reflections, workflows, facts, demonstrations. Deliberately distils nothing. */
import type { SolutionId, TaskId } from './ids.ts';

export type KnowledgeForm = 'rule' | 'reflection' | 'workflow' | 'fact' | 'demonstration';

/** One item of a memory. Its text never changes: a better wording is another item that replaces it. */
export interface Knowledge {
  /** Content hash of form and text. */
  readonly id: string;
  readonly form: KnowledgeForm;
  readonly text: string;
  /** How often a task was solved, and failed, with this item in the prompt. */
  readonly helpful: number;
  readonly harmful: number;
  /** The newest round that made, merged or used it. */
  readonly lastRound: number;
  /** The experiences it was distilled from: its lineage. */
  readonly from: readonly SolutionId[];
}

/** A worked example shown in the prompt. */
export interface Demonstration {
  readonly taskId: TaskId;
  readonly input: string;
  readonly output: string;
}
