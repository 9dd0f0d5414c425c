/**
 * Owns what a row of any tree is before the editor draws it. Deliberately free of the editor's types, so that trees are
 * plain functions from read models to rows.
 */
import type { Arm, Phase } from '../../core/model/event.ts';
import type { Verdict } from '../../core/model/feedback.ts';
import type { EvaluationId, RunId, SolutionId } from '../../core/model/ids.ts';
import type { CandidateSummary, ExperienceSummary, RunSummary } from '../../core/model/views.ts';

/** What a row stands for; its children follow from it. */
export type NodeRef =
  | { readonly kind: 'recipe'; readonly path: string }
  | { readonly kind: 'run'; readonly run: RunSummary }
  | { readonly kind: 'control'; readonly runId: RunId }
  | { readonly kind: 'round'; readonly runId: RunId; readonly arm: Arm; readonly round: number }
  | {
      readonly kind: 'phase';
      readonly runId: RunId;
      readonly arm: Arm;
      readonly round: number;
      readonly phase: Phase;
    }
  | { readonly kind: 'step' }
  | {
      readonly kind: 'verdict';
      readonly runId: RunId;
      readonly arm: Arm;
      readonly round: number;
      readonly verdict: Verdict | 'unrefined';
    }
  | { readonly kind: 'experience'; readonly runId: RunId; readonly experience: ExperienceSummary }
  | { readonly kind: 'more'; readonly groupId: string }
  | {
      readonly kind: 'evaluation';
      readonly runId: RunId;
      readonly evaluationId: EvaluationId;
      readonly arm: Arm;
    }
  | { readonly kind: 'changes'; readonly evaluationId: EvaluationId; readonly became: 'better' | 'worse' }
  | { readonly kind: 'changedTask' }
  | { readonly kind: 'refused'; readonly runId: RunId; readonly arm: Arm }
  | { readonly kind: 'candidate'; readonly runId: RunId; readonly candidate: CandidateSummary };

/** What opening a row does. */
export type Opening =
  | { readonly kind: 'panel'; readonly recipePath: string }
  | { readonly kind: 'run'; readonly runId: RunId; readonly recipePath: string }
  | { readonly kind: 'experience'; readonly solutionId: SolutionId; readonly title: string }
  | { readonly kind: 'evaluation'; readonly evaluationId: EvaluationId; readonly title: string }
  | { readonly kind: 'candidate'; readonly runId: RunId; readonly arm: Arm; readonly version: number }
  | {
      readonly kind: 'changedTask';
      readonly evaluationId: EvaluationId;
      readonly taskId: string;
      readonly title: string;
    }
  | { readonly kind: 'loadMore'; readonly groupId: string };

/** What a row is for the manifest's conditions on `viewItem`. */
export const rowContexts = [
  'recipe',
  'recipe.gone',
  'run.running',
  'run.paused',
  'run.done',
  'run.budget',
  'run.stopped',
  'run.failed',
  'control',
  'round',
  'phase',
  'step',
  'experienceRound',
  'verdict',
  'experience.open',
  'experience.accept',
  'experience.reject',
  'more',
  'evaluation',
  'changes',
  'changedTask',
  'note',
  'candidate',
  'candidate.first',
  'refused',
] as const;

export type RowContext = (typeof rowContexts)[number];

export interface TreeNode {
  /** Unique within its tree; '/' between a parent's id and its own part. Stable over refreshes and windows. */
  readonly id: string;
  readonly ref: NodeRef;
  readonly label: string;
  /** Numbers and states, dimmed beside the label. */
  readonly description: string;
  /** Plain text, asked for only when a person points at the row. */
  readonly tooltip?: () => string;
  /** Codicon name, with a theme colour where it carries meaning (never alone: the words say it too). */
  readonly icon: string;
  readonly color?: string;
  /** For `when` clauses on `viewItem`. */
  readonly context: RowContext;
  readonly children: 'none' | 'closed' | 'open';
  /** What a screen reader says for the row. */
  readonly spoken: string;
  readonly opening?: Opening;
}

export interface TreeSource {
  /** Rows under a row, or the topmost ones for null. Rejects with EngineError when the engine cannot say. */
  children(parent: TreeNode | null): Promise<readonly TreeNode[]>;
}

/** A row that only says something. */
export function noteNode(id: string, label: string, icon = 'info'): TreeNode {
  return {
    id,
    ref: { kind: 'step' },
    label,
    description: '',
    icon,
    context: 'note',
    children: 'none',
    spoken: label,
  };
}

/** How runs of one loop file are told apart for people: Run 1 is its first. */
export function runNumbers(runs: readonly RunSummary[]): ReadonlyMap<RunId, number> {
  const seen = new Map<string, number>();
  const numbers = new Map<RunId, number>();
  for (const run of [...runs].sort((left, right) => left.startedAt - right.startedAt)) {
    const number = (seen.get(run.recipePath) ?? 0) + 1;
    seen.set(run.recipePath, number);
    numbers.set(run.id, number);
  }
  return numbers;
}

export function candidateName(arm: Arm, version: number): string {
  return arm === 'main' ? `v${version}` : `control v${version}`;
}
