/** Owns group commit: one flush at a time, each taking all that arrived during the one before. Deliberately knows no store. */

export interface Settler<Item> {
  add(item: Item): void;
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
  return {
    add(item) {
      if (failure !== null) return;
      pending.push(item);
      running ??= drain().finally(() => {
        running = null;
      });
    },
    async finish() {
      while (running !== null) await running;
      if (failure !== null) throw failure;
    },
  };
}
