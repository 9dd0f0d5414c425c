import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { FileStore } from '../../../../src/adapters/store/localStore.ts';
import { beginRun } from '../../../../src/core/loop/execute.ts';
import { asId, type EvaluationId, type RunId } from '../../../../src/core/model/ids.ts';
import { memoryStore, type MemoryStore } from '../../../fakes/memoryStore.ts';
import { searchRecipe, starRecipe } from '../../../fakes/recipes.ts';
import { testRun } from '../../../fakes/runServices.ts';
import {
  begun,
  inFolder,
  runId,
  sampleFeedback,
  sampleRefinement,
  sampleRun,
  sampleSolution,
  sampleTask,
  solve,
  withStore,
} from './samples.ts';

async function run(store: FileStore, recipeText: string, recipePath = 'a.loop.yaml'): Promise<RunId> {
  const { services, control } = testRun({ store: { ...memoryStore(), ...store } as unknown as MemoryStore });
  const begun = await beginRun({ recipePath, recipeText }, services, control);
  await begun.end;
  return begun.runId;
}

/** Tasks stand in the order in which a store first met them, so they are sorted. */
async function evaluationOf(store: FileStore, id: EvaluationId): Promise<unknown> {
  const detail = await store.evaluation(id);
  const changed = detail?.changed.toSorted((one, other) => one.task.id.localeCompare(other.task.id));
  return { ...detail, changed };
}

/** Everything the views answer about a run, without the numbers a store gives by itself. */
async function lookAt(store: FileStore, id: RunId): Promise<unknown> {
  const { items } = await store.experiences({ runId: id }, null, 1000);
  const events = await store.events(id, 0, 10_000);
  const evaluations = await store.evaluations(id);
  return {
    run: await store.run(id),
    spent: await store.spent(id),
    events: events.map(({ event, time }) => ({ event, time })),
    counts: await store.experienceCounts(id),
    items,
    details: await Promise.all(items.slice(0, 50).map(({ solutionId }) => store.experience(solutionId))),
    candidates: await store.candidates(id),
    evaluations: await Promise.all(evaluations.map(({ id: evaluation }) => evaluationOf(store, evaluation))),
  };
}

const between = (work: (from: FileStore, to: FileStore, folder: string) => Promise<void>): Promise<void> =>
  inFolder((folder) => withStore((from) => withStore((to) => work(from, to, folder))));

describe('an exported workspace', () => {
  test(
    'comes back run by run as it was, with its lineage, judgements and weights',
    () =>
      between(async (from, to, folder) => {
        await run(to, searchRecipe(5), 'own.loop.yaml');
        const ids = [await run(from, starRecipe()), await run(from, searchRecipe())];
        const judged = (await from.experiences({ runId: ids[0] as RunId }, null, 1)).items[0];
        const detail = judged === undefined ? null : await from.experience(judged.solutionId);
        const solutionId = detail?.solution.id ?? asId('none');
        const source = path.join(folder, 'all.sqlite');
        const key = (await keyOf(from, solutionId, folder)) as never;
        await from.annotate({ key, solutionId, verdict: 'accept', score: 1, note: 'good', time: 5 });
        await from.exportTo(source);
        const before = await to.runs();
        expect(await to.importFrom(source)).toMatchObject({ runs: 2, known: 0 });
        for (const id of ids) expect(await lookAt(to, id)).toEqual(await lookAt(from, id));
        expect((await to.runs()).slice(0, 2)).toEqual(await from.runs());
        expect((await to.runs()).slice(2)).toEqual(before);
        expect(await to.annotations()).toEqual(await from.annotations());
        for (const { candidate } of await from.candidates(ids[0] as RunId))
          if (candidate.state.weights !== null)
            expect(await to.get(candidate.state.weights)).toEqual(await from.get(candidate.state.weights));
        expect(await to.verify()).toMatchObject({ ok: true, problems: [] });
      }),
    60_000,
  );

  test('brings only what is not there, and nothing the second time', () =>
    between(async (from, to, folder) => {
      await begun(from);
      const first = path.join(folder, 'first.sqlite');
      await from.exportTo(first);
      expect(await to.importFrom(first)).toEqual({ runs: 1, known: 0, experiences: 0 });
      await from.createRun({ ...sampleRun(asId('run2')), startedAt: 1 });
      await from.commit({ runId, events: [], solutions: [sampleSolution('late', 'task0', solve)] });
      const second = path.join(folder, 'second.sqlite');
      await from.exportTo(second);
      expect(await to.importFrom(second)).toEqual({ runs: 1, known: 1, experiences: 0 });
      expect(await to.importFrom(second)).toEqual({ runs: 0, known: 2, experiences: 0 });
      expect((await to.experiences({ runId }, null, 10)).items).toEqual([]);
    }));

  test('of a run that was going on is paused and can be resumed', () =>
    between(async (from, to, folder) => {
      await begun(from);
      await from.exportTo(`${folder}/all.sqlite`);
      await to.importFrom(`${folder}/all.sqlite`);
      expect((await to.run(runId))?.run).toMatchObject({ status: 'paused' });
    }));

  test('keeps every refinement and feedback of an experience', () =>
    between(async (from, to, folder) => {
      await begun(from);
      await from.commit({
        runId,
        events: [],
        solutions: [
          sampleSolution('s0', 'task0', solve),
          sampleSolution('s1', 'task1', solve, 'other\0text'),
        ],
        feedback: [sampleFeedback('s0', 0.5), sampleFeedback('s1', 1)],
        refinements: [sampleRefinement('s0', 'dropped'), sampleRefinement('s0', 'kept', 'second')],
        status: { status: 'stopped', message: 'enough' },
      });
      await from.exportTo(`${folder}/all.sqlite`);
      expect((await to.importFrom(`${folder}/all.sqlite`)).experiences).toBe(2);
      expect(await lookAt(to, runId)).toEqual(await lookAt(from, runId));
      await to.exportTo(`${folder}/again.sqlite`);
      const count = (file: string) => {
        const plain = new DatabaseSync(file, { readOnly: true });
        const row = plain.prepare('SELECT count(*) AS n FROM refinements').get();
        plain.close();
        return row;
      };
      expect(count(`${folder}/again.sqlite`)).toEqual({ n: 2 });
    }));
});

/** The key a solution was stored with, which no view shows. */
async function keyOf(store: FileStore, solutionId: string, folder: string): Promise<string> {
  const file = path.join(folder, 'keys.sqlite');
  await store.exportTo(file);
  const plain = new DatabaseSync(file, { readOnly: true });
  const row = plain.prepare('SELECT key FROM solutions WHERE id = ?').get(solutionId);
  plain.close();
  return String(row?.['key']);
}

describe('a file that is no good', () => {
  const refused = async (to: FileStore, file: string, words: string): Promise<void> => {
    const error: unknown = await to.importFrom(file).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'StoreError' });
    expect((error as Error).message).toContain(file);
    expect((error as Error).message).toContain(words);
    expect(await to.runs()).toEqual([]);
  };

  test('is refused, with its reason, and left as it is', () =>
    between(async (from, to, folder) => {
      await begun(from);
      const solutions = Array.from({ length: 400 }, (_, index) =>
        sampleSolution(`s${index}`, 'task0', solve, `${index}`.padEnd(300, 'x')),
      );
      await from.commit({ runId, events: [], solutions });
      const whole = path.join(folder, 'whole.sqlite');
      await from.exportTo(whole);
      const bytes = readFileSync(whole);
      await refused(to, path.join(folder, 'none.sqlite'), 'no file');
      const file = path.join(folder, 'bad.sqlite');
      for (const at of [5000, Math.floor(bytes.length / 2), bytes.length - 3000]) {
        const flipped = bytes.map((byte, index) => (index === at ? byte ^ 8 : byte));
        writeFileSync(file, flipped);
        await refused(to, file, 'damaged');
        expect(readFileSync(file).equals(flipped)).toBe(true);
      }
      writeFileSync(file, '');
      await refused(to, file, 'damaged');
      writeFileSync(file, 'a diary');
      await refused(to, file, 'not a Ratchet workspace');
      expect(await to.importFrom(whole)).toMatchObject({ runs: 1, experiences: 400 });
    }));

  test('leaves no copy behind', () =>
    inFolder(async (folder) =>
      withStore(async (to, file) => {
        writeFileSync(`${folder}/bad`, 'a diary');
        await expect(to.importFrom(`${folder}/bad`)).rejects.toThrow();
        expect(
          readdirSync(path.join(path.dirname(file), 'import')).filter((name) => name !== 'backups'),
        ).toEqual([]);
      }),
    ));
});

test('a workspace of an older schema is imported and stays as it is', () =>
  inFolder((folder) =>
    withStore(async (to) => {
      const fixture = path.resolve(import.meta.dirname, '../../../fixtures/store/schema-1.ratchetdb.gz');
      const file = path.join(folder, 'old.ratchetdb');
      const bytes = gunzipSync(readFileSync(fixture));
      writeFileSync(file, bytes);
      expect(await to.importFrom(file)).toMatchObject({ runs: 2 });
      expect(readFileSync(file)).toEqual(bytes);
      expect(await to.verify()).toMatchObject({ ok: true });
      expect(
        (await to.status()).backups,
        'the copy that was migrated is no backup of this workspace',
      ).toEqual([]);
    }),
  ));

describe('compaction', () => {
  test('gives back what is not used, and everything is as it was', () =>
    withStore(async (store, file) => {
      await begun(store);
      const many = Array.from({ length: 300 }, (_, index) =>
        sampleSolution(`s${index}`, 'task0', solve, `${index}`.padEnd(2000, 'x')),
      );
      await store.commit({ runId, events: [], tasks: [sampleTask(0)], solutions: many });
      await store.put(new Uint8Array(500_000));
      const shown = await lookAt(store, runId);
      const { bytesBefore, bytesAfter } = await store.compact();
      expect(bytesAfter).toBeLessThanOrEqual(bytesBefore);
      expect(statSync(file).size).toBe(bytesAfter);
      expect(await lookAt(store, runId)).toEqual(shown);
      await store.commit({ runId, events: [], solutions: [sampleSolution('more', 'task0', solve)] });
      expect((await store.experienceCounts(runId)).reduce((sum, { count }) => sum + count, 0)).toBe(301);
      expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
    }));
});
