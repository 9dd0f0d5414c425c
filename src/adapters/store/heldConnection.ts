/**
 * Owns the one connection a database has at a time: durable transactions, folding the log, and opening again after a failed
 * sync, when nobody knows what the medium holds. Deliberately knows no table and no other file.
 */
import { StoreError } from '../../core/ports.ts';
import type { Connection } from './connection.ts';
import { foldLog } from './openingSteps.ts';

export interface HeldConnection {
  /** Opened again where it was let go. Throws StoreError. */
  live(): Connection;
  /** Null while there is none, and after the end. */
  present(): Connection | null;
  /** Runs `work` in one transaction that is durable when this returns. Throws StoreError, with nothing of it kept. */
  transact<Result>(work: (connection: Connection) => Result): Result;
  /** Throws StoreError when the log could not be copied into the database whole; nothing is lost then. */
  fold(shorten: boolean): void;
  /** How often the log was copied into the database so far: while it stays the same, the file does. */
  folds(): number;
  /** Commits in the log since it was begun, at least. */
  commits(): number;
  /** Closes it until its next use. */
  letGo(): void;
  /** Closes it for good. */
  close(): void;
}

/** `found` is the number of commits in the log before it was opened. */
export function holdConnection(open: () => Connection, file: string, found: number): HeldConnection {
  let connection: Connection | null = open();
  let closed = false;
  let commits = found;
  let folds = 0;
  const letGo = (): void => {
    folds++;
    // Closing would fold the log, and sync again what a failed sync may have lost without a word.
    if (connection?.syncFailed() === true) connection.giveUp();
    else connection?.close();
    connection = null;
  };
  const live = (): Connection => {
    if (closed) throw new StoreError(`${file} is closed.`, 'CLOSED');
    if (connection === null) {
      const reopened = open();
      folds++;
      try {
        // What the failed sync left in doubt is written once more, into the database itself.
        foldLog(reopened, true);
      } catch (error) {
        reopened.close();
        throw error;
      }
      commits = 0;
      connection = reopened;
    }
    return connection;
  };
  const dropIfDoubtful = (): void => {
    if (connection?.syncFailed() === true) letGo();
  };
  return {
    live,
    present: () => connection,
    commits: () => commits,
    letGo,
    transact: (work) => {
      const current = live();
      const before = current.logBytes();
      try {
        current.run('BEGIN IMMEDIATE');
        const result = work(current);
        current.run('COMMIT');
        if (current.logBytes() !== before) commits++;
        return result;
      } catch (error) {
        try {
          current.run('ROLLBACK');
        } catch {
          // SQLite had already rolled back.
        }
        throw error;
      } finally {
        dropIfDoubtful();
      }
    },
    folds: () => folds,
    fold: (shorten) => {
      folds++;
      try {
        foldLog(live(), shorten);
        // The next commit begins the log anew.
        commits = 0;
      } finally {
        dropIfDoubtful();
      }
    },
    close: () => {
      closed = true;
      letGo();
    },
  };
}
