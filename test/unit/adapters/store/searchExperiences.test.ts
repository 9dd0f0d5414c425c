import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../../../src/adapters/store/database.ts';
import { createStore, type FileStore } from '../../../../src/adapters/store/localStore.ts';
import { indexedSearch } from '../../../../src/adapters/store/search.ts';
import { openSearchIndex } from '../../../../src/adapters/store/searchIndex.ts';
import { searchExperiences } from '../../../../src/adapters/store/searchExperiences.ts';
import { hasText, parseSearch } from '../../../../src/adapters/store/searchQuery.ts';
import type { Verdict } from '../../../../src/core/model/feedback.ts';
import { asId, type RunId } from '../../../../src/core/model/ids.ts';
import {
  begun,
  inFolder,
  place,
  runId,
  sampleCandidate,
  sampleFeedback,
  sampleRefinement,
  sampleRun,
  sampleSolution,
  sampleTask,
  start,
  unsynced,
  wasm,
} from './samples.ts';

const WORDS = ['carry', 'tens', 'Tens', 'add', 'ädd', '進', '位', '位置', '12', '->', 'x\0y', '\ud800'];
const word = fc.constantFrom(...WORDS);

interface Item {
  readonly output: string;
  readonly round: number;
  readonly score: number;
  readonly verdict: Verdict | null;
}

const item: fc.Arbitrary<Item> = fc.record({
  output: fc.array(word, { maxLength: 8 }).map((words) => words.join(' ')),
  round: fc.integer({ min: 1, max: 3 }),
  score: fc.constantFrom(0, 0.25, 1),
  verdict: fc.constantFrom('kept' as const, 'dropped' as const, null),
});

async function fill(store: FileStore, items: readonly Item[]): Promise<void> {
  for (const [index, { output, round, score, verdict }] of items.entries()) {
    const id = `s${index}`;
    await store.commit({
      runId,
      events: [],
      solutions: [sampleSolution(id, `task${index % 3}`, place(round, '0.solve'), output)],
      feedback: [sampleFeedback(id, score)],
      refinements: verdict === null ? [] : [sampleRefinement(id, verdict)],
    });
  }
}

/** All pages of a search, one after the other. */
function pagesOf(page: (after: string | null) => ReturnType<typeof searchExperiences>): readonly string[] {
  const found: string[] = [];
  let after: string | null = null;
  for (let pages = 0; pages < 10_000; pages++) {
    const { items, next } = page(after);
    found.push(...items.map(({ solutionId }) => solutionId));
    if (next === null) return found;
    expect(Number(next)).toBeLessThan(Number(after ?? Infinity));
    after = next;
  }
  throw new Error('The pages do not end.');
}

async function opened(folder: string): Promise<{ store: FileStore; database: Database; index: string }> {
  const database = await openDatabase({ file: path.join(folder, 'w.ratchetdb'), wasm, files: unsynced });
  const store = createStore(database, () => 1);
  await begun(store);
  return { store, database, index: path.join(folder, 'search.ratchetdb') };
}

describe('a search', () => {
  test('finds the same however far the index has come', () =>
    inFolder(async (folder) => {
      let made = 0;
      const term = fc.oneof(
        word,
        fc.constantFrom(
          '"tens add"',
          'te*',
          '進位',
          'round:2',
          'round:1-2',
          'score:<0.5',
          'verdict:kept',
          'verdict:unrefined',
          'arm:main',
        ),
      );
      const query = fc.array(term, { maxLength: 3 }).map((terms) => terms.join(' '));
      await fc.assert(
        fc.asyncProperty(
          fc.array(item, { minLength: 1, maxLength: 110 }),
          fc.array(query, { minLength: 1, maxLength: 12 }),
          fc.integer({ min: 0, max: 2 }),
          fc.integer({ min: 1, max: 40 }),
          async (items, queries, batches, limit) => {
            const { store, database, index: file } = await opened(path.join(folder, String(made++)));
            await fill(store, items);
            const index = await openSearchIndex(database, { file, wasm, files: unsynced });
            for (let batch = 0; batch < batches; batch++) index.enterBatch();
            for (const text of queries) {
              const parsed = parseSearch(text);
              const expected = items
                .map((entry, position) => ({ ...entry, position }))
                .filter(({ output, round, score, verdict, position }) => {
                  const { scores, rounds } = parsed;
                  return (
                    hasText(parsed, [sampleTask(position % 3).input, output]) &&
                    (rounds === null || (round >= rounds.from && round <= rounds.to)) &&
                    scores.every((condition) => condition.operator !== '<' || score < condition.score) &&
                    (parsed.verdict === null || parsed.verdict === (verdict ?? 'unrefined'))
                  );
                })
                .map(({ position }) => `s${position}`)
                .reverse();
              const found = (used: typeof index | null) =>
                pagesOf((after) =>
                  database.read((connection) =>
                    searchExperiences(connection, used, { text, filter: { runId }, after, limit }),
                  ),
                );
              expect(found(index)).toEqual(expected);
              expect(found(null)).toEqual(expected);
            }
            index.close();
            await store.close();
          },
        ),
        { numRuns: 25 },
      );
    }));

  test('of any text is no error', () =>
    inFolder(async (folder) => {
      const { store, database, index: file } = await opened(folder);
      await fill(store, [{ output: 'carry "the" tens', round: 1, score: 1, verdict: 'kept' }]);
      const index = await openSearchIndex(database, { file, wasm, files: unsynced });
      index.enterBatch();
      const hostile = [
        "'; DROP TABLE solutions; --",
        '" OR 1 NEAR/0 *',
        'a AND NOT (b',
        '^-:*"',
        'words:"x',
        '(((((',
        '\0',
      ];
      const page = (text: string) =>
        database.read((connection) =>
          searchExperiences(connection, index, { text, filter: {}, after: null, limit: 10 }),
        );
      for (const text of hostile) expect(Array.isArray(page(text).items)).toBe(true);
      fc.assert(
        fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
          expect(Array.isArray(page(text).items)).toBe(true);
        }),
        { numRuns: 300 },
      );
      expect(page('carry').items).toHaveLength(1);
      index.close();
      await store.close();
    }));

  test('goes over all runs or one, and shows judgements as lists do', () =>
    inFolder(async (folder) => {
      const { store } = await opened(folder);
      await fill(store, [{ output: 'carry', round: 1, score: 0, verdict: null }]);
      const other = asId<RunId>('run2');
      await store.createRun(sampleRun(other));
      await store.commit({
        runId: other,
        events: [],
        tasks: [sampleTask(0)],
        candidates: [sampleCandidate('start', start)],
        solutions: [sampleSolution('b', 'task0', place(1, '0.solve'), 'carry too')],
      });
      const all = await store.searchExperiences('carry', {}, null, 10);
      expect(all.items.map(({ solutionId, runId: run }) => [run, solutionId])).toEqual([
        ['run2', 'b'],
        ['run1', 's0'],
      ]);
      expect((await store.searchExperiences('carry', { runId }, null, 10)).items).toHaveLength(1);
      expect((await store.searchExperiences('', { runId: asId('none') }, null, 10)).items).toEqual([]);
      expect((await store.searchExperiences('score:none', {}, null, 10)).items).toMatchObject([
        { solutionId: 'b' },
      ]);
      const judged = await store.experience(asId('s0'));
      await store.annotate({
        key: sampleSolution('s0', 'task0', start, 'carry').key,
        solutionId: judged?.solution.id ?? asId('none'),
        verdict: 'accept',
        score: null,
        note: '',
        time: 1,
      });
      expect((await store.searchExperiences('score:1 annotated:yes', {}, null, 10)).items).toMatchObject([
        { solutionId: 's0', score: 1 },
      ]);
      await expect(store.searchExperiences('', {}, 'x', 10)).rejects.toThrow('begins where another ended');
      await store.close();
    }));
});

describe('the index', () => {
  const manyItems = Array.from(
    { length: 100 },
    (_, index): Item => ({
      output: `carry number${index}`,
      round: 1,
      score: 1,
      verdict: null,
    }),
  );

  test('is filled while nothing is asked, and kept', () =>
    inFolder(async (folder) => {
      const { store, database, index: file } = await opened(folder);
      await fill(store, manyItems);
      const search = indexedSearch(database, { file, wasm, files: unsynced }, 1);
      const reached = async () => {
        const index = await openSearchIndex(database, { file: `${file}.copy`, wasm, files: unsynced });
        const found = index.reached();
        index.close();
        return found;
      };
      await expect
        .poll(
          async () => {
            if (!existsSync(file)) return 0;
            for (const part of ['', '-log'])
              if (existsSync(file + part)) writeFileSync(`${file}.copy${part}`, readFileSync(file + part));
            return reached().catch(() => 0);
          },
          { timeout: 5000 },
        )
        .toBe(100);
      expect(search.page('number99', {}, null, 5).items).toHaveLength(1);
      search.stop();
      const again = await openSearchIndex(database, { file, wasm, files: unsynced });
      expect([again.reached(), again.enterBatch()]).toEqual([100, false]);
      again.close();
      await store.close();
    }));

  test('that is damaged or of another workspace is made anew', () =>
    inFolder(async (folder) => {
      const { store, database, index: file } = await opened(folder);
      await fill(store, manyItems);
      const options = { file, wasm, files: unsynced };
      const fillIndex = async () => {
        const index = await openSearchIndex(database, options);
        const before = index.reached();
        while (index.enterBatch());
        const found = index.find([{ words: ['number7'], prefix: false }], 0, 1000, 10);
        index.close();
        return [before, found];
      };
      expect(await fillIndex()).toEqual([0, [8]]);
      expect(await fillIndex()).toEqual([100, [8]]);
      writeFileSync(file, 'not a database');
      expect(await fillIndex()).toEqual([0, [8]]);
      const other = await opened(path.join(folder, 'other'));
      await fill(other.store, manyItems.slice(0, 60));
      const strange = await openSearchIndex(other.database, options);
      expect(strange.reached()).toBe(0);
      strange.close();
      await other.store.close();
      await store.close();
    }));

  test('that breaks while it is used is done without', () =>
    inFolder(async (folder) => {
      const { store, database, index: file } = await opened(folder);
      await fill(store, manyItems);
      const filled = await openSearchIndex(database, { file, wasm, files: unsynced });
      while (filled.enterBatch());
      filled.close();
      let broken = false;
      const files = {
        ...unsynced,
        read: (...parameters: Parameters<typeof unsynced.read>) => {
          if (broken) throw Object.assign(new Error('broken'), { code: 'EIO' });
          return unsynced.read(...parameters);
        },
      };
      const search = indexedSearch(database, { file, wasm, files }, 1);
      await new Promise((resolve) => setTimeout(resolve, 200));
      broken = true;
      expect(search.page('number42', {}, null, 5).items).toMatchObject([{ solutionId: 's42' }]);
      search.stop();
      await store.close();
    }));
});
