/** Owns the rows of a run while experiences are filtered: those that meet the conditions, newest first. Pure. */
import type { RunId } from '../../core/model/ids.ts';
import type { ExperienceHit } from '../../core/model/views.ts';
import { armWord, count, counted, roundWord } from '../../protocol/wording.ts';
import { experienceNode, pageSize } from './experiencesTree.ts';
import { noteNode, type TreeNode } from './treeNode.ts';

export interface Found {
  readonly items: readonly ExperienceHit[];
  /** There may be further ones. */
  readonly hasMore: boolean;
  readonly problems: readonly string[];
}

/** The group of found rows under a run, for pages and for asking it anew. */
export function foundGroup(runRow: string): string {
  return `${runRow}/found`;
}

function sum({ items, hasMore }: Found): string {
  if (items.length === 0) return hasMore ? 'None of the newest fit the filter' : 'None fits the filter';
  return hasMore
    ? `More than ${count(items.length)} fit the filter`
    : `${counted(items.length, 'fits', 'fit')} the filter`;
}

export function foundNodes(parent: TreeNode, runId: RunId, found: Found): readonly TreeNode[] {
  const group = foundGroup(parent.id);
  const rows = found.items.map((item) => {
    const { arm, round } = item.at;
    const place =
      arm === 'control'
        ? `${armWord(arm)}, ${roundWord(round).toLowerCase()}`
        : roundWord(round).toLowerCase();
    return experienceNode(group, runId, item, place);
  });
  const more: readonly TreeNode[] = !found.hasMore
    ? []
    : [
        {
          id: `${group}/more`,
          ref: { kind: 'more', groupId: group },
          label: `Load ${pageSize} More...`,
          description: `${count(rows.length)} shown`,
          icon: 'ellipsis',
          context: 'more',
          children: 'none',
          spoken: `Load ${pageSize} more experiences, ${count(rows.length)} shown`,
          opening: { kind: 'loadMore', groupId: group },
        },
      ];
  return [
    noteNode(`${group}/sum`, sum(found), 'filter'),
    ...found.problems.map((problem, index) => noteNode(`${group}/problem${index}`, problem)),
    ...rows,
    ...more,
  ];
}
