import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RunEvent, RunProgress, StoredEvent } from '../../../src/core/model/event.ts';
import { asId, type RunId } from '../../../src/core/model/ids.ts';
import type { RunDetail, RunSummary } from '../../../src/core/model/views.ts';
import { createDelivery } from '../../../src/engine/delivery.ts';
import { eventsAppended, progressMade, runChanged } from '../../../src/protocol/engine.ts';

const at = { arm: 'main', round: 1, step: '' } as const;
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const runA = asId<RunId>('a');
const runB = asId<RunId>('b');

const progressOf = (runId: RunId): RunProgress => ({
  runId,
  at,
  phase: 'acquire',
  operator: 'solve',
  done: 1,
  total: 2,
  latest: [],
  remainingMs: null,
});

/** A client whose bytes leave only when told, over a log of events like the store's. */
function slowClient() {
  const store: StoredEvent[] = [];
  const sent: { method: string; payload: unknown }[] = [];
  const waiting: (() => void)[] = [];
  let open = false;
  let reads = 0;
  const delivery = createDelivery(
    (method, payload) => {
      sent.push({ method, payload });
      return open ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve));
    },
    async () => ({
      events: async (runId, afterSeq, limit) => {
        reads++;
        return store.filter((event) => event.runId === runId && event.seq > afterSeq).slice(0, limit);
      },
      run: async (id) => ({ run: { id, round: store.length } as RunSummary }) as RunDetail,
    }),
    log,
  );
  const append = (runId: RunId) => {
    const event: RunEvent = { kind: 'roundStarted', at };
    const stored = { seq: store.length + 1, runId, time: 0, event };
    store.push(stored);
    delivery.events(runId, [stored]);
  };
  const release = async (count = Number.POSITIVE_INFINITY) => {
    open = count === Number.POSITIVE_INFINITY;
    for (const done of waiting.splice(0, count)) done();
    await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const received = (runId: RunId) =>
    sent
      .filter(({ method }) => method === eventsAppended.method)
      .flatMap(({ payload }) => (payload as { events: StoredEvent[] }).events)
      .filter((event) => event.runId === runId)
      .map(({ seq }) => seq);
  const stored = (runId: RunId) => store.filter((event) => event.runId === runId).map(({ seq }) => seq);
  return {
    delivery,
    sent,
    append,
    release,
    received,
    stored,
    reads: () => reads,
    underway: () => waiting.length,
  };
}

describe('a slow client', () => {
  test('holds a bounded number of messages, and has every event in order once it reads again', async () => {
    const client = slowClient();
    for (let index = 0; index < 5_000; index++) client.append(index % 3 === 0 ? runB : runA);
    expect(client.underway()).toBeLessThanOrEqual(64);
    for (let rounds = 0; rounds < 20; rounds++) await client.release();
    expect(client.received(runA)).toEqual(client.stored(runA));
    expect(client.received(runB)).toEqual(client.stored(runB));
  });

  test('loses progress, never the last state of a run', async () => {
    const client = slowClient();
    for (let index = 0; index < 1_000; index++) {
      client.delivery.progress(progressOf(runA));
      client.append(runA);
      client.delivery.run({ id: runA, round: index } as RunSummary);
    }
    expect(client.underway()).toBeLessThanOrEqual(64);
    for (let rounds = 0; rounds < 20; rounds++) await client.release();
    expect(client.sent.filter(({ method }) => method === progressMade.method).length).toBeLessThan(20);
    const states = client.sent.filter(({ method }) => method === runChanged.method);
    expect(states.at(-1)?.payload).toEqual({ run: { id: runA, round: 1_000 } });
  });

  test('in any order of appending and reading, nothing is missing and nothing comes twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.nat({ max: 150 }), fc.constant(-1), fc.constant(-2)), { maxLength: 25 }),
        async (steps) => {
          const client = slowClient();
          for (const step of steps) {
            if (step >= 0) for (let index = 0; index < step; index++) client.append(index % 2 ? runA : runB);
            else await client.release(step === -1 ? 40 : undefined);
          }
          for (let rounds = 0; rounds < 12; rounds++) await client.release();
          expect(client.received(runA)).toEqual(client.stored(runA));
          expect(client.received(runB)).toEqual(client.stored(runB));
        },
      ),
      { numRuns: 40 },
    );
  });
});

test('a client that reads is never sent anything from the store', async () => {
  const client = slowClient();
  await client.release();
  for (let index = 0; index < 500; index++) {
    client.append(runA);
    await Promise.resolve();
    await Promise.resolve();
  }
  await client.release();
  expect(client.received(runA)).toEqual(client.stored(runA));
  expect(client.reads()).toBe(0);
});
