import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import { unmark } from '../../../src/adapters/store/ownMarks.ts';
import { listRuns, startRun } from '../../../src/protocol/engine.ts';
import { starRecipe } from '../../fakes/recipes.ts';
import { cleanUp, connectTo, newFolder, newWorkspace, start, until } from '../engine/helpers.ts';
import { toyCli, toyEngine } from '../engine/toyBundles.ts';

afterEach(cleanUp);

async function ratchet(...args: readonly string[]) {
  const child = start(toyCli, args);
  let out = '';
  let error = '';
  child.stdout?.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr?.on('data', (text: Buffer) => (error += text.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out: out.replaceAll('\u00a0', ' '), error: error.replaceAll('\u00a0', ' ') };
}

const store = (workspace: string, ...args: readonly string[]) =>
  ratchet('store', ...args, '--workspace', workspace);
const databaseOf = (workspace: string) => path.join(workspace, '.ratchet', 'workspace.ratchetdb');

/** Flips one bit in a text that is stored, but that nothing reads when the database is opened. */
function flipInAnswers(file: string): void {
  const bytes = readFileSync(file);
  const copy = path.join(newFolder(), 'copy.sqlite');
  const open = Buffer.from(bytes);
  // The live file keeps other programs off.
  unmark(open, 0);
  writeFileSync(copy, open);
  const plain = new DatabaseSync(copy, { readOnly: true });
  const text = String(
    plain.prepare('SELECT result FROM effects ORDER BY ref LIMIT 1 OFFSET 20').get()?.['result'],
  );
  plain.close();
  const at = bytes.indexOf(text);
  expect(at).toBeGreaterThan(4096);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

async function workspaceWithRun(): Promise<string> {
  const workspace = newWorkspace(starRecipe({ rounds: 1 }));
  expect((await ratchet('run', path.join(workspace, 'loop.loop.yaml'))).code).toBe(0);
  return workspace;
}

describe('ratchet store, where no engine runs', () => {
  test('verify says that all is whole, with the backup the run left', async () => {
    const workspace = await workspaceWithRun();
    const { code, out, error } = await store(workspace, 'verify');
    expect(error).toBe('');
    expect(out).toMatch(
      /^Whole: [\d ]+ rows checked; 1 run, [\d ]+ experiences, newest backup \d{4}-\d\d-\d\d/,
    );
    expect(code).toBe(0);
    expect(readdirSync(path.join(workspace, '.ratchet', 'backups'))).toHaveLength(1);
  });

  test('export writes a file any SQLite reads; import brings its runs to another workspace, once', async () => {
    const workspace = await workspaceWithRun();
    const file = path.join(newFolder(), 'all.sqlite');
    expect(await store(workspace, 'export', file)).toMatchObject({ code: 0, error: '' });
    const plain = new DatabaseSync(file, { readOnly: true });
    const solutions = Number(plain.prepare('SELECT count(*) AS n FROM solutions').get()?.['n']);
    expect(solutions).toBeGreaterThan(50);
    plain.close();
    const again = await store(workspace, 'export', file);
    expect(again).toMatchObject({ code: 5, out: '' });
    expect(again.error).toBe(`${file} exists already. Name another file.\n`);
    const other = newFolder();
    expect((await store(other, 'import', file)).out).toBe(`Imported 1 run with ${solutions} experiences.\n`);
    expect((await store(other, 'import', file)).out).toBe(
      'Imported 0 runs with 0 experiences; 1 run known already.\n',
    );
    expect((await store(other, 'verify')).code).toBe(0);
  });

  test('export and archive write nothing among the files of the database', async () => {
    const workspace = await workspaceWithRun();
    const own = path.join(workspace, '.ratchet');
    const before = readdirSync(own);
    for (const file of [path.join(own, 'copy.sqlite'), path.join(own, 'backups', 'copy.sqlite')])
      for (const action of [
        ['export', file],
        ['archive', 'star:1', file],
      ])
        expect(await store(workspace, ...action)).toMatchObject({
          code: 5,
          out: '',
          error: `${own} is Ratchet's own. Name a file in another folder.\n`,
        });
    expect(readdirSync(own)).toEqual(before);
    expect((await store(workspace, 'verify')).out).toContain('; 1 run, ');
  });

  test('archive moves a run into a file, from where import brings it back', async () => {
    const workspace = await workspaceWithRun();
    const file = path.join(newFolder(), 'old.sqlite');
    const unknown = await store(workspace, 'archive', 'star:7', file);
    expect(unknown).toMatchObject({ code: 5, out: '' });
    expect(unknown.error).toBe('There is no run star:7 in this workspace; there are star:1.\n');
    writeFileSync(file, 'mine');
    expect((await store(workspace, 'archive', 'star:1', file)).error).toBe(
      `${file} exists already. Name another file.\n`,
    );
    rmSync(file);
    const { code, out, error } = await store(workspace, 'archive', 'star:1', file);
    expect({ code, error }).toEqual({ code: 0, error: '' });
    const said =
      /^Archived ([\d ]+) experiences to (.*) \([\d.]+ MB\); "ratchet store import" brings them back\.\n$/.exec(
        out,
      );
    expect(said?.[2]).toBe(file);
    const plain = new DatabaseSync(file, { readOnly: true });
    const solutions = Number(plain.prepare('SELECT count(*) AS n FROM solutions').get()?.['n']);
    plain.close();
    expect(Number(said?.[1]?.replaceAll(' ', ''))).toBe(solutions);
    expect((await store(workspace, 'verify')).out).toContain('; 0 runs, 0 experiences, ');
    expect((await store(workspace, 'archive', 'star:1', file)).error).toBe(
      'There is no run in this workspace.\n',
    );
    expect((await store(workspace, 'import', file)).out).toBe(
      `Imported 1 run with ${said?.[1] ?? ''} experiences.\n`,
    );
    expect(await store(workspace, 'verify')).toMatchObject({ code: 0 });
  });

  test('compact gives space back', async () => {
    const workspace = await workspaceWithRun();
    expect((await store(workspace, 'compact')).out).toMatch(
      /^Compacted: [\d.]+ MB before, [\d.]+ MB now\.$/m,
    );
    expect((await store(workspace, 'verify')).code).toBe(0);
  });

  test('a damaged database is named with its backup, restored on request and kept', async () => {
    const workspace = await workspaceWithRun();
    const file = databaseOf(workspace);
    truncateSync(file, 20_000);
    const damaged = readFileSync(file);
    const run = await ratchet('run', path.join(workspace, 'loop.loop.yaml'));
    expect(run.code).toBe(5);
    expect(run.error).toContain('ratchet store restore');
    expect(run.error).toContain('The newest good backup is of');
    expect(run.error.trimEnd().split('\n')).toHaveLength(1);
    expect(readFileSync(file).equals(damaged)).toBe(true);
    const restored = await store(workspace, 'restore');
    expect(restored.code).toBe(0);
    expect(restored.out).toMatch(/^Restored the backup of .* UTC: 1 run, \d+ experiences\.$/m);
    const kept = /kept as (.*)\.$/m.exec(restored.error)?.[1] ?? '';
    expect(readFileSync(kept).equals(damaged)).toBe(true);
    expect((await store(workspace, 'verify')).code).toBe(0);
  });

  test('verify finds damage that opening does not see, and restore puts the backup in its place', async () => {
    const workspace = await workspaceWithRun();
    flipInAnswers(databaseOf(workspace));
    const found = await store(workspace, 'verify');
    expect(found.code).toBe(1);
    expect(found.error).toContain('damaged');
    expect((await store(workspace, 'restore')).code).toBe(0);
    expect((await store(workspace, 'verify')).code).toBe(0);
  });

  test('a whole database is not replaced', async () => {
    const workspace = await workspaceWithRun();
    const { code, error } = await store(workspace, 'restore');
    expect(code).toBe(5);
    expect(error).toBe('The workspace database is whole, so no backup was put in its place.\n');
    expect(readdirSync(path.dirname(databaseOf(workspace))).some((name) => name.includes('damaged'))).toBe(
      false,
    );
  });

  test('says what is wrong in one sentence', async () => {
    const folder = newFolder();
    expect(await store(folder, 'verify')).toMatchObject({ code: 5 });
    expect((await store(folder, 'verify')).error).toContain('Nothing has run');
    expect(existsSync(path.join(folder, '.ratchet'))).toBe(false);
    const diary = path.join(folder, 'diary.txt');
    writeFileSync(diary, 'dear diary');
    mkdirSync(path.join(folder, '.ratchet'));
    const refused = await store(folder, 'import', diary);
    expect(refused.code).toBe(5);
    expect(refused.error).toBe(
      `${diary} was not imported: it is not a Ratchet workspace. Nothing was changed.\n`,
    );
    for (const wrong of [
      ['store'],
      ['store', 'mend'],
      ['store', 'export'],
      ['store', 'verify', 'x'],
      ['store', 'archive', 'star:1'],
    ])
      expect((await ratchet(...wrong)).code).toBe(2);
  });
});

describe('ratchet store, beside an engine', () => {
  test('asks that engine; a damaged file is restored and the window goes on with a new engine', async () => {
    const workspace = await workspaceWithRun();
    const window = await connectTo(workspace, toyEngine);
    expect(await window.request(listRuns, {})).toHaveLength(1);
    expect((await store(workspace, 'verify')).code).toBe(0);
    flipInAnswers(databaseOf(workspace));
    const closed = new Promise<void>((resolve) => window.onClosed(resolve));
    expect((await store(workspace, 'restore')).code).toBe(0);
    await closed;
    const again = await connectTo(workspace, toyEngine);
    expect(await again.request(listRuns, {})).toHaveLength(1);
  });

  test('is told to pause a run first where the database would change under it', async () => {
    const workspace = await workspaceWithRun();
    const file = path.join(newFolder(), 'all.sqlite');
    const window = await connectTo(workspace, toyEngine, { environment: { TOY_DELAY_MS: '100' } });
    const { runId } = await window.request(startRun, { recipePath: 'loop.loop.yaml', seed: 9 });
    await until('the run', async () => (await window.request(listRuns, {}))[0]?.id === runId);
    expect((await store(workspace, 'export', file)).code).toBe(0);
    for (const action of [['compact'], ['restore'], ['import', file]]) {
      const { code, error } = await store(workspace, ...action);
      expect(code).toBe(5);
      expect(error).toContain('A run is going on');
    }
  });
});
