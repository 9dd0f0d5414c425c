/**
 * Owns that nothing shows a run that is being brought in before all of it is there, and that one whose import ended early is
 * taken out again. Deliberately removes no row itself (removeRun.ts).
 */
import type { RunId } from '../../core/model/ids.ts';
import type { Connection } from './connection.ts';
import type { Database } from './database.ts';
import { refOf } from './refs.ts';
import { finishRemoval, type Pause } from './removeRun.ts';

/** Hides a run until its summary is set, inside the caller's transaction. */
export function arrive(connection: Connection, runId: RunId): void {
  connection.run(
    "UPDATE run_summaries SET status = 'arriving' WHERE run = ?",
    refOf(connection, 'runs', runId),
  );
}

const isArriving = (connection: Connection): boolean =>
  connection.get("SELECT 1 FROM run_summaries WHERE status = 'arriving' LIMIT 1") !== null;

/**
 * Takes out what is left of imports that ended early and of runs that were archived. Called while nothing is imported.
 * `afterSlice` is called after each commit. Throws StoreError.
 */
export async function clearRemnants(database: Database, pause: Pause, afterSlice: () => void): Promise<void> {
  if (database.read(isArriving)) {
    database.transact((connection) =>
      connection.run("UPDATE run_summaries SET status = 'leaving' WHERE status = 'arriving'"),
    );
    afterSlice();
  }
  await finishRemoval(database, pause, afterSlice);
}
