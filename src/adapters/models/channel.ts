/** Owns handing items from callbacks to one consumer that iterates over them. Deliberately has no bound of its own: senders may keep one. */

export interface Channel<Item> extends AsyncIterable<Item> {
  send(item: Item): void;
  /** Null while fewer than `most` items wait for the consumer; else resolves once it is so again. */
  room(most: number): Promise<void> | null;
  /** No more will be sent; an error is thrown to the consumer after what was sent before it. */
  close(error?: unknown): void;
}

export function channel<Item>(): Channel<Item> {
  let waiting: Item[] = [];
  let left = 0;
  let room: { readonly most: number; readonly made: PromiseWithResolvers<void> } | null = null;
  let closed = false;
  const failures: unknown[] = [];
  let wake = (): void => undefined;
  return {
    send(item) {
      waiting.push(item);
      left += 1;
      wake();
    },
    room(most) {
      if (left < most) return null;
      room ??= { most, made: Promise.withResolvers<void>() };
      return room.made.promise;
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
        for (const item of batch) {
          yield item;
          left -= 1;
          if (room === null || left >= room.most) continue;
          room.made.resolve();
          room = null;
        }
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
