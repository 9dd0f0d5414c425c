/**
 * Owns the real services of a workspace: the store on its file, Pocket, and the endpoint the environment names. Everything
 * heavy starts at its first use. Deliberately keeps no key: it is read from the environment before each exchange.
 */
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { taskFiles } from '../adapters/datasets/taskFiles.ts';
import { openaiModel } from '../adapters/models/openaiModel.ts';
import { openPocket, type Pocket } from '../adapters/pocket/pocket.ts';
import { openStore, restoreStore } from '../adapters/store/store.ts';
import type { LanguageModel, Log } from '../core/ports.ts';
import { ProviderError } from '../core/ports.ts';
import { assets } from './assets.ts';
import type { MakeServices } from './services.ts';

const publicEndpoint = 'https://api.openai.com/v1';
const pocketId = 'pocket';

export const workspaceServices: MakeServices = (paths, log) => {
  let pocket: Pocket | null = null;
  const openedPocket = () => {
    pocket ??= openPocket({ worker: assets.pocketWorker, folder: assets.pocketFolder });
    return pocket;
  };
  const location = { file: paths.database, workerUrl: assets.storeWorker, wasmFile: assets.wasmFile };
  return {
    openStore: () => openStore(location),
    restoreStore: () => restoreStore(location),
    ofRun: (recipeFile, store) => ({
      store,
      model: (provider) =>
        provider === pocketId ? openedPocket().over(store).model : environmentModel(provider, log),
      trainer: (provider) => (provider === pocketId ? openedPocket().over(store).trainer : null),
      files: taskFiles(path.dirname(recipeFile), { workspace: paths.workspace }),
      clock: { now: () => Date.now(), monotonic: () => performance.now() },
      log,
    }),
    close: async () => pocket?.close(),
  };
};

/** `provider` is "openai/model": any endpoint that speaks its protocol. Throws ProviderError when none is named. */
function environmentModel(provider: string, log: Log): LanguageModel {
  const [id, ...rest] = provider.split('/');
  if (id !== 'openai') {
    throw new ProviderError(`There is no provider "${id ?? ''}"; a recipe may name pocket or openai.`);
  }
  const { RATCHET_OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: key } = process.env;
  if (baseURL === undefined && key === undefined) {
    throw new ProviderError(
      'No endpoint is known for provider openai; set OPENAI_API_KEY, or RATCHET_OPENAI_BASE_URL for another endpoint.',
    );
  }
  const model = rest.join('/');
  if (model === '') {
    throw new ProviderError('The recipe names no model; write model: { provider: openai, model: NAME }.');
  }
  return openaiModel({
    provider: id,
    baseURL: baseURL ?? publicEndpoint,
    model,
    apiKey: async () => process.env.OPENAI_API_KEY ?? null,
    log,
  });
}
