import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { asId, type RunId } from '../../../src/core/model/ids.ts';
import {
  archiveRun,
  awaitRun,
  importStore,
  listRuns,
  runsChanged,
  startRun,
  verifyStore,
} from '../../../src/protocol/engine.ts';
import { starRecipe } from '../../fakes/recipes.ts';
import { cleanUp, connectTo, newFolder, newWorkspace, until } from './helpers.ts';
import { toyEngine } from './toyBundles.ts';

afterEach(cleanUp);

test('a run is archived once it stands still; every window hears of it, and an import brings it back', async () => {
  const workspace = newWorkspace(starRecipe({ rounds: 1 }));
  const file = path.join(newFolder(), 'old.sqlite');
  const window = await connectTo(workspace, toyEngine, { environment: { TOY_DELAY_MS: '60' } });
  const other = await connectTo(workspace, toyEngine);
  const { runId } = await window.request(startRun, { recipePath: 'loop.loop.yaml', seed: 1 });
  const archive = (of: { readonly runId?: RunId; readonly file?: string }) =>
    window.request(archiveRun, { runId, file, replace: false, ...of });
  await expect(archive({})).rejects.toMatchObject({ kind: 'busy' });
  await expect(archive({ runId: asId('none') })).rejects.toMatchObject({ kind: 'notFound' });
  await window.request(awaitRun, { runId });
  await expect(archive({ file: 'old.sqlite' })).rejects.toMatchObject({ kind: 'invalid' });
  await expect(archive({ file: path.join(workspace, '.ratchet', 'x.sqlite') })).rejects.toMatchObject({
    kind: 'invalid',
  });
  expect(await other.request(listRuns, {})).toHaveLength(1);
  let told = 0;
  other.on(runsChanged, () => (told += 1));
  const { experiences, bytes } = await archive({});
  expect(experiences).toBeGreaterThan(50);
  expect(bytes).toBeGreaterThan(8192);
  await until('the other window to be told', () => told > 0);
  expect(await other.request(listRuns, {})).toEqual([]);
  expect(await window.request(verifyStore, {})).toMatchObject({ ok: true, problems: [] });
  expect(readdirSync(path.dirname(file))).toEqual(['old.sqlite']);
  expect(await other.request(importStore, { file })).toEqual({ runs: 1, known: 0, experiences });
  expect((await window.request(listRuns, {})).map(({ id }) => id)).toEqual([runId]);
  expect(existsSync(file)).toBe(true);
});
