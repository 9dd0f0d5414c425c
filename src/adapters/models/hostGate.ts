/**
 * Owns how fast one host is asked, by every provider and run of this process together: it turns what each call met into
 * how many go at once (adaptiveLimit.ts), pauses (turnstile.ts) and probing a host that fails (circuit.ts).
 * Deliberately does not know what a call is, nor what is worth asking again.
 */
import { type AdaptiveLimit, adaptiveLimit } from './adaptiveLimit.ts';
import { type Circuit, circuit } from './circuit.ts';
import type { RateWindow } from './rateHeaders.ts';
import { type Turnstile, turnstile } from './turnstile.ts';

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

const longestProbePause = 8_000;

/** Pause before try `number` + 1: doubling from `backoffMs`, at most 60 s, with 25 % of jitter either way. */
export function backoff(number: number, { backoffMs, random }: GatePace): number {
  return Math.min(60_000, backoffMs * 2 ** (number - 1)) * (0.75 + 0.5 * random());
}

interface Host {
  readonly pace: GatePace;
  readonly limit: AdaptiveLimit;
  readonly breaker: Circuit;
  readonly turnstile: Turnstile;
  /** Since when the host has been busy, and how often in a row it said so without naming a time. */
  busySince: number | null;
  busyInRow: number;
}

function passThrough(host: Host): Pass {
  const { limit, breaker, turnstile: door, pace } = host;
  const decreasesBefore = limit.decreases;
  const probe = breaker.probing;
  const speak = (): void => {
    breaker.answered();
    host.busySince = null;
    host.busyInRow = 0;
  };
  return {
    answered(window) {
      speak();
      limit.increase();
      if (window !== null) door.restrict(window);
      door.leave();
    },
    spoke() {
      speak();
      door.leave();
    },
    left: () => door.leave(),
    busy(afterMs) {
      const now = performance.now();
      breaker.answered();
      host.busySince ??= now;
      if (decreasesBefore === limit.decreases) {
        limit.decrease();
        host.busyInRow += 1;
        door.hold(afterMs ?? backoff(host.busyInRow, pace));
      } else if (afterMs !== null) door.hold(afterMs);
      const busyMs = Math.max(now, door.heldUntil) - host.busySince;
      door.leave();
      return busyMs;
    },
    faulted(certain) {
      const before = breaker.probing;
      const down = breaker.faulted({ probe, together: door.inFlight, certain });
      if (breaker.probing && !before) limit.decrease();
      if (breaker.probing && (probe || !before))
        door.hold(Math.min(longestProbePause, backoff(breaker.failedProbes + 1, pace)));
      door.leave();
      return down;
    },
  };
}

export function hostGate(pace: GatePace): HostGate {
  const limit = adaptiveLimit();
  const breaker = circuit();
  const door = turnstile(() => (breaker.probing ? 1 : limit.now));
  const host: Host = { pace, limit, breaker, turnstile: door, busySince: null, busyInRow: 0 };
  return {
    get limit() {
      return limit.now;
    },
    get faultsInRow() {
      return breaker.inRow;
    },
    allow: (concurrency) => limit.allow(concurrency),
    enter: async (signal) => ((await door.enter(signal)) ? passThrough(host) : null),
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
