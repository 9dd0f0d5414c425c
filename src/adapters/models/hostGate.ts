/**
 * Owns how fast one host is asked, by every provider and run of this process together: how many calls at once (additive
 * increase, multiplicative decrease: Chiu and Jain, 1989), pauses the host asked for, and probing a host that fails.
 * Deliberately does not know what a call is, nor what is worth asking again.
 */
import { circuit } from './circuit.ts';
import type { RateWindow } from './rateHeaders.ts';

/** One call let through. Exactly one of its methods is called, once. */
export interface Pass {
  answered(window: RateWindow | null): void;
  /** The host spoke, but not with an answer that says anything about its load. */
  spoke(): void;
  /** The call was broken off from this side. */
  left(): void;
  /** The host is busy, for `afterMs` if it said so. Gives for how long it has been, milliseconds, counting what it now asks. */
  busy(afterMs: number | null): number;
  /** No answer came. True when the host counts as down. */
  faulted(certain: boolean): boolean;
}

export interface HostGate {
  /** How many calls may be in flight now. */
  readonly limit: number;
  /** Faults since the last answer. */
  readonly faultsInRow: number;
  /** Raises the most that may ever be in flight. */
  allow(concurrency: number): void;
  /** Resolves when the host may be asked; null when `signal` aborted first. */
  enter(signal: AbortSignal): Promise<Pass | null>;
}

export interface GatePace {
  /** First pause of a growing row, milliseconds. */
  readonly backoffMs: number;
  /** In [0, 1): spreads callers out. */
  readonly random: () => number;
}

/** Timers of Node overflow beyond 2^31 - 1 ms; longer waits are slept in pieces. */
const longestTimer = 60_000;
const longestProbePause = 8_000;
/** Round trips from half of the ceiling back to it. */
const tripsToRecover = 16;

/** Pause before try `number` + 1: doubling from `baseMs`, at most 60 s, with 25 % of jitter either way. */
export function backoff(number: number, { backoffMs, random }: GatePace): number {
  return Math.min(60_000, backoffMs * 2 ** (number - 1)) * (0.75 + 0.5 * random());
}

export function hostGate(pace: GatePace): HostGate {
  const breaker = circuit();
  const waiting = new Set<() => void>();
  let ceiling = 0;
  let limit = 0;
  let inFlight = 0;
  let credit = 0;
  let heldUntil = 0;
  /** Calls that began before the last decrease do not decrease again: their bad news is the same news. */
  let epoch = 0;
  let busySince: number | null = null;
  let busyInRow = 0;
  let quota: { left: number; readonly until: number } | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;

  const decrease = (): void => {
    limit = Math.max(1, Math.floor(limit / 2));
    credit = 0;
    epoch += 1;
  };
  const increase = (): void => {
    if (limit >= ceiling) return;
    credit += 1;
    if (credit < limit) return;
    credit = 0;
    limit = Math.min(ceiling, limit + Math.max(1, Math.ceil(ceiling / 2 / tripsToRecover)));
  };
  const hold = (ms: number): void => {
    heldUntil = Math.max(heldUntil, performance.now() + ms);
  };
  const room = (): boolean => inFlight < (breaker.probing ? 1 : limit);
  const pump = (): void => {
    if (waiting.size === 0 || !room()) return;
    const now = performance.now();
    if (quota !== null && quota.until <= now) quota = null;
    const opensAt = Math.max(heldUntil, quota?.left === 0 ? quota.until : 0);
    if (opensAt > now) {
      timer ??= setTimeout(
        () => {
          timer = null;
          pump();
        },
        Math.min(longestTimer, opensAt - now + 1),
      );
      return;
    }
    for (const admit of waiting) {
      if (!room() || quota?.left === 0) break;
      waiting.delete(admit);
      inFlight += 1;
      if (quota !== null) quota.left -= 1;
      admit();
    }
    if (quota?.left === 0) pump();
  };
  const leave = (): void => {
    inFlight -= 1;
    pump();
  };
  const speak = (): void => {
    breaker.answered();
    busySince = null;
    busyInRow = 0;
  };
  const pass = (): Pass => {
    const began = epoch;
    const probe = breaker.probing;
    return {
      answered(window) {
        speak();
        increase();
        if (window !== null) quota = { left: window.requests, until: performance.now() + window.ms };
        leave();
      },
      spoke() {
        speak();
        leave();
      },
      left: leave,
      busy(afterMs) {
        const now = performance.now();
        breaker.answered();
        busySince ??= now;
        if (began === epoch) {
          decrease();
          busyInRow += 1;
          hold(afterMs ?? backoff(busyInRow, pace));
        } else if (afterMs !== null) hold(afterMs);
        const since = Math.max(now, heldUntil) - busySince;
        leave();
        return since;
      },
      faulted(certain) {
        const before = breaker.probing;
        const down = breaker.faulted({ probe, together: inFlight, certain });
        if (breaker.probing && !before) decrease();
        if (breaker.probing && (probe || !before))
          hold(Math.min(longestProbePause, backoff(breaker.failedProbes + 1, pace)));
        leave();
        return down;
      },
    };
  };
  return {
    get limit() {
      return limit;
    },
    get faultsInRow() {
      return breaker.inRow;
    },
    allow(concurrency) {
      if (concurrency <= ceiling) return;
      limit += concurrency - ceiling;
      ceiling = concurrency;
    },
    enter(signal) {
      return new Promise((resolve) => {
        if (signal.aborted) {
          resolve(null);
          return;
        }
        const admit = (): void => {
          signal.removeEventListener('abort', leaveQueue);
          resolve(pass());
        };
        const leaveQueue = (): void => {
          waiting.delete(admit);
          if (waiting.size === 0 && timer !== null) {
            clearTimeout(timer);
            timer = null;
          }
          resolve(null);
        };
        signal.addEventListener('abort', leaveQueue, { once: true });
        waiting.add(admit);
        pump();
      });
    },
  };
}

/** The gates of a process, one for each origin; the first to ask for one sets its pace. */
export type HostGates = (origin: string, pace: GatePace) => HostGate;

export function hostGates(): HostGates {
  const gates = new Map<string, HostGate>();
  return (origin, pace) => {
    const gate = gates.get(origin) ?? hostGate(pace);
    gates.set(origin, gate);
    return gate;
  };
}
