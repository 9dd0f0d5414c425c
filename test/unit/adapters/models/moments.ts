/**
 * Owns the three moments of a run at which a fault of the way to an endpoint begins: before its first call, with sixteen
 * calls in flight (all of them at the server, and none of those before still out), and at its last call, which is alone.
 * Every connection serves one request, so that each call needs the way. Deliberately knows no fault.
 */
import type { Reply, SeenRequest } from '../../../fakes/openaiServer.ts';

export const CALLS = 60;
export const IN_FLIGHT = 16;
export const moments = [
  ['first', 0],
  ['middle', 20],
  ['last', CALLS - 1],
] as const;
export type Moment = (typeof moments)[number][0];

export const promptOf = ({ body }: Pick<SeenRequest, 'body'>): string =>
  (body['messages'] as readonly { content: string }[])[0]?.content ?? '';

/**
 * Answers each request by `good`, and calls `begin` at the moment: at once for the first call, else when the request of call
 * `at` is there, which is lost on the wire that once.
 */
export function until(at: number, begin: () => void, good: Reply): Reply {
  let answered = 0;
  let arrived = 0;
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let last: () => void = () => undefined;
  const alone = new Promise<void>((resolve) => {
    last = resolve;
  });
  let lost = at === 0;
  if (lost) begin();
  const answer: Reply = async (response, seen) => {
    response.setHeader('connection', 'close');
    response.on('close', () => {
      answered += 1;
      if (answered === CALLS - 1) last();
    });
    await good(response, seen);
  };
  return async (response, seen) => {
    const item = Number(promptOf(seen));
    const together = at > 0 && at < CALLS - 1 && item >= at && item < at + IN_FLIGHT;
    if (together) {
      arrived += 1;
      if (arrived === IN_FLIGHT) {
        begin();
        open();
      }
      await opened;
    }
    if (item === at && !lost) {
      lost = true;
      if (at === CALLS - 1) {
        await alone;
        begin();
      }
      response.destroy();
      return;
    }
    await answer(response, seen);
  };
}
