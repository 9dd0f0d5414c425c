/**
 * Owns starting the engine as a process of its own, which outlives the client, and hearing how its start went.
 * Deliberately does not connect to it.
 */
import { spawn } from 'node:child_process';
import os from 'node:os';
import type { ConnectOptions } from './connection.ts';
import { parseStartReport, type StartReport } from './startReport.ts';

const maximumWords = 64_000;

/**
 * For the engine's process, which lives beside an editor: a young generation of 8 MiB (V8's own grows to 16 and more), and
 * garbage looked for when the heap has grown by a quarter (V8 waits for it to double and more). Measured: 2,000 calls with 512
 * in flight at 180 MB and not 215. With 4 MiB it is 10 to 20 MB less and up to a tenth slower.
 */
export const engineFlags: readonly string[] = ['--max-semi-space-size=8', '--heap-growing-percent=25'];

/**
 * Resolves when the started process has said how its start went, or has ended without a word, or `limitMs` has passed
 * (null: it is still starting).
 */
export function startEngine(options: ConnectOptions, limitMs: number): Promise<StartReport | null> {
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    ...options.environment,
    ELECTRON_RUN_AS_NODE: '1',
  };
  // A debugger attached to the editor would otherwise attach itself to the engine and hold it.
  delete environment.VSCODE_INSPECTOR_OPTIONS;
  const child = spawn(
    options.nodePath,
    [...engineFlags, options.engineScript, '--workspace', options.workspaceFolder],
    {
      cwd: os.tmpdir(),
      env: environment,
      detached: true,
      windowsHide: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  return new Promise((resolve) => {
    let said = '';
    let complaint = '';
    const settle = (report: StartReport | null) => {
      clearTimeout(timer);
      child.removeAllListeners();
      child.on('error', () => undefined);
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
      resolve(report);
    };
    const timer = setTimeout(() => settle(null), limitMs);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(0, maximumWords);
      const report = parseStartReport(said);
      if (report !== null) settle(report);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = `${complaint}${text}`.slice(-maximumWords);
    });
    child.on('error', (error) => settle(failed(`The engine could not be started: ${error.message}`)));
    child.on('close', (code, signal) => {
      const why =
        lastError(complaint) ?? (signal === null ? `exit code ${String(code)}` : `signal ${signal}`);
      settle(failed(`The engine ended while it was starting (${why}).`));
    });
  });
}

function failed(sentence: string): StartReport {
  return { state: 'failed', kind: 'unreachable', sentence };
}

/** The line of a crash report of Node that a person can use. */
function lastError(complaint: string): string | null {
  return (
    complaint
      .split('\n')
      .findLast((line) => /^(\w*Error|node:|Cannot)\b/.test(line))
      ?.slice(0, 300) ?? null
  );
}
