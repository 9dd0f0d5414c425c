/** Owns the rows a search shows: pure functions of its state. Deliberately free of the editor's types. */
import type { RunId } from '../../core/model/ids.ts';
import type { ExperienceHit, RunSummary } from '../../core/model/views.ts';
import { count, counted, roundWord } from '../../protocol/wording.ts';
import { oneLine } from '../documents/plainText.ts';
import { experienceTitle, judgedByYou, scoreWord, verdictIcon } from '../trees/experiencesTree.ts';
import { runNumbers } from '../trees/treeNode.ts';
import type { SearchState } from './searchFeed.ts';

export type SearchRow =
  | {
      readonly kind: 'hit';
      readonly hit: ExperienceHit;
      readonly label: string;
      readonly description: string;
      readonly detail: string;
    }
  | { readonly kind: 'more'; readonly label: string; readonly description: string }
  | { readonly kind: 'note'; readonly label: string };

/** Text of a model stays text: what looks like an icon's name is not made one. */
export function withoutIcons(text: string): string {
  return text.replaceAll(/\$\((?=[\w~-]+\))/g, '\\$(');
}

/** "hint-free-star, Run 2" by run. */
export function runNames(runs: readonly RunSummary[]): ReadonlyMap<RunId, string> {
  const numbers = runNumbers(runs);
  return new Map(runs.map((run) => [run.id, `${run.recipeName}, Run ${numbers.get(run.id) ?? 0}`]));
}

function hitRow(hit: ExperienceHit, names: ReadonlyMap<RunId, string>): SearchRow {
  const { at, score, annotation, verdict } = hit;
  const yours = judgedByYou(annotation);
  const place = `${names.get(hit.runId) ?? 'A run'}${at.arm === 'control' ? ', Control' : ''}, ${roundWord(at.round)}`;
  return {
    kind: 'hit',
    hit,
    label: `$(${yours === '' ? verdictIcon(verdict) : 'account'}) ${withoutIcons(experienceTitle(hit))}`,
    description: withoutIcons([yours === '' ? scoreWord(score) : yours, place].join(' \u00b7 ')),
    detail: withoutIcons(oneLine(hit.output, 160)),
  };
}

/** "No experience found", "1 experience found", "More than 100 experiences found", "Searching...". */
export function foundWords({ items, hasMore, busy }: SearchState): string {
  if (busy && items.length === 0) return 'Searching...';
  if (items.length === 0) return hasMore ? 'None found so far' : 'No experience found';
  return hasMore || busy
    ? `More than ${count(items.length)} found`
    : `${counted(items.length, 'experience')} found`;
}

export function searchRows(
  state: SearchState,
  names: ReadonlyMap<RunId, string>,
  pageSize: number,
): readonly SearchRow[] {
  const { items, hasMore, busy, problems, trouble } = state;
  if (trouble !== null) return [{ kind: 'note', label: `$(error) ${withoutIcons(trouble)}` }];
  const more: readonly SearchRow[] =
    hasMore && !busy
      ? [
          {
            kind: 'more',
            label: `$(ellipsis) Load ${pageSize} More...`,
            description: `${count(items.length)} shown`,
          },
        ]
      : [];
  return [
    ...problems.map((problem): SearchRow => ({ kind: 'note', label: `$(info) ${withoutIcons(problem)}` })),
    ...items.map((hit) => hitRow(hit, names)),
    ...more,
  ];
}
