/**
 * Owns writes to the log between two syncs: SQLite writes a frame's header and its page apart, the operating system gets
 * all frames of a commit in one piece. Nothing is durable before a sync, so nothing is lost by waiting for it.
 * Deliberately not for the database itself, which is written page by page when the log is folded into it.
 */

export interface LogBuffer {
  /** Takes a copy. Throws what writing throws, when bytes of before had to be written to make room. */
  write(bytes: Uint8Array, position: number): void;
  /** Must be called before anything else is done with the file. Throws what writing throws; the bytes are gone then. */
  flush(): void;
}

const CAPACITY = 1 << 20;

/** `writeOut` writes all of the bytes or throws. */
export function createLogBuffer(writeOut: (bytes: Uint8Array, position: number) => void): LogBuffer {
  const buffer = new Uint8Array(CAPACITY);
  let start = 0;
  let length = 0;
  const flush = (): void => {
    if (length === 0) return;
    const waiting = buffer.subarray(0, length);
    length = 0;
    writeOut(waiting, start);
  };
  return {
    write: (bytes, position) => {
      if (length > 0 && (position !== start + length || length + bytes.length > CAPACITY)) flush();
      if (bytes.length > CAPACITY) {
        writeOut(bytes, position);
        return;
      }
      if (length === 0) start = position;
      buffer.set(bytes, length);
      length += bytes.length;
    },
    flush,
  };
}
