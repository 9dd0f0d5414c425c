import { copyFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../../../src/adapters/store/database.ts';
import { type HostFiles, nodeFiles } from '../../../../src/adapters/store/hostFiles.ts';
import { createStore, type FileStore } from '../../../../src/adapters/store/localStore.ts';
import { StoreError } from '../../../../src/core/ports.ts';
import {
  inFolder,
  place,
  runId,
  sampleCandidate,
  sampleRun,
  sampleSolution,
  sampleTask,
  unsynced,
  wasm,
} from './samples.ts';

type Operation = 'open' | 'read' | 'write' | 'sync' | 'syncDirectory' | 'truncate' | 'remove';

const OPERATIONS: readonly Operation[] = [
  'open',
  'read',
  'write',
  'sync',
  'syncDirectory',
  'truncate',
  'remove',
];

interface Faults {
  /** Fails the `nth` of these operations from now on (1 is the next), and all after it while `sticky`. */
  fail(operations: readonly Operation[], nth: number, code: string, sticky?: boolean): void;
  /** Ends it; true when something failed. */
  stop(): boolean;
  readonly files: HostFiles;
}

/** The real file system, failing on request. */
function faulty(): Faults {
  let plan: { operations: readonly Operation[]; left: number; code: string; sticky: boolean } | null = null;
  let failed = false;
  const guard = (operation: Operation): void => {
    if (plan === null || !plan.operations.includes(operation)) return;
    plan.left--;
    if (plan.left > 0 || (plan.left < 0 && !plan.sticky)) return;
    failed = true;
    throw Object.assign(new Error(`${plan.code}: injected`), { code: plan.code });
  };
  const guarded = Object.fromEntries(
    OPERATIONS.map((operation) => [
      operation,
      (...parameters: readonly unknown[]) => {
        guard(operation);
        return (unsynced[operation] as (...rest: readonly unknown[]) => unknown)(...parameters);
      },
    ]),
  );
  return {
    files: { ...unsynced, ...guarded },
    fail: (operations, nth, code, sticky = false) => {
      failed = false;
      plan = { operations, left: nth, code, sticky };
    },
    stop: () => {
      plan = null;
      return failed;
    },
  };
}

async function begin(store: FileStore): Promise<void> {
  await store.createRun(sampleRun());
  await store.commit({
    runId,
    events: [],
    tasks: [sampleTask(0)],
    candidates: [sampleCandidate('start', place(0, ''))],
  });
}

const add = (store: FileStore, number: number) =>
  store.commit({
    runId,
    events: [],
    solutions: [sampleSolution(`s${number}`, 'task0', place(1, 'solve'), `${number}`.padEnd(6000, 'x'))],
  });

const stored = async (store: FileStore): Promise<number[]> =>
  (await store.experiences({ runId }, null, 1000)).items.map(({ solutionId }) => Number(solutionId.slice(1)));

/** Nothing is left to be done behind the commits, which would meet the fault in their place on a slow machine. */
async function calm(store: FileStore, database: Database): Promise<void> {
  await stored(store);
  database.fold(true);
}

async function withFaults(
  work: (store: FileStore, faults: Faults, database: Database, file: string) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const faults = faulty();
    const file = `${folder}/workspace.ratchetdb`;
    const database = await openDatabase({ file, wasm, files: faults.files });
    const store = createStore(database);
    await begin(store);
    await calm(store, database);
    await work(store, faults, database, file);
    await store.close();
  });
}

const failure = (work: Promise<unknown>): Promise<StoreError> =>
  work.then(
    () => {
      throw new Error('It did not fail.');
    },
    (error: unknown) => {
      expect(error).toBeInstanceOf(StoreError);
      return error as StoreError;
    },
  );

describe('a commit that meets a fault', () => {
  test.each<[Operation, string, string]>([
    ['write', 'ENOSPC', 'The disk is full'],
    ['write', 'EDQUOT', 'quota'],
    ['write', 'EIO', 'The disk failed'],
    ['write', 'EROFS', 'read-only'],
    ['sync', 'EIO', 'The disk failed'],
    ['sync', 'ENOSPC', 'The disk is full'],
  ])('%s %s is rolled back and says so, and the next one goes through', (operation, code, sentence) =>
    withFaults(async (store, faults, database, file) => {
      await add(store, 0);
      await calm(store, database);
      faults.fail([operation], 1, code);
      const error = await failure(add(store, 1));
      expect(faults.stop()).toBe(true);
      expect(error.code).toBe(code);
      expect(error.message).toContain(sentence);
      expect(error.message).toContain(file);
      expect(await stored(store)).toEqual([0]);
      await add(store, 2);
      expect(await stored(store)).toEqual([0, 2]);
      expect((await store.verify()).problems).toEqual([]);
    }),
  );

  test('after a failed sync the file is opened again before anything else is done with it', () =>
    withFaults(async (store, faults) => {
      const operations: string[] = [];
      const inner = { ...faults.files };
      Object.assign(faults.files, {
        open: (...parameters: Parameters<HostFiles['open']>) => {
          operations.push('open');
          return inner.open(...parameters);
        },
        sync: (descriptor: number) => {
          operations.push('sync');
          inner.sync(descriptor);
        },
      });
      faults.fail(['sync'], 1, 'EIO');
      await failure(add(store, 1));
      faults.stop();
      operations.length = 0;
      await add(store, 2);
      expect(operations[0]).toBe('open');
      expect(await stored(store)).toEqual([2]);
    }));

  test('that stays: each commit says so, nothing acknowledged is lost, and all is well when it goes away', () =>
    withFaults(async (store, faults) => {
      await add(store, 0);
      for (const operation of ['write', 'sync'] as const) {
        faults.fail([operation], 1, 'EIO', true);
        for (const number of [1, 2, 3]) expect((await failure(add(store, number))).code).toBe('EIO');
        expect(faults.stop()).toBe(true);
      }
      await add(store, 4);
      // A commit whose sync failed for good may be found all the same: it was never said to be saved, nor to be gone.
      expect(await stored(store)).toEqual(expect.arrayContaining([0, 4]));
      expect((await store.verify()).problems).toEqual([]);
    }));

  test('in a group fails every write of the group', () =>
    withFaults(async (store, faults) => {
      faults.fail(['sync'], 1, 'EIO');
      const codes = await Promise.all(
        [1, 2, 3].map((number) => failure(add(store, number)).then(({ code }) => code)),
      );
      faults.stop();
      expect(codes).toEqual(['EIO', 'EIO', 'EIO']);
      expect(await stored(store)).toEqual([]);
    }));
});

describe('the n-th operation failing, for every n until none does', () => {
  test.each(['ENOSPC', 'EIO', 'EACCES', 'EROFS', 'EMFILE', 'EBUSY'])(
    '%s: what was acknowledged is there, the store is whole',
    (code) =>
      inFolder(async (folder) => {
        const begun = `${folder}/begun.ratchetdb`;
        const first = createStore(await openDatabase({ file: begun, wasm, files: unsynced }));
        await begin(first);
        await first.close();
        let points = 0;
        for (let nth = 1; ; nth++) {
          const file = `${folder}/${nth}.ratchetdb`;
          copyFileSync(begun, file);
          const faults = faulty();
          const acknowledged: number[] = [];
          faults.fail(OPERATIONS, nth, code);
          let database: Database | null = null;
          try {
            database = await openDatabase({ file, wasm, files: faults.files });
            const store = createStore(database);
            for (let number = 0; number < 2; number++)
              await add(store, number).then(
                () => acknowledged.push(number),
                (error: unknown) => expect(error).toBeInstanceOf(StoreError),
              );
            database.fold(true);
          } catch (error) {
            expect(error).toBeInstanceOf(StoreError);
          }
          const failed = faults.stop();
          database?.close();
          const again = createStore(await openDatabase({ file, wasm, files: unsynced }));
          expect(await stored(again), `${code} at operation ${nth}`).toEqual(
            expect.arrayContaining(acknowledged),
          );
          expect((await again.verify()).problems, `${code} at operation ${nth}`).toEqual([]);
          await again.close();
          if (!failed) break;
          points++;
        }
        expect(points).toBeGreaterThan(20);
      }),
    60_000,
  );
});

describe('making and copying a store that meets a fault', () => {
  test('leaves nothing under its name', () =>
    inFolder(async (folder) => {
      for (let nth = 1; ; nth++) {
        const file = `${folder}/${nth}/workspace.ratchetdb`;
        const faults = faulty();
        faults.fail(['open', 'write', 'sync', 'truncate'], nth, 'ENOSPC');
        const error: unknown = await openDatabase({ file, wasm, files: faults.files }).then(
          (database) => database.close(),
          (reason: unknown) => reason,
        );
        const failed = faults.stop();
        if (error !== undefined) expect(error).toBeInstanceOf(StoreError);
        // Whatever happened, it now opens: either nothing was there, or a whole store.
        const store = createStore(await openDatabase({ file, wasm, files: unsynced }));
        expect((await store.verify()).ok).toBe(true);
        await store.close();
        if (!failed) break;
      }
    }));

  test('an export says so and leaves no half file', () =>
    withFaults(async (store, faults, _database, file) => {
      faults.fail(['write'], 3, 'ENOSPC');
      expect((await failure(store.exportTo(`${file}.copy`))).code).toBe('ENOSPC');
      faults.stop();
      expect(nodeFiles.exists(`${file}.copy`)).toBe(false);
      expect(nodeFiles.exists(`${file}.copy.new`)).toBe(false);
      await store.exportTo(`${file}.copy`);
      expect((await failure(store.exportTo(`${file}.copy`))).message).toContain('exists already');
    }));
});
