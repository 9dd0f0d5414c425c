import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { RunReport } from '../../../src/cli/runReport.ts';
import { getRun, listRuns, progressMade, startRun } from '../../../src/protocol/engine.ts';
import { starRecipe } from '../../fakes/recipes.ts';
import { cleanUp, connectTo, newFolder, newWorkspace, start, until } from '../engine/helpers.ts';
import { toyCli, toyEngine } from '../engine/toyBundles.ts';

afterEach(cleanUp);

function ratchet(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const child = start(toyCli, args, environment);
  let out = '';
  let error = '';
  child.stdout?.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr?.on('data', (text: Buffer) => (error += text.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, out, error }));
  return { child, ended, said: () => error };
}

const recipeIn = (workspace: string) => path.join(workspace, 'loop.loop.yaml');

describe('ratchet run', () => {
  test('prints the rounds beside the control, then the sealed test', async () => {
    const { code, out, error } = await ratchet(['run', recipeIn(newWorkspace(starRecipe({ rounds: 3 })))])
      .ended;
    expect(error).toBe('');
    expect(code).toBe(0);
    const lines = out.replaceAll('\u00a0', ' ').trimEnd().split('\n');
    expect(lines[0]).toBe('star, seed 1');
    expect(lines[1]).toMatch(/^round {2}accuracy +control$/);
    for (const [index, round] of ['start', '    1', '    2', '    3'].entries()) {
      expect(lines[2 + index]).toMatch(
        new RegExp(
          `^${round} +[\\d.]+ % +\\([\\d.]+ to [\\d.]+ %\\) +[\\d.]+ % +\\([\\d.]+ to [\\d.]+ %\\)$`,
        ),
      );
    }
    expect(lines[6]).toMatch(/^Sealed test: [\d.]+ % \([\d.]+ to [\d.]+ %\), from [\d.]+ % at the start\.$/);
    expect(lines[7]).toMatch(/^Gain on the same tasks: \+[\d.]+ points \(/);
    expect(lines[8]).toMatch(/^Kept \d+ of \d+ solutions, \d of 3 candidates\.$/);
  });

  test('--json prints one object that says the same', async () => {
    const workspace = newWorkspace(starRecipe({ rounds: 2 }));
    const { code, out } = await ratchet(['run', recipeIn(workspace), '--json', '--seed', '7']).ended;
    expect(code).toBe(0);
    const report = JSON.parse(out) as RunReport;
    expect(report).toMatchObject({ recipe: 'star', seed: 7, outcome: 'done' });
    expect(report.rounds.map(({ round }) => round)).toEqual([0, 1, 2]);
    expect(report.control.map(({ round }) => round)).toEqual([0, 1, 2]);
    for (const { accuracy, low, high } of [...report.rounds, ...report.control]) {
      expect(low).toBeLessThanOrEqual(accuracy);
      expect(high).toBeGreaterThanOrEqual(accuracy);
    }
    expect(report.test?.gain).toBeCloseTo((report.test?.accuracy ?? 0) - (report.test?.start ?? 0), 10);
    expect(report.calls).toBeGreaterThan(300);
    const again = JSON.parse(
      (await ratchet(['run', recipeIn(workspace), '--json', '--seed', '7']).ended).out,
    ) as RunReport;
    expect({ ...again, seconds: 0 }).toEqual({ ...report, seconds: 0 });
  });

  test('0 at the threshold of the recipe, 1 below it', async () => {
    const met = newWorkspace(starRecipe({ rounds: 1, extra: 'threshold: 0' }));
    expect((await ratchet(['run', recipeIn(met)]).ended).code).toBe(0);
    const missed = newWorkspace(starRecipe({ rounds: 1, extra: 'threshold: 1' }));
    const { code, error } = await ratchet(['run', recipeIn(missed), '--json']).ended;
    expect(code).toBe(1);
    expect(error).toMatch(/threshold of 1/);
  });

  test('3 when the budget is reached, with what was measured until then', async () => {
    const workspace = newWorkspace(starRecipe({ rounds: 3, budget: '{ calls: 250 }' }));
    const { code, out } = await ratchet(['run', recipeIn(workspace), '--json']).ended;
    expect(code).toBe(3);
    const report = JSON.parse(out) as RunReport;
    expect(report).toMatchObject({ outcome: 'budget', test: null });
    expect(report.calls).toBeLessThanOrEqual(250);
    expect(report.rounds[0]?.round).toBe(0);
  });

  test('4 when the provider cannot answer, and the reason', async () => {
    const workspace = newWorkspace(starRecipe());
    const { code, out } = await ratchet(['run', recipeIn(workspace)], { TOY_REFUSES: '1' }).ended;
    expect(code).toBe(4);
    expect(out).toContain('The toy is not plugged in.');
  });

  test('5 when the store cannot be used', async () => {
    const workspace = newWorkspace(starRecipe());
    writeFileSync(path.join(workspace, '.ratchet'), 'in the way');
    const { code, error } = await ratchet(['run', recipeIn(workspace)]).ended;
    expect(code).toBe(5);
    expect(error).toMatch(/cannot be written/);
  });

  test('pauses at Ctrl-C, and the same command goes on to the same end', async () => {
    const recipe = starRecipe({ rounds: 2 });
    const workspace = newWorkspace(recipe);
    const first = ratchet(['run', recipeIn(workspace), '--json'], { TOY_DELAY_MS: '10' });
    await until('the run to begin', () => readLog(workspace).includes('run executing'));
    first.child.kill('SIGINT');
    const paused = await first.ended;
    expect(paused.code).toBe(130);
    expect(paused.error).toMatch(/the same command goes on with it: ratchet run /);
    expect(JSON.parse(paused.out)).toMatchObject({ outcome: 'paused', test: null });
    const second = await ratchet(['run', recipeIn(workspace), '--json']).ended;
    expect(second.code).toBe(0);
    expect(second.error).toMatch(/Going on with the paused run/);
    const unbroken = await ratchet(['run', recipeIn(newWorkspace(recipe)), '--json']).ended;
    const facts = (out: string) => ({ ...(JSON.parse(out) as RunReport), seconds: 0 });
    expect(facts(second.out)).toEqual(facts(unbroken.out));
  });

  test('ends at once at the second Ctrl-C, and the run can still be gone on with', async () => {
    const workspace = newWorkspace(starRecipe({ rounds: 2 }));
    const first = ratchet(['run', recipeIn(workspace), '--json'], { TOY_DELAY_MS: '1500' });
    await until('the run to begin', () => readLog(workspace).includes('run executing'));
    const window = await connectTo(workspace, toyEngine, { start: 'never' });
    await new Promise((resolve) => window.on(progressMade, resolve));
    first.child.kill('SIGINT');
    await until('the first to be heard', () => first.said().includes('Pausing'));
    first.child.kill('SIGINT');
    expect((await first.ended).code).toBe(130);
    expect(first.said()).toContain('Ended at once');
    const second = await ratchet(['run', recipeIn(workspace), '--json']).ended;
    expect(second.code).toBe(0);
    expect(second.error).toMatch(/Going on with the paused run/);
  });

  test('another seed is another run, and another text needs a word', async () => {
    const workspace = newWorkspace(starRecipe({ rounds: 1 }));
    const first = ratchet(['run', recipeIn(workspace)], { TOY_DELAY_MS: '10' });
    await until('the run to begin', () => readLog(workspace).includes('run executing'));
    first.child.kill('SIGINT');
    await first.ended;
    expect((await ratchet(['run', recipeIn(workspace), '--seed', '2']).ended).error).toBe('');
    writeFileSync(recipeIn(workspace), starRecipe({ rounds: 2 }));
    const asked = await ratchet(['run', recipeIn(workspace)]).ended;
    expect(asked).toMatchObject({ code: 6, out: '' });
    expect(asked.error).toMatch(/has changed since this run began.* --changed recorded, --changed branch/);
    expect(await ratchet(['run', recipeIn(workspace), '--changed', 'new']).ended).toMatchObject({
      code: 0,
      error: '',
    });
    // Words that change nothing are no change.
    writeFileSync(recipeIn(workspace), `${starRecipe({ rounds: 1 })}# a word\n`);
    const on = await ratchet(['run', recipeIn(workspace)]).ended;
    expect(on.code).toBe(0);
    expect(on.error).toMatch(/Going on with the paused run/);
  });

  test('is a client of the engine the workspace has', async () => {
    const workspace = newWorkspace(starRecipe({ rounds: 1 }));
    const connection = await connectTo(workspace, toyEngine);
    const { code } = await ratchet(['run', recipeIn(workspace)]).ended;
    expect(code).toBe(0);
    expect((await connection.request(listRuns, {})).map(({ status }) => status)).toEqual(['done']);
  });

  test('serves an editor window while it runs, and does not cut off the run that window began', async () => {
    const workspace = newWorkspace(starRecipe({ rounds: 1 }));
    writeFileSync(path.join(workspace, 'other.loop.yaml'), starRecipe({ rounds: 2, seed: 3 }));
    const command = ratchet(['run', recipeIn(workspace)], { TOY_DELAY_MS: '10' });
    await until('the run to begin', () => readLog(workspace).includes('run executing'));
    const window = await connectTo(workspace, toyEngine, { start: 'never' });
    expect(window.hello.pid).toBe(command.child.pid);
    const { runId } = await window.request(startRun, { recipePath: 'other.loop.yaml' });
    expect((await command.ended).code).toBe(0);
    expect(command.said()).toMatch(/Another run/);
    expect((await (await connectTo(workspace, toyEngine)).request(getRun, { runId }))?.run.status).toBe(
      'done',
    );
  });
});

describe('ratchet check, and what is typed wrongly', () => {
  test('problems have a file, a line and a column; 2', async () => {
    const file = recipeIn(
      newWorkspace(starRecipe().replace('rounds: 4', 'rounds: none').replace('n: 4', 'n: 0')),
    );
    for (const command of ['check', 'run']) {
      const { code, out, error } = await ratchet([command, file]).ended;
      expect(code).toBe(2);
      expect(out).toBe('');
      expect(error).toMatch(new RegExp(`^${file}:10:1: `, 'm'));
      expect(error).toMatch(new RegExp(`^${file}:15:\\d+: `, 'm'));
    }
  });

  test('a recipe that does not parse, is not there, or names no data: 2', async () => {
    const folder = newFolder();
    const write = (name: string, text: string) => {
      writeFileSync(path.join(folder, name), text);
      return path.join(folder, name);
    };
    expect(await ratchet(['check', write('a.loop.yaml', 'name: [')]).ended).toMatchObject({ code: 2 });
    expect(await ratchet(['check', path.join(folder, 'none.loop.yaml')]).ended).toMatchObject({ code: 2 });
    const recipe = starRecipe().replace(/data:\n(?: {2}.*\n)+/, 'data: tasks.jsonl\n');
    const missing = await ratchet(['run', write('b.loop.yaml', recipe)]).ended;
    expect(missing).toMatchObject({ code: 2 });
    expect(missing.error).toContain('tasks.jsonl');
  });

  test('a bad line of data is named and skipped; 0', async () => {
    const folder = newFolder();
    const rows = Array.from({ length: 40 }, (_, index) =>
      JSON.stringify({ input: `${index}+1`, reference: `${index + 1}` }),
    );
    writeFileSync(
      path.join(folder, 'tasks.jsonl'),
      [...rows.slice(0, 3), '{ broken', ...rows.slice(3)].join('\n'),
    );
    const file = path.join(folder, 'a.loop.yaml');
    writeFileSync(file, starRecipe().replace(/data:\n(?: {2}.*\n)+/, 'data: tasks.jsonl\n'));
    const { code, out, error } = await ratchet(['check', file]).ended;
    expect(error).toMatch(/^tasks\.jsonl:4: skipped, /m);
    expect(code).toBe(0);
    expect(out).toContain('"star" is sound');
  });

  test('help, version and nonsense', async () => {
    const ended = await Promise.all(
      [['--help'], ['--version'], ['fly'], ['run'], ['run', 'x', '--seed', 'two']].map(
        (args) => ratchet(args).ended,
      ),
    );
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 2, 2, 2]);
    expect(ended[0]?.out).toContain('ratchet run FILE');
    expect(ended[1]?.out).toBe('0.0.0-test\n');
    for (const { error } of ended.slice(2)) expect(error.trimEnd().split('\n')).toHaveLength(1);
  });
});

function readLog(workspace: string): string {
  try {
    return readFileSync(path.join(workspace, '.ratchet', 'engine.log'), 'utf8');
  } catch {
    return '';
  }
}
