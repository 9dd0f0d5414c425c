/** Owns which rows show a judgement anew: a person's judgement counts for every equal reply to the same task. */
import type { SolutionId } from '../../core/model/ids.ts';
import type { TreeNode } from './treeNode.ts';

interface KnownRow {
  readonly id: string;
  readonly node: TreeNode;
}

/** The rounds that hold a shown row of this solution or of an equal one; the round's own count changes too. */
export function annotatedRows(known: Iterable<KnownRow>, solutionId: SolutionId): readonly string[] {
  const rows = [...known].flatMap(({ id, node: { ref } }) =>
    ref.kind === 'experience' ? [{ id, experience: ref.experience }] : [],
  );
  const judged = rows.find(({ experience }) => experience.solutionId === solutionId)?.experience;
  const equal = rows.filter(
    ({ experience }) =>
      experience.solutionId === solutionId ||
      (judged !== undefined && experience.input === judged.input && experience.output === judged.output),
  );
  // A row's id ends in /verdict/solution or /found/solution; what stands before is its round, or its run.
  return [...new Set(equal.map(({ id }) => id.split('/').slice(0, -2).join('/')))];
}
