/** Owns the way from one experience to the next in its group. Deliberately pages as the tree does, so pages are shared. */
import type { ExperienceDetail, ExperienceFilter, ExperienceSummary } from '../core/model/views.ts';
import type { ReadModels } from './readModels.ts';
import { pageSize } from './trees/experiencesTree.ts';

/** The experience before (-1) or after (+1) this one in the same run, round and verdict; null at either end. */
export async function neighbour(
  models: Pick<ReadModels, 'experiencePage'>,
  detail: ExperienceDetail,
  step: 1 | -1,
): Promise<ExperienceSummary | null> {
  const { runId, at, refinement, solution } = detail;
  const filter: ExperienceFilter = {
    runId,
    arm: at.arm,
    round: at.round,
    verdict: refinement?.verdict ?? 'unrefined',
  };
  let after: string | null = null;
  let previous: ExperienceSummary | null = null;
  let found = false;
  do {
    const page = await models.experiencePage(filter, after, pageSize);
    for (const item of page.items) {
      if (found) return item;
      if (item.solutionId === solution.id) {
        if (step === -1) return previous;
        found = true;
      }
      previous = item;
    }
    after = page.next;
  } while (after !== null);
  return null;
}
