/**
 * Owns telling one client things at its own pace: progress may be dropped, events and run states may come late but never go
 * missing. What a slow client costs in memory is bounded by counts, because what it missed is read again from the store.
 */
import type { RunProgress, StoredEvent } from '../core/model/event.ts';
import type { RunId } from '../core/model/ids.ts';
import type { RunSummary } from '../core/model/views.ts';
import type { Log, StoreViews } from '../core/ports.ts';
import { eventsAppended, progressMade, runChanged, type NotificationDescriptor } from '../protocol/engine.ts';

/** Sends to one client; resolves when the bytes have left, rejects when the client is gone. */
export type Send = (method: string, payload: unknown) => Promise<void>;

export interface Delivery {
  /** Events of one run, in order. */
  readonly events: (runId: RunId, events: readonly StoredEvent[]) => void;
  readonly progress: (progress: RunProgress) => void;
  readonly run: (run: RunSummary) => void;
  readonly plain: <Payload>(descriptor: NotificationDescriptor<Payload>, payload: Payload) => void;
  readonly close: () => void;
}

/** Messages under way to one client before progress is dropped, and before events and run states are put off. */
const progressLimit = 8;
const eventLimit = 64;
const pageSize = 200;

/** A run whose events were put off: the last seq sent, and whether more came since the store was asked. */
interface Missed {
  after: number;
  more: boolean;
}

export function createDelivery(
  send: Send,
  views: () => Promise<Pick<StoreViews, 'events' | 'run'>>,
  log: Log,
): Delivery {
  const missed = new Map<RunId, Missed>();
  const staleRuns = new Set<RunId>();
  let underway = 0;
  let refilling = false;
  let gone = false;

  const post = async <Payload>(descriptor: NotificationDescriptor<Payload>, payload: Payload) => {
    if (gone) return;
    underway++;
    try {
      await send(descriptor.method, payload);
    } catch {
      gone = true;
    } finally {
      underway--;
    }
    if (missed.size > 0 || staleRuns.size > 0) void refill();
  };

  /** One page at a time, each sent before the next is read. */
  const refillRun = async (runId: RunId, state: Missed, store: Pick<StoreViews, 'events'>) => {
    let complete = false;
    while (!complete && !gone) {
      state.more = false;
      const page = await store.events(runId, state.after, pageSize);
      const last = page.at(-1);
      if (last !== undefined) {
        state.after = last.seq;
        await post(eventsAppended, { events: page });
      }
      complete = page.length < pageSize && !state.more;
    }
    missed.delete(runId);
  };

  const refill = async () => {
    if (refilling || underway > eventLimit / 2) return;
    refilling = true;
    try {
      const store = await views();
      for (const [runId, state] of missed) await refillRun(runId, state, store);
      for (const runId of staleRuns) {
        staleRuns.delete(runId);
        const detail = await store.run(runId);
        if (detail !== null) await post(runChanged, { run: detail.run });
      }
    } catch (error) {
      log.warn('a client could not be brought up to date', error);
    } finally {
      refilling = false;
    }
  };

  return {
    events: (runId, events) => {
      const state = missed.get(runId);
      if (state !== undefined) state.more = true;
      else if (underway < eventLimit) void post(eventsAppended, { events });
      else missed.set(runId, { after: (events[0]?.seq ?? 1) - 1, more: false });
    },
    progress: (progress) => {
      if (underway < progressLimit) void post(progressMade, progress);
    },
    run: (run) => {
      if (underway < eventLimit) void post(runChanged, { run });
      else staleRuns.add(run.id);
    },
    plain: (descriptor, payload) => void post(descriptor, payload),
    close: () => {
      gone = true;
    },
  };
}
