/**
 * Owns the near end of a store in a worker thread: opens it, sends one message a call and rebuilds errors.
 * Deliberately holds no data and no SQL.
 */
import { Worker } from 'node:worker_threads';
import { StoreError } from '../../core/ports.ts';
import type { FileStore } from './localStore.ts';
import {
  STORE_METHODS,
  type ErrorFacts,
  type StoreAnswer,
  type StoreMethod,
  type StoreRequest,
  type WorkerStart,
} from './messages.ts';
import type { Restored } from './recovery.ts';

export interface StoreLocation extends Omit<WorkerStart, 'task'> {
  /** The worker's entry: worker.ts, or its bundle. */
  readonly workerUrl: URL;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

function errorOf({ name, message, code, cause }: ErrorFacts): Error {
  const options = cause === null ? undefined : { cause };
  if (name === 'StoreError') return new StoreError(message, code, options);
  return Object.assign(new Error(message, options), { name });
}

/** Sends requests and matches answers; everything waiting fails when the worker ends. */
function callWorker(worker: Worker) {
  const pending = new Map<number, Pending>();
  let nextId = 1;
  let ended: StoreError | null = null;
  const end = (error: StoreError): void => {
    ended ??= error;
    for (const { reject } of pending.values()) reject(ended);
    pending.clear();
  };
  const expect = (id: number): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (ended === null) pending.set(id, { resolve, reject });
      else reject(ended);
    });
  worker.on('message', (answer: StoreAnswer) => {
    const waiting = pending.get(answer.id);
    pending.delete(answer.id);
    if (answer.ok) waiting?.resolve(answer.result);
    else waiting?.reject(errorOf(answer.error));
  });
  worker.on('error', (error) =>
    end(
      new StoreError('The store stopped on an unexpected error. Start the engine again.', 'ENDED', {
        cause: error,
      }),
    ),
  );
  worker.on('exit', () => end(new StoreError('The store is closed.', 'CLOSED')));
  return {
    opened: expect(0),
    call: (method: StoreMethod, parameters: readonly unknown[]): Promise<unknown> => {
      const id = nextId++;
      if (ended === null) post(worker, { id, method, parameters });
      return expect(id);
    },
  };
}

/** Bytes are copied first: the caller keeps its own, and a view may lie on a far larger buffer. */
function post(worker: Worker, { id, method, parameters }: StoreRequest): void {
  const sent = parameters.map((value) => (value instanceof Uint8Array ? new Uint8Array(value) : value));
  const bytes = sent.flatMap((value) => (value instanceof Uint8Array ? [value.buffer as ArrayBuffer] : []));
  worker.postMessage({ id, method, parameters: sent } satisfies StoreRequest, bytes);
}

function startWorker({ file, wasmFile, workerUrl }: StoreLocation, task: WorkerStart['task']): Worker {
  const start: WorkerStart = { file, wasmFile, task };
  return new Worker(workerUrl, { workerData: start });
}

/**
 * Puts the newest backup that is whole in the place of the store in `file`, which must not be open; what was there is kept
 * beside it. Throws StoreError when there is no good backup, with nothing changed.
 */
export async function restoreStore(location: StoreLocation): Promise<Restored> {
  return (await callWorker(startWorker(location, 'restore')).opened) as Restored;
}

/**
 * Opens the store in `file`, making it and its folder when they are missing, in a worker thread of its own.
 * Throws StoreError, naming the file and a way forward, for a file that is damaged, foreign or of a newer version.
 */
export async function openStore(location: StoreLocation): Promise<FileStore> {
  const worker = startWorker(location, 'open');
  const { opened, call } = callWorker(worker);
  await opened;
  const methods = Object.keys(STORE_METHODS).map((method) => [
    method,
    async (...parameters: readonly unknown[]) => call(method as StoreMethod, parameters),
  ]);
  const store = Object.fromEntries(methods) as FileStore;
  let closing: Promise<void> | null = null;
  return { ...store, close: () => (closing ??= store.close()) };
}
