/** Owns showing one run while it goes and what it came to at its end, as a table for people or one object for programs. */
import type { EngineConnection } from '../client/connection.ts';
import type { RunId } from '../core/model/ids.ts';
import { getRun, type RunResult } from '../protocol/engine.ts';
import { followRun } from './follow.ts';
import { emptyFold, foldEvent, type RunReport } from './runReport.ts';
import { progressLine, summaryLines, tableHead, tableRow } from './table.ts';
import type { Terminal } from './terminal.ts';

export interface Shown {
  readonly name: string;
  readonly seed: number;
  readonly rounds: number;
  readonly json: boolean;
}

/** Resolves when the run ended or paused, with what it came to; throws EngineError when the engine is lost. */
export async function showRun(
  connection: EngineConnection,
  runId: RunId,
  shown: Shown,
  terminal: Terminal,
  began: number,
): Promise<RunResult & { readonly report: RunReport }> {
  let fold = emptyFold;
  let printed = -1;
  const printRounds = (before: number) => {
    for (; printed + 1 < before; printed++) {
      const row = tableRow(fold, printed + 1);
      if (row !== null && !shown.json) terminal.print(row);
    }
  };
  const result = await followRun(connection, runId, {
    onEvent: (stored) => {
      const { event } = stored;
      if (event.kind === 'runStarted') {
        const head = tableHead(event.arms.includes('control'));
        if (!shown.json) terminal.print(`${shown.name}, seed ${shown.seed}\n${head}`);
      }
      fold = foldEvent(fold, stored);
      // A round's row is final once the next one begins: its gate may come after its evaluation.
      if (event.kind === 'roundStarted' && event.at.arm === 'main') printRounds(event.at.round);
    },
    onProgress: (progress) => terminal.progress(progressLine(progress, shown.rounds)),
  });
  terminal.progress('');
  printRounds(shown.rounds + 1);
  const calls = (await connection.request(getRun, { runId }))?.run.calls ?? 0;
  const report: RunReport = {
    recipe: shown.name,
    seed: shown.seed,
    rounds: fold.main.rounds,
    control: fold.control.rounds,
    test: fold.test,
    kept: fold.kept,
    calls,
    seconds: Math.round(performance.now() - began) / 1000,
    outcome: result.kind,
  };
  if (shown.json) terminal.print(JSON.stringify(report));
  else for (const line of summaryLines(report, result)) terminal.print(line);
  return { ...result, report };
}
