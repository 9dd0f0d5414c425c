/**
 * Owns asking an endpoint many things, several at once, and handing answers over as they come.
 * Deliberately does not know what is asked: a unit may be one call or several that go together.
 */
import type { StopSignal } from '../../core/ports.ts';
import { ProviderError } from '../../core/ports.ts';
import type { Outcome } from './askEndpoint.ts';
import { channel } from './channel.ts';
import type { Session } from './session.ts';
import { stopEveryMs } from './watchStop.ts';

/** What one unit came to; `answer` may be several. */
type Perform<Unit, Answer> = (
  unit: Unit,
  signal: AbortSignal,
) => Promise<Outcome<readonly Answer[]> | 'unsent' | null>;

/** Units handed out one by one; see CallSource in the ports. */
export interface Source<Unit> {
  readonly size: number;
  next(): Promise<Unit | null>;
  giveBack(unit: Unit): void;
  close(): void;
}

/**
 * Holds back calls given up until the host is seen to work: what a host that is down did to them is no outcome of theirs,
 * and a call not handed over is asked again when the run is resumed.
 */
function doubts<Answer>(
  session: Session,
  deliver: (items: readonly Answer[]) => void,
  reasonOf: (answer: Answer) => string,
) {
  let held: (readonly Answer[])[] = [];
  const release = (): void => {
    for (const items of held) deliver(items);
    held = [];
  };
  return {
    release,
    add(items: readonly Answer[]): void {
      held.push(items);
      const { givenUpInRow } = session.limits;
      if (held.length < givenUpInRow) return;
      const last = items[0] === undefined ? '' : reasonOf(items[0]);
      held = [];
      throw new ProviderError(
        `${session.address.host} failed ${givenUpInRow} calls in a row, last because ${last}; resume when it works again.`,
      );
    },
  };
}

/** Answers as they come, `session.concurrency` units at once; ends early when `stop` is set or the consumer leaves. */
export async function* askMany<Unit, Answer>(
  session: Session,
  source: Source<Unit>,
  stop: StopSignal,
  perform: Perform<Unit, Answer>,
  reasonOf: (answer: Answer) => string,
): AsyncGenerator<Answer> {
  const ending = new AbortController();
  const { signal } = ending;
  // What has been answered has been paid for: it is handed over even when the run is stopping or the provider failed.
  const finished = channel<Answer>();
  const deliver = (items: readonly Answer[]): void => items.forEach((item) => finished.send(item));
  const doubtful = doubts(session, deliver, reasonOf);
  const failures: unknown[] = [];
  const end = (): void => {
    ending.abort();
    source.close();
  };
  let waiting = 0;
  let idleTicks = 0;
  const worker = async (): Promise<void> => {
    while (!signal.aborted && !stop.aborted) {
      waiting += 1;
      const unit = await source.next();
      waiting -= 1;
      if (unit === null) return;
      const outcome = await perform(unit, signal);
      if (outcome === 'unsent') source.giveBack(unit);
      if (outcome === null || outcome === 'unsent') return;
      if (outcome.doubtful) {
        doubtful.add(outcome.answer);
        continue;
      }
      doubtful.release();
      deliver(outcome.answer);
    }
  };
  const guarded = (): Promise<void> =>
    worker().catch((error: unknown) => {
      failures.push(error);
      end();
    });
  const workers = Math.min(session.concurrency, source.size);
  const watch = setInterval(() => {
    if (stop.aborted) end();
    // Nothing is in flight that could clear the host of its doubts, and the source may wait for just these answers.
    idleTicks = waiting === workers ? idleTicks + 1 : 0;
    if (idleTicks > 1) doubtful.release();
  }, stopEveryMs);
  const all = Promise.all(Array.from({ length: workers }, guarded)).then(() => {
    // At a failure or a stop nobody knows whose fault they were.
    if (failures.length === 0 && !signal.aborted) doubtful.release();
    finished.close(failures[0]);
  });
  try {
    yield* finished;
  } finally {
    end();
    clearInterval(watch);
    await all;
  }
}
