/**
 * Owns the judgement whether a host is down (circuit breaker, Nygard, Release It!, 2007): after a row of faults with no
 * answer between, calls are let through one at a time as probes; an answer closes the circuit, a row of failed probes
 * means down. Deliberately keeps no time and holds no call: how long to wait between probes is the gate's.
 */

export interface Circuit {
  /** True while only one call at a time may go. */
  readonly probing: boolean;
  /** Faults since the last answer. */
  readonly inRow: number;
  /** Probes failed in this row. */
  readonly failedProbes: number;
  /** The host spoke as an API does, whatever it said. */
  answered(): void;
  /**
   * No answer came. `together` is how many calls were in flight, `certain` that it was not one call's bad luck: nothing
   * listens there. True when the host is now down; the next call is then the first probe of a new row.
   */
  faulted(fault: { readonly probe: boolean; readonly together: number; readonly certain: boolean }): boolean;
}

const fewestInRow = 5;
const mostInRow = 16;
const probesAllowed = 8;
const probesAllowedWhenCertain = 2;

export function circuit(): Circuit {
  let probing = false;
  let inRow = 0;
  let failedProbes = 0;
  return {
    get probing() {
      return probing;
    },
    get inRow() {
      return inRow;
    },
    get failedProbes() {
      return failedProbes;
    },
    answered() {
      probing = false;
      inRow = 0;
      failedProbes = 0;
    },
    faulted({ probe, together, certain }) {
      inRow += 1;
      if (!probing) {
        // Calls in flight together fail together: a blip is not yet a row.
        probing = certain || inRow >= Math.min(mostInRow, Math.max(fewestInRow, together));
        return false;
      }
      // What was in flight before the first probe says nothing new.
      if (!probe) return false;
      failedProbes += 1;
      if (failedProbes < (certain ? probesAllowedWhenCertain : probesAllowed)) return false;
      failedProbes = 0;
      inRow = 0;
      return true;
    },
  };
}
