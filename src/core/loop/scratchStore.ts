/**
 * Owns a run's store that lives no longer than its process: for replaying a bundle and rehearsing a recipe.
 * Deliberately keeps no rows but events and effects: nobody looks at the rest.
 */
import { canonicalJson, hashOf } from '../measure/hash.ts';
import type { StoredEvent } from '../model/event.ts';
import { asId, type ContentHash, type EffectKey } from '../model/ids.ts';
import type { EffectRecord } from '../model/effect.ts';
import type { RunStore } from '../ports.ts';
import type { ExportFiles } from './services.ts';

export interface ScratchStore extends RunStore {
  readonly events: readonly StoredEvent[];
}

const repeatable = new Set(['runPaused', 'runResumed', 'runEnded']);

/** `effects` are there from the start. `blobs` may be empty: weights are named by the ledger, and never read back here. */
export function scratchStore(effects: readonly EffectRecord[]): ScratchStore {
  const settled = new Map<EffectKey, EffectRecord>(effects.map((record) => [record.key, record]));
  const events: StoredEvent[] = [];
  const seen = new Set<string>();
  return {
    events,
    get: async () => null,
    put: async (bytes) => asId<ContentHash>(hashOf([...bytes])),
    createRun: async () => undefined,
    async commit({ runId, events: told }) {
      const stored: StoredEvent[] = [];
      for (const event of told) {
        const key = canonicalJson(JSON.parse(JSON.stringify(event)) as Parameters<typeof canonicalJson>[0]);
        if (!repeatable.has(event.kind) && seen.has(key)) continue;
        seen.add(key);
        const item = { seq: events.length + 1, runId, time: 0, event };
        events.push(item);
        stored.push(item);
      }
      return stored;
    },
    async findEffects(_run, keys) {
      const found = new Map<EffectKey, EffectRecord>();
      for (const key of keys) {
        const record = settled.get(key);
        if (record !== undefined) found.set(key, record);
      }
      return found;
    },
    async settleEffects(_run, records) {
      for (const record of records) if (!settled.has(record.key)) settled.set(record.key, record);
    },
    async spent() {
      const sum = { calls: 0, inputTokens: 0, outputTokens: 0 };
      for (const { kind, usage } of settled.values()) {
        if (kind !== 'model') continue;
        sum.calls += 1;
        sum.inputTokens += usage.input ?? 0;
        sum.outputTokens += usage.output ?? 0;
      }
      return sum;
    },
    annotations: async () => [],
  };
}

/**
 * What two runs of the same recipe, data, seed and ledger have in common, as one hash: their events in the order of place,
 * without times, numbers and lifecycle (law 6).
 */
export function eventsHash(events: readonly StoredEvent[]): string {
  const lines = events
    .filter(({ event }) => !repeatable.has(event.kind))
    .map(({ event }) =>
      canonicalJson(JSON.parse(JSON.stringify(event)) as Parameters<typeof canonicalJson>[0]),
    )
    .sort();
  return hashOf(lines);
}

/** Where a rehearsal or a replay writes its files: it makes none. */
export const nowhere: ExportFiles = { write: async () => undefined };
