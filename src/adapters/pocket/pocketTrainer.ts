/** Owns Pocket as a trainer: a job in, the hash of new weights out. Deliberately leaves the arithmetic to the worker. */
import type { Trainer, TrainingJob } from '../../core/ports.ts';
import { ProviderError } from '../../core/ports.ts';
import { mixtureDigits, pocketMixture } from './mixture.ts';
import type { Pool } from './pool.ts';
import type { WeightSource } from './weightSource.ts';

function checkReplay({ replay }: TrainingJob): void {
  const known = mixtureDigits(pocketMixture);
  if (replay && replay.share > 0 && !replay.digits.some((digits) => known.includes(digits)))
    throw new ProviderError(
      `Pocket can replay problems of ${known.join(', ')} digits only. Change "replay" in the recipe.`,
    );
}

/** Summed in double precision in the order given, so that equal lists give equal bits. */
function meanOf(all: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const [first] = all;
  if (first === undefined) throw new ProviderError('There are no weights to average.');
  return Float32Array.from(first, (_, index) => {
    let sum = 0;
    for (const weights of all) sum += weights[index] ?? 0;
    return sum / all.length;
  });
}

export function pocketTrainer(pool: Pool, source: WeightSource): Trainer {
  return {
    train: async (job, stop, onProgress) => {
      checkReplay(job);
      const { weights } = await source.get(job.base);
      const trained = await pool.train(weights, job, stop, onProgress);
      if (trained === null) return null;
      return { weights: await source.put(trained.weights), loss: trained.loss, steps: trained.steps };
    },
    average: async (hashes) => {
      const all = await Promise.all(hashes.map(async (hash) => (await source.get(hash)).weights));
      return source.put(meanOf(all));
    },
  };
}
