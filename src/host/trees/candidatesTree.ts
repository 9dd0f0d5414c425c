/** Owns the rows of Prompts & Candidates: run, version with score, parent and status. Pure functions of read models. */
import type { Arm } from '../../core/model/event.ts';
import type { RunId } from '../../core/model/ids.ts';
import type { CandidateSummary, EvaluationSummary } from '../../core/model/views.ts';
import { counted, percent, points, range } from '../../protocol/wording.ts';
import { oneLine } from '../documents/plainText.ts';
import { controlNode } from './runRows.ts';
import { candidateName, type TreeNode } from './treeNode.ts';

const statuses: Readonly<
  Record<
    CandidateSummary['status'],
    { readonly word: string; readonly icon: string; readonly color?: string }
  >
> = {
  inUse: { word: 'in use', icon: 'pass-filled', color: 'testing.iconPassed' },
  accepted: { word: 'accepted', icon: 'pass' },
  refused: { word: 'refused', icon: 'circle-slash', color: 'disabledForeground' },
  start: { word: 'the start', icon: 'circle-outline' },
  made: { word: 'made', icon: 'circle-outline' },
};

export function candidateStatusWord(status: CandidateSummary['status']): string {
  return statuses[status].word;
}

/** Versions of a candidate's parents within the same arm, "v2"; '' for the start. */
export function parentNames(summary: CandidateSummary, all: readonly CandidateSummary[]): string {
  return summary.candidate.parents
    .map((parent) => all.find((item) => item.candidate.id === parent && item.at.arm === summary.at.arm))
    .filter((item) => item !== undefined)
    .map((item) => candidateName(item.at.arm, item.version))
    .join(', ');
}

function candidateNode(
  parentId: string,
  runId: RunId,
  summary: CandidateSummary,
  all: readonly CandidateSummary[],
  evaluations: readonly EvaluationSummary[],
): TreeNode {
  const status = statuses[summary.status];
  const name = candidateName(summary.at.arm, summary.version);
  const parents = parentNames(summary, all);
  const { instruction } = summary.candidate.state;
  const parts = [
    summary.score === null ? '' : percent(summary.score) + suiteWord(summary, evaluations),
    status.word,
    parents === '' ? '' : `from ${parents}`,
    summary.candidate.note === status.word ? '' : summary.candidate.note,
  ].filter((part) => part !== '');
  return {
    id: `${parentId}/${summary.at.arm}:v${summary.version}`,
    ref: { kind: 'candidate', runId, candidate: summary },
    label: name,
    description: parts.join(' · '),
    tooltip: () =>
      [
        `${name}, ${status.word}`,
        ...(summary.candidate.note === '' ? [] : [oneLine(summary.candidate.note, 400)]),
        ...(summary.score === null
          ? ['Not evaluated']
          : [
              `Score ${percent(summary.score)}${suiteWord(summary, evaluations)}${summary.interval === null ? '' : ` (${range(summary.interval)})`}`,
            ]),
        ...(summary.gain === null
          ? []
          : [
              `Gain ${points(summary.gain.gain)} on ${counted(summary.gain.tasks, 'task')}: ${summary.gain.better} better, ${summary.gain.worse} worse`,
            ]),
        `Instruction: ${instruction === '' ? '(empty)' : oneLine(instruction, 400)}`,
      ].join('\n'),
    icon: status.icon,
    ...(status.color === undefined ? {} : { color: status.color }),
    context: parents === '' ? 'candidate.first' : 'candidate',
    children: 'none',
    spoken: `${name}, ${parts.join(', ')}`,
    opening: { kind: 'candidate', runId, arm: summary.at.arm, version: summary.version },
  };
}

/** Which tasks a score was measured on, where they are not the dev tasks every other score is measured on. */
function suiteWord(summary: CandidateSummary, evaluations: readonly EvaluationSummary[]): string {
  const own = evaluations.filter(
    (item) => item.candidateId === summary.candidate.id && item.at.arm === summary.at.arm,
  );
  if (own.length === 0 || own.some((item) => item.suite === 'dev')) return '';
  const last = own.at(-1);
  return last === undefined ? '' : ` on ${counted(last.tasks, `${last.suite} task`)}`;
}

/** Versions of the loop newest first, the refused ones and the control's as groups of their own. */
export function candidateNodes(
  parent: TreeNode,
  runId: RunId,
  candidates: readonly CandidateSummary[],
  evaluations: readonly EvaluationSummary[],
): readonly TreeNode[] {
  const control = candidates.filter((item) => item.at.arm === 'control');
  return [
    ...armNodes(parent, runId, 'main', candidates, evaluations),
    ...(control.length === 0 ? [] : [controlNode(parent.id, runId, counted(control.length, 'version'))]),
  ];
}

/** What an arm went on with, newest first, then the group of what was tried and refused. */
export function armNodes(
  parent: TreeNode,
  runId: RunId,
  arm: Arm,
  candidates: readonly CandidateSummary[],
  evaluations: readonly EvaluationSummary[],
): readonly TreeNode[] {
  const own = candidates.filter((item) => item.at.arm === arm);
  const refused = own.filter((item) => item.status === 'refused');
  const description = counted(refused.length, 'version');
  const group: TreeNode = {
    id: `${parent.id}/refused`,
    ref: { kind: 'refused', runId, arm },
    label: 'Refused',
    description,
    tooltip: () => 'Tried, and not shown to be better than what was in use.',
    icon: 'circle-slash',
    context: 'refused',
    children: 'closed',
    spoken: `Refused: ${description}`,
  };
  return [
    ...newestFirst(own.filter((item) => item.status !== 'refused')).map((item) =>
      candidateNode(parent.id, runId, item, candidates, evaluations),
    ),
    ...(refused.length === 0 ? [] : [group]),
  ];
}

export function refusedNodes(
  parent: TreeNode,
  runId: RunId,
  arm: Arm,
  candidates: readonly CandidateSummary[],
  evaluations: readonly EvaluationSummary[],
): readonly TreeNode[] {
  const refused = candidates.filter((item) => item.at.arm === arm && item.status === 'refused');
  return newestFirst(refused).map((item) => candidateNode(parent.id, runId, item, candidates, evaluations));
}

function newestFirst(candidates: readonly CandidateSummary[]): readonly CandidateSummary[] {
  return [...candidates].sort((left, right) => right.version - left.version);
}
