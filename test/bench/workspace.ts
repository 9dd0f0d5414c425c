/** Owns a throw-away workspace for benches: the real store on a real file, Pocket in its worker, a run by recipe. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportFiles } from '../../src/adapters/datasets/exportFiles.ts';
import { taskFiles } from '../../src/adapters/datasets/taskFiles.ts';
import { openPocket } from '../../src/adapters/pocket/pocket.ts';
import { openStore } from '../../src/adapters/store/store.ts';
import { beginRun } from '../../src/core/loop/execute.ts';
import type { StoredEvent } from '../../src/core/model/event.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface BenchRun {
  readonly events: readonly StoredEvent[];
  readonly outcome: string;
  readonly wallSeconds: number;
  /** User and system time of the whole process, its workers included. */
  readonly cpuSeconds: number;
}

export function readRecipe(name: string): string {
  return readFileSync(path.join(root, 'media/recipes', `${name}.loop.yaml`), 'utf8');
}

/** Runs a recipe text from an empty workspace to its end. */
export async function runRecipe(recipeText: string, seed: number, pocketWorkers = 1): Promise<BenchRun> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'ratchet-bench-'));
  const pocket = openPocket({
    worker: new URL('../../src/adapters/pocket/worker.ts', import.meta.url),
    folder: path.join(root, 'media/pocket'),
    workers: pocketWorkers,
  });
  const store = await openStore({
    file: path.join(folder, 'workspace.ratchetdb'),
    workerUrl: new URL('../../src/adapters/store/worker.ts', import.meta.url),
    wasmFile: path.join(root, 'node_modules/sql.js/dist/sql-wasm.wasm'),
  });
  const events: StoredEvent[] = [];
  const { model, trainer } = pocket.over(store);
  const wall = performance.now();
  const cpu = process.cpuUsage();
  try {
    const { end } = await beginRun(
      { recipePath: 'bench.loop.yaml', recipeText, seed },
      {
        store,
        model: () => model,
        trainer: () => trainer,
        files: taskFiles(folder),
        exports: exportFiles(folder, { workspace: folder }),
        clock: { now: () => Date.now(), monotonic: () => performance.now() },
        log: { info: () => undefined, warn: console.warn, error: console.error },
        onEvents: (stored) => events.push(...stored),
        onProgress: () => undefined,
      },
      { aborted: false, reason: null },
    );
    const outcome = await end;
    const { user, system } = process.cpuUsage(cpu);
    return {
      events,
      outcome: `${outcome.kind}: ${outcome.message}`,
      wallSeconds: (performance.now() - wall) / 1000,
      cpuSeconds: (user + system) / 1e6,
    };
  } finally {
    await store.close();
    await pocket.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Scores on dev by round of one arm. */
export function devCurve(events: readonly StoredEvent[], arm: 'main' | 'control'): number[] {
  return events.flatMap(({ event }) =>
    event.kind === 'evaluationMade' && event.suite === 'dev' && event.at.arm === arm ? [event.mean] : [],
  );
}

export function testScores(events: readonly StoredEvent[]): { start: number; final: number } | null {
  const scored = events.flatMap(({ event }) => (event.kind === 'testScored' ? [event] : []))[0];
  return scored === undefined ? null : { start: scored.start, final: scored.final };
}
