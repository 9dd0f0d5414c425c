/** Owns turning the core's signal, which has no event, into one that ends exchanges. Deliberately never sets the former. */
import type { StopSignal } from '../../core/ports.ts';

/** How often `stop` is looked at, milliseconds. */
export const stopEveryMs = 50;

export interface Watched {
  readonly signal: AbortSignal;
  abort(): void;
  /** Ends the watch. */
  done(): void;
}

export function watchStop(stop: StopSignal): Watched {
  const ending = new AbortController();
  if (stop.aborted) ending.abort();
  const watch = setInterval(() => {
    if (stop.aborted) ending.abort();
  }, stopEveryMs);
  return { signal: ending.signal, abort: () => ending.abort(), done: () => clearInterval(watch) };
}
