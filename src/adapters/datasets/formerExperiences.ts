/**
 * Owns tasks from an ended run's experiences: one for each task of it, with its best solution of the verdict asked for.
 * Deliberately decides nothing on what may be used for which split (core/loop/taskSets.ts).
 */
import { taskId } from '../../core/measure/identity.ts';
import { asId, type RunId, type TaskId } from '../../core/model/ids.ts';
import type { ExperienceSummary } from '../../core/model/views.ts';
import type { FormerExperience, FormerExperiences, StoreViews } from '../../core/ports.ts';
import { DataError } from '../../core/ports.ts';

const page = 1_000;
/** Tasks of one run; each is looked up by itself. */
const mostTasks = 50_000;

/** In the order the tasks were first solved. Throws DataError when there is no such run, or it has not ended. */
export async function formerExperiences(
  { run, verdict, minScore }: FormerExperiences,
  store: Pick<StoreViews, 'run' | 'experiences' | 'experience'>,
): Promise<readonly FormerExperience[]> {
  const runId = asId<RunId>(run);
  const detail = await store.run(runId);
  if (detail === null)
    throw new DataError(`There is no run ${run} in this workspace; "Loops & Runs" shows the ones there are.`);
  if (detail.run.status === 'running' || detail.run.status === 'paused')
    throw new DataError(
      `Run ${run} has not ended, so its experiences may still change; stop it or wait for its end.`,
    );
  const best = new Map<TaskId, ExperienceSummary>();
  let after: string | null = null;
  do {
    const { items, next }: Awaited<ReturnType<StoreViews['experiences']>> = await store.experiences(
      { runId, arm: 'main', verdict },
      after,
      page,
    );
    for (const item of items) {
      if (minScore !== undefined && (item.score === null || item.score < minScore)) continue;
      const known = best.get(item.taskId);
      if (known === undefined || (item.score ?? -1) > (known.score ?? -1)) best.set(item.taskId, item);
    }
    if (best.size > mostTasks)
      throw new DataError(
        `Run ${run} has experiences of more than ${mostTasks} tasks; give minScore to use fewer.`,
      );
    after = next;
  } while (after !== null);
  const found: FormerExperience[] = [];
  for (const { solutionId, score } of best.values()) {
    const experience = await store.experience(solutionId);
    if (experience === null) continue;
    const { task, solution } = experience;
    const { input, context, choices, tests, entryPoint, split } = task;
    const reference = task.reference ?? solution.answer ?? solution.output;
    const whole = {
      input,
      reference,
      ...(context === undefined ? {} : { context }),
      ...(choices === undefined ? {} : { choices }),
      ...(tests === undefined ? {} : { tests }),
      ...(entryPoint === undefined ? {} : { entryPoint }),
    };
    found.push({ task: { id: taskId(whole), split, ...whole }, score });
  }
  return found;
}
