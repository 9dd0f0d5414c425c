/**
 * Owns the engine as a process: its arguments, its one-line start report, its signals and its exit code.
 * Deliberately builds nothing itself; what it runs on is handed in.
 */
import { parseArgs } from 'node:util';
import { formatStartReport, type StartReport } from '../client/startReport.ts';
import { startEngine, type Engine } from './engine.ts';
import { asEngineError } from './errors.ts';
import type { MakeServices } from './services.ts';

const usualIdleMs = 60_000;
/** A longer timer of Node fires at once. */
const longestTimerMs = 0x7fff_ffff;

/** Exit codes of the process; 75 is EX_TEMPFAIL of sysexits.h. */
export const exitCodes = { done: 0, failed: 1, owned: 75 } as const;

/** Runs an engine for `--workspace FOLDER` until it ends. RATCHET_IDLE_MS sets the idle time. */
export async function runEngineProcess(
  args: readonly string[],
  version: string,
  services: MakeServices,
): Promise<void> {
  // Whoever started this may be gone; a broken pipe must not end a run.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  process.exitCode = exitCodes.failed;
  try {
    const { values } = parseArgs({ args: [...args], options: { workspace: { type: 'string' } } });
    if (values.workspace === undefined) throw new Error('The engine needs --workspace FOLDER.');
    const engine = await startEngine({
      workspaceFolder: values.workspace,
      version,
      services,
      idleMs: idleMs(),
    });
    await report({ state: engine === null ? 'owned' : 'ready' });
    if (engine === null) process.exit(exitCodes.owned);
    await live(engine);
  } catch (error) {
    const { kind, message } = asEngineError(error);
    await report({ state: 'failed', kind, sentence: message });
    process.exit(exitCodes.failed);
  }
}

async function live(engine: Engine): Promise<never> {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => void engine.stop(signal).catch(() => undefined));
  }
  let code: number = exitCodes.done;
  const broken = (error: unknown) => {
    code = exitCodes.failed;
    engine.log.error('unexpected failure; the runs are paused and the engine ends', error);
    engine.stop('unexpected failure').catch(() => undefined);
  };
  process.on('uncaughtException', broken);
  process.on('unhandledRejection', broken);
  await engine.ended.catch((error: unknown) => {
    code = exitCodes.failed;
    engine.log.error('engine ended', error);
  });
  process.exit(code);
}

function idleMs(): number {
  const wanted = Number(process.env.RATCHET_IDLE_MS);
  return wanted > 0 ? Math.min(wanted, longestTimerMs) : usualIdleMs;
}

function report(value: StartReport): Promise<void> {
  return new Promise((resolve) => process.stdout.write(formatStartReport(value), () => resolve()));
}
