/** Owns what Ctrl-C means while a run is wanted, begun or going: the first pauses it, the second ends the process. */
import type { EngineConnection } from '../client/connection.ts';
import type { RunId } from '../core/model/ids.ts';
import { pauseRun } from '../protocol/engine.ts';
import { exitCodes } from './exitCodes.ts';
import type { CliContext } from './runCommand.ts';

/**
 * Listens from now to the end of the process, and returns the function that names the run; a Ctrl-C from before there is
 * one pauses it as soon as there is.
 */
export function listenForInterrupt({
  terminal,
  abort,
  onInterrupt,
}: CliContext): (connection: EngineConnection, runId: RunId) => void {
  let times = 0;
  let pause: (() => void) | null = null;
  onInterrupt(() => {
    times++;
    if (times === 1) {
      terminal.say('Pausing once the calls in flight are done; Ctrl-C again ends at once.');
      pause?.();
      return;
    }
    terminal.progress('');
    terminal.say('Ended at once; what was saved is kept and the run can be resumed.');
    abort(exitCodes.interrupted);
  });
  return (connection, runId) => {
    pause = () => {
      connection
        .request(pauseRun, { runId })
        .catch((error: unknown) => terminal.say((error as Error).message));
    };
    if (times > 0) pause();
  };
}
