/**
 * Owns when commits that wait are spread over their tables: at once when many wait, in slices between commits, else when
 * nothing is written for a moment. Deliberately ends with the database: a slice that finds it closed is the last.
 */
import type { Database } from './database.ts';
import { spread, waitingBytes } from './pending.ts';

/** So much may wait: a reader waits some milliseconds for it to be spread. */
const MOST_BYTES = 256 << 10;
/** Spread at once: about a millisecond for a commit that waits behind it. */
const SLICE_BYTES = 32 << 10;
/** Without a commit. */
const QUIET_MS = 20;
/** Between two slices: what was asked meanwhile goes first. */
const PAUSE_MS = 2;

/** The function it returns must be called when commits were answered. */
export function spreading(database: Database): () => void {
  let timer: NodeJS.Timeout | null = null;
  const waits = (): number => {
    try {
      return database.peek(waitingBytes);
    } catch {
      // Closed, or to be opened again by its next use.
      return 0;
    }
  };
  const slice = (bytes: number): void => {
    try {
      database.append((connection) => spread(connection, bytes));
    } catch {
      // What waits is durable; whoever reads next meets the same fault and says so.
      return;
    }
    if (waits() > 0) schedule(PAUSE_MS);
  };
  const schedule = (ms: number): void => {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(() => {
      timer = null;
      slice(SLICE_BYTES);
    }, ms).unref();
  };
  return () => {
    const bytes = waits();
    if (bytes === 0) return;
    // At least as much as has come since, or it would grow for as long as commits come.
    if (bytes > MOST_BYTES) setImmediate(() => slice(Math.max(SLICE_BYTES, waits() - MOST_BYTES)));
    else schedule(QUIET_MS);
  };
}
