/**
 * Owns what all clients are told and how often: events as they become durable, progress at most ten times a second, a run's
 * summary once for changes that come close together. How each client takes it is delivery.ts.
 */
import type { RunProgress, StoredEvent } from '../core/model/event.ts';
import type { RunId, SolutionId } from '../core/model/ids.ts';
import type { Log, StoreViews } from '../core/ports.ts';
import { annotationChanged, runsChanged, storeWarned } from '../protocol/engine.ts';
import { createDelivery, type Delivery, type Send } from './delivery.ts';

export interface Broadcast {
  /** Returns the function that removes the client. */
  readonly add: (send: Send) => () => void;
  readonly events: (events: readonly StoredEvent[]) => void;
  readonly progress: (progress: RunProgress) => void;
  /** Sends the run's summary as it is a moment later. */
  readonly run: (runId: RunId) => void;
  readonly annotation: (solutionId: SolutionId) => void;
  /** Runs came or went otherwise than by running. */
  readonly runs: () => void;
  readonly warning: (message: string) => void;
  readonly close: () => void;
}

const everyMs = 100;

/** Kinds of events after which a run's summary reads differently. */
const telling: ReadonlySet<string> = new Set([
  'runStarted',
  'roundStarted',
  'evaluationMade',
  'testScored',
  'runPaused',
  'runResumed',
  'runEnded',
]);

export function createBroadcast(
  views: () => Promise<Pick<StoreViews, 'events' | 'run'>>,
  log: Log,
): Broadcast {
  const clients = new Set<Delivery>();
  const toAll = (tell: (client: Delivery) => void) => {
    for (const client of clients) tell(client);
  };
  const newestProgress = collector<RunId, RunProgress>((newest) => {
    for (const progress of newest.values()) toAll((client) => client.progress(progress));
  });
  const changedRuns = collector<RunId, null>((changed) => void tellRuns([...changed.keys()]));

  const tellRuns = async (runIds: readonly RunId[]) => {
    try {
      const store = await views();
      for (const runId of runIds) {
        const detail = await store.run(runId);
        if (detail !== null) toAll((client) => client.run(detail.run));
      }
    } catch (error) {
      log.warn('the state of a run could not be read for its clients', error);
    }
  };

  return {
    add: (send) => {
      const client = createDelivery(send, views, log);
      clients.add(client);
      return () => {
        client.close();
        clients.delete(client);
      };
    },
    events: (events) => {
      for (const [runId, own] of Map.groupBy(events, (event) => event.runId)) {
        toAll((client) => client.events(runId, own));
        if (own.some(({ event }) => telling.has(event.kind))) changedRuns.add(runId, null);
      }
    },
    progress: (progress) => newestProgress.add(progress.runId, progress),
    run: (runId) => changedRuns.add(runId, null),
    annotation: (solutionId) => toAll((client) => client.plain(annotationChanged, { solutionId })),
    runs: () => toAll((client) => client.plain(runsChanged, {})),
    warning: (message) => toAll((client) => client.plain(storeWarned, { message })),
    close: () => {
      newestProgress.close();
      changedRuns.close();
      toAll((client) => client.close());
      clients.clear();
    },
  };
}

/** Hands over the newest value of each key, at most once in `everyMs`. */
function collector<Key, Value>(flush: (values: ReadonlyMap<Key, Value>) => void) {
  let values = new Map<Key, Value>();
  let timer: NodeJS.Timeout | null = null;
  const hand = () => {
    timer = null;
    const full = values;
    values = new Map();
    flush(full);
  };
  return {
    add: (key: Key, value: Value) => {
      values.set(key, value);
      timer ??= setTimeout(hand, everyMs);
    },
    close: () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}
