/**
 * Owns one run of a store over files of which the N-th operation fails, once or from then on, and what must hold during,
 * after, and when the power goes. A failed sync loses what it did not write (see disk.ts), so syncing again proves nothing.
 */
import type { Database } from '../../src/adapters/store/database.ts';
import type { FileStore } from '../../src/adapters/store/localStore.ts';
import { stream } from '../../src/core/measure/random.ts';
import { place, runId, sampleEffect } from '../unit/adapters/store/samples.ts';
import { contentOf, difference, missingRows } from './contents.ts';
import { crashStates } from './crashStates.ts';
import { createDisk } from './disk.ts';
import { type DiskOperation, type FileOperation, memoryFiles } from './memoryFiles.ts';
import { reopen } from './reopen.ts';
import { MIGRATIONS, StoreError } from './shipped.ts';
import { BEGIN, openWatched, type Promised, roundSteps, type WorkloadStep } from './workload.ts';

export interface FaultPlan {
  /** The operation that fails, from 1. */
  readonly nth: number;
  readonly code: string;
  /** Every operation from the nth on fails, until the fault is taken away. */
  readonly sticky: boolean;
  /** Lets the power go at the end, and after each of the operations that follow a failed sync. */
  readonly power: boolean;
}

export interface FaultOutcome {
  /** False when the run had fewer operations. */
  readonly fired: boolean;
  /** The operation it met, for messages. */
  readonly operation: string;
  readonly problems: readonly string[];
  /** Syncs tried again on a file that was not opened anew: they would succeed and prove nothing. */
  readonly repeatedSyncs: number;
}

/** What cannot fail, or whose failure says nothing about the medium. */
const HARMLESS: ReadonlySet<FileOperation> = new Set(['close', 'exists']);

/** Fails by plan, and notes a sync that is tried again on a file that was not opened anew. */
function createFault({ nth, code, sticky }: FaultPlan) {
  const failedSyncs = new Set<string>();
  const state = { count: 0, on: false, fired: '', retried: [] as string[] };
  const before = (operation: FileOperation, path: string): void => {
    if (operation === 'open') failedSyncs.delete(path);
    if (operation === 'sync' && failedSyncs.has(path)) state.retried.push(path);
    if (!state.on || HARMLESS.has(operation)) return;
    state.count++;
    if (sticky ? state.count < nth : state.count !== nth) return;
    state.fired ||= `${operation} of ${path}`;
    if (operation === 'sync') failedSyncs.add(path);
    throw Object.assign(new Error(`injected ${code}`), { code });
  };
  return { state, before };
}

/** The files of a store with one round in it, closed. */
export async function makeBase(): Promise<ReadonlyMap<string, Uint8Array>> {
  const memory = memoryFiles();
  const { store, database } = await openWatched(memory.files, MIGRATIONS, () => undefined);
  await BEGIN.run(store, database);
  for (const step of roundSteps(stream(1, 'base'), 1, 3)) await step.run(store, database);
  await store.close();
  return memory.contents();
}

const closeAndOpen = 'close and open';

function steps(): readonly WorkloadStep[] {
  const round = roundSteps(stream(2, 'faults'), 2, 2);
  const effect = (key: string): WorkloadStep => ({
    name: `settle ${key}`,
    run: (store) => store.settleEffects(runId, [sampleEffect(key, place(2, 'train'))]),
  });
  return [
    ...round,
    { name: 'fold and shorten', run: (_store, database) => void database.fold(true) },
    effect('before closing'),
    { name: closeAndOpen, run: (store) => store.close() },
    effect('after opening'),
  ];
}

/** Runs the steps on files that hold `base`, with the fault, then without, and looks at what the power going would leave. */
export async function runWithFault(
  base: ReadonlyMap<string, Uint8Array>,
  plan: FaultPlan,
): Promise<FaultOutcome> {
  const problems: string[] = [];
  const operations: DiskOperation[] = [];
  const promised: Promised[] = [];
  const fault = createFault(plan);
  const { files } = memoryFiles({
    initial: base,
    record: (operation) => operations.push(operation),
    before: fault.before,
  });
  const promise = (database: Database): void => {
    const { on } = fault.state;
    fault.state.on = false;
    promised.push({ operations: operations.length, content: contentOf(database) });
    fault.state.on = on;
  };
  const open = () => openWatched(files, MIGRATIONS, promise);
  let failed = false;
  const check = (step: string, error: unknown): void => {
    // What an earlier step should have stored is unknown to a later one.
    const follows = failed && error instanceof StoreError && error.code === 'UNKNOWN';
    failed = true;
    if (!(error instanceof StoreError)) problems.push(`${step}: not a StoreError: ${String(error)}`);
    else if (error.code !== plan.code && !follows)
      problems.push(`${step}: code ${String(error.code)}: ${error.message}`);
  };
  let live: { readonly store: FileStore; readonly database: Database } | null = null;
  fault.state.on = true;
  for (const step of steps()) {
    try {
      live ??= await open();
      await step.run(live.store, live.database);
    } catch (error) {
      check(step.name, error);
    }
    if (step.name === closeAndOpen) live = null;
  }
  fault.state.on = false;
  const atFault = operations.length;
  try {
    live ??= await open();
    await live.store.settleEffects(runId, [sampleEffect('after the fault', place(2, 'train'))]);
  } catch (error) {
    problems.push(`it does not go on once the fault is gone: ${String(error)}`);
  }
  if (plan.power) problems.push(...(await powerGoes(base, operations, atFault, promised)));
  else if (live !== null) problems.push(...missingNow(live.database, promised));
  await live?.store.close();
  const { fired, retried } = fault.state;
  return { fired: fired !== '', operation: fired, problems, repeatedSyncs: retried.length };
}

/** Rows that were promised and that the store does not show once the fault is gone. */
function missingNow(database: Database, promised: readonly Promised[]): readonly string[] {
  const content = contentOf(database);
  return promised.flatMap((earlier) => missingRows(earlier.content, content)).slice(0, 3);
}

/** How long after a failed sync the power may still find what the sync did not write. */
const CUTS_AFTER_SYNC = 40;

/** What is wrong with the store after the power went: at the end of the fault, after one more commit, after a failed sync. */
async function powerGoes(
  base: ReadonlyMap<string, Uint8Array>,
  operations: readonly DiskOperation[],
  atFault: number,
  promised: readonly Promised[],
): Promise<readonly string[]> {
  const problems: string[] = [];
  const disk = createDisk(base);
  const newest = promised.at(-1)?.content ?? '';
  const look = async (allowed: (content: string) => string | null, when: string): Promise<void> => {
    for (const state of crashStates(disk, stream(1, 'power'), { telling: 2, sampled: 0 })) {
      const { problem, content } = await reopen(state, {
        allowed: null,
        migrations: MIGRATIONS,
        copies: new Set(),
      });
      const found = problem ?? allowed(content ?? '');
      if (found !== null) problems.push(`the power goes ${when}, ${state.what}: ${found}`);
    }
  };
  const missingAt =
    (done: number) =>
    (content: string): string | null => {
      // What was promised includes all that was promised before.
      const earlier = promised.filter((promise) => promise.operations <= done).at(-1);
      const gone = earlier === undefined ? [] : missingRows(earlier.content, content);
      return gone.length === 0 ? null : `rows are gone: ${gone.slice(0, 3).join(' ')}`;
    };
  let cuts = 0;
  for (const [index, operation] of operations.entries()) {
    if (index === atFault) await look(missingAt(index), 'during the fault');
    disk.apply(operation);
    if (operation.kind === 'failedSync') cuts = CUTS_AFTER_SYNC;
    if (cuts-- > 0) await look(missingAt(index + 1), `after operation ${index + 1} (${operation.kind})`);
  }
  await look(
    (content) => (content === newest ? null : `not the newest content: ${difference(content, newest)}`),
    'after the fault',
  );
  return problems;
}
