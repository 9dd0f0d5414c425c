import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseSearch } from '../../../src/adapters/store/searchQuery.ts';
import { asId } from '../../../src/core/model/ids.ts';
import type { ExperienceHit, ExperienceSearchPage } from '../../../src/core/model/views.ts';
import {
  noConditions,
  readRounds,
  readScoreCondition,
  sayConditions,
  searchOf,
} from '../../../src/host/experiences/conditions.ts';
import { createSearchFeed, type SearchState } from '../../../src/host/experiences/searchFeed.ts';
import { foundWords, searchRows, withoutIcons } from '../../../src/host/experiences/searchRows.ts';
import type { ReadModels } from '../../../src/host/readModels.ts';
import type { TreeNode } from '../../../src/host/trees/treeNode.ts';
import { treeSources } from '../../../src/host/trees/treeSources.ts';
import { experienceOf, runId, runOf } from './builders.ts';
import { settle } from './fakeEngine.ts';

const hit = (name: string): ExperienceHit => ({ ...experienceOf({ solutionId: asId(name) }), runId });
const page = (names: readonly string[], next: string | null = null): ExperienceSearchPage => ({
  items: names.map(hit),
  next,
  problems: [],
});

describe('conditions', () => {
  test('are a search the store understands, whatever they are', () => {
    fc.assert(
      fc.property(
        fc.record({
          verdict: fc.constantFrom('kept', 'corrected', 'dropped', 'unrefined', null),
          arm: fc.constantFrom('main', 'control', null),
          rounds: fc
            .tuple(fc.nat(99), fc.nat(99))
            .map(([from, to]) => readRounds(`${from} - ${from + to}`) ?? '!'),
          judged: fc.constantFrom(true, false, null),
          score: fc
            .tuple(fc.constantFrom('', '<', '<=', '>', '>=', '='), fc.nat(100), fc.constantFrom(' %', ''))
            .map(([sign, value, percent]) => readScoreCondition(`${sign}${value}${percent}`) ?? '!'),
        }),
        ({ verdict, arm, rounds, judged, score }) => {
          const found = parseSearch(searchOf({ verdict, arm, rounds, judged, score, text: 'carry' }));
          expect(found.problems).toEqual([]);
          expect(found).toMatchObject({ verdict, arm, annotated: judged });
          expect(`${found.rounds?.from}-${found.rounds?.to}`).toBe(rounds);
          expect(found.scores).toHaveLength(1);
          expect(found.phrases).toEqual([{ words: ['carry'], prefix: false }]);
        },
      ),
    );
  });

  test('what a person types is read, and what means nothing is not', () => {
    expect(['3', ' 2 - 5 ', ''].map(readRounds)).toEqual(['3', '2-5', '']);
    expect(['5-2', 'x', '1-', '-1'].map(readRounds)).toEqual([null, null, null, null]);
    expect(['<0.5', '>= 80 %', '=1', '.5', 'None', ''].map(readScoreCondition)).toEqual([
      ...['<0.5', '>=0.8', '1', '0.5', 'none', ''],
    ]);
    expect(['half', '0.5.1', '< ', '-1'].map(readScoreCondition)).toEqual([null, null, null, null]);
  });

  test('none are no search and no words; several are said in order', () => {
    expect([searchOf(noConditions), sayConditions(noConditions)]).toEqual(['', '']);
    const some = {
      ...noConditions,
      verdict: 'dropped',
      rounds: '2-5',
      score: '<0.5',
      text: ' carry ',
    } as const;
    expect(sayConditions(some)).toBe('dropped \u00b7 rounds 2 to 5 \u00b7 score < 0.5 \u00b7 carry');
  });
});

describe('a live search', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  type Question = {
    readonly text: string;
    readonly after: string | null;
    readonly limit: number;
    readonly answer: (page: ExperienceSearchPage) => Promise<void>;
    readonly fail: (error: Error) => Promise<void>;
  };

  function started(pageSize = 2) {
    const asked: Question[] = [];
    const states: SearchState[] = [];
    const feed = createSearchFeed({
      pageSize,
      waitMs: 100,
      show: (state) => states.push(state),
      ask: (text, after, limit) =>
        new Promise((resolve, reject) => {
          const told = async (work: () => void) => {
            work();
            await settle();
          };
          asked.push({
            ...{ text, after, limit },
            answer: (found) => told(() => resolve(found)),
            fail: (error) => told(() => reject(error)),
          });
        }),
    });
    const now = () => {
      const state = states.at(-1);
      if (state === undefined) throw new Error('nothing was shown');
      const { items, ...rest } = state;
      return { ...rest, found: items.map((item) => item.solutionId) };
    };
    return { feed, asked, now };
  }

  test('asks once for what is typed in one go, and shows what is found', async () => {
    const { feed, asked, now } = started();
    feed.type('');
    await vi.advanceTimersByTimeAsync(0);
    await asked[0]?.answer(page(['a', 'b'], 'p'));
    expect(now()).toMatchObject({ found: ['a', 'b'], hasMore: true, busy: false });
    for (const text of ['c', 'ca', 'car']) {
      feed.type(text);
      await vi.advanceTimersByTimeAsync(50);
    }
    await vi.advanceTimersByTimeAsync(100);
    expect(asked.map(({ text, after }) => [text, after])).toEqual([
      ['', null],
      ['car', null],
    ]);
    await asked[1]?.answer(page(['c']));
    expect(now()).toMatchObject({ text: 'car', found: ['c'], hasMore: false, busy: false });
  });

  test('never has two questions at once, and drops the answer to what was typed before', async () => {
    const { feed, asked, now } = started();
    feed.type('old');
    await vi.advanceTimersByTimeAsync(0);
    feed.type('new');
    await vi.advanceTimersByTimeAsync(500);
    expect(asked).toHaveLength(1);
    await asked[0]?.answer(page(['stale']));
    expect(now()).toMatchObject({ found: [], busy: true });
    expect(asked[1]).toMatchObject({ text: 'new', after: null });
    await asked[1]?.answer(page(['fresh']));
    expect(now()).toMatchObject({ found: ['fresh'], busy: false });
    await vi.advanceTimersByTimeAsync(500);
    expect(asked).toHaveLength(2);
  });

  test('goes on asking until a page is full, then waits to be asked for more', async () => {
    const { feed, asked, now } = started(3);
    feed.type('rare');
    await vi.advanceTimersByTimeAsync(0);
    await asked[0]?.answer(page([], 'p1'));
    await asked[1]?.answer(page(['a'], 'p2'));
    expect(now()).toMatchObject({ found: ['a'], busy: true });
    await asked[2]?.answer(page(['b', 'c'], 'p3'));
    expect(asked.map(({ after, limit }) => [after, limit])).toEqual([
      [null, 3],
      ['p1', 3],
      ['p2', 2],
    ]);
    expect(now()).toMatchObject({ found: ['a', 'b', 'c'], hasMore: true, busy: false });
    feed.more();
    await settle();
    await asked[3]?.answer(page(['d']));
    expect(asked[3]).toMatchObject({ after: 'p3', limit: 3 });
    expect(now()).toMatchObject({ found: ['a', 'b', 'c', 'd'], hasMore: false });
  });

  test('says what went wrong, and searches on', async () => {
    const { feed, asked, now } = started();
    feed.type('a');
    await vi.advanceTimersByTimeAsync(0);
    await asked[0]?.fail(new Error('The engine is gone.'));
    expect(now()).toMatchObject({ trouble: 'The engine is gone.', busy: false, found: [] });
    feed.type('ab');
    await vi.advanceTimersByTimeAsync(100);
    await asked[1]?.answer(page(['x']));
    expect(now()).toMatchObject({ trouble: null, found: ['x'] });
    feed.type('abc');
    feed.close();
    await vi.advanceTimersByTimeAsync(500);
    expect(asked).toHaveLength(2);
  });

  test('its rows name the run, offer more, and show text as text', () => {
    const state = {
      text: '',
      hasMore: true,
      busy: false,
      problems: ['"round:x" is not understood.'],
      trouble: null,
    };
    const items = [{ ...hit('a'), input: 'what is $(trash)?', answer: '$(check)' }];
    const rows = searchRows({ ...state, items }, new Map([[runId, 'star, Run 1']]), 100);
    expect(rows.map(({ kind }) => kind)).toEqual(['note', 'hit', 'more']);
    expect(rows[1]?.label).toContain('what is \\$(trash)? \u2192 \\$(check)');
    expect(rows[1]).toMatchObject({ description: expect.stringContaining('star, Run 1, Round 1') as string });
    expect(withoutIcons('$5 (each)')).toBe('$5 (each)');
    expect(foundWords({ ...state, items })).toBe('More than 1 found');
    expect(foundWords({ ...state, items, hasMore: false })).toBe('1 experience found');
    expect(searchRows({ ...state, items, trouble: 'Gone.' }, new Map(), 100)).toEqual([
      { kind: 'note', label: '$(error) Gone.' },
    ]);
  });
});

describe('the filtered tree', () => {
  const run = { id: 'run:run1', ref: { kind: 'run', run: runOf() } } as TreeNode;
  const source = (pages: readonly ExperienceSearchPage[], wanted = 1) => {
    const asked: unknown[] = [];
    const models = {
      searchPage: async (text: string, of: string, after: string | null, limit: number) => {
        asked.push([text, of, after, limit]);
        return pages[asked.length - 1] ?? page([], 'further');
      },
    } as unknown as ReadModels;
    const sources = treeSources({
      models,
      loopFiles: async () => [],
      pagesWanted: (group) => (group === 'run:run1/found' ? wanted : 1),
      filter: () => 'verdict:kept',
    });
    return { asked, rows: () => sources['ratchet.experiences'].children(run) };
  };

  test('has the experiences that fit right under their run, with how many', async () => {
    const { asked, rows } = source([page(['a', 'b'])]);
    expect((await rows()).map(({ id, label }) => [id, label])).toEqual([
      ['run:run1/found/sum', '2 fit the filter'],
      ['run:run1/found/a', expect.stringContaining('\u2192')],
      ['run:run1/found/b', expect.stringContaining('\u2192')],
    ]);
    expect(asked).toEqual([['verdict:kept', runId, null, 100]]);
  });

  test('says "more than" and loads a page more where there is one', async () => {
    const hundred = Array.from({ length: 100 }, (_, index) => `s${index}`);
    const { asked, rows } = source(
      [page(hundred, 'p1'), page(['x', 'y'], 'p2'), page(hundred.slice(2), 'p3')],
      2,
    );
    const found = await rows();
    expect(found[0]?.label).toBe('More than 200 fit the filter');
    expect(found.at(-1)).toMatchObject({ label: 'Load 100 More...', opening: { groupId: 'run:run1/found' } });
    expect(asked).toEqual([
      ['verdict:kept', runId, null, 100],
      ['verdict:kept', runId, 'p1', 100],
      ['verdict:kept', runId, 'p2', 98],
    ]);
  });

  test('gives up on a page after a bounded number of questions and lets a person look on', async () => {
    const { asked, rows } = source([]);
    const found = await rows();
    expect(asked).toHaveLength(20);
    expect(found.map(({ label }) => label)).toEqual([
      'None of the newest fit the filter',
      'Load 100 More...',
    ]);
  });
});
