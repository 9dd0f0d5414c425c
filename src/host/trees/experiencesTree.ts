/** Owns the rows of Experiences: run, round, kept / dropped / corrected, experience. Pure functions of read models. */
import type { Arm } from '../../core/model/event.ts';
import type { Annotation, Verdict } from '../../core/model/feedback.ts';
import type { RunId } from '../../core/model/ids.ts';
import type { ExperienceCount, ExperiencePage, ExperienceSummary } from '../../core/model/views.ts';
import { count, counted, percent, roundWord } from '../../protocol/wording.ts';
import { oneLine } from '../documents/plainText.ts';
import { controlNode } from './runRows.ts';
import { noteNode, type TreeNode } from './treeNode.ts';

/** Rows fetched at a time. */
export const pageSize = 100;

type Group = Verdict | 'unrefined';

const groups: readonly {
  readonly verdict: Group;
  readonly label: string;
  readonly icon: string;
  readonly color?: string;
}[] = [
  { verdict: 'kept', label: 'Kept', icon: 'check', color: 'testing.iconPassed' },
  { verdict: 'corrected', label: 'Corrected', icon: 'edit', color: 'charts.blue' },
  { verdict: 'dropped', label: 'Dropped', icon: 'close', color: 'disabledForeground' },
  { verdict: 'unrefined', label: 'Not refined', icon: 'circle-outline' },
];

function groupOf(verdict: Group) {
  return groups.find((group) => group.verdict === verdict) ?? groups[0];
}

function roundNode(
  parentId: string,
  runId: RunId,
  arm: Arm,
  round: number,
  counts: readonly ExperienceCount[],
) {
  const own = counts.filter((item) => item.arm === arm && item.round === round);
  const of = (verdict: Group) =>
    own.filter((item) => item.verdict === verdict).reduce((sum, item) => sum + item.count, 0);
  const total = own.reduce((sum, item) => sum + item.count, 0);
  const annotated = own.reduce((sum, item) => sum + item.annotated, 0);
  const kept = of('kept') + of('corrected');
  const parts = [total === of('unrefined') ? count(total) : `kept ${count(kept)} of ${count(total)}`];
  if (annotated > 0) parts.push(`${count(annotated)} judged by you`);
  const name = roundWord(round);
  return {
    id: `${parentId}/${arm}:${round}`,
    ref: { kind: 'round', runId, arm, round },
    label: name,
    description: parts.join(' · '),
    icon: 'milestone',
    context: 'experienceRound',
    children: 'closed',
    spoken: `${arm === 'control' ? 'Control, ' : ''}${name}, ${parts.join(', ')}`,
  } satisfies TreeNode;
}

function rounds(counts: readonly ExperienceCount[], arm: Arm): readonly number[] {
  const own = counts.filter((item) => item.arm === arm && item.count > 0).map((item) => item.round);
  return [...new Set(own)].sort((left, right) => left - right);
}

const none = 'No experiences: no solution has been drawn and kept, dropped or corrected';

/** The loop's rounds that have experiences, then the control's as a group. */
export function experienceRoundNodes(
  parent: TreeNode,
  runId: RunId,
  counts: readonly ExperienceCount[],
): readonly TreeNode[] {
  const inControl = counts
    .filter((item) => item.arm === 'control')
    .reduce((sum, item) => sum + item.count, 0);
  if (counts.every((item) => item.count === 0)) return [noteNode(`${parent.id}/none`, none)];
  return [
    ...rounds(counts, 'main').map((round) => roundNode(parent.id, runId, 'main', round, counts)),
    ...(inControl === 0 ? [] : [controlNode(parent.id, runId, counted(inControl, 'experience'))]),
  ];
}

export function controlExperienceRoundNodes(
  parent: TreeNode,
  runId: RunId,
  counts: readonly ExperienceCount[],
): readonly TreeNode[] {
  return rounds(counts, 'control').map((round) => roundNode(parent.id, runId, 'control', round, counts));
}

export function verdictNodes(
  parent: TreeNode,
  place: { readonly runId: RunId; readonly arm: Arm; readonly round: number },
  counts: readonly ExperienceCount[],
): readonly TreeNode[] {
  return groups.flatMap((group): readonly TreeNode[] => {
    const own = counts.filter(
      (item) => item.arm === place.arm && item.round === place.round && item.verdict === group.verdict,
    );
    const total = own.reduce((sum, item) => sum + item.count, 0);
    if (total === 0) return [];
    const note = place.arm === 'control' && group.verdict === 'kept' ? ' (without the deciding step)' : '';
    return [
      {
        id: `${parent.id}/${group.verdict}`,
        ref: {
          kind: 'verdict',
          runId: place.runId,
          arm: place.arm,
          round: place.round,
          verdict: group.verdict,
        },
        label: group.label,
        description: count(total) + note,
        icon: group.icon,
        ...(group.color === undefined ? {} : { color: group.color }),
        context: 'verdict',
        children: 'closed',
        spoken: `${group.label}, ${counted(total, 'experience')}${note}`,
      },
    ];
  });
}

/** What a person said of an experience: "accepted by you", "score 80.0 % by you"; '' when nothing. */
export function judgedByYou(annotation: Annotation | null): string {
  if (annotation === null) return '';
  const parts: string[] = [];
  if (annotation.verdict === 'accept') parts.push('accepted by you');
  if (annotation.verdict === 'reject') parts.push('rejected by you');
  if (annotation.score !== null) parts.push(`scored ${percent(annotation.score)} by you`);
  if (annotation.note !== '') parts.push('noted by you');
  return parts.join(', ');
}

/** The icon of what became of an experience; null where nothing did. */
export function verdictIcon(verdict: Verdict | null): string {
  return groupOf(verdict ?? 'unrefined')?.icon ?? 'circle-outline';
}

export function scoreWord(score: number | null): string {
  if (score === null) return 'not judged';
  return score >= 1 ? 'right' : score <= 0 ? 'wrong' : percent(score);
}

/** "12 + 30 \u2192 42": a task and its answer in a line. */
export function experienceTitle({ input, answer, output }: ExperienceSummary): string {
  return `${oneLine(input, 60)} \u2192 ${oneLine(answer ?? output, 40)}`;
}

/** `place` says where it was made, for rows that do not stand under it. */
export function experienceNode(
  parentId: string,
  runId: RunId,
  experience: ExperienceSummary,
  place = '',
): TreeNode {
  const { annotation } = experience;
  const group = experience.verdict === null ? groupOf('unrefined') : groupOf(experience.verdict);
  const title = experienceTitle(experience);
  const yours = judgedByYou(annotation);
  // A person's verdict or score is the score then: saying it twice would read as two opinions.
  const judged = annotation !== null && (annotation.verdict !== null || annotation.score !== null);
  const parts = [judged ? '' : scoreWord(experience.score), yours, place, experience.reason].filter(
    (part) => part !== '',
  );
  return {
    id: `${parentId}/${experience.solutionId}`,
    ref: { kind: 'experience', runId, experience },
    label: title,
    description: parts.join(' · '),
    tooltip: () =>
      [
        `Task: ${oneLine(experience.input, 400)}`,
        `Reply: ${oneLine(experience.output, 1000)}`,
        `Answer: ${experience.answer === null ? 'none found' : oneLine(experience.answer, 200)}, ${scoreWord(experience.score)}`,
        `${group?.label ?? ''}: ${experience.reason}`,
        ...(yours === '' ? [] : [yours.charAt(0).toUpperCase() + yours.slice(1)]),
        ...(annotation === null || annotation.note === ''
          ? []
          : [`Your note: ${oneLine(annotation.note, 400)}`]),
      ].join('\n'),
    icon: yours === '' ? (group?.icon ?? 'circle-outline') : 'account',
    ...(yours === '' && group?.color !== undefined ? { color: group.color } : {}),
    context: `experience.${annotation?.verdict ?? 'open'}`,
    children: 'none',
    spoken: `${title}, ${[group?.label.toLowerCase() ?? '', ...parts].join(', ')}`,
    opening: {
      kind: 'experience',
      solutionId: experience.solutionId,
      title: oneLine(experience.input, 40),
    },
  };
}

/** The pages fetched so far, and a row that fetches the next where there is one. */
export function experienceNodes(
  parent: TreeNode,
  runId: RunId,
  pages: readonly ExperiencePage[],
): readonly TreeNode[] {
  const items = pages.flatMap((page) => page.items.map((item) => experienceNode(parent.id, runId, item)));
  if ((pages.at(-1)?.next ?? null) === null) return items;
  return [
    ...items,
    {
      id: `${parent.id}/more`,
      ref: { kind: 'more', groupId: parent.id },
      label: `Load ${pageSize} More...`,
      description: `${count(items.length)} shown`,
      icon: 'ellipsis',
      context: 'more',
      children: 'none',
      spoken: `Load ${pageSize} more experiences, ${count(items.length)} shown`,
      opening: { kind: 'loadMore', groupId: parent.id },
    },
  ];
}
