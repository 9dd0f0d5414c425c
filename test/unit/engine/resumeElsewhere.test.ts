// Owns the proof that a database which came from elsewhere is not gone on with, at one's cost, without a yes.
import { cpSync, statSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { knownRuns, stateFolder } from '../../../src/engine/knownRuns.ts';
import { asId, type RunId } from '../../../src/core/model/ids.ts';
import {
  awaitRun,
  getRun,
  inspectResume,
  listRuns,
  pauseRun,
  resumeRun,
  shutdown,
  startRun,
} from '../../../src/protocol/engine.ts';
import { starRecipe } from '../../fakes/recipes.ts';
import { cleanUp, connectTo, newFolder, newWorkspace, start, until } from './helpers.ts';
import { toyCli, toyEngine } from './toyBundles.ts';

afterEach(cleanUp);

const recipe = starRecipe({ rounds: 2, budget: '{ calls: 5000, usd: 3, tokens: 9000000 }' });

/** A workspace with a paused run begun under `state`. */
async function pausedRun(state: string): Promise<{ workspace: string; runId: RunId }> {
  const workspace = newWorkspace(recipe);
  const environment = { RATCHET_STATE: state, TOY_DELAY_MS: '20' };
  const engine = await connectTo(workspace, toyEngine, { environment });
  const { runId } = await engine.request(startRun, { recipePath: 'loop.loop.yaml' });
  await until('some calls', async () => ((await engine.request(getRun, { runId }))?.run.calls ?? 0) > 0);
  await engine.request(pauseRun, { runId });
  await engine.request(awaitRun, { runId });
  await engine.request(shutdown, {});
  await new Promise<void>((resolve) => engine.onClosed(resolve));
  return { workspace, runId };
}

/** The folder as another person's machine has it after a clone. */
function cloned(workspace: string): string {
  const copy = path.join(newFolder(), 'clone');
  cpSync(workspace, copy, { recursive: true });
  return copy;
}

it('is refused on another machine and in another folder until a person agrees, then remembered', async () => {
  const [mine, theirs] = [newFolder(), newFolder()];
  const { workspace, runId } = await pausedRun(mine);
  for (const [folder, state] of [
    [cloned(workspace), mine],
    [workspace, theirs],
  ] as const) {
    const engine = await connectTo(folder, toyEngine, { environment: { RATCHET_STATE: state } });
    const calls = (await engine.request(getRun, { runId }))?.run.calls ?? 0;
    const question = await engine.request(inspectResume, { runId });
    expect(question).toEqual({
      needed: true,
      model: 'toy',
      callsMade: calls,
      callsLeft: 5000 - calls,
      tokens: 9_000_000,
      usd: 3,
      repeats: 0,
      changed: null,
    });
    await expect(engine.request(resumeRun, { runId })).rejects.toThrow(/not begun on this machine/);
    await expect(engine.request(resumeRun, { runId, confirmed: false })).rejects.toThrow(/say yes/);
    expect((await engine.request(getRun, { runId }))?.run).toMatchObject({ status: 'paused', calls });
    await engine.request(resumeRun, { runId, confirmed: true });
    expect(await engine.request(awaitRun, { runId })).toMatchObject({ kind: 'done' });
    expect((await engine.request(inspectResume, { runId })).needed).toBe(false);
    await engine.request(shutdown, {});
    await new Promise<void>((resolve) => engine.onClosed(resolve));
  }
});

it('goes on without a question where it was begun', async () => {
  const mine = newFolder();
  const { workspace, runId } = await pausedRun(mine);
  const engine = await connectTo(workspace, toyEngine, { environment: { RATCHET_STATE: mine } });
  expect((await engine.request(inspectResume, { runId })).needed).toBe(false);
  await engine.request(resumeRun, { runId });
  expect(await engine.request(awaitRun, { runId })).toMatchObject({ kind: 'done' });
});

it('needs --yes on the command line', async () => {
  const { workspace } = await pausedRun(newFolder());
  const run = async (...more: string[]) => {
    const child = start(toyCli, ['run', path.join(workspace, 'loop.loop.yaml'), ...more], {
      RATCHET_STATE: theirs,
    });
    let said = '';
    child.stderr?.on('data', (data: Buffer) => {
      said += data.toString();
    });
    const [code] = (await once(child, 'close')) as [number];
    return { code, said };
  };
  const theirs = newFolder();
  const refused = await run();
  expect(refused).toMatchObject({ code: 6 });
  expect(refused.said).toMatch(/not begun on this machine; it has made [\d,]+ calls? .* Add --yes/);
  const agreed = await run('--yes');
  expect(agreed.code).toBe(0);
  const engine = await connectTo(workspace, toyEngine, { environment: { RATCHET_STATE: theirs } });
  expect((await engine.request(listRuns, {})).map(({ status }) => status)).toEqual(['done']);
});

it('remembers a run, not what it says, for this user alone', () => {
  const state = newFolder();
  const warned: string[] = [];
  const log = { warn: (message: string) => warned.push(message) };
  const run = { runId: asId<RunId>('r'), recipeText: 'secret words', seed: 1 };
  const known = knownRuns(state, '/work/a', log);
  expect(known.has(run)).toBe(false);
  known.note(run);
  expect(known.has(run)).toBe(true);
  for (const other of [
    { ...run, seed: 2 },
    { ...run, recipeText: 'other' },
    { ...run, runId: asId<RunId>('s') },
  ])
    expect(known.has(other)).toBe(false);
  expect(knownRuns(state, '/work/b', log).has(run)).toBe(false);
  const [name = ''] = readdirSync(path.join(state, 'runs'));
  expect(readFileSync(path.join(state, 'runs', name), 'utf8')).toBe('');
  expect(statSync(path.join(state, 'runs')).mode & 0o077).toBe(0);
  knownRuns('/dev/null/nowhere', '/work/a', log).note(run);
  expect(warned).toHaveLength(1);
  expect(stateFolder({ RATCHET_STATE: '/tmp/x' })).toBe('/tmp/x');
  expect(path.isAbsolute(stateFolder({ RATCHET_STATE: 'relative' }))).toBe(true);
});
