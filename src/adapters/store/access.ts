/**
 * Owns reading and writing around commits that wait (pending.ts): whoever looks at their tables sees them in their place.
 * Deliberately leaves the connection to heldConnection.ts.
 */
import type { Connection } from './connection.ts';
import type { Database } from './database.ts';
import type { HeldConnection } from './heldConnection.ts';
import { anyWaits, forgetWaiting, spread } from './pending.ts';

type Access = Pick<Database, 'read' | 'glimpse' | 'peek' | 'transact' | 'append'> & {
  /** Spreads what waits. Throws StoreError. */
  readonly settle: () => void;
};

/** Reads with everything that waits in its place, in a transaction that is undone: nothing reaches the medium. */
function glimpse<Result>(connection: Connection, work: (connection: Connection) => Result): Result {
  if (!anyWaits(connection)) return work(connection);
  connection.run('BEGIN IMMEDIATE');
  try {
    forgetWaiting(connection);
    spread(connection);
    return work(connection);
  } finally {
    forgetWaiting(connection);
    connection.run('ROLLBACK');
  }
}

/** `writable` throws where nothing may be written. */
export function accessAround(held: HeldConnection, writable: () => void, readOnly: boolean): Access {
  const append: Access['append'] = (work) => {
    writable();
    try {
      return held.transact(work);
    } catch (error) {
      const connection = held.present();
      if (connection !== null) forgetWaiting(connection);
      throw error;
    }
  };
  const transact: Access['transact'] = (work) =>
    append((connection) => {
      spread(connection);
      forgetWaiting(connection);
      return work(connection);
    });
  const settle = (): void => transact(() => undefined);
  return {
    append,
    transact,
    peek: (work) => work(held.live()),
    glimpse: (work) => (readOnly ? work(held.live()) : glimpse(held.live(), work)),
    read: (work) => {
      if (readOnly || !anyWaits(held.live())) return work(held.live());
      try {
        settle();
      } catch {
        // A disk that takes no writes can be read all the same.
        return glimpse(held.live(), work);
      }
      return work(held.live());
    },
    settle: () => {
      writable();
      if (anyWaits(held.live())) settle();
    },
  };
}
