import { describe, expect, test } from 'vitest';
import { beginRun, resumeRun } from '../../../../src/core/loop/execute.ts';
import type { FileStore } from '../../../../src/adapters/store/localStore.ts';
import type { RunEventKind, StoredEvent } from '../../../../src/core/model/event.ts';
import { comparableEvents } from '../../../fakes/comparableEvents.ts';
import { memoryStore, type MemoryStore } from '../../../fakes/memoryStore.ts';
import { searchRecipe, starRecipe } from '../../../fakes/recipes.ts';
import { testRun } from '../../../fakes/runServices.ts';
import { withStore } from './samples.ts';

async function run(recipeText: string, store?: FileStore) {
  const options =
    store === undefined ? {} : { store: { ...memoryStore(), ...store } as unknown as MemoryStore };
  const test = testRun(options);
  const begun = await beginRun({ recipePath: 'a.loop.yaml', recipeText }, test.services, test.control);
  return { ...test, runId: begun.runId, end: await begun.end };
}

function of<Kind extends RunEventKind>(events: readonly StoredEvent[], kind: Kind) {
  return events.flatMap(({ event }) =>
    event.kind === kind ? [event as Extract<StoredEvent['event'], { kind: Kind }>] : [],
  );
}

describe.each([
  ['rejection sampling', starRecipe()],
  ['instruction search', searchRecipe()],
])('a whole run: %s', (_name, recipe) => {
  test('leaves the same events here as in memory', () =>
    withStore(async (store) => {
      const inMemory = await run(recipe);
      const onFile = await run(recipe, store);
      expect(onFile.end).toEqual(inMemory.end);
      expect(comparableEvents(onFile.told)).toEqual(comparableEvents(inMemory.told));
      expect(await store.events(onFile.runId, 0, 10_000)).toEqual(onFile.told);
    }));

  test('is shown as its events tell it', () =>
    withStore(async (store) => {
      const { runId, told, end } = await run(recipe, store);
      expect((await store.verify()).problems).toEqual([]);
      const detail = await store.run(runId);
      const inUse = of(told, 'candidateAccepted').findLast(({ at }) => at.arm === 'main')?.candidateId;
      const dev = of(told, 'evaluationMade').filter(({ at, suite }) => at.arm === 'main' && suite === 'dev');
      expect(inUse).toBeDefined();
      expect(detail?.run).toMatchObject({
        status: 'done',
        message: end.message,
        startScore: dev[0]?.mean,
        score: dev.findLast(({ candidateId }) => candidateId === inUse)?.mean,
        testScore: of(told, 'testScored')[0]?.final,
        round: 4,
      });
      const candidates = await store.candidates(runId);
      expect(candidates.filter(({ at, status }) => at.arm === 'main' && status === 'inUse')).toMatchObject([
        { candidate: { id: inUse } },
      ]);
      expect(candidates.filter(({ version }) => version === 1).every(({ at }) => at.round === 0)).toBe(true);
      const refused = new Set(of(told, 'candidateRefused').map(({ candidateId }) => candidateId));
      const taken = new Set(of(told, 'candidateAccepted').map(({ candidateId }) => candidateId));
      for (const { candidate, status } of candidates) {
        if (status === 'refused') expect(refused.has(candidate.id)).toBe(true);
        if (status === 'accepted') expect(taken.has(candidate.id)).toBe(true);
      }
      const steps = detail?.rounds.flatMap((round) => round.steps) ?? [];
      expect(steps.map(({ at }) => at)).toEqual(
        expect.arrayContaining(of(told, 'stepStarted').map(({ at }) => at)),
      );
      const place = ({ arm, round, step }: StoredEvent['event']['at']): string => `${arm} ${round} ${step}`;
      const eventful = new Set(
        told.filter(({ event }) => event.kind !== 'stepStarted').map(({ event }) => place(event.at)),
      );
      for (const { at, summary } of steps) expect(summary !== '', place(at)).toBe(eventful.has(place(at)));
      const solutions = of(told, 'solutionsAcquired').reduce((sum, { count }) => sum + count, 0);
      const counts = await store.experienceCounts(runId);
      expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(solutions);
      expect(await store.evaluations(runId)).toHaveLength(of(told, 'evaluationMade').length);
    }));

  test('run again over its ledger adds nothing and pays nothing', () =>
    withStore(async (store) => {
      const first = await run(recipe, store);
      const look = async () => ({
        run: { ...(await store.run(first.runId)), run: null },
        candidates: await store.candidates(first.runId),
        counts: await store.experienceCounts(first.runId),
        evaluations: await store.evaluations(first.runId),
        calls: await store.spent(first.runId),
      });
      const before = await look();
      const { services, control } = testRun({
        store: { ...memoryStore(), ...store } as unknown as MemoryStore,
      });
      const again = await resumeRun({ runId: first.runId, recipeText: recipe, seed: 1 }, services, control);
      expect((await again.end).kind).toBe('done');
      expect(await look()).toEqual(before);
      const added = (await store.events(first.runId, first.told.at(-1)?.seq ?? 0, 100)).map(
        ({ event }) => event.kind,
      );
      expect(added).toEqual(['runResumed', 'runEnded']);
    }));
});
