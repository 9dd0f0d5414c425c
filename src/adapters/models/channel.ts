/** Owns handing items from callbacks to one consumer that iterates over them. Deliberately has no bound: senders are. */

export interface Channel<Item> extends AsyncIterable<Item> {
  send(item: Item): void;
  /** No more will be sent; an error is thrown to the consumer after what was sent before it. */
  close(error?: unknown): void;
}

export function channel<Item>(): Channel<Item> {
  let waiting: Item[] = [];
  let closed = false;
  const failures: unknown[] = [];
  let wake = (): void => undefined;
  return {
    send(item) {
      waiting.push(item);
      wake();
    },
    close(error) {
      if (error !== undefined) failures.push(error);
      closed = true;
      wake();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const batch = waiting;
        waiting = [];
        yield* batch;
        if (waiting.length > 0) continue;
        if (closed) break;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      for (const failure of failures) throw failure;
    },
  };
}
