/** Averages of trained weights (model soups): in whole runs over the toy that really learns, and once over Pocket itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPocket, type Pocket } from '../../src/adapters/pocket/pocket.ts';
import { beginRun, resumeRun } from '../../src/core/loop/execute.ts';
import type { RunServices } from '../../src/core/loop/services.ts';
import { greedySoup } from '../../src/core/update/soup.ts';
import { comparableEvents } from '../fakes/comparableEvents.ts';
import { testRun, type TestRun } from '../fakes/runServices.ts';
import { eventsOf } from '../fakes/scriptedRun.ts';
import { pocketFolder, pocketWorker } from '../unit/adapters/pocket/devices.ts';

describe('a greedy soup', () => {
  const parts = [0.2, 0.9, 0.5].map((score) => ({ item: score, score }));
  it('begins with the best and keeps what does no harm', async () => {
    const tried: (readonly number[])[] = [];
    const soup = await greedySoup(parts, async (items) => {
      tried.push(items);
      return items.includes(0.5) ? 0.8 : 0.9;
    });
    expect(tried).toEqual([
      [0.9, 0.5],
      [0.9, 0.2],
    ]);
    expect(soup).toEqual({ parts: [0.9, 0.2], score: 0.9 });
    expect(await greedySoup([], async () => 1)).toBeNull();
  });
});

/** One training on what is right, one on everything there is, which teaches the toy nothing; then the soup of both. */
const recipe = (soup: string, model = 'toy') => `
ratchet: 1
name: soup
objective: { ability: addition, metric: exact, answer: { after: '>' } }
model: ${model}
data:
  train: { generate: addition, digits: [1], count: 24 }
  dev: { generate: addition, digits: [${model === 'toy' ? '2], count: 60' : '1], count: 6'} }
population: { archive: all }
rounds: 1
steps:
  - solve: { n: 4, maxTokens: 48 }
  - assess: {}
  - select: { over: solutions, keep: ">= 1" }
  - pack: {}
  - update: { slot: weights, from: base }
  - select: { over: solutions, keep: ">= 0" }
    as: everything
  - pack: { dedupe: false }
  - update: { slot: weights, from: base }
  - update: { slot: weights, op: average, soup: ${soup}, tasks: 16 }
  - evaluate: { suite: dev, maxTokens: 48 }
`;

const weightsMade = async ({ told, store }: Pick<TestRun, 'told' | 'store'>) =>
  Promise.all(
    eventsOf(told, 'candidateMade').map(async ({ candidateId }) => {
      const hash = store.candidates.get(candidateId)?.state.weights ?? null;
      return new TextDecoder().decode((hash && (await store.get(hash))) ?? new Uint8Array());
    }),
  );

async function run(text: string, change: (services: RunServices) => Partial<RunServices> = () => ({})) {
  const test = testRun();
  const services = { ...test.services, ...change(test.services) };
  const begun = await beginRun({ recipePath: 'a.loop.yaml', recipeText: text }, services, test.control);
  return { ...test, services, runId: begun.runId, end: await begun.end };
}

describe('update: { slot: weights, op: average }', () => {
  it('by uniform takes all: the mean of good and bad', async () => {
    const played = await run(recipe('uniform'));
    expect(played.end).toMatchObject({ kind: 'done' });
    const [good, bad, soup] = (await weightsMade(played)).map(Number);
    expect(good).toBeGreaterThan(0.6);
    expect(bad).toBeLessThan(0.2);
    expect(soup).toBeCloseTo(((good ?? 0) + (bad ?? 0)) / 2, 5);
    expect(eventsOf(played.told, 'reportMade')[0]?.text).toBe(
      'soup by uniform: average of 2 of 2 trained candidates',
    );
  });

  it('by greedy leaves the bad one out', async () => {
    const played = await run(recipe('greedy'));
    const [good, , soup] = await weightsMade(played);
    expect(soup).toBe(good);
    expect(eventsOf(played.told, 'reportMade')[0]?.text).toMatch(/average of 1 of 2 .* on fresh tasks$/);
    expect(eventsOf(played.told, 'candidateAccepted')).toHaveLength(1);
  });

  it('is the same when paused in it and resumed, and trains nothing twice', async () => {
    const whole = await run(recipe('greedy'));
    for (const after of [150, 160, 195]) {
      let calls = 0;
      const test = testRun({
        fault: () => {
          calls += 1;
          if (calls === after) Object.assign(test.control, { aborted: true, reason: 'pause' });
          return null;
        },
      });
      const request = { recipePath: 'a.loop.yaml', recipeText: recipe('greedy') };
      const { runId, end } = await beginRun(request, test.services, test.control);
      expect((await end).kind).toBe('paused');
      Object.assign(test.control, { aborted: false, reason: null });
      const again = await resumeRun(
        { runId, recipeText: request.recipeText, seed: 1 },
        test.services,
        test.control,
      );
      expect((await again.end).kind).toBe('done');
      expect(comparableEvents(test.store.events)).toEqual(comparableEvents(whole.store.events));
      expect(test.toy.trainings()).toBe(2);
    }
  });

  it('says in one sentence where a trainer cannot', async () => {
    const played = await run(recipe('uniform'), ({ trainer }) => ({
      trainer: (name) => {
        const able = trainer(name);
        return able === null ? null : { train: (...job) => able.train(...job) };
      },
    }));
    expect(played.end).toMatchObject({ kind: 'provider' });
    expect(played.end.message).toContain('cannot be averaged here');
  });

  it('makes nothing where there is nothing to average', async () => {
    const text = recipe('uniform').replace(/ {2}- select: [^]*(?= {2}- update: .*average)/, '');
    const played = await run(text);
    expect(eventsOf(played.told, 'candidateMade')).toEqual([]);
    expect(eventsOf(played.told, 'warningRaised')[0]?.message).toContain('no two trained candidates');
  });
});

describe('Pocket', () => {
  let pocket: Pocket;
  beforeAll(() => {
    pocket = openPocket({ worker: pocketWorker, folder: pocketFolder });
  });
  afterAll(() => pocket.close());

  it('averages what it trained, and the average answers', { timeout: 60_000 }, async () => {
    const played = await run(recipe('uniform', 'pocket'), ({ store }) => {
      const over = pocket.over(store);
      return { model: () => over.model, trainer: () => over.trainer };
    });
    expect(played.end).toMatchObject({ kind: 'done' });
    const made = eventsOf(played.told, 'candidateMade');
    expect(made).toHaveLength(3);
    const soup = made[2]?.candidateId;
    const scored = eventsOf(played.told, 'evaluationMade').find(({ candidateId }) => candidateId === soup);
    // One-digit problems are what the base knows; a soup of two trainings on its own answers still does.
    expect(scored?.mean).toBeGreaterThan(0);
  });
});
