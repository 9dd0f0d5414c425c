/**
 * Owns the queue before a host, in order of arrival: who waits, until when nobody may pass, how many may in this window.
 * Deliberately decides none of these numbers.
 */
import { onAbort } from './onAbort.ts';
import type { RateWindow } from './rateHeaders.ts';

export interface Turnstile {
  readonly inFlight: number;
  /** When the longest hold so far ends, on the clock of `performance.now`. */
  readonly heldUntil: number;
  /** Resolves with true when let through, with false when `signal` aborted first. Who was let through must leave. */
  enter(signal: AbortSignal): Promise<boolean>;
  leave(): void;
  /** Nobody passes for this long. A shorter hold never ends a longer one. */
  hold(ms: number): void;
  /** As many may still pass before the window ends; replaces the window before. */
  restrict(window: RateWindow): void;
}

/** Timers of Node overflow beyond 2^31 - 1 ms; longer waits are slept in pieces. */
const longestTimer = 60_000;

/** `room` says how many may be in flight at once. */
export function turnstile(room: () => number): Turnstile {
  const waiting = new Set<() => void>();
  let inFlight = 0;
  let heldUntil = 0;
  let quota: { left: number; readonly until: number } | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;

  const wakeIn = (ms: number): void => {
    timer ??= setTimeout(
      () => {
        timer = null;
        pump();
      },
      Math.min(longestTimer, ms + 1),
    );
  };
  const pump = (): void => {
    for (const admit of waiting) {
      if (inFlight >= room()) return;
      const now = performance.now();
      if (quota !== null && quota.until <= now) quota = null;
      const opensAt = Math.max(heldUntil, quota?.left === 0 ? quota.until : 0);
      if (opensAt > now) {
        wakeIn(opensAt - now);
        return;
      }
      waiting.delete(admit);
      inFlight += 1;
      if (quota !== null) quota.left -= 1;
      admit();
    }
  };
  const giveUp = (admit: () => void): void => {
    waiting.delete(admit);
    if (waiting.size > 0 || timer === null) return;
    clearTimeout(timer);
    timer = null;
  };
  return {
    get inFlight() {
      return inFlight;
    },
    get heldUntil() {
      return heldUntil;
    },
    enter: (signal) =>
      new Promise((resolve) => {
        if (signal.aborted) {
          resolve(false);
          return;
        }
        const admit = (): void => {
          deaf();
          resolve(true);
        };
        const deaf = onAbort(signal, () => {
          giveUp(admit);
          resolve(false);
        });
        waiting.add(admit);
        pump();
      }),
    leave() {
      inFlight -= 1;
      pump();
    },
    hold(ms) {
      heldUntil = Math.max(heldUntil, performance.now() + ms);
    },
    restrict({ requests, ms }) {
      quota = { left: requests, until: performance.now() + ms };
    },
  };
}
