// Owns `npm start`: build, then the sample loop in an editor (the user's own, else the browser-hosted one) or, with
// --headless, on the command line. What the loop does is the product's business.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { endGroup, exitCode, forwardSignals, onPath, run, toldToStop } from './children.ts';
import { editorAddress, ensureEditor, startEditor } from './editor.ts';
import { freePort } from './freePort.ts';
import { cacheFolder, root } from './places.ts';
import { sampleWorkspace } from './sample.ts';
import { say, SetupError, spoken } from './say.ts';
import { stageExtension } from './stageExtension.ts';
import { answers } from './answers.ts';

const usage = 'Usage: npm start [-- --browser] or npm start -- --headless [--json] [--seed N]';

/** Runs the command and resolves to its exit code. */
export function start(args: readonly string[]): Promise<number> {
  return spoken(async () => {
    const { headless, browser, json, seed } = readOptions(args);
    const port = wantedPort();
    await build();
    if (headless) {
      return runHeadless([...(json ? ['--json'] : []), ...(seed === undefined ? [] : ['--seed', seed])]);
    }
    const own = browser ? undefined : onPath('code');
    return own === undefined ? openInBrowser(port) : openOwnEditor(own);
  });
}

function readOptions(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        headless: { type: 'boolean', default: false },
        browser: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        seed: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new SetupError(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  }
}

async function build(): Promise<void> {
  if ((await run(process.execPath, ['esbuild.mjs'], { cwd: root })) !== 0) {
    throw new SetupError('The build failed; its own words are above.');
  }
}

/** Every headless run starts from a new copy, so that it computes and never repeats an earlier run's answers. */
async function runHeadless(flags: readonly string[]): Promise<number> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ratchet-sample-'));
  try {
    cpSync(path.join(root, 'media', 'sample'), folder, { recursive: true });
    const args = [path.join(root, 'dist', 'cli.mjs'), 'run', 'hint-free-star.loop.yaml', ...flags];
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
    forwardSignals(child);
    return await exitCode(child);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function openOwnEditor(code: string): Promise<number> {
  const folder = sampleWorkspace();
  const args = [`--extensionDevelopmentPath=${root}`, folder, path.join(folder, FIRST_FILE)];
  const status = await run(code, args, { shell: process.platform === 'win32' });
  if (status !== 0) {
    throw new SetupError(
      `${code} could not open an editor here; npm start -- --browser opens one in the browser.`,
    );
  }
  say(`VS Code is opening ${folder} with Ratchet.`);
  return 0;
}

async function openInBrowser(wanted: number | undefined): Promise<number> {
  const entry = await ensureEditor();
  const folder = sampleWorkspace();
  const profile = path.join(cacheFolder(), 'editor-profile');
  const extensions = path.join(cacheFolder(), 'editor-extensions');
  writeDefaultSettings(profile);
  stageExtension(root, extensions);
  const port = wanted ?? (await freePort());
  const log = path.join(cacheFolder(), 'editor.log');
  const stop = toldToStop();
  const server = startEditor(entry, { port, profile, extensions, log, trusted: true });
  const ended = exitCode(server);
  try {
    const address = editorAddress(port, folder);
    const first = await Promise.race([answers(address, 60_000), stop.then(() => 'stop' as const), ended]);
    if (first === 'stop') return 0;
    if (first !== true) throw new SetupError(`The editor did not start; its log is ${log}`);
    process.stdout.write(
      `Open ${address}${openingFile(port, path.join(folder, FIRST_FILE))} in a browser on this machine to use Ratchet; Ctrl-C here ends it.\n`,
    );
    const code = await Promise.race([stop.then(() => 0), ended]);
    if (code !== 0)
      throw new SetupError(`The editor ended by itself with code ${String(code)}; its log is ${log}`);
    return 0;
  } finally {
    await endGroup(server);
  }
}

/** What a newcomer sees first: the sample loop, with Run above it. */
const FIRST_FILE = 'hint-free-star.loop.yaml';

/** The part of an address that opens a file in the browser-hosted editor. */
function openingFile(port: number, file: string): string {
  const payload = JSON.stringify([['openFile', `vscode-remote://127.0.0.1:${port}${file}`]]);
  return `&payload=${encodeURIComponent(payload)}`;
}

function wantedPort(): number | undefined {
  if (process.env.PORT === undefined) return undefined;
  const port = Number(process.env.PORT);
  if (Number.isInteger(port) && port > 0 && port <= 65_535) return port;
  throw new SetupError(`PORT must be a whole number from 1 to 65535, not ${process.env.PORT}.`);
}

/** A quiet first sight: no welcome page and no chat beside the sample. A user's later choice stays. */
function writeDefaultSettings(profile: string): void {
  const file = path.join(profile, 'User', 'settings.json');
  if (existsSync(file)) return;
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(
    file,
    JSON.stringify(
      {
        'workbench.startupEditor': 'none',
        'workbench.secondarySideBar.defaultVisibility': 'hidden',
        'telemetry.telemetryLevel': 'off',
      },
      null,
      2,
    ),
  );
}
