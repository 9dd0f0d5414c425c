/**
 * Owns loading the store that ships: the worker's bundle in dist, byte for byte the file of the package, and its wasm.
 * Every proof in this folder runs on it; from src come types only. Deliberately builds nothing.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const dist = new URL('../../dist/', import.meta.url);

export const workerUrl = new URL('storeWorker.mjs', dist);
export const wasmFile = fileURLToPath(new URL('sql-wasm.wasm', dist));

if (!existsSync(workerUrl) || !existsSync(wasmFile))
  throw new Error('dist holds no storeWorker.mjs: run "npm run build" first.');

export const wasm = new Uint8Array(readFileSync(wasmFile));

const bundle = (await import(workerUrl.href)) as typeof import('../../src/adapters/store/worker.ts');

export const {
  createStore,
  fullUpkeep,
  indexedSearch,
  MIGRATIONS,
  openDatabase,
  putBlob,
  restoreDatabase,
  StoreError,
  sweepSlice,
  verifyStore,
} = bundle;
