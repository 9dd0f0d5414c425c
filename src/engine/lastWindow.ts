/**
 * Owns what becomes of running runs when the last client has left: they go on, or are paused where the windows said so. A
 * reload is no leaving: the engine waits as long as one may take. Deliberately breaks nothing off: calls in flight end.
 */
import type { Log } from '../core/ports.ts';

export interface LastWindowOptions {
  /** Running runs are asked to pause once their calls in flight are answered. */
  readonly pauseRuns: () => void;
  readonly log: Log;
  readonly graceMs?: number | undefined;
}

export interface LastWindow {
  readonly wish: (wish: 'pause' | 'goOn') => void;
  readonly joined: () => void;
  readonly left: () => void;
  readonly close: () => void;
}

/** As long as an editor model waits for a window that reloads (editorModel.ts). */
const usualGraceMs = 20_000;

export function watchLastWindow({ pauseRuns, log, graceMs = usualGraceMs }: LastWindowOptions): LastWindow {
  let clients = 0;
  let wished: 'pause' | 'goOn' = 'goOn';
  let timer: NodeJS.Timeout | undefined;
  const pause = () => {
    log.info('the last window was closed; running runs are paused');
    pauseRuns();
  };
  return {
    wish: (wish) => {
      wished = wish;
    },
    joined: () => {
      clients += 1;
      clearTimeout(timer);
    },
    left: () => {
      clients -= 1;
      if (clients === 0 && wished === 'pause') timer = setTimeout(pause, graceMs);
    },
    close: () => clearTimeout(timer),
  };
}
