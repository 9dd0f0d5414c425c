/**
 * Owns hearing of one signal's abort in many places: an EventTarget looks through all its listeners for each one that is
 * added or removed, which with hundreds of calls in flight on one signal is a tenth of a call's processor time.
 * Deliberately for signals that live longer than those who listen.
 */

const hearers = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `act` once when `signal` aborts; at once never, also where it has. Gives what takes it back. */
export function onAbort(signal: AbortSignal, act: () => void): () => void {
  const known = hearers.get(signal);
  const acts = known ?? new Set<() => void>();
  if (known === undefined) {
    hearers.set(signal, acts);
    signal.addEventListener('abort', () => acts.forEach((each) => each()), { once: true });
  }
  // Two that are equal are two.
  const own = (): void => act();
  acts.add(own);
  return () => void acts.delete(own);
}
