/** Owns the rows of Evaluations: run, evaluation, fixed and broken, task. Pure functions of read models. */
import type { RunId } from '../../core/model/ids.ts';
import type {
  CandidateSummary,
  ChangedTask,
  EvaluationDetail,
  EvaluationSummary,
} from '../../core/model/views.ts';
import { counted, percent, points, range, roundWord } from '../../protocol/wording.ts';
import { oneLine } from '../documents/plainText.ts';
import { controlNode } from './runRows.ts';
import { candidateName, noteNode, type TreeNode } from './treeNode.ts';

/** "Round 3 · dev" for a round's own evaluation, "Sealed test" for the last. */
export function evaluationName(evaluation: EvaluationSummary): string {
  return evaluation.suite === 'test'
    ? 'Sealed test'
    : `${roundWord(evaluation.at.round)}, ${evaluation.suite}`;
}

function versionOf(evaluation: EvaluationSummary, candidates: readonly CandidateSummary[]): string {
  const found = candidates.find(
    (item) => item.candidate.id === evaluation.candidateId && item.at.arm === evaluation.at.arm,
  );
  return found === undefined ? '' : candidateName(evaluation.at.arm, found.version);
}

function evaluationNode(
  parentId: string,
  evaluation: EvaluationSummary,
  candidates: readonly CandidateSummary[],
): TreeNode {
  const version = versionOf(evaluation, candidates);
  const name = evaluationName(evaluation);
  const description = [version, percent(evaluation.mean), `(${range(evaluation.interval)})`]
    .filter((part) => part !== '')
    .join(' ');
  return {
    id: `${parentId}/${evaluation.id}`,
    ref: { kind: 'evaluation', runId: evaluation.runId, evaluationId: evaluation.id, arm: evaluation.at.arm },
    label: name,
    description,
    tooltip: () =>
      [
        `${name}${version === '' ? '' : `, candidate ${version}`}`,
        `${percent(evaluation.mean)} on ${counted(evaluation.tasks, 'task')}, ${Math.round(100 * evaluation.interval.confidence)} % interval ${range(evaluation.interval)}`,
        `Temperature ${evaluation.temperature}`,
      ].join('\n'),
    icon: evaluation.suite === 'test' ? 'lock' : 'graph-line',
    context: 'evaluation',
    children: 'closed',
    spoken: `${name}, ${description}`,
    opening: { kind: 'evaluation', evaluationId: evaluation.id, title: name },
  };
}

/** Evaluations of the loop newest first, then the control's as a group. */
export function evaluationNodes(
  parent: TreeNode,
  runId: RunId,
  evaluations: readonly EvaluationSummary[],
  candidates: readonly CandidateSummary[],
): readonly TreeNode[] {
  const control = evaluations.filter((item) => item.at.arm === 'control');
  const last = control.at(-1);
  return [
    ...evaluations
      .filter((item) => item.at.arm === 'main')
      .toReversed()
      .map((item) => evaluationNode(parent.id, item, candidates)),
    ...(last === undefined ? [] : [controlNode(parent.id, runId, percent(last.mean))]),
  ];
}

export function controlEvaluationNodes(
  parent: TreeNode,
  evaluations: readonly EvaluationSummary[],
  candidates: readonly CandidateSummary[],
): readonly TreeNode[] {
  return evaluations
    .filter((item) => item.at.arm === 'control')
    .toReversed()
    .map((item) => evaluationNode(parent.id, item, candidates));
}

export function changedFor(detail: EvaluationDetail, became: 'better' | 'worse'): readonly ChangedTask[] {
  return detail.changed.filter((task) =>
    became === 'better' ? task.after.score > task.before.score : task.after.score < task.before.score,
  );
}

/** Fixed and broken beside the evaluation before it on the same suite; one row saying so where there is none. */
export function changeNodes(parent: TreeNode, detail: EvaluationDetail): readonly TreeNode[] {
  const { summary, previous } = detail;
  if (previous === null)
    return [noteNode(`${parent.id}/note`, 'The first on this suite: nothing to compare with')];
  const sides = [
    { became: 'better', label: 'Fixed', icon: 'check', color: 'testing.iconPassed' },
    { became: 'worse', label: 'Broken', icon: 'close', color: 'testing.iconFailed' },
  ] as const;
  const nodes = sides.flatMap(({ became, label, icon, color }): readonly TreeNode[] => {
    const tasks = changedFor(detail, became);
    if (tasks.length === 0) return [];
    return [
      {
        id: `${parent.id}/${became}`,
        ref: { kind: 'changes', evaluationId: summary.id, became },
        label,
        description: counted(tasks.length, 'task'),
        icon,
        color,
        context: 'changes',
        children: 'closed',
        spoken: `${label}: ${counted(tasks.length, 'task')}`,
      },
    ];
  });
  const change = `${points(summary.mean - previous.mean)} since ${evaluationName(previous).toLowerCase()}`;
  return [
    noteNode(
      `${parent.id}/note`,
      nodes.length === 0 ? `No task changed since ${evaluationName(previous).toLowerCase()}` : change,
    ),
    ...nodes,
  ];
}

export function changedTaskNodes(
  parent: TreeNode,
  detail: EvaluationDetail,
  became: 'better' | 'worse',
): readonly TreeNode[] {
  return changedFor(detail, became).map(({ task, before, after }) => {
    const title = oneLine(task.input, 60);
    const description = `${oneLine(before.output, 40)} \u2192 ${oneLine(after.output, 40)}`;
    return {
      id: `${parent.id}/${task.id}`,
      ref: { kind: 'changedTask' },
      label: title,
      description,
      tooltip: () =>
        [
          `Task: ${oneLine(task.input, 400)}`,
          ...(task.reference === undefined ? [] : [`Reference: ${oneLine(task.reference, 200)}`]),
          `Before, ${percent(before.score)}: ${oneLine(before.output, 600)}`,
          `Now, ${percent(after.score)}: ${oneLine(after.output, 600)}`,
        ].join('\n'),
      icon: 'diff',
      context: 'changedTask',
      children: 'none',
      spoken: `${title}, ${became === 'better' ? 'fixed' : 'broken'}, ${description}`,
      opening: {
        kind: 'changedTask',
        evaluationId: detail.summary.id,
        taskId: task.id,
        title: oneLine(task.input, 40),
      },
    };
  });
}
