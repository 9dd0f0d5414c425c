import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunReport } from '../../../src/cli/runReport.ts';
import { version } from '../../../src/engine/version.ts';
import { awaitRun, getRun, startRun } from '../../../src/protocol/engine.ts';
import { starRecipe } from '../../fakes/recipes.ts';
import { cleanUp, connectTo, newFolder, newWorkspace } from './helpers.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const run = promisify(execFile);
let dist = '';

/** A short loop on Pocket itself. */
const recipe = starRecipe({ rounds: 1, model: 'pocket' }).replaceAll('count: 60', 'count: 20');

beforeAll(async () => {
  const folder = newFolder();
  dist = path.join(folder, 'dist');
  mkdirSync(dist);
  symlinkSync(path.join(root, 'media'), path.join(folder, 'media'));
  await run(process.execPath, [path.join(root, 'esbuild.mjs'), '--out', dist]);
}, 60_000);

afterAll(cleanUp);

describe('the bundles, without the sources and packages beside them', () => {
  test('check and run a recipe on Pocket from the command line', async () => {
    const file = path.join(newWorkspace(recipe), 'loop.loop.yaml');
    const cli = path.join(dist, 'cli.mjs');
    expect((await run(process.execPath, [cli, '--version'])).stdout).toBe(`${version}\n`);
    expect((await run(process.execPath, [cli, 'check', file])).stdout).toContain('"star" is sound');
    const { stdout } = await run(process.execPath, [cli, 'run', file, '--json']);
    expect(JSON.parse(stdout) as RunReport).toMatchObject({
      outcome: 'done',
      rounds: [{ round: 0 }, { round: 1 }],
    });
  });

  test('serve a workspace as an engine process', async () => {
    const workspace = newWorkspace(recipe);
    const connection = await connectTo(workspace, path.join(dist, 'engine.mjs'), { version });
    expect(connection.hello.compatible).toBe(true);
    const { runId } = await connection.request(startRun, { recipePath: 'loop.loop.yaml' });
    expect(await connection.request(awaitRun, { runId })).toMatchObject({ kind: 'done' });
    expect((await connection.request(getRun, { runId }))?.run.testScore).not.toBeNull();
  });

  test('say which provider is missing and how to name one', async () => {
    const workspace = newWorkspace(
      recipe.replace('model: pocket', 'model: { provider: openai, model: some }'),
    );
    const environment = { OPENAI_API_KEY: undefined, RATCHET_OPENAI_BASE_URL: undefined };
    const failed = run(
      process.execPath,
      [path.join(dist, 'cli.mjs'), 'run', path.join(workspace, 'loop.loop.yaml')],
      {
        env: { ...process.env, ...environment },
      },
    );
    await expect(failed).rejects.toMatchObject({
      code: 4,
      stdout: expect.stringContaining('OPENAI_API_KEY') as string,
    });
    const other = newWorkspace(recipe.replace('model: pocket', 'model: gpt'));
    const unknown = run(process.execPath, [
      path.join(dist, 'cli.mjs'),
      'run',
      path.join(other, 'loop.loop.yaml'),
    ]);
    await expect(unknown).rejects.toMatchObject({
      code: 4,
      stdout: expect.stringContaining('no provider "gpt"') as string,
    });
  });
});
