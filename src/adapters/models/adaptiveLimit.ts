/**
 * Owns how many calls a host is given at once: additive increase, multiplicative decrease (Chiu and Jain, 1989).
 * Deliberately starts at the ceiling, which a person chose, and keeps no time.
 */

export interface AdaptiveLimit {
  /** Calls that may be in flight now; 0 only before the first `allow`. */
  readonly now: number;
  /** Number of decreases so far. News of calls that began before the last one is the same news, and lowers nothing again. */
  readonly decreases: number;
  /** Raises the most that may ever be in flight. */
  allow(concurrency: number): void;
  /** A call was answered. */
  increase(): void;
  /** Halves. */
  decrease(): void;
}

/** Round trips from half of the ceiling back to it. */
const tripsToRecover = 16;

export function adaptiveLimit(): AdaptiveLimit {
  let ceiling = 0;
  let limit = 0;
  let credit = 0;
  let decreases = 0;
  return {
    get now() {
      return limit;
    },
    get decreases() {
      return decreases;
    },
    allow(concurrency) {
      if (concurrency <= ceiling) return;
      limit += concurrency - ceiling;
      ceiling = concurrency;
    },
    increase() {
      if (limit >= ceiling) return;
      credit += 1;
      // A whole window of answers is one round trip.
      if (credit < limit) return;
      credit = 0;
      limit = Math.min(ceiling, limit + Math.ceil(ceiling / 2 / tripsToRecover));
    },
    decrease() {
      limit = Math.max(1, Math.floor(limit / 2));
      credit = 0;
      decreases += 1;
    },
  };
}
