/**
 * Owns the same calls made by promptfoo, where somebody has installed it in a folder of its own (859 packages, so the bench
 * does not: `npm install --ignore-scripts promptfoo@0.123`). What it takes to start, as one call shows, is not counted.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';

const TURNS = 3;

export interface PromptfooMeasured {
  readonly version: string;
  /** Of the turn in the middle, without its start. */
  readonly callsPerSecond: number;
  readonly turns: readonly number[];
}

/** `onCore` says how a program is started on the core of the clients. Throws where an answer is missing. */
export function measurePromptfoo(
  installed: string,
  address: string,
  inFlight: number,
  calls: number,
  onCore: (...rest: readonly string[]) => [string, string[]],
): PromptfooMeasured {
  const packaged = path.join(installed, 'node_modules', 'promptfoo');
  const { version, bin } = JSON.parse(readFileSync(path.join(packaged, 'package.json'), 'utf8')) as {
    version: string;
    bin: Readonly<Record<string, string>>;
  };
  const program = path.join(packaged, bin['promptfoo'] ?? '');
  const wall = (count: number): number => evaluate(program, address, inFlight, count, onCore);
  const turns = Array.from({ length: TURNS }, () => {
    const start = wall(1);
    return Math.round((calls / (wall(calls) - start)) * 1000);
  });
  const middle = [...turns].sort((a, b) => a - b)[Math.floor(TURNS / 2)] ?? 0;
  return { version, callsPerSecond: middle, turns };
}

/** Milliseconds. */
function evaluate(
  program: string,
  address: string,
  inFlight: number,
  count: number,
  onCore: (...rest: readonly string[]) => [string, string[]],
): number {
  const folder = mkdtempSync(path.join(tmpdir(), 'ratchet-promptfoo-'));
  const config = path.join(folder, 'config.json');
  const output = path.join(folder, 'out.json');
  writeFileSync(config, JSON.stringify(configuration(address, count)));
  const flags = ['--no-cache', '--no-write', '--no-table', '--no-progress-bar', '-j', String(inFlight)];
  const [file, rest] = onCore(program, 'eval', '-c', config, '--output', output, ...flags);
  const began = performance.now();
  const { stderr } = spawnSync(file, rest, {
    encoding: 'utf8',
    env: {
      ...process.env,
      PROMPTFOO_CONFIG_DIR: folder,
      PROMPTFOO_DISABLE_TELEMETRY: '1',
      PROMPTFOO_DISABLE_UPDATE: '1',
      PROMPTFOO_DISABLE_REMOTE_GENERATION: '1',
    },
  });
  const ms = performance.now() - began;
  const { results } = JSON.parse(readFileSync(output, 'utf8')) as {
    results: { stats: { successes: number } };
  };
  rmSync(folder, { recursive: true, force: true });
  if (results.stats.successes !== count)
    throw new Error(`promptfoo has ${results.stats.successes} of ${count} answers: ${stderr.slice(-1_000)}`);
  return ms;
}

function configuration(address: string, count: number) {
  const config = { apiBaseUrl: address, apiKey: 'none', temperature: 1, max_tokens: 256 };
  return {
    prompts: [`${'You add numbers. Answer with the sum alone. '.repeat(6)}\n{{a}} + {{b}}`],
    providers: [{ id: 'openai:chat:bench', config }],
    tests: Array.from({ length: count }, (_, index) => ({
      vars: { a: String(index), b: String(index * 7) },
    })),
  };
}
