import { afterEach, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../src/adapters/store/database.ts';
import { createStore } from '../../../src/adapters/store/localStore.ts';
import { fullUpkeep } from '../../../src/adapters/store/upkeep.ts';
import type { HostFiles } from '../../../src/adapters/store/hostFiles.ts';
import type { EngineConnection } from '../../../src/client/connection.ts';
import type { StoredEvent } from '../../../src/core/model/event.ts';
import type { RunId } from '../../../src/core/model/ids.ts';
import { startEngine, type Engine } from '../../../src/engine/engine.ts';
import type { MakeServices } from '../../../src/engine/services.ts';
import {
  awaitRun,
  eventsAppended,
  getRun,
  listEvents,
  listExperiences,
  resumeRun,
  startRun,
  verifyStore,
} from '../../../src/protocol/engine.ts';
import { comparableEvents } from '../../fakes/comparableEvents.ts';
import { starRecipe } from '../../fakes/recipes.ts';
import { unsynced, wasm } from '../adapters/store/samples.ts';
import { cleanUp, connectTo, newWorkspace, until, version } from './helpers.ts';
import { toyServices } from './toyServices.ts';

const engines: Engine[] = [];

afterEach(async () => {
  delete process.env['TOY_DELAY_MS'];
  for (const engine of engines.splice(0)) await engine.stop('test over').catch(() => undefined);
  await cleanUp();
});

type Operation = 'open' | 'write' | 'sync';

/** The real file system under the engine's store, of which some operations fail while `failing` says so. */
function faulty() {
  const failing = new Map<Operation, string>();
  const guarded = Object.fromEntries(
    (['open', 'write', 'sync'] as const).map((operation) => [
      operation,
      (...parameters: readonly unknown[]) => {
        const code = failing.get(operation);
        if (code !== undefined) throw Object.assign(new Error(`${code}: injected`), { code });
        return (unsynced[operation] as (...rest: readonly unknown[]) => unknown)(...parameters);
      },
    ]),
  );
  return { failing, files: { ...unsynced, ...guarded } satisfies HostFiles };
}

async function serve(files: HostFiles): Promise<EngineConnection> {
  const workspace = newWorkspace(starRecipe({ rounds: 2 }));
  const services: MakeServices = (paths, log, clients) => ({
    ...toyServices(paths, log, clients),
    openStore: async () => {
      const database = await openDatabase({ file: paths.database, wasm, files });
      return createStore(database, Date.now, fullUpkeep(database, { now: Date.now, quietMs: 50 }));
    },
  });
  const engine = await startEngine({ workspaceFolder: workspace, version, services, idleMs: null });
  if (engine === null) throw new Error('the workspace is owned');
  engines.push(engine);
  return connectTo(workspace, '', { start: 'never' });
}

const eventsOf = (connection: EngineConnection, runId: RunId) =>
  connection.request(listEvents, { runId, afterSeq: 0, limit: 10_000 });
const experiencesOf = async (connection: EngineConnection, runId: RunId) => {
  const page = await connection.request(listExperiences, { filter: { runId }, after: null, limit: 1000 });
  return page.items.map(({ solutionId, output, verdict }) => ({ solutionId, output, verdict }));
};
const story = (events: readonly StoredEvent[]) =>
  comparableEvents(
    events.filter(({ event }) => !['runPaused', 'runResumed', 'runEnded'].includes(event.kind)),
  );

describe('a fault of the disk while a run is going on', () => {
  test.each<readonly [string, ReadonlyMap<Operation, string>, string]>([
    ['a full disk', new Map([['write', 'ENOSPC']]), 'The disk is full'],
    ['a disk that became read-only', new Map([['write', 'EROFS']]), 'read-only disk'],
    ['a broken disk', new Map([['sync', 'EIO']]), 'The disk failed'],
    ['permissions taken away', new Map([['write', 'EACCES']]), 'may not be used by this user'],
    [
      'too many open files, met when the file is opened again',
      new Map([
        ['sync', 'EMFILE'],
        ['open', 'EMFILE'],
      ]),
      'Too many files are open',
    ],
  ])(
    '%s: the run is paused with one message, nothing told is lost, and it goes on as if nothing had been',
    async (_name, fault, sentence) => {
      process.env['TOY_DELAY_MS'] = '5';
      const { failing, files } = faulty();
      const connection = await serve(files);
      const told: StoredEvent[] = [];
      connection.on(eventsAppended, ({ events }) => void told.push(...events));
      const { runId } = await connection.request(startRun, { recipePath: 'loop.loop.yaml' });
      await until('a step', () => told.length > 12);
      for (const [operation, code] of fault) failing.set(operation, code);
      const paused = await connection.request(awaitRun, { runId });
      expect(paused.kind).toBe('store');
      expect(paused.message).toContain(sentence);
      const acknowledged = [...told];
      failing.clear();
      expect((await connection.request(getRun, { runId }))?.run).toMatchObject({
        status: 'paused',
        message: paused.message,
      });
      expect(await eventsOf(connection, runId)).toEqual(expect.arrayContaining(acknowledged));
      await until('the pause to be noted', async () =>
        (await eventsOf(connection, runId)).some(({ event }) => event.kind === 'runPaused'),
      );
      const pauses = (await eventsOf(connection, runId)).filter(({ event }) => event.kind === 'runPaused');
      expect(pauses.map(({ event }) => event)).toMatchObject([{ reason: paused.message }]);
      await connection.request(resumeRun, { runId });
      expect(await connection.request(awaitRun, { runId })).toMatchObject({ kind: 'done' });
      expect(await connection.request(verifyStore, {})).toMatchObject({ ok: true, problems: [] });

      const undisturbed = await serve(unsynced);
      const other = (await undisturbed.request(startRun, { recipePath: 'loop.loop.yaml' })).runId;
      expect(await undisturbed.request(awaitRun, { runId: other })).toMatchObject({ kind: 'done' });
      expect((await eventsOf(connection, runId)).length).toBeGreaterThan(acknowledged.length);
      const [one, two] = [await experiencesOf(connection, runId), await experiencesOf(undisturbed, other)];
      expect(one.map(({ output, verdict }) => [output, verdict])).toEqual(
        two.map(({ output, verdict }) => [output, verdict]),
      );
      expect(story(await eventsOf(connection, runId)).length).toBe(
        story(await eventsOf(undisturbed, other)).length,
      );
    },
  );
});
