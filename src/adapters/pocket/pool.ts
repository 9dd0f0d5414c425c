/**
 * Owns Pocket's worker threads: started at their first job, replaced after a crash, each with a queue of its own.
 * Deliberately knows neither text nor hashes; a job goes to the worker with the least to do.
 */
import { Worker } from 'node:worker_threads';
import type { StopSignal, TrainingJob } from '../../core/ports.ts';
import { ProviderError } from '../../core/ports.ts';
import type { Job, Report, WorkerStart } from './jobs.ts';
import type { SampleRequest, Sampled } from './sampler.ts';
import type { Trained } from './train.ts';

/** How often a stop signal, which cannot be listened to, is looked at, in milliseconds. */
const stopEvery = 20;

export interface Pool {
  /** Samples with `weights`, known as `name`; resolves when all are done or stopped. Throws ProviderError on a crash. */
  readonly sample: (
    name: string,
    weights: Float32Array<ArrayBuffer>,
    requests: readonly SampleRequest[],
    stop: StopSignal,
    onAnswers: (answers: readonly Sampled[]) => void,
  ) => Promise<void>;
  /** Null when stopped before the end. Throws ProviderError on a crash. */
  readonly train: (
    weights: Float32Array<ArrayBuffer>,
    job: TrainingJob,
    stop: StopSignal,
    onProgress: (done: number, total: number) => void,
  ) => Promise<Trained | null>;
  /** Ends the threads; what they were doing fails with ProviderError. */
  readonly close: () => Promise<void>;
}

interface Waiting {
  readonly onReport: (report: Report) => void;
  readonly settle: (error: Error | null) => void;
}

interface Lane {
  worker: Worker | null;
  /** Name of the weights this worker sampled with last. */
  sampling: string | null;
  readonly waiting: Map<number, Waiting>;
}

const crashed = 'Pocket stopped unexpectedly. Run again: a new one is started.';

/** Settles a job without error; a thread with nothing to do does not keep the process alive. */
function finish(lane: Lane, id: number): void {
  const waiting = lane.waiting.get(id);
  lane.waiting.delete(id);
  if (lane.waiting.size === 0) lane.worker?.unref();
  waiting?.settle(null);
}

function startWorker(lane: Lane, url: URL, start: WorkerStart): Worker {
  const worker = new Worker(url, { workerData: start });
  const fail = (error: Error) => {
    if (lane.worker !== worker) return;
    lane.worker = null;
    lane.sampling = null;
    const all = [...lane.waiting.values()];
    lane.waiting.clear();
    for (const { settle } of all) settle(error);
  };
  worker.on('message', (report: Report) => {
    const waiting = lane.waiting.get(report.id);
    if (!waiting) return;
    waiting.onReport(report);
    if (report.kind !== 'ended') return;
    finish(lane, report.id);
  });
  worker.on('error', (cause) => fail(new ProviderError(crashed, { cause })));
  worker.on('exit', (code) => fail(new ProviderError(crashed, { cause: new Error(`exit code ${code}`) })));
  lane.worker = worker;
  return worker;
}

/** Up to `size` threads from the worker file at `url`; `start` is asked for at the first job. */
export function openPool(url: URL, size: number, start: () => Promise<WorkerStart>): Pool {
  const lanes: Lane[] = Array.from({ length: size }, () => ({
    worker: null,
    sampling: null,
    waiting: new Map<number, Waiting>(),
  }));
  let nextId = 1;
  let closed = false;

  const run = async (
    stop: StopSignal,
    makeJob: (lane: Lane, id: number, flag: Int32Array<SharedArrayBuffer>) => Job,
    onReport: (report: Report) => void,
  ): Promise<void> => {
    const data = await start();
    if (closed) throw new ProviderError('Pocket was closed. Run again to start it.');
    if (stop.aborted) return;
    const lane = lanes.reduce((least, other) => (other.waiting.size < least.waiting.size ? other : least));
    const worker = lane.worker ?? startWorker(lane, url, data);
    const id = nextId++;
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const timer = setInterval(() => {
      if (!stop.aborted) return;
      Atomics.store(flag, 0, 1);
      // The caller need not wait for a job that is still behind others; what is reported of it later is not read.
      finish(lane, id);
    }, stopEvery);
    try {
      await new Promise<void>((resolve, reject) => {
        lane.waiting.set(id, { onReport, settle: (error) => (error ? reject(error) : resolve()) });
        worker.ref();
        worker.postMessage(makeJob(lane, id, flag));
      });
    } finally {
      clearInterval(timer);
    }
  };

  return {
    sample: (name, weights, requests, stop, onAnswers) =>
      run(
        stop,
        (lane, id, flag) => {
          const held = lane.sampling === name;
          lane.sampling = name;
          return { kind: 'sample', id, stop: flag, weights: held ? null : weights, requests };
        },
        (report) => {
          if (report.kind === 'sampled') onAnswers(report.answers);
        },
      ),
    train: async (weights, job, stop, onProgress) => {
      let trained: Trained | null = null;
      await run(
        stop,
        (_lane, id, flag) => ({ kind: 'train', id, stop: flag, weights, job }),
        (report) => {
          if (report.kind === 'progress') onProgress(report.done, report.total);
          if (report.kind === 'ended') trained = report.trained;
        },
      );
      return trained;
    },
    close: async () => {
      closed = true;
      await Promise.all(lanes.flatMap((lane) => (lane.worker ? [lane.worker.terminate()] : [])));
    },
  };
}
