/**
 * Owns the database in a worker thread and answers requests about it. The entry of the store's worker bundle, which also
 * exports the parts that the store's proofs put together anew over files that crash: what they run is the file that ships.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { StoreError } from '../../core/ports.ts';
import { putBlob } from './blobs.ts';
import { openDatabase, restoreDatabase } from './database.ts';
import { nodeFiles } from './hostFiles.ts';
import { createStore, type FileStore } from './localStore.ts';
import {
  STORE_METHODS,
  type ErrorFacts,
  type StoreAnswer,
  type StoreMethod,
  type StoreRequest,
  type WorkerStart,
} from './messages.ts';
import { MIGRATIONS } from './migrations.ts';
import { verifyBeside, verifyReadOnly } from './verifyBeside.ts';
import { indexedSearch, searchWithoutIndex } from './search.ts';
import { searchExperiences } from './searchExperiences.ts';
import { openSearchIndex } from './searchIndex.ts';
import { checkFolder } from './selfCheck.ts';
import { sweepSlice } from './solutionLookup.ts';
import { fullUpkeep, USUAL_UPKEEP } from './upkeep.ts';
import { verifyStore } from './verify.ts';

function factsOf(error: unknown): ErrorFacts {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), code: null, cause: null };
  return {
    name: error.name,
    message: error.message,
    code: error instanceof StoreError ? error.code : null,
    cause: error.cause === undefined ? null : inspect(error.cause),
  };
}

function send(port: MessagePort, answer: StoreAnswer, handsOver: boolean): void {
  const bytes = answer.ok && handsOver && answer.result instanceof Uint8Array ? answer.result : null;
  port.postMessage(answer, bytes === null ? [] : [bytes.buffer as ArrayBuffer]);
}

async function answer(store: FileStore, port: MessagePort, request: StoreRequest): Promise<void> {
  const { id, method } = request;
  const { handsOver } = STORE_METHODS[method];
  try {
    const methods = store as unknown as Readonly<
      Record<StoreMethod, (...parameters: readonly unknown[]) => Promise<unknown>>
    >;
    send(port, { id, ok: true, result: await methods[method](...request.parameters) }, handsOver);
  } catch (error) {
    send(port, { id, ok: false, error: factsOf(error) }, false);
  }
  if (method === 'close') port.close();
}

function readWasm(file: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    throw new StoreError(
      `The database engine ${file} cannot be read: install Ratchet again.`,
      'UNKNOWN_WASM',
      {
        cause: error,
      },
    );
  }
}

async function serve(port: MessagePort, start: WorkerStart): Promise<void> {
  try {
    const options = { file: start.file, wasm: readWasm(start.wasmFile) };
    if (start.task === 'restore') {
      send(port, { id: 0, ok: true, result: await restoreDatabase(options) }, false);
      port.close();
      return;
    }
    if (start.task === 'verify') {
      send(port, { id: 0, ok: true, result: await verifyReadOnly(options) }, false);
      port.close();
      return;
    }
    checkFolder(start.file, nodeFiles);
    const database = await openDatabase(options);
    const index = { ...options, file: path.join(path.dirname(options.file), 'search.ratchetdb') };
    const search = database.report.readOnly ? searchWithoutIndex(database) : indexedSearch(database, index);
    const store = createStore(database, Date.now, fullUpkeep(database, USUAL_UPKEEP), search, (which) =>
      verifyBeside(which, new URL(import.meta.url), { ...start, file: which.file }),
    );
    port.on('message', (request: StoreRequest) => void answer(store, port, request));
    send(port, { id: 0, ok: true, result: null }, false);
  } catch (error) {
    send(port, { id: 0, ok: false, error: factsOf(error) }, false);
    port.close();
  }
}

function isStart(data: unknown): data is WorkerStart {
  return typeof data === 'object' && data !== null && 'wasmFile' in data && 'task' in data;
}

if (parentPort !== null && isStart(workerData)) await serve(parentPort, workerData);

export {
  createStore,
  MIGRATIONS,
  openDatabase,
  openSearchIndex,
  putBlob,
  restoreDatabase,
  searchExperiences,
  StoreError,
  sweepSlice,
  verifyStore,
};
