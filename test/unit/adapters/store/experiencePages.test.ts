import { describe, expect, test } from 'vitest';
import type { FileStore } from '../../../../src/adapters/store/localStore.ts';
import type { Arm } from '../../../../src/core/model/event.ts';
import type { Verdict } from '../../../../src/core/model/feedback.ts';
import type { ExperienceKey, SolutionId } from '../../../../src/core/model/ids.ts';
import type { ExperienceCount, ExperienceFilter, ExperiencePage } from '../../../../src/core/model/views.ts';
import { fc, FEW } from './property.ts';
import {
  place,
  runId,
  sampleCandidate,
  sampleRefinement,
  sampleRun,
  sampleSolution,
  sampleTask,
  withStore,
} from './samples.ts';

/** What the store should say of one solution, kept beside it by hand. */
interface Known {
  readonly id: SolutionId;
  readonly key: ExperienceKey;
  readonly arm: Arm;
  readonly round: number;
  verdict: Verdict | 'unrefined';
  annotated: boolean;
}

const ARMS: readonly Arm[] = ['main', 'control'];
const VERDICTS = ['kept', 'dropped', 'corrected', 'unrefined'] as const;
const TASKS = 20;

async function begin(store: FileStore): Promise<void> {
  await store.createRun(sampleRun());
  await store.commit({
    runId,
    events: [],
    tasks: Array.from({ length: TASKS }, (_, index) => sampleTask(index)),
    candidates: [sampleCandidate('start', place(0, ''))],
  });
}

async function solve(
  store: FileStore,
  known: Known[],
  arm: Arm,
  round: number,
  count: number,
): Promise<void> {
  const solutions = Array.from({ length: count }, (_, index) => {
    const number = known.length + index;
    // Few different texts, so that several solutions share an experience key.
    return sampleSolution(
      `s${number}`,
      `task${number % TASKS}`,
      place(round, 'solve', arm),
      `text ${number % 37}`,
    );
  });
  await store.commit({ runId, events: [], solutions });
  for (const { id, key } of solutions)
    known.push({
      id,
      key,
      arm,
      round,
      verdict: 'unrefined',
      annotated: known.some((other) => other.key === key && other.annotated),
    });
}

async function annotate(store: FileStore, known: Known[], item: Known, annotated: boolean): Promise<void> {
  await store.annotate({
    key: item.key,
    solutionId: item.id,
    verdict: annotated ? 'accept' : null,
    score: null,
    note: '',
    time: 1,
  });
  for (const other of known) if (other.key === item.key) other.annotated = annotated;
}

function wanted(known: readonly Known[], filter: ExperienceFilter): readonly SolutionId[] {
  return known
    .filter(
      (item) =>
        (filter.arm === undefined || item.arm === filter.arm) &&
        (filter.round === undefined || item.round === filter.round) &&
        (filter.verdict === undefined || item.verdict === filter.verdict) &&
        (filter.annotated === undefined || item.annotated === filter.annotated),
    )
    .map(({ id }) => id);
}

async function walk(store: FileStore, filter: ExperienceFilter, limit: number): Promise<SolutionId[]> {
  const seen: SolutionId[] = [];
  let after: string | null = null;
  do {
    const page: ExperiencePage = await store.experiences(filter, after, limit);
    expect(page.items.length).toBeLessThanOrEqual(limit);
    if (page.next !== null) expect(page.items.length).toBe(limit);
    seen.push(...page.items.map(({ solutionId }) => solutionId));
    after = page.next;
  } while (after !== null);
  return seen;
}

function counted(known: readonly Known[]): ExperienceCount[] {
  const counts = new Map<string, ExperienceCount>();
  for (const { arm, round, verdict, annotated } of known) {
    const key = `${arm} ${round} ${verdict}`;
    const before = counts.get(key) ?? { arm, round, verdict, count: 0, annotated: 0 };
    counts.set(key, {
      ...before,
      count: before.count + 1,
      annotated: before.annotated + (annotated ? 1 : 0),
    });
  }
  return [...counts.values()];
}

const byName = (a: ExperienceCount, b: ExperienceCount): number =>
  `${a.arm} ${a.round} ${a.verdict}` < `${b.arm} ${b.round} ${b.verdict}` ? -1 : 1;

const filters: readonly ExperienceFilter[] = [undefined, ...ARMS].flatMap((arm) =>
  [undefined, 1, 2, 9].flatMap((round) =>
    [undefined, ...VERDICTS].flatMap((verdict) =>
      [undefined, true, false].map((annotated) => ({
        runId,
        ...(arm === undefined ? {} : { arm }),
        ...(round === undefined ? {} : { round }),
        ...(verdict === undefined ? {} : { verdict }),
        ...(annotated === undefined ? {} : { annotated }),
      })),
    ),
  ),
);

describe('pages of experiences', () => {
  test('give every filter its rows, in the order they were stored, over thousands of rows', () =>
    withStore(async (store) => {
      await begin(store);
      const known: Known[] = [];
      for (const round of [1, 2, 3]) for (const arm of ARMS) await solve(store, known, arm, round, 700);
      const refinements = known.flatMap((item, index) => {
        const verdict = VERDICTS[index % 7 === 0 ? 2 : index % 5 === 0 ? 0 : index % 3 === 0 ? 3 : 1];
        if (verdict === undefined || verdict === 'unrefined') return [];
        item.verdict = verdict;
        return [sampleRefinement(item.id, verdict)];
      });
      await store.commit({ runId, events: [], refinements });
      for (const index of [3, 500, 701, 1500, 3333])
        await annotate(store, known, known[index] as Known, true);
      expect(filters).toHaveLength(180);
      for (const filter of filters)
        expect(await walk(store, filter, 1000), JSON.stringify(filter)).toEqual(wanted(known, filter));
      expect(await walk(store, { runId }, 97)).toEqual(known.map(({ id }) => id));
      expect(await walk(store, { runId, verdict: 'kept', annotated: false }, 1)).toEqual(
        wanted(known, { runId, verdict: 'kept', annotated: false }),
      );
      expect([...(await store.experienceCounts(runId))].sort(byName)).toEqual(counted(known).sort(byName));
      expect((await store.verify()).problems).toEqual([]);
    }));

  test('have 1 to 1,000 rows and begin where another ended', () =>
    withStore(async (store) => {
      await begin(store);
      for (const limit of [0, 1001, 1.5, NaN])
        await expect(store.experiences({ runId }, null, limit)).rejects.toThrow('1 to 1000');
      await expect(store.experiences({ runId }, 'here', 10)).rejects.toThrow('begins where another ended');
      expect(await store.experiences({ runId }, null, 10)).toEqual({ items: [], next: null });
    }));

  test('and counts follow any order of solving, refining and annotating', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.record({
              kind: fc.constant('solve' as const),
              arm: fc.constantFrom(...ARMS),
              round: fc.integer({ min: 1, max: 2 }),
              count: fc.integer({ min: 1, max: 30 }),
            }),
            fc.record({
              kind: fc.constant('refine' as const),
              pick: fc.array(fc.nat({ max: 200 }), { maxLength: 20 }),
              verdict: fc.constantFrom('kept' as const, 'dropped' as const, 'corrected' as const),
            }),
            fc.record({
              kind: fc.constant('annotate' as const),
              pick: fc.nat({ max: 200 }),
              annotated: fc.boolean(),
            }),
          ),
          { minLength: 3, maxLength: 25 },
        ),
        fc.constantFrom(...filters),
        fc.integer({ min: 1, max: 40 }),
        (steps, filter, limit) =>
          withStore(async (store) => {
            await begin(store);
            const known: Known[] = [];
            for (const [index, step] of steps.entries()) {
              if (step.kind === 'solve') await solve(store, known, step.arm, step.round, step.count);
              else if (known.length === 0) continue;
              else if (step.kind === 'annotate')
                await annotate(store, known, known[step.pick % known.length] as Known, step.annotated);
              else {
                const items = step.pick.map((pick) => known[pick % known.length] as Known);
                const refinements = items.map(({ id }) =>
                  sampleRefinement(id, step.verdict, `step ${index}`),
                );
                await store.commit({ runId, events: [], refinements });
                for (const item of items) item.verdict = step.verdict;
              }
            }
            expect(await walk(store, filter, limit)).toEqual(wanted(known, filter));
            expect([...(await store.experienceCounts(runId))].sort(byName)).toEqual(
              counted(known).sort(byName),
            );
            expect((await store.verify()).problems).toEqual([]);
          }),
      ),
      FEW,
    ));
});
