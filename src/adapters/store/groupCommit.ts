/**
 * Owns group commit: writes that arrive together share one durable transaction, each answered for itself; what is done
 * behind commits follows it. Commits that may wait
 * (pending.ts) are stored as they came. Deliberately knows no table.
 */
import type { StoredEvent } from '../../core/model/event.ts';
import { type Commit, StoreError } from '../../core/ports.ts';
import { storeCommit } from './commit.ts';
import type { Connection } from './connection.ts';
import type { Database } from './database.ts';
import { isErrno } from './errno.ts';
import type { PendingCommit } from './pendable.ts';
import { admitCommit, appendPending, forgetWaiting, spread } from './pending.ts';
import { solutionSweep } from './solutionSweep.ts';
import { spreading } from './spreading.ts';

type Work<Result> = (connection: Connection) => Result;

interface Write {
  readonly work: Work<unknown>;
  /** What `work` would store, where that may wait. */
  readonly commit: { readonly rows: Commit; readonly time: number } | null;
  /** It has nothing to do with the tables of commits. */
  readonly aside: boolean;
}

interface Waiting extends Write {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: unknown };

export interface GroupCommit {
  /** Resolves when the work is durable; rejects with its error, or with what kept the group from becoming durable. */
  write<Result>(work: Work<Result>): Promise<Result>;
  /** The same for work that has nothing to do with the tables of commits: what waits goes on waiting. */
  writeAside<Result>(work: Work<Result>): Promise<Result>;
  /** Stores a commit; resolves with its new events. */
  commit(rows: Commit, time: number): Promise<readonly StoredEvent[]>;
  /** Resolves when everything written so far is answered. */
  drain(): Promise<void>;
}

/** One of several writes: undone alone when it fails. A savepoint that is gone means SQLite gave up the whole transaction. */
function within(connection: Connection, work: Work<unknown>): Outcome {
  connection.run('SAVEPOINT one');
  try {
    const result = work(connection);
    connection.run('RELEASE one');
    return { ok: true, result };
  } catch (error) {
    forgetWaiting(connection);
    try {
      connection.script('ROLLBACK TO one; RELEASE one');
    } catch {
      throw error;
    }
    return { ok: false, error };
  }
}

/** Whether the operating system failed, not the write itself. */
function isFault(error: unknown): boolean {
  return error instanceof StoreError && error.code !== null && isErrno(error.code);
}

/** All writes of a group, in order, inside one transaction. Commits that may wait share a row. */
function writeAll(connection: Connection, group: readonly Write[], outcomes: Outcome[]): void {
  let admitted: PendingCommit[] = [];
  const appendAdmitted = (): void => {
    appendPending(connection, admitted);
    admitted = [];
  };
  const alone = group.length === 1;
  for (const { work, commit, aside } of group) {
    const found = commit === null ? null : admitCommit(connection, commit.rows, commit.time);
    if (found !== null) {
      admitted.push(found.pending);
      outcomes.push({ ok: true, result: found.stored });
      continue;
    }
    appendAdmitted();
    if (!aside) {
      spread(connection);
      forgetWaiting(connection);
    }
    outcomes.push(alone ? { ok: true, result: work(connection) } : within(connection, work));
  }
  appendAdmitted();
}

function commitGroup(database: Database, group: readonly Write[]): readonly Outcome[] {
  const outcomes: Outcome[] = [];
  try {
    database.append((connection) => writeAll(connection, group, outcomes));
    return outcomes;
  } catch (error) {
    // After a read that failed, SQLite may find the whole transaction malformed: what failed first is the reason.
    const reason = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error])).find(isFault) ?? error;
    return group.map(() => ({ ok: false, error: reason }));
  }
}

/** `afterCommit` runs when a group was answered. */
export function groupCommit(database: Database, afterCommit: () => void): GroupCommit {
  let waiting: Waiting[] = [];
  let scheduled = false;
  const sweepIfMany = solutionSweep(database);
  const spreadBehind = spreading(database);
  const flush = (): void => {
    scheduled = false;
    const group = waiting;
    waiting = [];
    if (group.length === 0) return;
    const outcomes = commitGroup(database, group);
    for (const [index, { resolve, reject }] of group.entries()) {
      const outcome = outcomes[index] ?? { ok: false, error: new StoreError('A write was not answered.') };
      if (outcome.ok) resolve(outcome.result);
      else reject(outcome.error);
    }
    afterCommit();
    // After a fault the next use opens the file again, not this.
    if (!outcomes.some(({ ok }) => ok)) return;
    sweepIfMany();
    spreadBehind();
  };
  const enter = <Result>(write: Write): Promise<Result> =>
    new Promise<Result>((resolve, reject) => {
      waiting.push({ ...write, resolve: resolve as (result: unknown) => void, reject });
      if (scheduled) return;
      scheduled = true;
      // After everything that has already arrived: those writes join this group.
      setImmediate(flush);
    });
  return {
    write: (work) => enter({ work, commit: null, aside: false }),
    writeAside: (work) => enter({ work, commit: null, aside: true }),
    commit: (rows, time) =>
      enter({
        work: (connection) => storeCommit(connection, rows, time),
        commit: { rows, time },
        aside: false,
      }),
    drain: async () => {
      while (waiting.length > 0) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}
