import { describe, expect, test } from 'vitest';
import { fc, FEW } from './property.ts';
import { asId } from '../../../../src/core/model/ids.ts';
import {
  accepted,
  begun,
  event,
  gain,
  place,
  refused,
  runId,
  sampleCandidate,
  sampleEffect,
  sampleEvaluation,
  sampleRun,
  sampleTask,
  solve,
  withStore,
  withoutPlace,
} from './samples.ts';

describe('candidates', () => {
  test('are numbered in their arm, with standing, score and gain', () =>
    withStore(async (store) => {
      await begun(store);
      const gate = place(1, 'gate');
      await store.commit({
        runId,
        events: [
          event(gate, refused('c1', gain)),
          event(gate, refused('c1', null)),
          event(gate, accepted('c2')),
        ],
        candidates: ['c1', 'c2', 'c3'].map((name) => sampleCandidate(name, place(1, 'train'))),
        evaluations: [
          sampleEvaluation('e1', 'c2', place(1, 'dev'), [0.6]),
          sampleEvaluation('e2', 'c2', place(1, 'screen'), [0.9], 'train'),
          sampleEvaluation('e3', 'c3', place(1, 'screen'), [0.3], 'train'),
          sampleEvaluation('e4', 'start', place(3, 'test'), [0.8], 'test'),
          sampleEvaluation('e5', 'c3', place(1, 'gate'), [0.1], 'canary'),
        ],
      });
      const rows = (await store.candidates(runId)).map(
        ({ candidate, at, version, status, score, gain: g }) => [
          at.arm,
          version,
          candidate.id,
          status,
          score,
          g === null ? null : g.gain,
        ],
      );
      expect(rows).toEqual([
        ['main', 1, 'start', 'start', null, null],
        ['main', 2, 'c1', 'refused', null, 0.36],
        ['main', 3, 'c2', 'inUse', 0.6, 0.36],
        ['main', 4, 'c3', 'made', 0.3, null],
        ['control', 1, 'start', 'inUse', null, null],
      ]);
      // A guard's score is kept, and is not what a candidate is known by.
      const suites = (await store.evaluations(runId)).map(({ suite }) => suite);
      expect(suites).toEqual(['dev', 'train', 'train', 'test', 'canary']);
      // What is in use may be refused as its own contender: it stays in use. An older one may come back.
      await store.commit({ runId, events: [event(place(2, 'gate'), refused('c2', null))] });
      expect((await store.candidates(runId))[2]).toMatchObject({ status: 'inUse', gain });
      await store.commit({ runId, events: [event(place(3, 'gate'), accepted('c1', null))] });
      expect((await store.candidates(runId)).map(({ status }) => status)).toEqual([
        'start',
        'inUse',
        'accepted',
        'made',
        'inUse',
      ]);
      const c1 = withoutPlace(sampleCandidate('c1', gate));
      expect(await store.candidate(asId('c1'))).toEqual(c1);
      expect(await store.candidate(asId('nobody'))).toBeNull();
    }));

  test('cannot be judged before they are stored', () =>
    withStore(async (store) => {
      await begun(store);
      await expect(
        store.commit({ runId, events: [event(place(1, 'gate'), accepted('ghost'))] }),
      ).rejects.toThrow('holds no candidate ghost');
    }));
});

describe('evaluations', () => {
  test('know the one before them on the same suite and arm, and what changed', () =>
    withStore(async (store) => {
      await begun(store);
      const of = (id: string, round: number, scores: number[], suite: 'dev' | 'train' = 'dev') =>
        sampleEvaluation(id, 'start', place(round, 'dev'), scores, suite);
      await store.commit({ runId, events: [], evaluations: [of('e1', 1, [0, 1, 0.5])] });
      await store.commit({
        runId,
        events: [],
        evaluations: [of('e2', 1, [1, 1, 1], 'train'), of('e3', 2, [0.5, 1, 0])],
      });
      expect((await store.evaluations(runId)).map(({ id, suite, tasks }) => [id, suite, tasks])).toEqual([
        ['e1', 'dev', 3],
        ['e2', 'train', 3],
        ['e3', 'dev', 3],
      ]);
      const detail = await store.evaluation(asId('e3'));
      const { scores, ...summary } = of('e3', 2, [0.5, 1, 0]);
      expect(detail?.summary).toEqual({ ...summary, runId, tasks: scores.length });
      expect(detail?.previous?.id).toBe('e1');
      expect(detail?.changed).toEqual([
        {
          task: sampleTask(0),
          before: { score: 0, output: 'e1 says 0' },
          after: { score: 0.5, output: 'e3 says 0.5' },
        },
        {
          task: sampleTask(2),
          before: { score: 0.5, output: 'e1 says 0.5' },
          after: { score: 0, output: 'e3 says 0' },
        },
      ]);
      expect(await store.evaluation(asId('e1'))).toMatchObject({ previous: null, changed: [] });
      expect(await store.evaluation(asId('nobody'))).toBeNull();
    }));
});

describe('an evaluation after a refused candidate', () => {
  test('is compared with the one before that', () =>
    withStore(async (store) => {
      await begun(store);
      const of = (id: string, candidate: string, round: number) =>
        sampleEvaluation(id, candidate, place(round, 'dev'), [round % 2, 1], 'dev');
      await store.commit({ runId, events: [], evaluations: [of('kept', 'start', 1)] });
      await store.commit({
        runId,
        candidates: [sampleCandidate('worse', place(2, 'update'))],
        evaluations: [of('tried', 'worse', 2)],
        events: [],
      });
      await store.commit({ runId, events: [event(place(2, 'gate'), refused('worse', null))] });
      await store.commit({ runId, events: [], evaluations: [of('next', 'start', 3)] });
      expect((await store.evaluation(asId('tried')))?.previous?.id).toBe('kept');
      expect((await store.evaluation(asId('next')))?.previous?.id).toBe('kept');
    }));
});

describe('the ledger', () => {
  test('gives back what was settled, once, and its sum', () =>
    withStore(async (store) => {
      await begun(store);
      const unknown = { ...sampleEffect('k2', solve, 'odd \0 \ud800'), usage: { input: null, output: null } };
      const training = { ...sampleEffect('k3', solve), kind: 'training' as const };
      const records = [sampleEffect('k1', solve), unknown, training];
      await store.settleEffects(runId, records);
      await store.settleEffects(runId, [sampleEffect('k1', place(2, 'other'), 'another answer')]);
      const found = await store.findEffects(runId, [asId('k3'), asId('nobody'), asId('k1'), asId('k2')]);
      expect(found).toEqual(
        new Map([
          [training.key, training],
          [records[0]?.key, records[0]],
          [unknown.key, unknown],
        ]),
      );
      expect(await store.spent(runId)).toEqual({ calls: 2, inputTokens: 20, outputTokens: 10 });
      expect((await store.runs())[0]?.calls).toBe(2);
      await store.createRun(sampleRun(asId('run2')));
      expect(await store.findEffects(asId('run2'), [asId('k1')])).toEqual(new Map());
    }));
});

describe('blobs', () => {
  test('are stored once by their hash, whatever bytes they are', () =>
    withStore(async (store) => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 9000 }), async (bytes) => {
          const hash = await store.put(bytes);
          expect(await store.put(bytes)).toBe(hash);
          expect(await store.get(hash)).toEqual(new Uint8Array(bytes));
        }),
        FEW,
      );
      expect(await store.get(asId('0'.repeat(64)))).toBeNull();
      const weights = new Uint8Array(3_000_000).map((_, index) => index * 31);
      const read = (await store.get(await store.put(weights))) ?? new Uint8Array(0);
      expect(Buffer.compare(read, weights)).toBe(0);
    }));
});
