import { describe, expect, it } from 'vitest';
import { beginRun, RecipeError, resumeRun } from '../../src/core/loop/execute.ts';
import type { RunEventKind, StoredEvent } from '../../src/core/model/event.ts';
import { experienceKey } from '../../src/core/measure/identity.ts';
import { ProviderError, StoreError } from '../../src/core/ports.ts';
import { comparableEvents } from '../fakes/comparableEvents.ts';
import { starRecipe } from '../fakes/recipes.ts';
import { testRun, type TestRunOptions } from '../fakes/runServices.ts';

async function run(recipeText: string, options: TestRunOptions = {}) {
  const test = testRun(options);
  const { runId, end } = await beginRun(
    { recipePath: 'a.loop.yaml', recipeText },
    test.services,
    test.control,
  );
  return { ...test, runId, end: await end };
}

function of<Kind extends RunEventKind>(events: readonly StoredEvent[], kind: Kind) {
  return events.flatMap(({ event }) =>
    event.kind === kind ? [event as Extract<StoredEvent['event'], { kind: Kind }>] : [],
  );
}

const curve = (events: readonly StoredEvent[], arm: 'main' | 'control') =>
  of(events, 'evaluationMade')
    .filter(({ at, suite }) => at.arm === arm && suite === 'dev')
    .map(({ mean }) => mean);

describe('rejection sampling', () => {
  it('improves with its filter and not without it', async () => {
    const { end, told } = await run(starRecipe());
    expect(end.kind).toBe('done');
    const main = curve(told, 'main');
    const control = curve(told, 'control');
    expect(main).toHaveLength(5);
    expect(control).toHaveLength(5);
    expect(main[0]).toBe(control[0]);
    expect(main.at(-1)).toBeGreaterThan(0.8);
    expect(Math.max(...control)).toBeLessThan(0.4);
  });

  it('scores the sealed test once, at the end, on the start and what was kept', async () => {
    const { told, store } = await run(starRecipe());
    const tests = of(told, 'evaluationMade').filter(({ suite }) => suite === 'test');
    expect(tests).toHaveLength(2);
    const [scored] = of(told, 'testScored');
    expect(scored?.final).toBe(tests[1]?.mean);
    expect(scored?.gain.interval.low).toBeGreaterThan(0);
    const sealed = new Set(
      [...store.tasks.values()].filter(({ split }) => split !== 'train').map(({ id }) => id),
    );
    const trained = [...store.solutions.values()].map(({ taskId }) => taskId);
    expect(trained.filter((id) => sealed.has(id))).toEqual([]);
  });

  it('keeps nothing without feedback it cites, but in the control, which says so', async () => {
    const { store } = await run(starRecipe());
    const kept = [...store.refinements.values()].filter(({ verdict }) => verdict === 'kept');
    const uncited = kept.filter(({ cites }) => cites.length === 0);
    expect(kept.length).toBeGreaterThan(uncited.length);
    expect(uncited.length).toBeGreaterThan(0);
    for (const { solutionId, reason } of uncited) {
      expect(store.solutions.get(solutionId)?.at.arm).toBe('control');
      expect(reason).toContain('control');
    }
  });

  it('moves the pointer only where a gate accepted, and refuses what is not shown to be better', async () => {
    const { told } = await run(starRecipe({ control: '', rounds: 6 }));
    const accepted = of(told, 'candidateAccepted');
    const refused = of(told, 'candidateRefused');
    expect(accepted.length + refused.length).toBe(6);
    for (const { gain } of accepted) expect(gain?.interval.low).toBeGreaterThan(0);
    for (const { gain } of refused) expect(gain?.interval.low).toBeLessThanOrEqual(0);
    accepted.slice(1).forEach(({ previous }, index) => expect(previous).toBe(accepted[index]?.candidateId));
  });

  it('asks once what the loop and its control share', async () => {
    const both = await run(starRecipe({ rounds: 1 }));
    const alone = await run(starRecipe({ rounds: 1, control: '' }));
    const controlOnly = both.toy.calls() - alone.toy.calls();
    expect(controlOnly).toBe(60);
  });
});

describe('equal runs', () => {
  it('have equal events at any batch size and order of answers', async () => {
    const reference = comparableEvents((await run(starRecipe())).told);
    for (const options of [{ batch: 1 }, { batch: 1000, shuffled: false }, { batch: 13 }]) {
      expect(comparableEvents((await run(starRecipe(), options)).told)).toEqual(reference);
    }
    expect(comparableEvents((await run(starRecipe({ seed: 2 }))).told)).not.toEqual(reference);
  });

  it('are what pausing anywhere and resuming gives, with nothing settled asked again', async () => {
    const whole = await run(starRecipe({ rounds: 2 }));
    const reference = comparableEvents(whole.told);
    for (const pauseAt of [1, 70, 200, 333, 500]) {
      const first = testRun({
        fault: (_request, call) => {
          if (call === pauseAt) Object.assign(first.control, { aborted: true, reason: 'pause' });
          return null;
        },
      });
      const recipeText = starRecipe({ rounds: 2 });
      const begun = await beginRun({ recipePath: 'a.loop.yaml', recipeText }, first.services, first.control);
      const paused = await begun.end;
      if (pauseAt <= whole.toy.calls()) expect(paused.kind).toBe('paused');
      expect(first.store.statuses.at(-1)?.status).toBe(paused.kind === 'done' ? 'done' : 'paused');
      const second = testRun({ store: first.store });
      const resumed = await resumeRun(
        { runId: begun.runId, recipeText, seed: 1 },
        second.services,
        second.control,
      );
      expect((await resumed.end).kind).toBe('done');
      expect(comparableEvents(first.store.events)).toEqual(reference);
      expect(first.toy.calls() + second.toy.calls()).toBe(whole.toy.calls());
      expect(first.toy.trainings() + second.toy.trainings()).toBe(whole.toy.trainings());
    }
  });
});

describe('faults', () => {
  it("turns a single call's failure into feedback with its reason, and goes on", async () => {
    const { end, store } = await run(starRecipe({ rounds: 1, control: '' }), {
      fault: (_request, call) => (call === 65 ? 'the answer was not JSON' : null),
    });
    expect(end.kind).toBe('done');
    const reasons = [...store.feedback.values()].map(({ reason }) => reason ?? '');
    expect(reasons.filter((reason) => reason.includes('the answer was not JSON'))).toHaveLength(1);
  });

  it('pauses with the reason when the provider cannot answer at all, keeping what was settled', async () => {
    const { end, store } = await run(starRecipe({ rounds: 1, control: '' }), {
      fault: (_request, call) => {
        if (call === 90)
          throw new ProviderError('The server at localhost refused the connection; is it running?');
        return null;
      },
    });
    expect(end).toEqual({
      kind: 'provider',
      message: 'The server at localhost refused the connection; is it running?',
    });
    expect(store.statuses.at(-1)).toMatchObject({ status: 'paused' });
    expect([...store.effects.values()].filter(({ kind }) => kind === 'model')).toHaveLength(89);
  });

  it('ends at once when something cannot be made durable', async () => {
    const test = testRun();
    let settles = 0;
    test.store.beforeWrite = (what) => {
      if (what === 'settle' && ++settles === 4) throw new StoreError('The disk is full.', 'ENOSPC');
    };
    const { end } = await beginRun(
      { recipePath: 'a.loop.yaml', recipeText: starRecipe() },
      test.services,
      test.control,
    );
    await expect(end).rejects.toThrow('The disk is full.');
    expect(test.logged.length).toBeGreaterThan(0);
  });

  it('refuses a recipe with problems before anything is begun', async () => {
    const test = testRun();
    const begin = beginRun(
      { recipePath: 'a', recipeText: starRecipe({ extra: 'nonsense: 1' }) },
      test.services,
      test.control,
    );
    await expect(begin).rejects.toThrow(RecipeError);
    expect(test.store.runs.size).toBe(0);
  });

  it('says which provider is missing', async () => {
    const { end } = await run(starRecipe({ model: 'nobody' }));
    expect(end).toEqual({ kind: 'provider', message: 'There is no provider "nobody".' });
  });
});

describe('budget', () => {
  it('never makes more calls than its cap, and says so distinctly', async () => {
    const { end, toy, store } = await run(starRecipe({ budget: '{ calls: 150 }' }));
    expect(end).toEqual({ kind: 'budget', message: 'The budget of 150 calls is used up.' });
    expect(toy.calls()).toBe(150);
    expect(store.statuses.at(-1)?.status).toBe('budget');
  });

  it('reserves the worst case of every call in flight, so tokens never pass the cap', async () => {
    const { end, store } = await run(starRecipe({ budget: '{ tokens: 5000 }' }));
    expect(end.kind).toBe('budget');
    const used = [...store.effects.values()].reduce(
      (sum, { usage }) => sum + (usage.input ?? 0) + (usage.output ?? 0),
      0,
    );
    expect(used).toBeLessThanOrEqual(5000);
    expect(used).toBeGreaterThan(4000);
  });

  it('counts minutes', async () => {
    let time = 0;
    const { end } = await run(starRecipe({ budget: '{ minutes: 0.5 }' }), { now: () => (time += 50) });
    expect(end).toEqual({ kind: 'budget', message: 'The budget of 0.5 minutes is used up.' });
  });
});

describe("a person's judgement", () => {
  it('outranks the metric on the same item, in the next run and in later rounds of the same one', async () => {
    const recipeText = starRecipe({ rounds: 2, control: '' });
    const first = await run(recipeText);
    const kept = [...first.store.refinements.values()].find(({ verdict }) => verdict === 'kept');
    const solution = first.store.solutions.get(kept?.solutionId ?? '');
    const task = first.store.tasks.get(solution?.taskId ?? '');
    if (solution === undefined || task === undefined) throw new Error('nothing was kept');
    const test = testRun();
    test.store.judgements.push({
      key: experienceKey(task, solution.output),
      solutionId: solution.id,
      verdict: 'reject',
      score: null,
      note: 'not how we write it',
      time: 1,
      task,
      output: solution.output,
    });
    const begun = await beginRun({ recipePath: 'a.loop.yaml', recipeText }, test.services, test.control);
    await begun.end;
    const same = [...test.store.solutions.values()].filter(({ key }) => key === solution.key);
    expect(same.length).toBeGreaterThan(0);
    for (const { id } of same) {
      const refinement = [...test.store.refinements.values()].find(({ solutionId }) => solutionId === id);
      expect(refinement).toMatchObject({ verdict: 'dropped', reason: 'rejected by a person' });
      const cited = refinement?.cites.map((cite) => test.store.feedback.get(cite)?.source);
      expect(cited).toEqual(['human']);
    }
    expect(of(test.told, 'refinementsMade')[0]?.byHuman).toBe(same.length);
  });

  it('given while a run is on, enters at its next round', async () => {
    const test = testRun();
    const original = test.store.commit.bind(test.store);
    let judged = false;
    test.store.commit = async (commit) => {
      const wrong = commit.solutions?.find(
        ({ answer, taskId }) => answer !== null && answer !== test.store.tasks.get(taskId)?.reference,
      );
      const stored = await original(commit);
      const task = test.store.tasks.get(wrong?.taskId ?? '');
      if (wrong !== undefined && task !== undefined && !judged) {
        judged = true;
        test.store.judgements.push({
          key: wrong.key,
          solutionId: wrong.id,
          verdict: 'accept',
          score: null,
          note: '',
          time: 1,
          task,
          output: wrong.output,
        });
      }
      return stored;
    };
    const begun = await beginRun(
      { recipePath: 'a', recipeText: starRecipe({ rounds: 3, control: '' }) },
      test.services,
      test.control,
    );
    await begun.end;
    const key = test.store.judgements[0]?.key;
    const equal = new Set(
      [...test.store.solutions.values()].filter((item) => item.key === key).map(({ id }) => id),
    );
    const decisions = [...test.store.refinements.values()].filter(({ solutionId }) => equal.has(solutionId));
    const kept = decisions.filter(({ verdict }) => verdict === 'kept');
    expect(decisions.length - kept.length).toBe(equal.size);
    expect(kept.map(({ reason }) => reason)).toEqual(['accepted by a person']);
    expect(of(test.told, 'annotationsRead').map(({ at }) => at.round)).toEqual([2, 3]);
  });
});
