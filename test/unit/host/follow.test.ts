import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createEngineLink } from '../../../src/host/engineLink.ts';
import { followEngine } from '../../../src/host/follow.ts';
import type { ReadModels } from '../../../src/host/readModels.ts';
import { annotationChanged, eventsAppended, runChanged } from '../../../src/protocol/engine.ts';
import { asId } from '../../../src/core/model/ids.ts';
import { at, runOf, stored } from './builders.ts';
import { fakeEngine } from './fakeEngine.ts';

describe('what a window does when the engine reports something', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  async function setUp() {
    const engine = fakeEngine({});
    const link = createEngineLink({
      connect: async () => engine.connection,
      now: () => 0,
      log: () => undefined,
    });
    const did: string[] = [];
    const models = {
      forgetRun: (runId: string) => did.push(`forget ${runId}`),
      forgetExperiences: () => did.push('forget experiences'),
      forgetAll: () => did.push('forget all'),
    } as unknown as ReadModels;
    const end = followEngine({
      link,
      models,
      refreshRows: (view, ids) => did.push(`${view}: ${ids.join(' ')}`),
      refreshAnnotated: (solutionId) => did.push(`annotated ${solutionId}`),
      refreshCandidates: (runId) => did.push(`candidates ${runId}`),
      refreshBoard: () => did.push('board'),
    });
    await link.connect('ifNeeded');
    await vi.advanceTimersByTimeAsync(2_000);
    did.length = 0;
    return { engine, did, end };
  }

  test('a burst of events forgets at once and draws each row once', async () => {
    const { engine, did } = await setUp();
    const started = (round: number) => stored([{ kind: 'roundStarted', at: at(round) }], round);
    engine.notify(eventsAppended, { events: started(1) });
    did.length = 0;
    for (const round of [2, 3, 4]) engine.notify(eventsAppended, { events: started(round) });
    expect(did).toEqual(['forget run1', 'forget run1', 'forget run1']);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(did.slice(3)).toEqual(['ratchet.loops: run:run1', 'board']);
  });

  test('a judgement is shown at once, without waiting for a pause', async () => {
    const { engine, did } = await setUp();
    engine.notify(annotationChanged, { solutionId: asId('s1') });
    expect(did).toEqual(['forget experiences', 'annotated s1']);
  });

  test('an engine that went away and came back makes everything stale', async () => {
    const { engine, did } = await setUp();
    engine.die();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(did).toContain('forget all');
    expect(did).toContain('ratchet.experiences: ');
  });

  test('nothing happens after the end', async () => {
    const { engine, did, end } = await setUp();
    end();
    engine.notify(runChanged, { run: runOf() });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(did).toEqual([]);
  });
});
