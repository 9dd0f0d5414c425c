import { describe, expect, it } from 'vitest';
import { beginRun } from '../../src/core/loop/execute.ts';
import { comparableEvents } from '../fakes/comparableEvents.ts';
import { searchRecipe } from '../fakes/recipes.ts';
import { testRun } from '../fakes/runServices.ts';

async function search(seed: number, batch = 7) {
  const test = testRun({ batch });
  const { end } = await beginRun(
    { recipePath: 's.loop.yaml', recipeText: searchRecipe(seed) },
    test.services,
    test.control,
  );
  return { ...test, end: await end };
}

describe('instruction search', () => {
  it('finds the phrase that helps and keeps it only on proof', async () => {
    const { told, store, end } = await search(1);
    expect(end.kind).toBe('done');
    const accepted = told.flatMap(({ event }) => (event.kind === 'candidateAccepted' ? [event] : []));
    expect(accepted.length).toBeGreaterThan(0);
    for (const { gain } of accepted) expect(gain?.interval.low).toBeGreaterThan(0);
    const last = store.candidates.get(accepted.at(-1)?.candidateId ?? '');
    expect(last?.state.instruction).toContain('step');
    const tested = told.flatMap(({ event }) => (event.kind === 'testScored' ? [event] : []));
    expect((tested[0]?.final ?? 0) - (tested[0]?.start ?? 0)).toBeGreaterThan(0.35);
  });

  it('confirms on problems the winner was not chosen by', async () => {
    const { store } = await search(1);
    const suites = [...store.evaluations.values()].filter(({ suite }) => suite === 'train');
    const tasksOf = (size: number) => suites.filter(({ scores }) => scores.length === size);
    expect(tasksOf(40).length).toBeGreaterThanOrEqual(20);
    for (const confirm of tasksOf(80)) {
      const at = (confirm as { at?: { round: number } }).at;
      const screened = tasksOf(40).find(
        (item) => (item as { at?: { round: number } }).at?.round === at?.round,
      );
      const seen = new Set(screened?.scores.map(({ taskId }) => taskId));
      expect(confirm.scores.filter(({ taskId }) => seen.has(taskId))).toEqual([]);
    }
  });

  it('has equal events at any batch size, and leaves every draft in the lineage of the one in use', async () => {
    const [a, b] = [await search(3, 1), await search(3, 500)];
    expect(comparableEvents(a.told)).toEqual(comparableEvents(b.told));
    const ids = new Set([...a.store.candidates.keys()]);
    for (const { parents } of a.store.candidates.values())
      for (const parent of parents) expect(ids.has(parent)).toBe(true);
  });
});
