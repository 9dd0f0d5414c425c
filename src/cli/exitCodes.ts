/** Owns what the command line's exit codes mean; a script may rely on them. */
import type { RunResult } from '../protocol/engine.ts';

export const exitCodes = {
  done: 0,
  belowThreshold: 1,
  badRecipe: 2,
  budget: 3,
  provider: 4,
  /** The engine or its store failed, or another run is in the way. */
  engine: 5,
  /** Something changed since the run began, or a person's yes is needed: nothing was asked; the words say what to type. */
  changed: 6,
  /** A defect of Ratchet ended the run; what was saved is kept. */
  defect: 70,
  /** Paused or stopped before its end, by Ctrl-C or by another window: 128 + SIGINT, as shells have it. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** `accuracy` is the sealed test's, null where none was scored; a threshold then counts as missed. */
export function exitCodeOf(
  { kind, defect }: Pick<RunResult, 'kind' | 'defect'>,
  accuracy: number | null,
  threshold: number | null,
): ExitCode {
  switch (kind) {
    case 'done':
      return threshold !== null && (accuracy ?? -1) < threshold ? exitCodes.belowThreshold : exitCodes.done;
    case 'budget':
      return exitCodes.budget;
    case 'provider':
      return exitCodes.provider;
    case 'store':
      return exitCodes.engine;
    case 'failed':
      return defect === true ? exitCodes.defect : exitCodes.badRecipe;
    case 'paused':
    case 'stopped':
      return exitCodes.interrupted;
  }
}
