/** Owns waiting that can be cut short, and deadlines that can be put off. Deliberately knows not what is waited for. */

import { onAbort } from './onAbort.ts';

/** Resolves after `ms`, or as soon as `signal` aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      deaf();
      resolve();
    };
    const timer = setTimeout(done, ms);
    const deaf = onAbort(signal, done);
  });
}
