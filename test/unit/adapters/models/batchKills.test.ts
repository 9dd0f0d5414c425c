/**
 * Owns the check that a run asked by batches survives being killed anywhere: before any move it makes at the provider or
 * in the ledger, or after it and before its answer is seen. Whatever comes, resuming gives the same answers, and no
 * request is run twice whose batch was made.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StoreError } from '../../../../src/core/ports.ts';
import { memoryStore } from '../../../fakes/memoryStore.ts';
import { startBatchServer } from '../../../fakes/batchServer.ts';
import { batchRun } from './batchRun.ts';

const COUNT = 12;
const limits = { batch: { requests: 5, bytes: 1e9 } };

/** Runs to the end over as many sessions as it takes; each dies at the moves its number of steps leads to. */
async function survive(deaths: readonly number[]): Promise<{
  readonly answers: readonly unknown[];
  readonly paid: readonly number[];
  readonly batches: number;
  readonly died: number;
}> {
  let left = Infinity;
  let dead = false;
  /** True from the move at which this session dies. */
  const dies = (): boolean => {
    left -= 1;
    dead ||= left < 0;
    return dead;
  };
  const server = await startBatchServer({
    intercept: (_call, response) => {
      if (!dies()) return false;
      // A dead process sees no answer; what the server did before stays done.
      response.destroy();
      return true;
    },
  });
  const store = memoryStore();
  store.beforeWrite = () => {
    if (dies()) throw new StoreError('the process is gone');
  };
  let died = 0;
  try {
    const run = batchRun(server.baseURL, { limits }, { count: COUNT, store });
    for (const death of [...deaths, Infinity]) {
      left = death;
      dead = false;
      const session = run.session();
      const asked = session.ask();
      const ended = asked.then(
        (answers) => answers,
        () => null,
      );
      // Nothing of a dead session may go on: it is told to stop, and the server takes nothing more of it.
      const watch = setInterval(() => {
        if (!dead) return;
        session.control.reason = 'pause';
        session.control.aborted = true;
      }, 1);
      const answers = await ended;
      clearInterval(watch);
      if (answers !== null)
        return { answers, paid: [...server.paid.values()], batches: server.batches.length, died };
      died += 1;
    }
    throw new Error('the last session does not die');
  } finally {
    await server.close();
  }
}

describe('a run asked by batches that is killed', () => {
  test('at every single move gives the same answers, and runs no request twice', async () => {
    const whole = await survive([]);
    expect(whole.batches).toBe(3);
    for (let moment = 0; ; moment++) {
      const { answers, paid, died, batches } = await survive([moment]);
      expect(answers, `killed at move ${moment}`).toEqual(whole.answers);
      expect(paid, `killed at move ${moment}`).toEqual(Array.from({ length: COUNT }, () => 1));
      expect(batches).toBe(3);
      if (died === 0) break;
      expect(moment).toBeLessThan(200);
    }
  });

  test('again and again does, too', async () => {
    const whole = await survive([]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(30), { minLength: 2, maxLength: 5 }), async (deaths) => {
        const { answers, paid } = await survive(deaths);
        expect(answers).toEqual(whole.answers);
        expect(paid).toEqual(Array.from({ length: COUNT }, () => 1));
      }),
      { numRuns: 30 },
    );
  });
});
