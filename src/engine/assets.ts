/**
 * Owns where the engine's workers and data lie: beside the bundles in dist, or in the sources and packages when it is run
 * from those. Deliberately checks nothing; who opens a file says what is missing.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

export interface Assets {
  readonly storeWorker: URL;
  readonly pocketWorker: URL;
  /** sql.js compiled to WebAssembly. */
  readonly wasmFile: string;
  /** media/pocket. */
  readonly pocketFolder: string;
}

const here = import.meta.url;

export const assets: Assets = here.endsWith('.ts')
  ? {
      storeWorker: new URL('../adapters/store/worker.ts', here),
      pocketWorker: new URL('../adapters/pocket/worker.ts', here),
      wasmFile: createRequire(here).resolve('sql.js/dist/sql-wasm.wasm'),
      pocketFolder: fileURLToPath(new URL('../../media/pocket', here)),
    }
  : {
      storeWorker: new URL('./storeWorker.mjs', here),
      pocketWorker: new URL('./pocketWorker.mjs', here),
      wasmFile: fileURLToPath(new URL('./sql-wasm.wasm', here)),
      pocketFolder: fileURLToPath(new URL('../media/pocket', here)),
    };
