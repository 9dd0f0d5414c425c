/**
 * Owns group commit: writes that arrive together share one durable transaction, each answered for itself; what is done
 * behind commits follows it. Deliberately knows no table.
 */
import { StoreError } from '../../core/ports.ts';
import type { Connection } from './connection.ts';
import type { Database } from './database.ts';
import { solutionSweep } from './solutionSweep.ts';
import { isErrno } from './errno.ts';

type Work<Result> = (connection: Connection) => Result;

interface Waiting {
  readonly work: Work<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: unknown };

export interface GroupCommit {
  /** Resolves when the work is durable; rejects with its error, or with what kept the group from becoming durable. */
  write<Result>(work: Work<Result>): Promise<Result>;
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

function commitGroup(database: Database, group: readonly Waiting[]): readonly Outcome[] {
  const [first] = group;
  const outcomes: Outcome[] = [];
  try {
    if (group.length === 1 && first !== undefined)
      return [{ ok: true, result: database.transact(first.work) }];
    return database.transact((connection) => {
      for (const { work } of group) outcomes.push(within(connection, work));
      return outcomes;
    });
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
    if (outcomes.some(({ ok }) => ok)) sweepIfMany();
  };
  return {
    write: <Result>(work: Work<Result>) =>
      new Promise<Result>((resolve, reject) => {
        waiting.push({ work, resolve: resolve as (result: unknown) => void, reject });
        if (scheduled) return;
        scheduled = true;
        // After everything that has already arrived: those writes join this group.
        setImmediate(flush);
      }),
    drain: async () => {
      while (waiting.length > 0) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}
