/**
 * Owns what each run has used and may use, beside what the store sums up: prices, caps, and calls counted at their worst
 * case, read from the run's own account, and live while it executes. Deliberately writes nothing.
 */
import { costSoFar } from '../core/loop/budget.ts';
import { readAccount } from '../core/loop/journal.ts';
import type { RunProgress } from '../core/model/event.ts';
import type { RunCaps, RunCost } from '../core/model/cost.ts';
import type { RunId } from '../core/model/ids.ts';
import type { RunSummary } from '../core/model/views.ts';
import type { Store } from '../core/ports.ts';

type Told = Pick<RunSummary, 'cost' | 'caps' | 'origin'>;

export interface Costs {
  /** True for the first of an execution: only then are the caps it runs under durable, and its summary worth telling again. */
  readonly onProgress: (progress: RunProgress) => boolean;
  /** The store, with every run's cost in its summaries. */
  readonly over: (store: Store) => Store;
}

export function createCosts(): Costs {
  const live = new Map<RunId, RunCost>();
  const known = new Map<RunId, { readonly as: string; readonly told: Promise<Told> }>();
  /** The account is read again when the run has come to stand otherwise; between, its cost comes with its progress. */
  const told = (store: Store, run: RunSummary): Promise<Told> => {
    if (run.status !== 'running') live.delete(run.id);
    const as =
      run.status === 'running'
        ? `running ${String(live.has(run.id))}`
        : `${run.status} ${run.calls} ${run.endedAt ?? 0}`;
    const before = known.get(run.id);
    if (before?.as === as) return before.told;
    const read = readTold(store, run.id);
    known.set(run.id, { as, told: read });
    read.catch(() => known.delete(run.id));
    return read;
  };
  const withCost = async (store: Store, run: RunSummary): Promise<RunSummary> => {
    const facts = await told(store, run);
    const now = run.status === 'running' ? live.get(run.id) : undefined;
    return { ...run, ...facts, ...(now === undefined ? {} : { cost: now }) };
  };
  return {
    onProgress({ runId, cost }) {
      if (cost === undefined) return false;
      const isFirst = !live.has(runId);
      live.set(runId, cost);
      return isFirst;
    },
    over: (store) => ({
      ...store,
      runs: async () => Promise.all((await store.runs()).map((run) => withCost(store, run))),
      run: async (id) => {
        const detail = await store.run(id);
        return detail === null ? null : { ...detail, run: await withCost(store, detail.run) };
      },
    }),
  };
}

async function readTold(store: Store, runId: RunId): Promise<Told> {
  const [{ sessions, charged }, spent] = await Promise.all([readAccount(store, runId), store.spent(runId)]);
  const last = sessions.at(-1);
  if (last === undefined) return {};
  const caps: RunCaps = last.caps;
  const cost = costSoFar({ spent, charged }, last.price);
  if (last.origin === null) return { cost, caps };
  return { cost, caps, origin: { runId: last.origin.runId, through: last.origin.through } };
}
