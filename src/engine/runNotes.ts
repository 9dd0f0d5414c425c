/** Owns what is written about a run outside its own execution: interrupted, stopped while paused, failed without a word. */
import type { EventBody } from '../core/model/event.ts';
import type { RunId } from '../core/model/ids.ts';
import type { RunStatus } from '../core/model/views.ts';
import type { Log, Store } from '../core/ports.ts';
import type { RunListeners } from './executions.ts';

/** Durable, and told, when it resolves. */
export async function noteStatus(
  store: Store,
  runId: RunId,
  status: Exclude<RunStatus, 'running'>,
  message: string,
  listeners: Pick<RunListeners, 'onEvents'>,
): Promise<void> {
  const event: EventBody =
    status === 'paused'
      ? { kind: 'runPaused', reason: message }
      : { kind: 'runEnded', outcome: status, message };
  const at = { arm: 'main', round: 0, step: '' } as const;
  const stored = await store.commit({ runId, events: [{ ...event, at }], status: { status, message } });
  listeners.onEvents(stored);
}

/** A run marked as running in a store nobody executes was interrupted: it is paused, and never goes on by itself. */
export async function pauseInterrupted(
  store: Store,
  listeners: Pick<RunListeners, 'onEvents'>,
  log: Log,
): Promise<void> {
  const interrupted = (await store.runs()).filter((run) => run.status === 'running');
  for (const { id } of interrupted) {
    const reason = 'The engine stopped while it was running; resume goes on from the last saved answer.';
    await noteStatus(store, id, 'paused', reason, listeners);
    log.warn('run was interrupted', { runId: id });
  }
}
