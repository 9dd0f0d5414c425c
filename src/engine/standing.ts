/**
 * Owns telling a run that executes from one the store only believes to: where a run's end could not be saved, the store
 * still says "running". Deliberately writes nothing; the next opening of the store puts it right there.
 */
import type { RunSummary } from '../core/model/views.ts';
import type { Executions } from './executions.ts';
import type { Store } from '../core/ports.ts';

const unsaved =
  'It stopped because its progress could not be saved; resume goes on from the last saved answer.';

/** The store, with every run that says it is running and is not shown as the paused run it can be resumed as. */
export function withStanding(store: Store, executions: Pick<Executions, 'isExecuting' | 'lastEnd'>): Store {
  const asItStands = (run: RunSummary): RunSummary =>
    run.status === 'running' && !executions.isExecuting(run)
      ? { ...run, status: 'paused', message: executions.lastEnd(run.id)?.message ?? unsaved }
      : run;
  return {
    ...store,
    runs: async () => (await store.runs()).map(asItStands),
    run: async (id) => {
      const detail = await store.run(id);
      return detail === null ? null : { ...detail, run: asItStands(detail.run) };
    },
  };
}
