import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../../../src/adapters/store/database.ts';
import { createStore, type FileStore } from '../../../../src/adapters/store/localStore.ts';
import { storeCommit } from '../../../../src/adapters/store/commit.ts';
import { anyWaits } from '../../../../src/adapters/store/pending.ts';
import type { EventBody } from '../../../../src/core/model/event.ts';
import type { Commit } from '../../../../src/core/ports.ts';
import { contentOf } from '../../../store/contents.ts';
import { memoryFiles } from '../../../store/memoryFiles.ts';
import {
  accepted,
  begun,
  event,
  place,
  runId,
  sampleCandidate,
  sampleFeedback,
  sampleRefinement,
  sampleSolution,
  solve,
  wasm,
} from './samples.ts';

const file = '/w/workspace.ratchetdb';
const time = 1_700_000_000_000;
const waits = (database: Database): boolean => database.peek(anyWaits);
const rows = (database: Database, table: string): number =>
  Number(database.peek((connection) => connection.get(`SELECT count(*) AS n FROM ${table}`))?.['n']);

/** A store in memory in which a run has begun, and what its disk answers. */
async function opened(initial: ReadonlyMap<string, Uint8Array> = new Map()) {
  const disk = { fails: false };
  const memory = memoryFiles({
    initial,
    before: (operation) => {
      if (disk.fails && operation === 'write') throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    },
  });
  const database = await openDatabase({ file, wasm, files: memory.files });
  const store = createStore(database, () => time);
  if (initial.size === 0) await begun(store);
  return { store, database, memory, disk };
}

function experience(index: number): Commit {
  const id = `s${index}`;
  return {
    runId,
    events: [event(solve, { kind: 'warningRaised', message: id })],
    solutions: [sampleSolution(id, `task${index % 3}`, solve)],
    feedback: [sampleFeedback(id, index % 2)],
  };
}

describe('a commit of experiences', () => {
  test('waits in one table and is seen by whoever reads', async () => {
    const { store, database } = await opened();
    const stored = await store.commit(experience(1));
    expect(stored.map(({ seq }) => seq)).toEqual([1]);
    expect([waits(database), rows(database, 'solutions'), rows(database, 'events')]).toEqual([true, 0, 0]);
    expect((await store.experiences({ runId }, null, 10)).items).toHaveLength(1);
    expect([waits(database), rows(database, 'solutions'), rows(database, 'pending')]).toEqual([false, 1, 0]);
    expect(await store.events(runId, 0, 10)).toEqual(stored);
    await store.close();
  });

  test('is put in its place when nothing else is written', async () => {
    const { store, database } = await opened();
    await store.commit(experience(1));
    await expect.poll(() => rows(database, 'solutions')).toBe(1);
    await store.close();
  });

  test('that is large, or as many as are let wait, goes to its tables while others come', async () => {
    const { store, database } = await opened();
    const large = sampleSolution('large', 'task0', solve, 'x'.repeat(2 << 20));
    await store.commit({ runId, events: [], solutions: [large] });
    expect([waits(database), rows(database, 'solutions')]).toEqual([false, 1]);
    const text = 'y'.repeat(60_000);
    for (let index = 0; index < 12; index++) {
      const solution = sampleSolution(`s${index}`, 'task0', solve, text);
      await store.commit({ runId, events: [], solutions: [solution] });
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(rows(database, 'solutions')).toBeGreaterThan(1);
    expect(rows(database, 'pending')).toBeLessThan(12);
    await store.close();
  });

  test('that points at nothing is refused alone, and says so to its caller', async () => {
    const { store } = await opened();
    const unknown = { ...experience(2), solutions: [sampleSolution('s2', 'no such task', solve)] };
    const answers = await Promise.allSettled([
      store.commit(experience(1)),
      store.commit(unknown),
      store.commit({ runId, events: [], refinements: [sampleRefinement('nobody', 'kept')] }),
      store.commit({ runId, events: [], refinements: [sampleRefinement('s1', 'kept')] }),
      store.commit(experience(3)),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect((await store.experiences({ runId }, null, 10)).items.map((item) => item.verdict)).toEqual([
      'kept',
      null,
    ]);
    expect((await store.events(runId, 0, 10)).map(({ seq }) => seq)).toEqual([1, 2]);
    await store.close();
  });

  test('is there after a kill', async () => {
    const { store, memory } = await opened();
    await store.commit(experience(1));
    await store.commit(experience(2));
    const again = await opened(memory.contents());
    expect(waits(again.database)).toBe(true);
    expect(again.database.report.warnings).toEqual([]);
    // Numbers go on where they were, and what was there is not stored again.
    const stored = await again.store.commit({
      ...experience(2),
      events: [...experience(2).events, ...experience(3).events],
    });
    expect(stored.map(({ seq }) => seq)).toEqual([3]);
    expect((await again.store.experiences({ runId }, null, 10)).items).toHaveLength(2);
    expect(await again.store.verify()).toMatchObject({ ok: true });
    await again.store.close();
    await store.close();
  });

  test('is read on a disk that takes no more', async () => {
    const { store, database, disk } = await opened();
    await store.commit(experience(1));
    await store.experienceCounts(runId);
    await store.commit(experience(2));
    disk.fails = true;
    expect((await store.experiences({ runId }, null, 10)).items).toHaveLength(2);
    expect(waits(database)).toBe(true);
    await expect(store.commit(experience(3))).rejects.toMatchObject({ code: 'ENOSPC' });
    expect((await store.experiences({ runId }, null, 10)).items).toHaveLength(2);
    disk.fails = false;
    await store.commit(experience(3));
    expect((await store.experiences({ runId }, null, 10)).items).toHaveLength(3);
    expect((await store.events(runId, 0, 10)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
    await store.close();
  });
});

describe('what cannot be put in its place', () => {
  test('blocks nothing and is named', async () => {
    const { store, database } = await opened();
    await store.commit(experience(1));
    database.append((connection) => connection.run('DELETE FROM run_tasks WHERE run = 1 AND task = 2'));
    database.append((connection) => connection.run("UPDATE tasks SET id = 'gone' WHERE id = 'task1'"));
    await store.commit(experience(3));
    expect((await store.experiences({ runId }, null, 10)).items.map(({ solutionId }) => solutionId)).toEqual([
      's3',
    ]);
    const { ok, problems } = await store.verify();
    expect(ok).toBe(false);
    expect(problems.join()).toContain('waits and could not be put in place');
    await store.close();
  });

  test('because its content changed is damage', async () => {
    const { store, database } = await opened();
    await store.commit(experience(1));
    database.append((connection) =>
      connection.run("UPDATE pending SET body = CAST(replace(CAST(body AS TEXT), 's1', 's9') AS BLOB)"),
    );
    await expect(store.experiences({ runId }, null, 10)).rejects.toMatchObject({ code: 'DAMAGED' });
    expect(await store.verify()).toMatchObject({ ok: false });
    await store.close();
  });
});

/** Whatever a loop may commit about few solutions and rounds, again and again. */
const commits: fc.Arbitrary<Commit> = fc
  .record({
    solutions: fc.uniqueArray(fc.nat(5), { maxLength: 3 }),
    feedback: fc.array(fc.tuple(fc.nat(5), fc.constantFrom(0, 0.5, 1)), { maxLength: 3 }),
    refinements: fc.array(fc.tuple(fc.nat(5), fc.constantFrom('kept' as const, 'dropped' as const)), {
      maxLength: 2,
    }),
    bodies: fc.array(
      fc.constantFrom<EventBody>(
        { kind: 'roundStarted' },
        { kind: 'stepStarted', phase: 'acquire', operator: 'solve' },
        { kind: 'warningRaised', message: 'a lone \ud800 half' },
        { kind: 'runPaused', reason: 'asked' },
      ),
      { maxLength: 3 },
    ),
    round: fc.integer({ min: 1, max: 2 }),
    candidate: fc.option(fc.nat(2)),
    text: fc.string({ unit: 'binary', maxLength: 9 }),
  })
  .map(({ solutions, feedback, refinements, bodies, round, candidate, text }) => {
    const at = place(round, '0.solve');
    const made = candidate === null ? null : sampleCandidate(`c${candidate}`, place(round, 'update'));
    return {
      runId,
      solutions: solutions.map((index) =>
        sampleSolution(`s${index}`, `task${index % 3}`, at, `${index}${text}`),
      ),
      feedback: feedback.map(([index, score], nth) => ({
        ...sampleFeedback(`s${index}`, score),
        id: `f${index} ${score} ${nth}` as never,
      })),
      refinements: refinements.map(([index, verdict]) => sampleRefinement(`s${index}`, verdict, `${round}`)),
      candidates: made === null ? [] : [made],
      events: [
        ...bodies.map((body) => event(at, body)),
        ...(made === null ? [] : [event(at, accepted(made.id))]),
      ],
    };
  });

const tables = (database: Database): string => contentOf(database).replaceAll(/^pending.*$/gm, '');

test('commits that waited leave what they leave when each is stored at once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(commits, fc.constantFrom('wait', 'read', 'together'))),
      async (steps) => {
        const [waited, atOnce] = [await opened(), await opened()];
        const group: Promise<unknown>[] = [];
        const answers: unknown[] = [];
        for (const [commit, how] of steps) {
          const answer = waited.store.commit(commit).catch((error: unknown) => String(error));
          group.push(answer);
          if (how !== 'together') answers.push(...(await Promise.all(group.splice(0))));
          if (how === 'read') await waited.store.events(runId, 0, 1);
        }
        answers.push(...(await Promise.all(group)));
        const expected = steps.map(([commit]) => {
          try {
            return atOnce.database.transact((connection) => storeCommit(connection, commit, time));
          } catch (error) {
            return String(error);
          }
        });
        expect(answers).toEqual(expected);
        expect(tables(waited.database)).toBe(tables(atOnce.database));
        expect(await verified(waited.store)).toEqual([]);
        await waited.store.close();
        atOnce.database.close();
      },
    ),
    { numRuns: 25 },
  );
});

async function verified(store: FileStore): Promise<readonly string[]> {
  return (await store.verify()).problems;
}
