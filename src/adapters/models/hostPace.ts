/**
 * Owns how fast one endpoint is asked: a pause that holds for every call to it, and growing pauses between tries.
 * Deliberately decides neither what is worth asking again nor how many calls run at once.
 */

export interface HostPace {
  /** Resolves when the endpoint may be asked, at once when nothing holds it; resolves early when `signal` aborts. */
  ready(signal: AbortSignal): Promise<void>;
  /** Nobody asks the endpoint for this long. A shorter hold never ends a longer one. */
  hold(ms: number): void;
  /** One caller's own pause before its next try; resolves early when `signal` aborts. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

/** Timers of Node overflow beyond 2^31 - 1 ms; longer waits are slept in pieces. */
const longestTimer = 60_000;

/** Resolves after `ms`, or as soon as `signal` aborts. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}

export function hostPace(): HostPace {
  let heldUntil = 0;
  return {
    async ready(signal) {
      for (let left = heldUntil - performance.now(); left > 0 && !signal.aborted; ) {
        await sleep(Math.min(left, longestTimer), signal);
        left = heldUntil - performance.now();
      }
    },
    hold(ms) {
      heldUntil = Math.max(heldUntil, performance.now() + ms);
    },
    pause: sleep,
  };
}

/** Pause before try `number` + 1: doubling from `baseMs`, at most 60 s, with 25 % of jitter so that callers spread out. */
export function backoff(number: number, baseMs: number): number {
  return Math.min(60_000, baseMs * 2 ** (number - 1)) * (0.75 + 0.5 * Math.random());
}
