import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { connectEngine } from '../../../src/client/connect.ts';
import type { ConnectOptions, EngineConnection } from '../../../src/client/connection.ts';
import { readEndpoint, workspacePaths } from '../../../src/client/endpoint.ts';
import type { StoredEvent } from '../../../src/core/model/event.ts';
import type { RunId, SolutionId } from '../../../src/core/model/ids.ts';
import {
  annotate,
  annotationChanged,
  awaitRun,
  eventsAppended,
  getExperience,
  getRun,
  listEvents,
  listExperiences,
  listRuns,
  pauseRun,
  progressMade,
  resumeRun,
  runChanged,
  shutdown,
  startRun,
  stopRun,
} from '../../../src/protocol/engine.ts';
import { comparableEvents } from '../../fakes/comparableEvents.ts';
import { starRecipe } from '../../fakes/recipes.ts';
import { cleanUp, connectTo, isAlive, newFolder, newWorkspace, signal, until, version } from './helpers.ts';
import { toyEngine } from './toyBundles.ts';

const slow = { environment: { TOY_DELAY_MS: '8' } };
const recipePath = 'loop.loop.yaml';

afterEach(cleanUp);

const connect = (workspace: string, options: Partial<ConnectOptions> = {}) =>
  connectTo(workspace, toyEngine, options);

function collect(connection: EngineConnection): StoredEvent[] {
  const events: StoredEvent[] = [];
  connection.on(eventsAppended, (news) => events.push(...news.events));
  return events;
}

const allEvents = (connection: EngineConnection, runId: RunId) =>
  connection.request(listEvents, { runId, afterSeq: 0, limit: 10_000 });

describe('one engine', () => {
  test('is followed by two clients, who see every event in order', async () => {
    const workspace = newWorkspace(starRecipe({ rounds: 2 }));
    const first = await connect(workspace);
    const second = await connect(workspace);
    expect(second.hello.pid).toBe(first.hello.pid);
    const seen = [collect(first), collect(second)];
    const states: string[] = [];
    second.on(runChanged, ({ run }) => states.push(run.status));
    let progress = 0;
    second.on(progressMade, () => progress++);
    const { runId } = await first.request(startRun, { recipePath });
    expect(await second.request(awaitRun, { runId })).toMatchObject({ kind: 'done' });
    const stored = await allEvents(first, runId);
    await until('both to have every event', () => seen.every((events) => events.length === stored.length));
    expect(seen).toEqual([stored, stored]);
    expect(stored.map(({ seq }) => seq)).toEqual(stored.map((_, index) => index + 1));
    await until('the end to be told', () => states.at(-1) === 'done');
    expect(progress).toBeGreaterThan(0);
  });

  test('comes out of five starting at once', async () => {
    const workspace = newFolder();
    const environment = { TOY_START_DELAY_MS: '200' };
    const connections = await Promise.all(
      Array.from({ length: 5 }, () => connect(workspace, { environment })),
    );
    const pids = new Set(connections.map(({ hello }) => hello.pid));
    expect(pids.size).toBe(1);
    expect(await Promise.all(connections.map((one) => one.request(listRuns, {})))).toEqual([
      [],
      [],
      [],
      [],
      [],
    ]);
  });

  test('goes when nobody needs it, and not before', async () => {
    const workspace = newWorkspace(starRecipe({ rounds: 1 }));
    const environment = { RATCHET_IDLE_MS: '300', TOY_DELAY_MS: '15' };
    const connection = await connect(workspace, { environment });
    const { pid } = connection.hello;
    await sleep(600);
    expect(isAlive(pid)).toBe(true);
    const { runId } = await connection.request(startRun, { recipePath });
    connection.close();
    await sleep(600);
    expect(isAlive(pid)).toBe(true);
    await until('the run to end and the engine to go', () => !isAlive(pid), 15_000);
    const again = await connect(workspace, { environment });
    expect(again.hello.pid).not.toBe(pid);
    expect((await again.request(getRun, { runId }))?.run.status).toBe('done');
  });

  test('is not started by a client that only wants to attach', async () => {
    const workspace = newFolder();
    const options = {
      workspaceFolder: workspace,
      engineScript: toyEngine,
      nodePath: process.execPath,
    } as const;
    expect(await connectEngine({ ...options, client: 'cli', version, start: 'never' })).toBeNull();
  });

  test('opens its ear again when its socket, token or note was cleaned away', async () => {
    const workspace = newFolder();
    const first = await connect(workspace);
    const paths = workspacePaths(workspace);
    const { address } = readEndpoint(paths) ?? {};
    for (const file of [paths.note, address ?? '', (address ?? '').replace('.sock', '.token')]) {
      rmSync(file);
      expect((await connect(workspace)).hello.pid).toBe(first.hello.pid);
    }
    expect(await first.request(listRuns, {})).toEqual([]);
  });

  test('of another version says so and can be ended', async () => {
    const workspace = newWorkspace(starRecipe());
    const old = await connect(workspace, { environment: { TOY_VERSION: '0.0.0-old' } });
    expect(old.hello).toMatchObject({ compatible: false, version: '0.0.0-old' });
    await expect(old.request(startRun, { recipePath })).rejects.toMatchObject({ kind: 'invalid' });
    const closed = new Promise<void>((resolve) => old.onClosed(resolve));
    await old.request(shutdown, {});
    await closed;
    expect((await connect(workspace)).hello).toMatchObject({ compatible: true, version });
  });
});

describe('a run', () => {
  test('goes on when its client goes away, and is found by the next', async () => {
    const workspace = newWorkspace(starRecipe({ rounds: 2 }));
    const first = await connect(workspace, slow);
    const { runId } = await first.request(startRun, { recipePath });
    first.close();
    const second = await connect(workspace);
    expect(second.hello.pid).toBe(first.hello.pid);
    expect((await second.request(getRun, { runId }))?.run.status).toBe('running');
    expect(await second.request(awaitRun, { runId })).toMatchObject({ kind: 'done' });
  });

  test('pauses, resumes and ends as if it had not paused; the recipe is busy meanwhile', async () => {
    const workspace = newWorkspace(starRecipe({ rounds: 2 }));
    const connection = await connect(workspace, slow);
    const { runId } = await connection.request(startRun, { recipePath });
    await expect(connection.request(startRun, { recipePath: `./${recipePath}` })).rejects.toMatchObject({
      kind: 'busy',
    });
    await until('some events', async () => (await allEvents(connection, runId)).length > 8);
    await connection.request(pauseRun, { runId });
    expect(await connection.request(awaitRun, { runId })).toMatchObject({ kind: 'paused' });
    await connection.request(resumeRun, { runId });
    // Resuming right after asking for a pause waits for the pause, then goes on.
    await connection.request(pauseRun, { runId });
    await connection.request(resumeRun, { runId });
    expect(await connection.request(awaitRun, { runId })).toMatchObject({ kind: 'done' });
    const other = (await connection.request(startRun, { recipePath })).runId;
    expect(await connection.request(awaitRun, { runId: other })).toMatchObject({ kind: 'done' });
    expect(comparableEvents(await allEvents(connection, runId))).toEqual(
      comparableEvents(await allEvents(connection, other)),
    );
    await expect(connection.request(resumeRun, { runId })).rejects.toMatchObject({ kind: 'invalid' });
  });

  test('is stopped for good, running or paused', async () => {
    const workspace = newWorkspace(starRecipe({ rounds: 4 }));
    const connection = await connect(workspace, slow);
    const { runId } = await connection.request(startRun, { recipePath });
    await connection.request(stopRun, { runId });
    expect(await connection.request(awaitRun, { runId })).toMatchObject({ kind: 'stopped' });
    const second = (await connection.request(startRun, { recipePath })).runId;
    await connection.request(pauseRun, { runId: second });
    await connection.request(awaitRun, { runId: second });
    await connection.request(stopRun, { runId: second });
    expect(await connection.request(awaitRun, { runId: second })).toMatchObject({ kind: 'stopped' });
    const runs = await connection.request(listRuns, {});
    expect(runs.map((run) => run.status)).toEqual(['stopped', 'stopped']);
  });

  test('whose provider refuses is paused with the reason', async () => {
    const workspace = newWorkspace(starRecipe());
    const connection = await connect(workspace, { environment: { TOY_REFUSES: '1' } });
    const { runId } = await connection.request(startRun, { recipePath });
    const result = await connection.request(awaitRun, { runId });
    expect(result).toEqual({ kind: 'provider', message: 'The toy is not plugged in.' });
    expect((await connection.request(getRun, { runId }))?.run).toMatchObject({
      status: 'paused',
      message: result.message,
    });
  });

  test('of a recipe with problems is not begun, and the first problem is told with its line', async () => {
    const workspace = newWorkspace(starRecipe().replace('rounds: 4', 'rounds: none'));
    const connection = await connect(workspace);
    const refusal = connection.request(startRun, { recipePath });
    await expect(refusal).rejects.toMatchObject({ kind: 'invalid' });
    await expect(refusal).rejects.toThrow(/^loop\.loop\.yaml:10:1: /);
    expect(await connection.request(listRuns, {})).toEqual([]);
  });

  test('that cannot be saved is paused at once, says so, and can be gone on with', async () => {
    const workspace = newWorkspace(starRecipe({ rounds: 2 }));
    const connection = await connect(workspace, slow);
    const { runId } = await connection.request(startRun, { recipePath });
    await until('some events', async () => (await allEvents(connection, runId)).length > 8);
    const full = path.join(workspace, 'disk-full');
    writeFileSync(full, '');
    const sentence = 'The disk is full; free some space and resume.';
    expect(await connection.request(awaitRun, { runId })).toEqual({ kind: 'store', message: sentence });
    expect((await connection.request(getRun, { runId }))?.run).toMatchObject({
      status: 'paused',
      message: sentence,
    });
    const second = (await connection.request(startRun, { recipePath })).runId;
    expect(await connection.request(awaitRun, { runId: second })).toEqual({
      kind: 'store',
      message: sentence,
    });
    rmSync(full);
    await connection.request(resumeRun, { runId });
    expect(await connection.request(awaitRun, { runId })).toMatchObject({ kind: 'done' });
  });

  test("has a person's judgement on its experiences, told to every client", async () => {
    const workspace = newWorkspace(starRecipe({ rounds: 1 }));
    const [first, second] = [await connect(workspace), await connect(workspace)];
    const { runId } = await first.request(startRun, { recipePath });
    await first.request(awaitRun, { runId });
    const page = await first.request(listExperiences, {
      filter: { runId, arm: 'main' },
      after: null,
      limit: 5,
    });
    const solutionId = page.items[0]?.solutionId as SolutionId;
    const told = new Promise((resolve) => second.on(annotationChanged, resolve));
    await first.request(annotate, { solutionId, verdict: 'reject', score: 0.25, note: 'no' });
    expect(await told).toEqual({ solutionId });
    const { annotation } = (await second.request(getExperience, { solutionId })) ?? {};
    expect(annotation).toMatchObject({ verdict: 'reject', score: 0.25, note: 'no' });
    await first.request(annotate, { solutionId, verdict: null, score: null, note: '' });
    expect((await second.request(getExperience, { solutionId }))?.annotation).toBeNull();
    const absent = { solutionId: 'absent' as SolutionId, verdict: null, score: null, note: '' };
    await expect(first.request(annotate, absent)).rejects.toMatchObject({ kind: 'notFound' });
  });

  test('is paused when the engine is asked to end', async () => {
    const workspace = newWorkspace(starRecipe({ rounds: 4 }));
    const connection = await connect(workspace, slow);
    const { runId } = await connection.request(startRun, { recipePath });
    await connection.request(shutdown, {});
    await until('the engine to end', () => !isAlive(connection.hello.pid));
    const again = await connect(workspace);
    expect((await again.request(getRun, { runId }))?.run.status).toBe('paused');
  });
});

describe('an engine that is killed', () => {
  test('loses nothing it told, and the next one pauses its run and goes on with it', async () => {
    const workspace = newWorkspace(starRecipe({ rounds: 2 }));
    let runId: RunId | null = null;
    const told = new Map<number, StoredEvent>();
    for (const killAfter of [6, 20, 35]) {
      const connection = await connect(workspace, slow);
      connection.on(eventsAppended, ({ events }) => {
        for (const event of events) told.set(event.seq, event);
      });
      if (runId === null) ({ runId } = await connection.request(startRun, { recipePath }));
      else {
        const { run } = (await connection.request(getRun, { runId })) ?? {};
        expect(run).toMatchObject({
          status: 'paused',
          message: expect.stringContaining('The engine stopped') as string,
        });
        await connection.request(resumeRun, { runId });
      }
      await until('events to be told', () => told.size >= killAfter);
      const closed = new Promise<void>((resolve) => connection.onClosed(resolve));
      signal(connection.hello.pid, 'SIGKILL');
      await closed;
      await expect(connection.request(listRuns, {})).rejects.toMatchObject({ kind: 'unreachable' });
    }
    const last = await connect(workspace);
    if (runId === null) throw new Error('no run was begun');
    await last.request(resumeRun, { runId });
    expect(await last.request(awaitRun, { runId })).toMatchObject({ kind: 'done' });
    const stored = await allEvents(last, runId);
    const bySeq = new Map(stored.map((event) => [event.seq, event]));
    for (const [seq, event] of told) expect(bySeq.get(seq)).toEqual(event);
    const whole = (await last.request(startRun, { recipePath })).runId;
    await last.request(awaitRun, { runId: whole });
    expect(comparableEvents(stored)).toEqual(comparableEvents(await allEvents(last, whole)));
  });

  test('is not replaced while it is only stopped', async () => {
    const workspace = newFolder();
    const connection = await connect(workspace);
    const { pid } = connection.hello;
    signal(pid, 'SIGSTOP');
    try {
      const options = {
        workspaceFolder: workspace,
        engineScript: toyEngine,
        nodePath: process.execPath,
      } as const;
      await expect(
        connectEngine({ ...options, client: 'editor', version, start: 'ifNeeded' }, 1500),
      ).rejects.toThrow(`The engine (process ${pid}) owns this workspace but does not answer`);
      expect(isAlive(pid)).toBe(true);
    } finally {
      signal(pid, 'SIGCONT');
    }
    expect((await connect(workspace)).hello.pid).toBe(pid);
  });
});

describe('an engine that cannot start', () => {
  const attempt = (workspaceFolder: string, engineScript: string) =>
    connectEngine({
      workspaceFolder,
      engineScript,
      nodePath: process.execPath,
      client: 'editor',
      version,
      start: 'ifNeeded',
    });

  test('says why at once', async () => {
    const began = performance.now();
    const blocked = newFolder();
    writeFileSync(path.join(blocked, '.ratchet'), 'in the way');
    await expect(attempt(blocked, toyEngine)).rejects.toThrow(/cannot be written/);
    const broken = path.join(newFolder(), 'broken.mjs');
    writeFileSync(broken, "throw new Error('the bundle is damaged')");
    await expect(attempt(newFolder(), broken)).rejects.toThrow(/the bundle is damaged/);
    await expect(attempt(newFolder(), path.join(blocked, 'absent.mjs'))).rejects.toThrow(
      /Cannot find module/,
    );
    await expect(attempt(path.join(blocked, 'absent'), toyEngine)).rejects.toThrow(/is not there/);
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test('names a damaged store to the client that needs it, and leaves it as it is', async () => {
    const workspace = newWorkspace(starRecipe());
    const first = await connect(workspace);
    await first.request(listRuns, {});
    await first.request(shutdown, {});
    await until('the engine to end', () => !isAlive(first.hello.pid));
    writeFileSync(path.join(workspace, '.ratchet', 'workspace.ratchetdb'), '');
    const second = await connect(workspace);
    await expect(second.request(listRuns, {})).rejects.toMatchObject({ kind: 'damaged' });
    await expect(second.request(startRun, { recipePath })).rejects.toThrow(/workspace\.ratchetdb/);
  });
});
