/**
 * Owns commits that wait in one table, in the order they came: a durable commit then writes what its bytes need at the
 * end of one b-tree, whatever the other tables hold, and is spread over those later, many at once. Who reads or changes a
 * table they belong to spreads them first (database.ts). Deliberately leaves when to spread to spreading.ts.
 */
import { crc32 } from 'node:zlib';
import type { StoredEvent } from '../../core/model/event.ts';
import { type Commit, StoreError } from '../../core/ports.ts';
import { storePending } from './commit.ts';
import type { Connection, Row } from './connection.ts';
import { admit, knowNothing, type Known, type PendingCommit } from './pendable.ts';
import { damageError } from './storeFault.ts';

interface Waiting {
  readonly known: Known;
  readonly bytes: Map<number, number>;
  total: number;
  next: number;
}

const waitingOf = new WeakMap<Connection, Waiting>();
const tableIn = new WeakMap<Connection, boolean>();

/** Whether the database has the table: the index of words and files of older schemas have not. */
export function canWait(connection: Connection): boolean {
  let found = tableIn.get(connection);
  if (found === undefined) {
    found = connection.get("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'pending'") !== null;
    // One that has none yet may be given it by a migration.
    if (found) tableIn.set(connection, found);
  }
  return found;
}

/** Whether any commit waits to be spread. */
export function anyWaits(connection: Connection): boolean {
  return canWait(connection) && connection.get('SELECT 1 FROM pending WHERE stuck IS NULL LIMIT 1') !== null;
}

/** Must be called when a transaction, or a part of one, was undone, and when anything else was written to these tables. */
export function forgetWaiting(connection: Connection): void {
  waitingOf.delete(connection);
}

/** What waits, as it is known after everything from before was spread. */
function waiting(connection: Connection): Waiting {
  let found = waitingOf.get(connection);
  if (found === undefined) {
    spread(connection);
    const newest = connection.get('SELECT max(ref) AS ref FROM pending')?.['ref'];
    const next = typeof newest === 'number' ? newest + 1 : 1;
    found = { known: knowNothing(connection), bytes: new Map(), total: 0, next };
    waitingOf.set(connection, found);
  }
  return found;
}

/** Bytes that wait, as far as this connection put them there. */
export function waitingBytes(connection: Connection): number {
  return waitingOf.get(connection)?.total ?? 0;
}

export interface Admitted {
  readonly pending: PendingCommit;
  /** Its new events. */
  readonly stored: readonly StoredEvent[];
}

/** What is to wait of a commit, inside the caller's transaction; null where it has to be stored at once. */
export function admitCommit(connection: Connection, commit: Commit, time: number): Admitted | null {
  if (!canWait(connection)) return null;
  const pending = admit(connection, waiting(connection).known, commit, time);
  if (pending === null) return null;
  const { runId, events } = pending;
  return { pending, stored: events.map(({ seq, event }) => ({ seq, runId, time, event })) };
}

/** Lets them wait, as one row, inside the caller's transaction. */
export function appendPending(connection: Connection, commits: readonly PendingCommit[]): void {
  if (commits.length === 0) return;
  const body = Buffer.from(JSON.stringify(commits));
  const of = waiting(connection);
  const ref = of.next++;
  connection.run('INSERT INTO pending (ref, body, checksum) VALUES (?, ?, ?)', ref, body, crc32(body));
  of.bytes.set(ref, body.length);
  of.total += body.length;
}

function commitsIn(path: string, row: Row): readonly PendingCommit[] {
  const body = row['body'];
  if (!(body instanceof Uint8Array) || crc32(body) !== row['checksum'])
    throw damageError(
      path,
      `commit ${String(row['ref'])} that waits in it is unreadable: its checksum does not fit`,
    );
  return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()) as PendingCommit[];
}

/** Whether the tables refused the row itself; anything else may go well another time. */
function isRefusal(error: unknown): error is StoreError {
  return (
    error instanceof StoreError &&
    (error.code === 'UNKNOWN' ||
      (error.code === null && /constraint failed|cannot store/.test(error.message)))
  );
}

/** One row. What the tables refuse stays where it is, with the reason, for verify to tell: it blocks nothing. */
function spreadRow(connection: Connection, row: Row): void {
  const ref = Number(row['ref']);
  const commits = commitsIn(connection.path, row);
  connection.run('SAVEPOINT spread');
  try {
    for (const commit of commits) storePending(connection, commit);
    connection.run('RELEASE spread');
  } catch (error) {
    if (!isRefusal(error)) throw error;
    connection.script('ROLLBACK TO spread; RELEASE spread');
    connection.run('UPDATE pending SET stuck = ? WHERE ref = ?', error.message, ref);
    return;
  }
  connection.run('DELETE FROM pending WHERE ref = ?', ref);
}

/**
 * Spreads the oldest commits that wait, about `bytes` of them, inside the caller's transaction. Throws StoreError when one
 * is damaged or the medium fails.
 */
export function spread(connection: Connection, bytes: number = Infinity): void {
  if (!canWait(connection)) return;
  const of = waitingOf.get(connection);
  for (let done = 0; done < bytes; ) {
    const row = connection.get(
      'SELECT ref, body, checksum FROM pending WHERE stuck IS NULL ORDER BY ref LIMIT 1',
    );
    if (row === null) {
      of?.known.solutions.clear();
      of?.known.events.clear();
      return;
    }
    spreadRow(connection, row);
    done += (row['body'] as Uint8Array).length;
    const ref = Number(row['ref']);
    if (of === undefined) continue;
    of.total -= of.bytes.get(ref) ?? 0;
    of.bytes.delete(ref);
  }
}

/** One sentence for each row that could not be spread. */
export function stuckRows(connection: Connection): readonly string[] {
  if (!canWait(connection)) return [];
  return connection
    .all('SELECT ref, stuck FROM pending WHERE stuck IS NOT NULL ORDER BY ref')
    .map(
      (row) => `Commit ${String(row['ref'])} waits and could not be put in place: ${String(row['stuck'])}`,
    );
}
