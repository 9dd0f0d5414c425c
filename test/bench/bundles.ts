/**
 * Owns the figures of what a user downloads and waits for: the VSIX, the stub the editor loads at start, and activate().
 * activate() is timed in fresh processes against a stand-in for the editor's API, so it counts what the stub itself does.
 * Usage: node test/bench/bundles.ts
 */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeResult } from './results.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const packaged = spawnSync(process.execPath, ['scripts/package.mjs'], { cwd: root, encoding: 'utf8' });
if (packaged.status !== 0) {
  process.stderr.write(`${packaged.stdout}\n${packaged.stderr}\n`);
  process.exit(1);
}

/** Loads and activates the stub with an API that answers anything; prints the milliseconds of both. */
const PROBE = `
const Module = require('node:module');
const anything = new Proxy(function () {}, {
  get: (_, name) => (name === Symbol.toPrimitive ? () => '' : name === 'then' ? undefined : anything),
  apply: () => anything,
  construct: () => anything,
});
const load = Module._load;
const used = ['EventEmitter', 'window', 'workspace', 'commands', 'Disposable', 'FileSystemError', 'MarkdownString', 'languages', 'Uri'];
const api = Object.fromEntries(used.map((name) => [name, anything]));
Module._load = (name, ...rest) => (name === 'vscode' ? api : load(name, ...rest));
const folder = process.argv[1];
const context = { subscriptions: [], extensionPath: folder, extensionUri: anything, extension: { packageJSON: { version: '0' } },
  globalState: anything, workspaceState: anything, secrets: anything, asAbsolutePath: (file) => require('node:path').join(folder, file) };
const loading = performance.now();
const { activate } = require(require('node:path').join(folder, 'dist/extension.cjs'));
const activating = performance.now();
activate(context);
process.stdout.write(JSON.stringify({ load: activating - loading, activate: performance.now() - activating }));
`;

const runs = Array.from({ length: 21 }, () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', PROBE, root], { encoding: 'utf8' });
  if (stdout === '') throw new Error(`The stub did not activate: ${stderr}`);
  return JSON.parse(stdout) as { load: number; activate: number };
});
const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const kilobytes = (file: string) => Math.round(statSync(path.join(root, file)).size / 102.4) / 10;

const figures = {
  vsixKB: kilobytes('ratchet.vsix'),
  stubKB: kilobytes('dist/extension.cjs'),
  loadMs: median(runs.map(({ load }) => load)),
  activateMs: median(runs.map(({ activate }) => activate)),
  slowestActivateMs: Math.max(...runs.map(({ activate }) => activate)),
};
const goals = {
  'VSIX under 2.5 MB': figures.vsixKB < 2500,
  'stub under 60 KB': figures.stubKB < 60,
  'activate() under 50 ms': figures.loadMs + figures.activateMs < 50,
};
writeResult('bundles', { figures, goals });
if (!Object.values(goals).every(Boolean)) process.exitCode = 1;
