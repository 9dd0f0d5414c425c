/** Events as law 6 compares them: ordered by position, times and sequence dropped, lifecycle left out. */
import { canonicalJson } from '../../src/core/measure/hash.ts';
import type { StoredEvent } from '../../src/core/model/event.ts';

const LIFECYCLE = new Set(['runPaused', 'runResumed', 'runEnded']);

export function comparableEvents(events: readonly StoredEvent[]): string[] {
  return events
    .filter(({ event }) => !LIFECYCLE.has(event.kind))
    .map(({ event }) => canonicalJson(contentOf(event)))
    .sort();
}

/** Evaluation ids name their run; everything else is content. */
function contentOf(event: StoredEvent['event']): Parameters<typeof canonicalJson>[0] {
  const text = JSON.stringify({ ...event, evaluationId: undefined });
  return JSON.parse(text) as Parameters<typeof canonicalJson>[0];
}
