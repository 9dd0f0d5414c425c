import { describe, expect, test } from 'vitest';
import { type Commit, StoreError } from '../../../../src/core/ports.ts';
import { asId, type RunId } from '../../../../src/core/model/ids.ts';
import type { EventBody, RunEvent } from '../../../../src/core/model/event.ts';
import {
  accepted,
  begun,
  digest,
  evaluated,
  event,
  gain,
  interval,
  place,
  refused,
  runId,
  sampleCandidate,
  sampleEvaluation,
  sampleRun,
  solve,
  start,
  withStore,
} from './samples.ts';

describe('runs', () => {
  test('are listed newest first with what is known of them', () =>
    withStore(async (store) => {
      await store.createRun(sampleRun());
      await store.createRun({ ...sampleRun(asId('run2')), arms: ['main'], startedAt: 5 });
      const runs = await store.runs();
      expect(runs.map(({ id }) => id)).toEqual(['run2', 'run1']);
      expect(runs[1]).toEqual({
        id: 'run1',
        recipeName: 'star-addition',
        recipePath: 'loops/star.loop.yaml',
        status: 'running',
        message: '',
        seed: 7,
        rounds: 3,
        startedAt: 1_700_000_000_000,
        endedAt: null,
        round: 0,
        arms: ['main', 'control'],
        startScore: null,
        score: null,
        testScore: null,
        calls: 0,
      });
      expect(runs[0]?.arms).toEqual(['main']);
    }));

  test('made twice are one; another under the same id is refused', () =>
    withStore(async (store) => {
      await store.createRun(sampleRun());
      await store.createRun(sampleRun());
      await expect(store.createRun({ ...sampleRun(), seed: 8 })).rejects.toThrow(StoreError);
      expect(await store.runs()).toHaveLength(1);
    }));

  test('keep status, message and end', () =>
    withStore(async (store) => {
      await begun(store);
      const say = (status: 'paused' | 'running' | 'done', message: string) =>
        store.commit({ runId, events: [], status: { status, message } });
      await say('paused', 'No server answers.');
      expect((await store.runs())[0]).toMatchObject({
        status: 'paused',
        message: 'No server answers.',
        endedAt: null,
      });
      await say('done', 'Kept v2.');
      expect((await store.run(runId))?.run).toMatchObject({ status: 'done', endedAt: 1_700_000_000_000 });
      await say('running', '');
      expect((await store.runs())[0]).toMatchObject({ status: 'running', message: '', endedAt: null });
    }));

  test('show rounds of each arm with steps, sentences and scores', () =>
    withStore(async (store) => {
      await begun(store);
      const gate = place(1, 'gate');
      await store.commit({
        runId,
        events: [event(place(0, 'dev'), evaluated('e0', 'start', 0.1))],
        evaluations: [sampleEvaluation('e0', 'start', place(0, 'dev'), [0.1])],
      });
      await store.commit({
        runId,
        events: [
          event(place(1, ''), { kind: 'roundStarted' }),
          event(place(1, '', 'control'), { kind: 'roundStarted' }),
          event(solve, { kind: 'stepStarted', phase: 'acquire', operator: 'solve' }),
          event(solve, {
            kind: 'solutionsAcquired',
            count: 768,
            failed: 0,
            finish: {},
            meanOutputTokens: 2,
            digest,
          }),
          event(place(1, 'train'), {
            kind: 'candidateMade',
            candidateId: asId('c1'),
            slot: 'weights',
            note: 'n',
          }),
          event(place(1, 'dev'), evaluated('e1', 'c1', 0.5)),
        ],
        candidates: [sampleCandidate('c1', place(1, 'train'))],
        evaluations: [sampleEvaluation('e1', 'c1', place(1, 'dev'), [0.2, 0.5, 0.8])],
      });
      expect((await store.runs())[0]).toMatchObject({ round: 1, startScore: 0.1, score: 0.1 });
      // The gate scores the one in use again, then accepts: the run shows what is in use, not what was scored last.
      await store.commit({
        runId,
        events: [
          event(gate, { kind: 'stepStarted', phase: 'refine', operator: 'select' }),
          event(gate, evaluated('e2', 'start', 0.1)),
          event(gate, accepted('c1')),
        ],
        evaluations: [sampleEvaluation('e2', 'start', place(1, 'dev'), [0.1])],
      });
      const detail = await store.run(runId);
      expect(detail?.run).toMatchObject({ startScore: 0.1, score: 0.5 });
      expect(detail?.recipeText).toBe(sampleRun().recipeText);
      expect(detail?.rounds.map(({ arm, round, score }) => [arm, round, score])).toEqual([
        ['main', 0, 0.1],
        ['main', 1, 0.5],
        ['control', 1, null],
      ]);
      expect(detail?.rounds[1]?.interval).toEqual(interval);
      expect(
        detail?.rounds[1]?.steps.map(({ at, phase, operator, summary }) => [
          at.step,
          phase,
          operator,
          summary,
        ]),
      ).toEqual([
        ['0.solve', 'acquire', 'solve', '768 solutions'],
        ['train', 'update', 'update', 'n'],
        ['dev', 'evaluate', 'evaluate', '0.50 [0.20, 0.40] on 3 tasks'],
        ['gate', 'refine', 'select', 'accepted: +0.36 [0.20, 0.40] on 3 tasks'],
      ]);
    }));

  test('keep their score when a contender is refused', () =>
    withStore(async (store) => {
      await begun(store);
      const round = (id: string, candidate: string, mean: number, verdict: EventBody[]): Commit => ({
        runId,
        events: [evaluated(id, candidate, mean), ...verdict].map((body) => event(place(1, 'dev'), body)),
        candidates: [sampleCandidate(candidate, place(1, 'train'))],
        evaluations: [sampleEvaluation(id, candidate, place(1, 'dev'), [mean])],
      });
      await store.commit(round('e0', 'start', 0.4, []));
      await store.commit(round('e1', 'worse', 0.2, [refused('worse', null)]));
      expect((await store.runs())[0]).toMatchObject({ score: 0.4, startScore: 0.4 });
    }));

  test('show the sealed test once it is scored', () =>
    withStore(async (store) => {
      await begun(store);
      const at = place(3, 'test');
      await store.commit({
        runId,
        events: [event(at, { kind: 'testScored', start: 0.1, final: 0.93, interval, gain })],
      });
      expect((await store.runs())[0]?.testScore).toBe(0.93);
      expect((await store.run(runId))?.rounds[0]?.steps[0]?.summary).toBe(
        '0.10 -> 0.93 [0.20, 0.40] on the sealed test',
      );
    }));

  test('that are unknown are null to look at and refused to add to', () =>
    withStore(async (store) => {
      const nobody = asId<RunId>('nobody');
      expect(await store.run(nobody)).toBeNull();
      await expect(store.commit({ runId: nobody, events: [] })).rejects.toThrow('holds no run nobody');
      await expect(store.settleEffects(nobody, [])).rejects.toThrow(StoreError);
      await expect(store.experienceCounts(nobody)).rejects.toThrow(StoreError);
    }));
});

describe('events', () => {
  const round = (number: number): RunEvent => event(place(number, ''), { kind: 'roundStarted' });

  test('are numbered over all runs without gaps and come in pages', () =>
    withStore(async (store) => {
      await store.createRun(sampleRun());
      await store.createRun(sampleRun(asId('run2')));
      const first = await store.commit({ runId, events: [round(1), round(2)] });
      const other = await store.commit({ runId: asId('run2'), events: [round(1)] });
      const second = await store.commit({ runId, events: [round(3)] });
      expect([...first, ...other, ...second].map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
      expect(await store.events(runId, 0, 10)).toEqual([...first, ...second]);
      expect(await store.events(runId, 1, 1)).toEqual([first[1]]);
      expect(await store.events(runId, 4, 10)).toEqual([]);
      expect(first[0]).toEqual({ seq: 1, runId, time: 1_700_000_000_000, event: round(1) });
    }));

  test('equal to one the run holds are not stored again, lifecycle ones always are', () =>
    withStore(async (store) => {
      await begun(store);
      const paused = event(start, { kind: 'runPaused', reason: 'by hand' });
      const commit = { runId, events: [round(1), paused, round(1), round(2)] };
      expect((await store.commit(commit)).map(({ event: { kind } }) => kind)).toEqual([
        'roundStarted',
        'runPaused',
        'roundStarted',
      ]);
      expect((await store.commit(commit)).map(({ event: { kind } }) => kind)).toEqual(['runPaused']);
      const swapped = JSON.parse(
        '{"kind":"roundStarted","at":{"step":"","round":2,"arm":"main"}}',
      ) as RunEvent;
      expect(await store.commit({ runId, events: [swapped] })).toEqual([]);
    }));
});
