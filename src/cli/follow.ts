/**
 * Owns following one run to where it stands still: its events read in order from the engine, whatever notifications came
 * or went missing. Deliberately prints nothing.
 */
import type { EngineConnection } from '../client/connection.ts';
import type { RunProgress, StoredEvent } from '../core/model/event.ts';
import type { RunId } from '../core/model/ids.ts';
import { awaitRun, eventsAppended, listEvents, progressMade, type RunResult } from '../protocol/engine.ts';

export interface Followers {
  /** Once for each event of the run, in order. */
  readonly onEvent: (event: StoredEvent) => void;
  readonly onProgress: (progress: RunProgress) => void;
}

const pageSize = 1_000;

/** Resolves when the run ended or paused and every event before that was told. Rejects with EngineError. */
export async function followRun(
  connection: EngineConnection,
  runId: RunId,
  followers: Followers,
): Promise<RunResult> {
  let afterSeq = 0;
  const readNew = async () => {
    for (;;) {
      const page = await connection.request(listEvents, { runId, afterSeq, limit: pageSize });
      for (const event of page) {
        afterSeq = event.seq;
        followers.onEvent(event);
      }
      if (page.length < pageSize) return;
    }
  };
  let reading = readNew();
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  const ends = [
    connection.on(eventsAppended, ({ events }) => {
      if (!events.some((event) => event.runId === runId && event.seq > afterSeq)) return;
      reading = reading.then(readNew);
      reading.catch(broken.reject);
    }),
    connection.on(progressMade, (progress) => {
      if (progress.runId === runId) followers.onProgress(progress);
    }),
  ];
  try {
    const result = await Promise.race([connection.request(awaitRun, { runId }), broken.promise]);
    await reading;
    await readNew();
    return result;
  } finally {
    for (const end of ends) end();
  }
}
