/** The real services of a workspace with the toy learner in place of every model. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ProviderError, type LanguageModel } from '../../../src/core/ports.ts';
import type { MakeServices } from '../../../src/engine/services.ts';
import { workspaceServices } from '../../../src/engine/workspaceServices.ts';
import { toyLearner } from '../../fakes/toyLearner.ts';

export const toyServices: MakeServices = (paths, log) => {
  const real = workspaceServices(paths, log);
  return {
    ...real,
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
