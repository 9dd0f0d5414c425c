import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { arrive } from '../../../../src/adapters/store/arriving.ts';
import { openDatabase } from '../../../../src/adapters/store/database.ts';
import { type HostFiles, nodeFiles } from '../../../../src/adapters/store/hostFiles.ts';
import { createStore, type FileStore } from '../../../../src/adapters/store/localStore.ts';
import { asId, type RunId } from '../../../../src/core/model/ids.ts';
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
  unsynced,
  wasm,
  withStore,
} from './samples.ts';

const many = 400;

/** Experiences of the sample run, with all that is said of them. */
async function fill(store: FileStore): Promise<void> {
  await begun(store);
  const names = Array.from({ length: many }, (_, index) => `s${index}`);
  await store.commit({
    runId,
    events: [],
    solutions: names.map((name) => sampleSolution(name, 'task0', solve, `${name} says zebra`)),
    feedback: names.map((name) => sampleFeedback(name, 1)),
    refinements: names.map((name) => sampleRefinement(name, 'kept')),
    status: { status: 'done', message: 'enough' },
  });
}

async function exported(folder: string): Promise<string> {
  const file = path.join(folder, 'all.sqlite');
  await withStore(async (from) => {
    await fill(from);
    await from.exportTo(file);
  });
  return file;
}

/** What anybody may see of the run that is brought in; null for nothing at all. */
async function seen(store: FileStore): Promise<number | null> {
  const listed = (await store.runs()).some(({ id }) => id === runId);
  const found = (await store.searchExperiences('zebra', {}, null, 1000)).items.length;
  const { contents } = await store.status();
  if (!listed && found === 0 && contents.experiences === 0) return null;
  return listed && found === contents.experiences ? found : -1;
}

describe('an import', () => {
  test('lets pages and commits through, and shows a run once all of it is there', () =>
    inFolder(async (folder) => {
      const file = await exported(folder);
      await withStore(async (to) => {
        const own = asId<RunId>('own');
        await to.createRun({ ...sampleRun(own), startedAt: 1 });
        await to.commit({ runId: own, events: [], tasks: [sampleTask(0)] });
        let done = false;
        const importing = to.importFrom(file).finally(() => (done = true));
        const looks: (number | null)[] = [];
        while (!done) {
          looks.push(await seen(to));
          await to.commit({ runId: own, events: [], tasks: [sampleTask(looks.length)] });
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        expect(await importing).toEqual({ runs: 1, known: 0, experiences: many });
        // A portion of rows between two looks at most: whoever asks waits for no more.
        expect(looks.filter((look) => look === null).length).toBeGreaterThan(5);
        expect(looks.filter((look) => look !== null && look !== many)).toEqual([]);
        expect(await seen(to)).toBe(many);
        expect(await to.verify()).toMatchObject({ ok: true, problems: [] });
      });
    }));

  test('that cannot be written whole leaves nothing to be seen, and can be made again', () =>
    inFolder(async (folder) => {
      const source = await exported(folder);
      let writes = Infinity;
      const files: HostFiles = {
        ...unsynced,
        write: (...[descriptor, from, offset, length, position]: Parameters<typeof nodeFiles.write>) => {
          if (--writes < 0) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
          return nodeFiles.write(descriptor, from, offset, length, position);
        },
      };
      const file = path.join(folder, 'w', 'workspace.ratchetdb');
      const store = createStore(await openDatabase({ file, wasm, files }));
      let refusals = 0;
      for (let after = 4; ; after += 3) {
        writes = after;
        const failure: unknown = await store.importFrom(source).then(
          () => null,
          (error: unknown) => error,
        );
        writes = Infinity;
        expect(await seen(store)).toBe(failure === null ? many : null);
        if (failure === null) break;
        expect(failure).toMatchObject({ name: 'StoreError', code: 'ENOSPC' });
        refusals++;
      }
      expect(refusals).toBeGreaterThan(3);
      expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
      await store.close();
    }));

  test('that a crash ended is taken out after the next opening', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'workspace.ratchetdb');
      const database = await openDatabase({ file, wasm, files: unsynced });
      const store = createStore(database);
      await fill(store);
      database.transact((connection) => arrive(connection, runId));
      expect(await seen(store)).toBeNull();
      expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
      await store.close();
      const again = await openDatabase({ file, wasm, files: unsynced });
      expect(again.report.warnings).toEqual([]);
      const reopened = createStore(again);
      expect(await seen(reopened)).toBeNull();
      const left = () =>
        again.read((connection) => connection.get('SELECT count(*) AS n FROM solutions'))?.['n'];
      await expect.poll(left, { timeout: 20_000, interval: 50 }).toBe(1);
      await reopened.importFrom(await exported(folder));
      expect(await seen(reopened)).toBe(many);
      expect(await reopened.verify()).toMatchObject({ ok: true, problems: [] });
      await reopened.close();
    }));

  test('is alone: another one, archiving and compaction are told to wait for it', () =>
    inFolder(async (folder) => {
      const file = await exported(folder);
      await withStore(async (to) => {
        const importing = to.importFrom(file);
        const request = { runId, file: path.join(folder, 'old.sqlite'), replace: false };
        for (const other of [to.importFrom(file), to.compact(), to.archiveRun(request)])
          await expect(other).rejects.toThrow(
            'Runs are being imported into this workspace. Wait for its end',
          );
        await importing;
        await to.compact();
        expect(await seen(to)).toBe(many);
      });
    }));
});
