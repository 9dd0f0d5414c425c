/**
 * Owns how `update` of weights by averaging runs inside a round: which trained weights there are, and the soup of them.
 * Soups are chosen on fresh train tasks, never on a suite: what the gate decides by was not chosen by.
 * Deliberately leaves which parts to take to update/soup.ts and the arithmetic to the trainer.
 */
import { hashOf } from '../../measure/hash.ts';
import type { EventBody } from '../../model/event.ts';
import { asId, type ContentHash } from '../../model/ids.ts';
import { ProviderError, type Trainer } from '../../ports.ts';
import { greedySoup, type Soup } from '../../update/soup.ts';
import { updateState } from '../../update/update.ts';
import type { UpdateOf } from '../recipe.ts';
import type { StepContext, StepResult } from '../stepContext.ts';
import { scoreCandidates } from './evaluateSteps.ts';
import { basesOf, contenders } from './updateSteps.ts';

type Parameters = UpdateOf<'weights'>;
type Average = NonNullable<Trainer['average']>;

export async function averageStep(context: StepContext, parameters: Parameters): Promise<StepResult> {
  const { run } = context;
  const average = run.services.trainer(run.recipe.model)?.average;
  if (average === undefined)
    throw new ProviderError(
      `The weights of "${run.recipe.model}" cannot be averaged here; use the model pocket, or leave "op: average" out.`,
    );
  const parts = partsOf(context, parameters);
  if (parts.length < 2) {
    const message =
      'There are no two trained candidates to average yet, so no candidate was made; "population: { archive: all }" keeps those of earlier rounds.';
    return { events: [{ kind: 'warningRaised', message }] };
  }
  const soup =
    parameters.soup === 'uniform'
      ? { parts, score: null }
      : ((await greedy(context, parameters, average, parts)) ?? { parts, score: null });
  const weights = await averaged(context, average, soup.parts);
  const score = soup.score === null ? '' : `, ${(soup.score * 100).toFixed(1)} % on fresh tasks`;
  const note = `average of ${soup.parts.length} of ${parts.length} trained candidates${score}`;
  const made = basesOf(context)
    .map((base) => updateState([base], { weights }, note))
    .filter(({ id }, index) => id !== basesOf(context)[index]?.id);
  const report: EventBody = {
    kind: 'reportMade',
    text: `soup by ${parameters.soup}: ${note}`,
    digest: hashOf([...soup.parts]),
  };
  return contenders(context, made, 'weights', [report]);
}

/** Weights of the archive, of what is in use and of this round's candidates, each once, the newest so many. */
function partsOf({ arm, values }: StepContext, { of }: Parameters): readonly ContentHash[] {
  const all = [...arm.archive, arm.inUse, ...values.contenders].flatMap(({ state }) => state.weights ?? []);
  return [...new Set(all)].slice(-of);
}

/** One training's effect in the ledger: the same parts give the same weights, whoever asks. */
async function averaged(
  { run, at }: StepContext,
  average: Average,
  parts: readonly ContentHash[],
): Promise<ContentHash> {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const sorted = [...parts].sort();
  const place = { step: at.step, round: at.round, at };
  const { weights } = await run.ledger.once('training', place, hashOf(['average', ...sorted]), async () => ({
    weights: await average(sorted),
  }));
  return asId<ContentHash>(weights);
}

async function greedy(
  context: StepContext,
  { tasks: count }: Parameters,
  average: Average,
  parts: readonly ContentHash[],
): Promise<Soup<ContentHash> | null> {
  const { run, at, arm } = context;
  const suite = {
    split: 'train' as const,
    tasks: run.sets.fresh(at.step, at.round, count),
    temperature: 0,
    maxTokens: 512,
    repeats: 1,
    style: 'plain' as const,
    recall: 1,
    passAt: null,
    round: at.round,
  };
  const scoresOf = async (all: readonly ContentHash[]): Promise<readonly number[]> => {
    const tried = all.map((weights) => updateState([arm.inUse], { weights }, 'tried in a soup'));
    return (await scoreCandidates(context, tried, suite)).map(({ evaluation }) => evaluation.mean);
  };
  const alone = await scoresOf(parts);
  return greedySoup(
    parts.map((item, index) => ({ item, score: alone[index] ?? 0 })),
    async (items) => (await scoresOf([await averaged(context, average, items)]))[0] ?? 0,
  );
}
