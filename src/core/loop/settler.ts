/** Owns group commit: one flush at a time, each taking all that arrived during the one before. Deliberately knows no store. */

export interface Settler<Item> {
  /** False where a flush has failed: nothing is taken any more, and `finish` says why. */
  add(item: Item): boolean;
  readonly failed: boolean;
  /** Resolves when everything added is flushed; rejects with the first failure of a flush. */
  finish(): Promise<void>;
}

export function createSettler<Item>(flush: (batch: readonly Item[]) => Promise<void>): Settler<Item> {
  let pending: Item[] = [];
  let running: Promise<void> | null = null;
  let failure: Error | null = null;
  const drain = async () => {
    while (pending.length > 0 && failure === null) {
      const batch = pending;
      pending = [];
      try {
        await flush(batch);
      } catch (error) {
        failure = error instanceof Error ? error : new Error('A flush failed.', { cause: error });
      }
    }
  };
  const start = (): void => {
    running ??= drain().finally(() => {
      running = null;
      // What came between the last flush and this moment saw a settler at work.
      if (pending.length > 0 && failure === null) start();
    });
  };
  return {
    add(item) {
      if (failure !== null) return false;
      pending.push(item);
      start();
      return true;
    },
    get failed() {
      return failure !== null;
    },
    async finish() {
      while (running !== null) await running;
      if (failure !== null) throw failure;
    },
  };
}
