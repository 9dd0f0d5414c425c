/**
 * Owns loading the store that ships: the worker's bundle in dist, byte for byte the file of the package, and its wasm.
 * Every proof in this folder runs on it; from src come types only. Deliberately builds nothing.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type * as Bundle from '../../src/adapters/store/worker.ts';

const dist = new URL('../../dist/', import.meta.url);

export const workerUrl = new URL('storeWorker.mjs', dist);
export const wasmFile = fileURLToPath(new URL('sql-wasm.wasm', dist));

if (!existsSync(workerUrl) || !existsSync(wasmFile))
  throw new Error('dist holds no storeWorker.mjs: run "npm run build" first.');

export const wasm = new Uint8Array(readFileSync(wasmFile));

const bundle = (await import(workerUrl.href)) as typeof Bundle;

export const {
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
} = bundle;
