/**
 * Owns when new solutions are entered into the lookup tables: when many wait, and then between commits, slice by slice.
 * Deliberately ends with the database: a slice that finds it closed is the last.
 */
import type { Database } from './database.ts';
import { sweepSlice, unswept } from './solutionLookup.ts';

/** So many that several share a page of the lookups of a million; few enough to be read again by the next opening. */
const SWEEP_AT = 16_384;
/** Between two slices: commits that wait go first. */
const PAUSE_MS = 5;

/** The function it returns must be called when commits were answered. */
export function solutionSweep(database: Database): () => void {
  let underWay = false;
  const step = (): void => {
    underWay = false;
    try {
      if (database.transact(sweepSlice)()) schedule();
    } catch {
      // What waits is still found in memory; the next commit meets the same fault and says so.
    }
  };
  const schedule = (): void => {
    underWay = true;
    setTimeout(step, PAUSE_MS).unref();
  };
  return () => {
    try {
      if (!underWay && database.peek(unswept) >= SWEEP_AT) schedule();
    } catch {
      // Closed, or to be opened again by its next use.
    }
  };
}
