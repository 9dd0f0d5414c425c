/** What else the ledger gives beside resuming: branches, asking again what failed, bundles, estimates. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { readBundle, writeBundle } from '../../src/adapters/datasets/bundleFile.ts';
import { type Bundle, recordingFiles, replayBundle } from '../../src/core/loop/bundle.ts';
import { estimateRun } from '../../src/core/loop/estimate.ts';
import { beginRun, ChangedError, resumeRun } from '../../src/core/loop/execute.ts';
import { readAccount } from '../../src/core/loop/journal.ts';
import { parseRecipe } from '../../src/core/loop/parseRecipe.ts';
import type { Recipe } from '../../src/core/loop/recipe.ts';
import { eventsHash } from '../../src/core/loop/scratchStore.ts';
import { loadTaskSets } from '../../src/core/loop/taskSets.ts';
import type { EffectRecord } from '../../src/core/model/effect.ts';
import type { RunId } from '../../src/core/model/ids.ts';
import { comparableEvents } from '../fakes/comparableEvents.ts';
import { type MemoryStore, memoryStore } from '../fakes/memoryStore.ts';
import { searchRecipe, starRecipe } from '../fakes/recipes.ts';
import { testRun, type TestRunOptions } from '../fakes/runServices.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'ratchet-branches-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function finished(recipeText: string, options: TestRunOptions = {}) {
  const test = testRun(options);
  const request = { recipePath: 'a.loop.yaml', recipeText };
  const { runId, end } = await beginRun(request, test.services, test.control);
  return { ...test, runId, recipeText, end: await end };
}

const eventsOf = (store: MemoryStore, runId: RunId) => store.events.filter((event) => event.runId === runId);
const effectsOf = (store: MemoryStore, runId: RunId): EffectRecord[] =>
  [...store.effects].filter(([key]) => key.startsWith(`${runId} `)).map(([, effect]) => effect);

async function branched(
  from: Awaited<ReturnType<typeof finished>>,
  through: number,
  recipeText: string,
  changes: { retryFailed?: boolean } & TestRunOptions = {},
) {
  const { retryFailed = false, ...options } = changes;
  const test = testRun({ ...options, store: from.store });
  const branch = { runId: from.runId, through, recipeText: from.recipeText, retryFailed };
  const request = { recipePath: 'a.loop.yaml', recipeText, seed: 1, branch };
  const { runId, end } = await beginRun(request, test.services, test.control);
  return { ...test, runId, end: await end };
}

describe('a branch', () => {
  it('has the rounds it shares for nothing, with the recipe they were made with, and goes on with its own', async () => {
    const origin = await finished(starRecipe({ rounds: 4, control: '' }));
    const changed = starRecipe({ rounds: 4, control: '' }).replace('n: 4', 'n: 2');
    const branch = await branched(origin, 2, changed);
    expect(branch.end.kind).toBe('done');
    const upTo = (id: RunId) =>
      comparableEvents(
        eventsOf(origin.store, id).filter(
          ({ event }) => event.at.round <= 2 && event.kind !== 'runStarted' && event.at.step !== '',
        ),
      );
    const test = (lines: string[]) =>
      lines.filter((line) => !line.includes('"test"') && !line.includes('testScored'));
    expect(test(upTo(branch.runId))).toEqual(test(upTo(origin.runId)));
    const solved = eventsOf(origin.store, branch.runId).flatMap(({ event }) =>
      event.kind === 'solutionsAcquired' ? [event.count] : [],
    );
    expect(solved).toEqual([96, 96, 48, 48]);
    // Rounds 3 and 4 and the sealed test of what they made are all it asked.
    expect(branch.toy.calls()).toBeLessThan(origin.toy.calls() / 2 + 120);
    const { charged } = await readAccount(origin.store, branch.runId);
    expect(charged.reused).toBeGreaterThan(200);
    expect((await origin.store.spent(branch.runId)).calls).toBe(branch.toy.calls());
  });

  it('of all rounds with the same recipe asks nothing and is the same run', async () => {
    const origin = await finished(starRecipe({ rounds: 3 }));
    const branch = await branched(origin, 3, origin.recipeText);
    expect(branch.toy.calls()).toBe(0);
    expect(branch.toy.trainings()).toBe(0);
    const [one, other] = [origin.runId, branch.runId].map((id) =>
      comparableEvents(eventsOf(origin.store, id)),
    );
    expect(other).toEqual(one);
  });

  it('asks once more only what failed', async () => {
    let faults = 0;
    const origin = await finished(starRecipe({ rounds: 1, control: '' }), {
      fault: (_request, call) => (call % 10 === 0 ? `fault ${++faults}` : null),
    });
    expect(faults).toBeGreaterThan(10);
    const again = await branched(origin, 1_000, origin.recipeText, { retryFailed: true });
    const failures = eventsOf(origin.store, again.runId).flatMap(({ event }) =>
      event.kind === 'solutionsAcquired' ? [event.failed] : [],
    );
    expect(failures).toEqual([0]);
    // What failed, and what the changed training set made new: the scores of the newly trained candidate.
    expect(again.toy.calls()).toBeGreaterThanOrEqual(faults);
    const atFirst = eventsOf(origin.store, again.runId).findIndex(
      ({ event }) => event.kind === 'datasetPacked',
    );
    expect(atFirst).toBeGreaterThan(0);
    const reused = (await readAccount(origin.store, again.runId)).charged.reused;
    expect(reused).toBeGreaterThan(100);
  });

  it('goes on after a pause as what it is', async () => {
    const origin = await finished(starRecipe({ rounds: 3, control: '' }));
    const changed = starRecipe({ rounds: 3, control: '' }).replace('n: 4', 'n: 3');
    const whole = await branched(origin, 1, changed);
    // Another workspace: the same branch at the same moment is the same run.
    const elsewhere = await finished(starRecipe({ rounds: 3, control: '' }));
    let seen = 0;
    const paused = await branched(elsewhere, 1, changed, {
      onProgress: ({ at }, control) => {
        if (at.round === 2 && ++seen === 3) Object.assign(control, { finishing: true, reason: 'pause' });
      },
    });
    expect(paused.end.kind).toBe('paused');
    const test = testRun({ store: elsewhere.store });
    const request = { runId: paused.runId, recipeText: changed, seed: 1 };
    const { end } = await resumeRun(request, test.services, test.control);
    expect((await end).kind).toBe('done');
    expect(comparableEvents(eventsOf(elsewhere.store, paused.runId))).toEqual(
      comparableEvents(eventsOf(origin.store, whole.runId)),
    );
  });
});

describe('a run that changed', () => {
  it('is not gone on with over another engine or other data, unless a person says so', async () => {
    const store = memoryStore();
    const { services, control, runId, recipeText } = await finished(starRecipe({ rounds: 1 }), { store });
    const [key, session] = [...store.effects].find(([, { kind }]) => kind === 'session') ?? ['', undefined];
    if (session === undefined) throw new Error('There is no session.');
    const request = { runId, recipeText, seed: 1 };
    for (const change of [{ behaviour: -1 }, { data: 'other' }]) {
      const facts = JSON.parse(session.result) as object;
      store.effects.set(key, { ...session, result: JSON.stringify({ ...facts, ...change }) });
      await expect(resumeRun(request, services, control)).rejects.toThrow(ChangedError);
    }
    const anyway = await resumeRun({ ...request, despiteChange: true }, services, control);
    expect((await anyway.end).kind).toBe('done');
  });
});

async function bundleOf(run: Awaited<ReturnType<typeof finished>>): Promise<Bundle> {
  const recording = recordingFiles(run.services.files);
  await loadTaskSets(parseRecipe(run.recipeText).recipe as Recipe, 1, recording.files);
  return {
    run: run.store.runs.get(run.runId) as Bundle['run'],
    effects: effectsOf(run.store, run.runId),
    data: recording.data,
    blobs: [],
    eventsHash: eventsHash(eventsOf(run.store, run.runId)),
  };
}

const clock = { now: () => 0, monotonic: () => 0 };

describe('a bundle', () => {
  it.each([
    ['a star run with its control', starRecipe({ rounds: 3 })],
    ['an instruction search', searchRecipe()],
  ])('of %s replays to the same hash with no call', async (_name, recipeText) => {
    const run = await finished(recipeText);
    const bundle = await bundleOf(run);
    const file = path.join(folder, `${run.runId}.ratchet-run`);
    writeBundle(file, bundle);
    const replayed = await replayBundle(readBundle(file), clock);
    expect(replayed).toMatchObject({ calls: 0, same: true, eventsHash: bundle.eventsHash });
    expect(replayed.end.kind).toBe('done');
    expect(() => writeBundle(file, bundle)).toThrow('there already');
  });

  it('that lacks an answer says so and asks nobody', async () => {
    const bundle = await bundleOf(await finished(starRecipe({ rounds: 1 })));
    const last = bundle.effects.findLastIndex(({ kind }) => kind === 'model');
    const effects = bundle.effects.filter((_, index) => index !== last);
    const replayed = await replayBundle({ ...bundle, effects }, clock);
    expect(replayed.same).toBe(false);
    expect(replayed.calls).toBe(1);
  });

  it('with one answer changed has another hash', async () => {
    const bundle = await bundleOf(await finished(starRecipe({ rounds: 1 })));
    const first = bundle.effects.findIndex(({ kind }) => kind === 'model');
    const effects = bundle.effects.map((effect, index) =>
      index === first ? { ...effect, result: effect.result.replace('"text":"', '"text":"!') } : effect,
    );
    expect((await replayBundle({ ...bundle, effects }, clock)).same).toBe(false);
  });

  it('that was cut or changed anywhere is refused whole', async () => {
    const run = await finished(starRecipe({ rounds: 1, control: '' }));
    const file = path.join(folder, 'whole.ratchet-run');
    writeBundle(file, await bundleOf(run));
    const bytes = readFileSync(file);
    const damaged = path.join(folder, 'damaged.ratchet-run');
    for (const cut of [0, 10, bytes.length >> 1, bytes.length - 9]) {
      writeFileSync(damaged, bytes.subarray(0, cut));
      expect(() => readBundle(damaged)).toThrow('not a whole bundle');
    }
    const text = gunzipSync(bytes).toString();
    writeFileSync(damaged, text);
    expect(() => readBundle(damaged)).toThrow('not a whole bundle');
  });
});

describe('an estimate', () => {
  const files = testRun().services.files;
  const noHistory = { operators: new Map(), msPerCall: null };

  it.each([
    ['star', starRecipe({ rounds: 5 })],
    ['star without a control', starRecipe({ rounds: 2, control: '' })],
    ['search', searchRecipe()],
  ])('of %s holds the calls and tokens that runs really used', async (_name, recipeText) => {
    const recipe = parseRecipe(recipeText).recipe as Recipe;
    const estimate = await estimateRun(recipe, files, null, noHistory);
    expect(estimate.usd).toBeNull();
    expect(estimate.ms).toBeNull();
    for (let seed = 1; seed <= 3; seed++) {
      const run = await finished(recipeText.replace(/seed: \d+/, `seed: ${seed}`));
      const { calls, inputTokens, outputTokens } = await run.store.spent(run.runId);
      expect(calls).toBeGreaterThanOrEqual(estimate.calls.low);
      expect(calls).toBeLessThanOrEqual(estimate.calls.high);
      expect(inputTokens).toBeLessThanOrEqual(estimate.inputTokens.high);
      expect(outputTokens).toBeLessThanOrEqual(estimate.outputTokens.high);
      expect(outputTokens).toBeGreaterThanOrEqual(estimate.outputTokens.low);
    }
  });

  it('is narrower with what the model used before, knows money where the price is known, and names the cap it may meet', async () => {
    const text = starRecipe({ rounds: 3, budget: '{ calls: 100 }' });
    const recipe = parseRecipe(text).recipe as Recipe;
    const run = await finished(starRecipe({ rounds: 3 }));
    const { calls, inputTokens, outputTokens } = await run.store.spent(run.runId);
    const usage = {
      calls,
      input: inputTokens,
      output: outputTokens,
      outputSquares: outputTokens ** 2 / calls,
      ms: calls,
    };
    const operators = new Map(['solve', 'evaluate', 'test'].map((operator) => [operator, usage]));
    const price = { input: 1, output: 2 };
    const wide = await estimateRun(recipe, files, price, noHistory);
    const narrow = await estimateRun(recipe, files, price, { operators, msPerCall: 3 });
    const width = ({ low, high }: { low: number; high: number }) => high / Math.max(1, low);
    expect(width(narrow.outputTokens)).toBeLessThan(width(wide.outputTokens) / 3);
    expect(narrow.outputTokens.low).toBeLessThanOrEqual(outputTokens);
    expect(narrow.outputTokens.high).toBeGreaterThanOrEqual(outputTokens);
    const paid = (inputTokens * price.input + outputTokens * price.output) / 1e6;
    expect(narrow.usd?.low).toBeLessThanOrEqual(paid);
    expect(narrow.usd?.high).toBeGreaterThanOrEqual(paid);
    expect(narrow.ms?.high).toBeGreaterThan(0);
    expect(narrow.cap).toBe('May be stopped by its budget of 100 calls.');
  });
});
