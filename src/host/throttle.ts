/** Owns doing what comes in bursts at most once in a while. Deliberately without a clock of its own beyond timers. */

export interface Throttle {
  /** Does the work now, or once the pause since the last time is over. */
  ask(): void;
  end(): void;
}

/** The first request in a quiet time is done at once, later ones together after `pauseMs`. */
export function throttle(pauseMs: number, work: () => void): Throttle {
  let timer: NodeJS.Timeout | undefined;
  let again = false;
  const turn = () => {
    timer = undefined;
    if (!again) return;
    again = false;
    start();
  };
  const start = () => {
    timer = setTimeout(turn, pauseMs);
    work();
  };
  return {
    ask() {
      if (timer === undefined) start();
      else again = true;
    },
    end() {
      clearTimeout(timer);
      again = false;
    },
  };
}
