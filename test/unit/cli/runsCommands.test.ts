/** The commands on runs over real processes and a real endpoint that counts what it is asked. */
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RunReport } from '../../../src/cli/runReport.ts';
import type { RunEstimate } from '../../../src/core/model/estimate.ts';
import { completion, type FakeServer, later, startOpenAiServer } from '../../fakes/openaiServer.ts';
import { cleanUp, newFolder, newWorkspace, start, until } from '../engine/helpers.ts';
import { shippedCli } from '../engine/toyBundles.ts';

// Each test starts up to ten processes, one after the other.
vi.setConfig({ testTimeout: 120_000 });

const key = 'sk-nobody-may-see-this-1234567890';
let server: FakeServer;
let delayMs = 0;

beforeAll(async () => {
  server = await startOpenAiServer((response, request) =>
    later(delayMs, completion(String(JSON.stringify(request.body).length % 97)))(response, request),
  );
});
afterAll(async () => {
  await cleanUp();
  await server.close();
});

const recipe = (changes: { rounds?: number; budget?: string; phrase?: string } = {}) => `
ratchet: 1
name: counted
objective: { ability: addition, metric: exact }
model: { provider: local, model: counted }
instruction: "add"
data:
  train: { generate: addition, digits: [2], count: 10 }
  dev: { generate: addition, digits: [2], count: 10 }
  test: { generate: addition, digits: [2], count: 10 }
rounds: ${changes.rounds ?? 2}
seed: 1
budget: ${changes.budget ?? '{}'}
steps:
  - revise: { over: instruction, n: 2, mode: edit, edits: [add], phrases: [think, ${changes.phrase ?? 'be brief'}] }
  - update: { slot: instruction }
  - evaluate: { suite: train, temperature: 1, maxTokens: 20 }
  - select: { over: candidates, policy: top }
  - evaluate: { suite: dev, temperature: 1, maxTokens: 20 }
`;

function ratchet(folder: string, ...args: readonly string[]) {
  const prices = { counted: { input: 1, output: 2 } };
  const provider = { baseURL: server.baseURL, keyVariable: 'RATCHET_LOCAL_API_KEY', prices };
  const child = start(shippedCli, [...args, ...(args[0] === 'replay' ? [] : workspaceOf(args[0], folder))], {
    RATCHET_PROVIDERS: JSON.stringify({ local: provider }),
    RATCHET_LOCAL_API_KEY: key,
    OPENAI_API_KEY: key,
  });
  let out = '';
  let error = '';
  child.stdout?.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr?.on('data', (text: Buffer) => (error += text.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, out, error }));
  return { child, ended };
}

/** Commands on a recipe find the workspace by it. */
const workspaceOf = (command: string | undefined, folder: string): readonly string[] =>
  command === 'run' || command === 'estimate' ? [] : ['--workspace', folder];

const fileIn = (workspace: string) => path.join(workspace, 'loop.loop.yaml');
const bodies = (from: number) => server.seen.slice(from).map(({ body }) => JSON.stringify(body));

/** Begins a run, presses Ctrl-C once calls were made, and waits for the pause. */
async function paused(workspace: string): Promise<void> {
  const from = server.seen.length;
  delayMs = 100;
  const { child, ended } = ratchet(workspace, 'run', fileIn(workspace), '--json');
  await until('calls', () => server.seen.length > from + 8);
  child.kill('SIGINT');
  expect((await ended).code).toBe(130);
  delayMs = 0;
}

describe('a run that met its budget', () => {
  test('is estimated, resumed under a higher cap, bundled without a secret, and replayed with no network', async () => {
    const workspace = newWorkspace(recipe({ budget: '{ calls: 25 }' }));
    const from = server.seen.length;
    const estimated = await ratchet(workspace, 'estimate', fileIn(workspace), '--json').ended;
    expect(estimated).toMatchObject({ code: 0, error: '' });
    const estimate = JSON.parse(estimated.out) as RunEstimate;
    expect(estimate.cap).toMatch(/25 calls/);
    expect(server.seen).toHaveLength(from);

    const first = await ratchet(workspace, 'run', fileIn(workspace)).ended;
    expect(first.code).toBe(3);
    expect(first.error).toMatch(/ratchet resume \w{16} --calls N/);
    expect(server.seen.length - from).toBe(25);
    expect(server.seen[from]?.headers.authorization).toBe(`Bearer ${key}`);
    expect((await ratchet(workspace, 'runs').ended).out).toMatch(
      /^\w{16} {2}counted, seed 1, .*25 of 25 calls/,
    );

    const resumed = await ratchet(workspace, 'resume', 'counted:1', '--calls', '1000', '--json').ended;
    expect(resumed.code).toBe(0);
    expect(resumed.error).toMatch(/25 recovered, 0 calls to repeat/);
    const report = JSON.parse(resumed.out) as RunReport;
    expect(report).toMatchObject({ outcome: 'done', calls: server.seen.length - from });
    expect(new Set(bodies(from)).size).toBe(server.seen.length - from);
    expect(report.calls).toBeGreaterThanOrEqual(estimate.calls.low);
    expect(report.calls).toBeLessThanOrEqual(estimate.calls.high);

    const file = path.join(newFolder(), 'run.bundle');
    const bundled = await ratchet(workspace, 'bundle', 'counted:1', file).ended;
    expect(bundled).toMatchObject({ code: 0, error: '' });
    const hash = /Hash of its events: ([0-9a-f]{64})/.exec(bundled.out)?.[1] ?? 'none';
    const held = gunzipSync(readFileSync(file)).toString('utf8');
    for (const secret of [key, server.host, 'Bearer', 'api_key']) expect(held).not.toContain(secret);
    expect(await ratchet(workspace, 'bundle', 'counted:1', file).ended).toMatchObject({ code: 2 });

    const asked = server.seen.length;
    const elsewhere = newFolder();
    const replayed = await ratchet(elsewhere, 'replay', file).ended;
    expect(replayed).toMatchObject({ code: 0, error: '' });
    expect(replayed.out).toContain(hash);
    expect(replayed.out).toContain('The same as when it was bundled.');
    expect(server.seen).toHaveLength(asked);
    expect(existsSync(path.join(elsewhere, '.ratchet'))).toBe(false);

    const cut = path.join(newFolder(), 'cut.bundle');
    writeFileSync(cut, gzipSync(held.replace('be brief', 'be grief')));
    expect(await ratchet(elsewhere, 'replay', cut).ended).toMatchObject({ code: 2, out: '' });
    expect(await ratchet(elsewhere, 'replay', path.join(elsewhere, 'none')).ended).toMatchObject({ code: 2 });
  });
});

test('an equal second run asks nothing, unless it is told to ask anew', async () => {
  const workspace = newWorkspace(recipe({ rounds: 1 }));
  const run = async (...more: readonly string[]) => {
    const from = server.seen.length;
    const { code, out } = await ratchet(workspace, 'run', fileIn(workspace), '--json', ...more).ended;
    expect(code).toBe(0);
    return { asked: server.seen.length - from, report: { ...(JSON.parse(out) as RunReport), seconds: 0 } };
  };
  const first = await run();
  expect(first.asked).toBe(first.report.calls);
  const second = await run();
  expect(second).toEqual({ asked: 0, report: { ...first.report, calls: 0 } });
  const said = `${first.asked} from cache`;
  expect((await ratchet(workspace, 'runs').ended).out.split('\n')[0]).toContain(said);
  expect(await run('--no-cache')).toEqual(first);
});

describe('a run whose recipe changed', () => {
  test('stops and asks; goes on as recorded; a branch pays only for its own rounds; the two are compared', async () => {
    const workspace = newWorkspace(recipe());
    const from = server.seen.length;
    await paused(workspace);
    writeFileSync(fileIn(workspace), recipe({ phrase: 'show each step' }));
    const asked = server.seen.length;
    for (const command of [
      ['run', fileIn(workspace)],
      ['resume', 'counted:1'],
    ]) {
      const refused = await ratchet(workspace, ...command).ended;
      expect(refused).toMatchObject({ code: 6, out: '' });
      expect(refused.error).toMatch(/has changed since this run began/);
    }
    expect(server.seen).toHaveLength(asked);
    const recorded = await ratchet(workspace, 'run', fileIn(workspace), '--changed', 'recorded').ended;
    expect(recorded.code).toBe(0);
    // At most those in flight at the pause were asked twice.
    const distinct = new Set(bodies(from)).size;
    expect(server.seen.length - from - distinct).toBeLessThanOrEqual(32);

    const before = server.seen.length;
    const branch = await ratchet(workspace, 'branch', 'counted:1', '--round', '1', '--json').ended;
    expect(branch.code).toBe(0);
    const own = server.seen.length - before;
    expect((JSON.parse(branch.out) as RunReport).calls).toBe(own);
    expect(own).toBeGreaterThan(0);
    expect(own).toBeLessThan(distinct);
    const said = (await ratchet(workspace, 'compare', 'counted:1', 'counted:2').ended).out;
    expect(said).toMatch(/^Calls .* \d+ .*\d/m);
    expect(said).toContain('One is a branch of the other');
    const runs = (await ratchet(workspace, 'runs').ended).out.trimEnd().split('\n');
    expect(runs).toHaveLength(2);
    expect(runs[0]).toMatch(/\d reused( · \d+ from cache)?$/);
  });

  test('is branched by run --changed branch, and left alone by --changed new', async () => {
    const workspace = newWorkspace(recipe());
    await paused(workspace);
    writeFileSync(fileIn(workspace), recipe({ phrase: 'slowly' }));
    const fresh = await ratchet(workspace, 'run', fileIn(workspace), '--changed', 'new', '--json').ended;
    expect(fresh.code).toBe(0);
    const branch = await ratchet(workspace, 'run', fileIn(workspace), '--changed', 'branch', '--json').ended;
    expect(branch.code).toBe(0);
    const runs = (await ratchet(workspace, 'runs').ended).out;
    expect(runs.match(/, done/g)).toHaveLength(2);
    expect(runs.match(/, paused/g)).toHaveLength(1);
  });
});

test('what is no run, or has ended, is named in one sentence; 2', async () => {
  const workspace = newWorkspace(recipe({ rounds: 1 }));
  expect(await ratchet(workspace, 'runs').ended).toMatchObject({ code: 2 });
  expect((await ratchet(workspace, 'run', fileIn(workspace)).ended).code).toBe(0);
  const done = await ratchet(workspace, 'resume', 'counted:1').ended;
  expect(done).toMatchObject({ code: 2, out: '' });
  expect(done.error).toMatch(/^Only a paused run, .* is done\.\n$/);
  for (const [command, ...rest] of [['resume'], ['branch'], ['bundle', 'x'], ['compare', 'counted:1']]) {
    const { code, error } = await ratchet(workspace, command ?? '', 'counted:9', ...rest).ended;
    expect(code).toBe(2);
    expect(error).toMatch(/^There is no run counted:9; .*\n$/);
  }
  for (const words of [
    ['resume'],
    ['resume', 'x', '--calls', '0'],
    ['branch', 'x', '--round', 'one'],
    ['replay'],
  ])
    expect((await ratchet(workspace, ...words).ended).code).toBe(2);
});
