/**
 * Owns the runs executing in this process, one at a time for each recipe: begun, halted, waited for.
 * Deliberately knows no client and no path; it tells its listeners.
 */
import { EngineError } from '../client/connection.ts';
import type { RunProgress, StoredEvent } from '../core/model/event.ts';
import type { RunId } from '../core/model/ids.ts';
import type { RunSummary } from '../core/model/views.ts';
import { unexpected, type BegunRun } from '../core/loop/execute.ts';
import type { RunControl, RunEnd, RunServices } from '../core/loop/services.ts';
import type { Log, Store } from '../core/ports.ts';
import { asEngineError } from './errors.ts';
import { noteStatus } from './runNotes.ts';
import type { ServicesOfRun } from './services.ts';

export interface RunListeners {
  readonly onEvents: (events: readonly StoredEvent[]) => void;
  readonly onProgress: (progress: RunProgress) => void;
  /** A run began, went on, paused or ended. */
  readonly onChanged: (runId: RunId) => void;
}

/** How an execution ended; `store` where the run is paused because its progress could not be saved. */
export type Standing =
  | RunEnd
  /** `noted` is false where not even the pause could be saved yet. */
  | { readonly kind: 'store'; readonly message: string; readonly noted: boolean };

export interface Execution {
  readonly recipePath: string;
  readonly control: RunControl;
  /** Never rejects. */
  readonly end: Promise<Standing>;
}

export interface Executions {
  readonly get: (runId: RunId) => Execution | undefined;
  /** Also true for a run that is just being recorded. */
  readonly isExecuting: (run: Pick<RunSummary, 'id' | 'recipePath'>) => boolean;
  /** How the last execution here of this run ended: the store keeps less, and nothing where it could not save. */
  readonly lastEnd: (runId: RunId) => Standing | undefined;
  /** Of a run whose state was changed since. */
  readonly forgetEnd: (runId: RunId) => void;
  /** Also counts a run between the request and its first durable row. */
  readonly count: () => number;
  /** Throws EngineError('busy') when the recipe is executing already or the engine is ending. */
  readonly execute: (recipePath: string, begin: Begin) => Promise<RunId>;
  /** Asks all to pause once their calls in flight are answered; new ones may begin. */
  readonly pauseRunning: () => void;
  /** Takes no new run, pauses all, and resolves when all stand still. */
  readonly pauseAll: () => Promise<void>;
  /** Resolves when nothing is executing. */
  readonly settled: () => Promise<void>;
}

/** Newest runs among which equal calls are looked for. */
const earlierLookedAt = 20;

export type Begin = (services: RunServices, control: RunControl) => Promise<BegunRun>;

export interface ExecutionContext {
  readonly servicesOf: (recipePath: string, store: Store) => ServicesOfRun;
  readonly store: () => Promise<Store>;
  readonly log: Log;
  readonly listeners: RunListeners;
}

export function createExecutions({ servicesOf, store, log, listeners }: ExecutionContext): Executions {
  const active = new Map<RunId, Execution>();
  const beginning = new Map<string, Promise<unknown>>();
  const ends = new Map<RunId, Standing>();
  let closing = false;

  const begun = async (recipePath: string, begin: Begin): Promise<RunId> => {
    const opened = await store();
    const { onEvents, onProgress } = listeners;
    const control: RunControl = { aborted: false, reason: null };
    const earlierRuns = async () => (await opened.runs()).slice(0, earlierLookedAt);
    const services = { ...servicesOf(recipePath, opened), earlierRuns, onEvents, onProgress };
    const { runId, end } = await begin(services, control);
    const note: Note = (status, message) => noteStatus(opened, runId, status, message, listeners);
    const told = end.catch((error: unknown) => failed(runId, error, note, log));
    active.set(runId, { recipePath, control, end: told });
    ends.delete(runId);
    if (closing) halt(control, 'pause');
    log.info('run executing', { runId, recipePath });
    listeners.onChanged(runId);
    void told.then((result) => {
      active.delete(runId);
      ends.set(runId, result);
      if (result.kind === 'store' && !result.noted)
        noteLater(
          () => note('paused', result.message),
          () => closing || ends.get(runId) !== result,
        );
      log.info('run standing still', { runId, kind: result.kind });
      listeners.onChanged(runId);
    });
    return runId;
  };

  const settled = async () => {
    while (active.size + beginning.size > 0) {
      await Promise.allSettled([...beginning.values(), ...[...active.values()].map((run) => run.end)]);
    }
  };

  return {
    get: (runId) => active.get(runId),
    isExecuting: ({ id, recipePath }) => active.has(id) || beginning.has(recipePath),
    lastEnd: (runId) => ends.get(runId),
    forgetEnd: (runId) => void ends.delete(runId),
    count: () => active.size + beginning.size,
    execute: async (recipePath, begin) => {
      if (closing) throw new EngineError('busy', 'The engine is ending; try again in a moment.');
      const running = [...active.values()].some((run) => run.recipePath === recipePath);
      if (running || beginning.has(recipePath)) {
        throw new EngineError('busy', `${recipePath} is running already; pause or stop that run first.`);
      }
      const work = begun(recipePath, begin).finally(() => beginning.delete(recipePath));
      beginning.set(recipePath, work);
      return work;
    },
    pauseRunning: () => {
      for (const run of active.values()) halt(run.control, 'pause', 'finish');
    },
    pauseAll: async () => {
      closing = true;
      for (const run of active.values()) halt(run.control, 'pause');
      await settled();
    },
    settled,
  };
}

/** A stop outranks a pause asked for before it, and breaking off what is in flight outranks letting it end. */
export function halt(
  control: RunControl,
  reason: 'pause' | 'stop',
  inFlight: 'finish' | 'abort' = 'abort',
): void {
  if (control.reason !== 'stop') control.reason = reason;
  control.finishing = true;
  if (inFlight === 'abort') control.aborted = true;
}

type Note = (status: 'paused' | 'failed', message: string) => Promise<void>;

/** A run whose progress could not be saved is paused: nothing saved is lost, and it goes on from there. */
async function failed(runId: RunId, error: unknown, note: Note, log: Log): Promise<Standing> {
  const { kind, message: said } = asEngineError(error);
  const message = kind === 'store' ? said : `${unexpected}${said}`;
  log.error('run failed', error);
  const noted = await note(kind === 'store' ? 'paused' : 'failed', message).then(
    () => true,
    (second: unknown) => {
      log.error('the end of the run could not be saved', { runId, second });
      return false;
    },
  );
  return kind === 'store' ? { kind, message, noted } : { kind: 'failed', message, defect: true };
}

const noteAgainMs = 2_000;

/** Until it is noted the store says "running", which standing.ts shows as the pause it is. */
function noteLater(note: () => Promise<void>, isOver: () => boolean): void {
  setTimeout(() => {
    if (!isOver()) note().catch(() => noteLater(note, isOver));
  }, noteAgainMs).unref();
}
