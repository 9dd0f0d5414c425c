/**
 * Owns the real services of a workspace: the store on its file, Pocket, and the providers of the user's settings or the
 * environment. Everything heavy starts at its first use. Deliberately keeps no key beyond memory (keys.ts).
 */
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { exportFiles } from '../adapters/datasets/exportFiles.ts';
import { taskFiles } from '../adapters/datasets/taskFiles.ts';
import { openPocket, type Pocket } from '../adapters/pocket/pocket.ts';
import { openStore, restoreStore } from '../adapters/store/store.ts';
import { pocketProvider } from '../protocol/providers.ts';
import { assets } from './assets.ts';
import { createProviders } from './providers.ts';
import type { MakeServices } from './services.ts';

export const workspaceServices: MakeServices = (paths, log, clients) => {
  let pocket: Pocket | null = null;
  const openedPocket = () => {
    pocket ??= openPocket({ worker: assets.pocketWorker, folder: assets.pocketFolder });
    return pocket;
  };
  const location = { file: paths.database, workerUrl: assets.storeWorker, wasmFile: assets.wasmFile };
  const providers = createProviders({ clients, environment: process.env, log });
  return {
    providers,
    openStore: () => openStore(location),
    restoreStore: () => restoreStore(location),
    ofRun: (recipeFile, store) => ({
      store,
      model: (name) => (name === pocketProvider ? openedPocket().over(store).model : providers.model(name)),
      trainer: (name) => (name === pocketProvider ? openedPocket().over(store).trainer : null),
      files: taskFiles(path.dirname(recipeFile), { workspace: paths.workspace }, store),
      exports: exportFiles(path.dirname(recipeFile), { workspace: paths.workspace }),
      clock: { now: () => Date.now(), monotonic: () => performance.now() },
      log,
    }),
    close: async () => pocket?.close(),
  };
};
