/**
 * Owns which runs are going on in this workspace, for the status bar, the progress and the commands without an argument.
 * Deliberately asks the read models only; free of the editor's types.
 */
import type { RunId } from '../core/model/ids.ts';
import type { RunSummary } from '../core/model/views.ts';
import type { ReadModels } from './readModels.ts';

export interface BoardChange {
  /** The run the commands act on: the newest running one, else the newest paused one. */
  readonly current: RunSummary | null;
  readonly anyRunning: boolean;
  /** Runs seen running before that have now ended or paused. */
  readonly settled: readonly RunSummary[];
}

export interface RunBoard {
  current(): RunSummary | null;
  run(runId: RunId): RunSummary | null;
  /** Asks for the runs anew and tells the listeners. Failures leave the board as it was. */
  refresh(): Promise<void>;
  onChange(listener: (change: BoardChange) => void): void;
}

export function currentRun(runs: readonly RunSummary[]): RunSummary | null {
  const newest = [...runs].sort((left, right) => right.startedAt - left.startedAt);
  return (
    newest.find((run) => run.status === 'running') ?? newest.find((run) => run.status === 'paused') ?? null
  );
}

export function createRunBoard(models: Pick<ReadModels, 'runs'>): RunBoard {
  let runs: readonly RunSummary[] = [];
  const listeners: ((change: BoardChange) => void)[] = [];
  return {
    current: () => currentRun(runs),
    run: (runId) => runs.find((run) => run.id === runId) ?? null,
    onChange: (listener) => listeners.push(listener),
    async refresh() {
      const running = new Set(runs.filter((run) => run.status === 'running').map((run) => run.id));
      try {
        runs = await models.runs();
      } catch {
        return;
      }
      const settled = runs.filter((run) => running.has(run.id) && run.status !== 'running');
      const anyRunning = runs.some((run) => run.status === 'running');
      for (const listener of listeners) listener({ current: currentRun(runs), anyRunning, settled });
    },
  };
}
