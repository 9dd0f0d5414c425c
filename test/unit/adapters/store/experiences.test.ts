import { describe, expect, test } from 'vitest';
import { fc, FEW } from './property.ts';
import { type Commit, StoreError } from '../../../../src/core/ports.ts';
import { asId, type ExperienceKey } from '../../../../src/core/model/ids.ts';
import type { FileStore } from '../../../../src/adapters/store/localStore.ts';
import {
  accepted,
  begun,
  digest,
  evaluated,
  event,
  place,
  runId,
  sampleCandidate,
  sampleEvaluation,
  sampleFeedback,
  sampleRefinement,
  sampleRun,
  sampleSolution,
  sampleTask,
  solve,
  start,
  withStore,
  withoutPlace,
} from './samples.ts';

describe('a commit replayed', () => {
  const commit: Commit = {
    runId,
    events: [
      event(solve, { kind: 'stepStarted', phase: 'acquire', operator: 'solve' }),
      event(solve, {
        kind: 'solutionsAcquired',
        count: 2,
        failed: 0,
        finish: {},
        meanOutputTokens: 1,
        digest,
      }),
      event(place(1, 'dev'), evaluated('e1', 'c1', 0.5)),
      event(place(1, 'gate'), accepted('c1')),
    ],
    tasks: [0, 1, 2].map(sampleTask),
    candidates: [sampleCandidate('c1', place(1, 'train'))],
    solutions: [sampleSolution('s0', 'task0', solve), sampleSolution('s1', 'task1', solve)],
    feedback: [sampleFeedback('s0', 1), sampleFeedback('s1', 0)],
    refinements: [sampleRefinement('s0', 'kept'), sampleRefinement('s1', 'dropped')],
    evaluations: [sampleEvaluation('e1', 'c1', place(1, 'dev'), [0, 0.5, 1])],
  };
  const look = async (store: FileStore) => ({
    run: await store.run(runId),
    events: await store.events(runId, 0, 1000),
    counts: await store.experienceCounts(runId),
    experiences: await store.experiences({ runId }, null, 100),
    details: await Promise.all(['s0', 's1'].map((id) => store.experience(asId(id)))),
    candidates: await store.candidates(runId),
    evaluations: await store.evaluations(runId),
  });

  test('changes nothing, however often and in parts', () =>
    withStore(async (store) => {
      await begun(store);
      expect(await store.commit(commit)).toHaveLength(4);
      const once = await look(store);
      expect(await store.commit(commit)).toEqual([]);
      await store.commit({ runId, events: [], refinements: commit.refinements ?? [] });
      await store.commit({ runId, events: commit.events.slice(2), feedback: commit.feedback ?? [] });
      expect(await look(store)).toEqual(once);
      expect((await store.verify()).problems).toEqual([]);
    }));

  test('is kept whole or not at all', () =>
    withStore(async (store) => {
      await begun(store);
      const before = await look(store).catch(() => null);
      const unknown = sampleFeedback('nobody', 1);
      await expect(store.commit({ ...commit, feedback: [unknown] })).rejects.toThrow(
        'holds no solution nobody',
      );
      expect(await look(store).catch(() => null)).toEqual(before);
      expect(await store.events(runId, 0, 10)).toEqual([]);
      expect(await store.commit(commit)).toHaveLength(4);
    }));
});

describe('experiences', () => {
  test('come back as they were stored, with everything said of them', () =>
    withStore(async (store) => {
      await begun(store);
      const solution = sampleSolution('s0', 'task1', solve, '1 + 1 = 2');
      const feedback = sampleFeedback('s0', 1);
      const refinement = sampleRefinement('s0', 'kept');
      await store.commit({
        runId,
        events: [],
        solutions: [solution],
        feedback: [feedback],
        refinements: [refinement],
      });
      const { at, key, ...plain } = solution;
      const candidate = withoutPlace(sampleCandidate('start', start));
      expect(await store.experience(solution.id)).toEqual({
        runId,
        recipeName: 'star-addition',
        at,
        task: sampleTask(1),
        solution: plain,
        candidate,
        feedback: [feedback],
        refinement,
        annotation: null,
      });
      const annotation = {
        key,
        solutionId: solution.id,
        verdict: 'reject',
        score: null,
        note: 'no',
        time: 9,
      } as const;
      await store.annotate(annotation);
      const page = await store.experiences({ runId }, null, 10);
      expect(page).toEqual({
        items: [
          {
            solutionId: 's0',
            taskId: 'task1',
            at,
            input: '1 + 1',
            output: '1 + 1 = 2',
            answer: '= 2',
            score: 0,
            verdict: 'kept',
            reason: 'kept by filter',
            annotation,
          },
        ],
        next: null,
      });
      expect(await store.experience(asId('nobody'))).toBeNull();
    }));

  test('hold any text', () =>
    withStore(async (store) => {
      await begun(store);
      let made = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.string({ unit: 'binary', maxLength: 300 }),
          fc.option(fc.string({ unit: 'binary' })),
          fc.integer({ min: 0xd800, max: 0xdfff }),
          async (text, answer, half) => {
            const name = `any${made++}`;
            const output = `${text}\0${String.fromCharCode(half)}`;
            const task = {
              id: asId<never>(name),
              split: 'dev' as const,
              input: text,
              context: output,
              reference: '',
            };
            const solution = {
              ...sampleSolution(name, name, solve, output),
              answer,
              key: asId<ExperienceKey>(name),
            };
            const feedback = { ...sampleFeedback(name, 1), by: text, reason: output };
            const refinement = { ...sampleRefinement(name, 'kept'), reason: output };
            await store.commit({
              runId,
              events: [],
              tasks: [task],
              solutions: [solution],
              feedback: [feedback],
              refinements: [refinement],
            });
            await store.annotate({
              key: solution.key,
              solutionId: solution.id,
              verdict: null,
              score: 0.5,
              note: output,
              time: 1,
            });
            const detail = await store.experience(solution.id);
            expect(detail?.task).toEqual(task);
            expect(detail?.solution).toMatchObject({ output, answer });
            expect(detail?.feedback).toEqual([feedback]);
            expect(detail?.refinement).toEqual(refinement);
            expect(detail?.annotation?.note).toBe(output);
          },
        ),
        FEW,
      );
    }));

  test('take the newest score; a person outranks every other source', () =>
    withStore(async (store) => {
      await begun(store);
      await store.commit({ runId, events: [], solutions: [sampleSolution('s0', 'task0', solve)] });
      const say = async (id: string, source: 'metric' | 'human' | 'judge', value: number) => {
        const feedback = { ...sampleFeedback('s0', value), id: asId<never>(id), source, by: source };
        await store.commit({ runId, events: [], feedback: [feedback] });
        return (await store.experiences({ runId }, null, 1)).items[0];
      };
      expect((await say('f1', 'metric', 0.2))?.score).toBe(0.2);
      expect((await say('f2', 'judge', 0.6))?.score).toBe(0.6);
      expect((await say('f3', 'human', 0.9))?.score).toBe(0.9);
      expect((await say('f4', 'metric', 0.1))?.score).toBe(0.9);
      expect(await say('f5', 'human', 0.7)).toMatchObject({ score: 0.7, reason: 'scored 0.7' });
    }));

  test('move to the verdict of their newest refinement', () =>
    withStore(async (store) => {
      await begun(store);
      await store.commit({
        runId,
        events: [],
        solutions: [sampleSolution('s0', 'task0', solve)],
        refinements: [sampleRefinement('s0', 'dropped')],
      });
      await store.commit({ runId, events: [], refinements: [sampleRefinement('s0', 'kept', 'later')] });
      await store.commit({ runId, events: [], refinements: [sampleRefinement('s0', 'dropped')] });
      expect((await store.experiences({ runId }, null, 1)).items[0]).toMatchObject({
        verdict: 'kept',
        reason: 'kept by later',
      });
      expect(await store.experienceCounts(runId)).toEqual([
        { arm: 'main', round: 1, verdict: 'kept', count: 1, annotated: 0 },
      ]);
    }));
});

describe('annotations', () => {
  const key = asId<ExperienceKey>('key of task0 same');
  const twin = (id: string, run: string) => ({ ...sampleSolution(id, 'task0', solve, 'same'), run });

  test('hold for the same question and answer in every run, stored before or after', () =>
    withStore(async (store) => {
      await begun(store);
      await store.createRun(sampleRun(asId('run2')));
      await store.commit({
        runId: asId('run2'),
        events: [],
        tasks: [{ ...sampleTask(0), split: 'dev' }],
        candidates: [sampleCandidate('start', start)],
        solutions: [twin('b0', 'run2')],
      });
      await store.commit({ runId, events: [], solutions: [twin('a0', 'run1')] });
      const annotation = {
        key,
        solutionId: asId<never>('b0'),
        verdict: 'accept',
        score: null,
        note: '',
        time: 3,
      } as const;
      await store.annotate(annotation);
      await store.commit({ runId, events: [], solutions: [twin('a1', 'run1')] });
      expect(await store.experienceCounts(runId)).toEqual([
        { arm: 'main', round: 1, verdict: 'unrefined', count: 2, annotated: 2 },
      ]);
      const marked = await store.experiences({ runId, annotated: true }, null, 10);
      expect(marked.items.map((item) => [item.solutionId, item.score, item.annotation])).toEqual([
        ['a0', 1, annotation],
        ['a1', 1, annotation],
      ]);
      // The task is given as the annotated solution's own run has it.
      expect(await store.annotations()).toEqual([
        { ...annotation, task: { ...sampleTask(0), split: 'dev' }, output: 'same' },
      ]);
      await store.annotate({ ...annotation, verdict: null, score: 0.25, time: 4 });
      expect((await store.experience(asId('a1')))?.annotation).toMatchObject({ verdict: null, score: 0.25 });
      expect((await store.experiences({ runId }, null, 1)).items[0]?.score).toBe(0.25);
      await store.annotate({ ...annotation, verdict: null });
      expect(await store.annotations()).toEqual([]);
      expect((await store.experienceCounts(runId))[0]?.annotated).toBe(0);
      expect((await store.verify()).problems).toEqual([]);
    }));

  test('of an unknown solution, or of another experience, are refused', () =>
    withStore(async (store) => {
      await begun(store);
      await store.commit({ runId, events: [], solutions: [twin('a0', 'run1')] });
      const annotation = {
        key,
        solutionId: asId<never>('nobody'),
        verdict: 'accept',
        score: 1,
        note: '',
        time: 3,
      } as const;
      await expect(store.annotate(annotation)).rejects.toThrow('holds no solution nobody');
      const other = { ...annotation, solutionId: asId<never>('a0'), key: asId<ExperienceKey>('other') };
      await expect(store.annotate(other)).rejects.toThrow(StoreError);
      expect(await store.annotations()).toEqual([]);
    }));
});
