/**
 * The real services of a workspace with the toy learner in place of every model. While a file `disk-full` lies in the
 * workspace, nothing can be saved.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProviderError, StoreError, type LanguageModel, type Store } from '../../../src/core/ports.ts';
import type { MakeServices } from '../../../src/engine/services.ts';
import { workspaceServices } from '../../../src/engine/workspaceServices.ts';
import { toyLearner } from '../../fakes/toyLearner.ts';

export const toyServices: MakeServices = (paths, log, clients) => {
  const real = workspaceServices(paths, log, clients);
  return {
    ...real,
    openStore: async () => {
      const store = await real.openStore();
      const saving = <Method extends keyof Store>(method: Method) => {
        const write = store[method] as (...parameters: unknown[]) => Promise<unknown>;
        const checked = async (...parameters: unknown[]) => {
          if (existsSync(path.join(paths.workspace, 'disk-full')))
            throw new StoreError('The disk is full; free some space and resume.', 'ENOSPC');
          return write(...parameters);
        };
        return { [method]: checked };
      };
      return { ...store, ...saving('commit'), ...saving('settleEffects'), ...saving('put') };
    },
    ofRun: (recipeFile, store) => {
      const toy = toyLearner(store, { batch: 4 });
      const delay = Number(process.env.TOY_DELAY_MS ?? 0);
      const model: LanguageModel = {
        name: 'toy',
        async *generate(requests, stop) {
          if (process.env.TOY_REFUSES !== undefined) throw new ProviderError('The toy is not plugged in.');
          let given = 0;
          for await (const answer of toy.model.generate(requests, stop)) {
            if (given++ % 4 === 0 && delay > 0) await sleep(delay);
            if (stop.aborted) return;
            yield answer;
          }
        },
      };
      return { ...real.ofRun(recipeFile, store), model: () => model, trainer: () => toy.trainer };
    },
  };
};
