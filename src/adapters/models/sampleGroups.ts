/**
 * Owns which calls go to an endpoint as one: neighbours that differ in nothing but the seed, several samples of one request
 * (`n` of chat completions). Waits for no neighbour: what is not there within a turn of the event loop goes by itself, since
 * whoever hands calls out may be waiting for the answers to those already taken.
 * Deliberately asks nothing.
 */
import type { CallSource, ModelRequest, TakenCall } from '../../core/ports.ts';
import type { Source } from './askMany.ts';

export interface SampleGroups extends Source<readonly TakenCall[]> {
  /** These come again, one by one, before any other. */
  askAlone(calls: readonly TakenCall[]): void;
  /** Gives back what was taken ahead and never handed out. To be called when nobody asks for more. */
  finish(): Promise<void>;
}

/** All that can change an answer but the seed. */
const withoutSeed = (request: ModelRequest): string => JSON.stringify({ ...request, seed: null });

/** What `promise` gives within a turn of the event loop; `later` when it does not. */
function soon<Value>(promise: Promise<Value>): Promise<Value | 'later'> {
  const turn = new Promise<'later'>((resolve) => {
    setImmediate(resolve, 'later');
  });
  return Promise.race([promise, turn]);
}

/** `size` is the most calls of a group now; 1 hands every call out by itself. */
export function sampleGroups(calls: CallSource, size: () => number): SampleGroups {
  const alone: TakenCall[] = [];
  /** The call after the newest group, taken to see whether it belongs to it. */
  let ahead: Promise<TakenCall | null> | null = null;
  let turn: Promise<unknown> = Promise.resolve();
  const take = (): Promise<TakenCall | null> => {
    const call = ahead ?? calls.next();
    ahead = null;
    return call;
  };
  const group = async (): Promise<readonly TakenCall[] | null> => {
    const first = await take();
    if (first === null) return null;
    const together = [first];
    const most = size();
    const same = most > 1 ? withoutSeed(first.request) : '';
    while (together.length < most) {
      const next = take();
      const call = await soon(next);
      if (call === 'later' || call === null || withoutSeed(call.request) !== same) {
        ahead = next;
        break;
      }
      together.push(call);
    }
    return together;
  };
  return {
    size: calls.size,
    async next() {
      const again = alone.shift();
      if (again !== undefined) return [again];
      if (ahead === null && size() <= 1) {
        const call = await calls.next();
        return call === null ? null : [call];
      }
      // One at a time, or neighbours would be dealt out to several.
      const mine = turn.then(group);
      turn = mine.catch(() => undefined);
      return mine;
    },
    giveBack: (unit) => unit.forEach(({ index }) => calls.giveBack(index)),
    close: () => calls.close(),
    askAlone: (again) => void alone.push(...again),
    async finish() {
      calls.close();
      for (const { index } of alone.splice(0)) calls.giveBack(index);
      const call = await ahead;
      ahead = null;
      if (call !== null) calls.giveBack(call.index);
    },
  };
}
