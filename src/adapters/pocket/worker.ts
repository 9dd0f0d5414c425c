/**
 * Owns Pocket's thread: one job at a time, in the order they came. Deliberately touches no file and no network;
 * everything it needs is in its start data and its jobs.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { openInference } from './inference.ts';
import type { Inference } from './inference.ts';
import type { Job, Report, WorkerStart } from './jobs.ts';
import { bestDevice } from './kernels/device.ts';
import { openLearner } from './learner.ts';
import type { Learner } from './learner.ts';
import { sample } from './sampler.ts';
import type { Sampled } from './sampler.ts';
import { pocketShape } from './shape.ts';
import { drawableTokens } from './text.ts';
import { batchTokens, train } from './train.ts';

/** Answers are reported at most this often, in milliseconds: a message costs more than a token. */
const reportEvery = 10;

const { kernels } = workerData as WorkerStart;
const makeDevice = (bytes: number) => bestDevice(kernels, bytes);
const port = parentPort;
if (!port) throw new Error('This file is the entry of a worker thread.');
const report = (message: Report) => port.postMessage(message);

let inference: Inference | null = null;
let learner: Learner | null = null;

function runSampling(job: Job & { readonly kind: 'sample' }): void {
  inference ??= openInference(makeDevice, pocketShape, { streams: 64, rows: 256, drawable: drawableTokens });
  if (job.weights) inference.load(job.weights);
  let answers: Sampled[] = [];
  let reported = performance.now();
  const flush = () => {
    if (answers.length > 0) report({ kind: 'sampled', id: job.id, answers });
    answers = [];
    reported = performance.now();
  };
  const stopped = () => {
    if (performance.now() - reported > reportEvery) flush();
    return Atomics.load(job.stop, 0) !== 0;
  };
  sample(inference, pocketShape.context, job.requests, stopped, (answer) => answers.push(answer));
  flush();
  report({ kind: 'ended', id: job.id, trained: null });
}

function runTraining(job: Job & { readonly kind: 'train' }): void {
  // A batch holds at least one sequence of full length.
  learner ??= openLearner(makeDevice, pocketShape, Math.max(batchTokens, 2 * pocketShape.context));
  const stopped = () => Atomics.load(job.stop, 0) !== 0;
  const trained = train(learner, pocketShape.context, job.weights, job.job, stopped, (done, total) =>
    report({ kind: 'progress', id: job.id, done, total }),
  );
  report({ kind: 'ended', id: job.id, trained });
}

// An error is not caught: it ends the thread, whose memory may be half written, and the pool starts another.
port.on('message', (job: Job) => {
  if (job.kind === 'sample') runSampling(job);
  else runTraining(job);
});
