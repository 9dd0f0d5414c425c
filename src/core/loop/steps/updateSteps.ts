/** Owns how `pack` and `update` run inside a round. Deliberately moves no pointer: new candidates are contenders. */
import { hashOf } from '../../measure/hash.ts';
import { streamSeed } from '../../measure/random.ts';
import type { Candidate } from '../../model/candidate.ts';
import type { EventBody } from '../../model/event.ts';
import { asId, type ContentHash } from '../../model/ids.ts';
import { ProviderError, type TrainingData, type TrainingResult } from '../../ports.ts';
import { guardInstruction } from '../../prompt/guards.ts';
import { scoreOf } from '../../refine/selectSolutions.ts';
import { packExamples, packPairs, type Packable } from '../../update/pack.ts';
import { updateInstruction, updateWeights } from '../../update/update.ts';
import type { PackParameters, UpdateWeightsParameters } from '../recipe.ts';
import type { Dataset, TrainingDataset } from '../arm.ts';
import type { StepContext, StepResult } from '../stepContext.ts';

/** Lengths the pre-training mixture has, where a recipe does not bound its replay. */
const ALL_DIGITS = [1, 2, 3];

export function packStep(context: StepContext, parameters: PackParameters): StepResult {
  const { values, arm } = context;
  const items = values.experiences.map(({ task, solution }): Packable => {
    const kept = values.refinements.get(solution.id)?.verdict === 'kept';
    return { task, solution, kept, score: scoreOf(values.feedback.get(solution.id) ?? []) };
  });
  const { instruction } = arm.inUse.state;
  let data: TrainingDataset;
  let duplicates = 0;
  if (parameters.form === 'pairs') {
    data = { form: 'pairs', pairs: packPairs(items, instruction).items };
  } else {
    const packed = packExamples(items, instruction, parameters.dedupe);
    data = { form: 'sft', examples: packed.items };
    duplicates = packed.duplicates;
  }
  const { replay } = parameters;
  const digest = hashOf(JSON.parse(JSON.stringify(data)) as never);
  const dataset: Dataset = {
    data,
    replay: replay === undefined ? null : { share: replay.share, digits: replay.digits ?? ALL_DIGITS },
    digest,
  };
  const examples = data.form === 'sft' ? data.examples.length : data.pairs.length;
  return {
    values: { dataset },
    events: [{ kind: 'datasetPacked', form: data.form, examples, duplicates, digest }],
  };
}

export async function trainStep(
  context: StepContext,
  parameters: UpdateWeightsParameters,
): Promise<StepResult> {
  const { run, at, arm, values } = context;
  const { dataset } = values;
  const size =
    dataset === null
      ? 0
      : dataset.data.form === 'sft'
        ? dataset.data.examples.length
        : dataset.data.pairs.length;
  if (dataset === null || size === 0) {
    return {
      events: [
        {
          kind: 'warningRaised',
          message: 'Nothing was kept to train on, so no candidate was made this round.',
        },
      ],
    };
  }
  const trainer = run.services.trainer(run.recipe.model);
  if (trainer === null) {
    throw new ProviderError(
      `The weights of "${run.recipe.model}" cannot be trained here; use the model pocket, or update the instruction.`,
    );
  }
  const { beta, nllWeight, learningRate, epochs } = parameters;
  const data: TrainingData =
    dataset.data.form === 'sft' ? dataset.data : { ...dataset.data, beta, nllWeight };
  const base = arm.inUse.state.weights;
  const seed = streamSeed(run.seed, at.step, at.round);
  const identity = hashOf([
    base,
    dataset.digest,
    dataset.replay === null ? null : [dataset.replay.share, [...dataset.replay.digits]],
    learningRate,
    epochs,
    beta,
    nllWeight,
    seed,
  ]);
  const result = await run.ledger.once<TrainingResult>(
    'training',
    { step: at.step, round: at.round, at },
    identity,
    () =>
      trainer.train(
        { base, data, replay: dataset.replay, learningRate, epochs, seed },
        run.control,
        context.progress,
      ),
  );
  const note = `trained on ${size} ${data.form === 'sft' ? 'solutions' : 'pairs'}, loss ${result.loss.toFixed(3)}`;
  return contenders(
    [updateWeights(arm.inUse, asId<ContentHash>(result.weights), note)],
    context,
    'weights',
    [],
  );
}

export function setInstructionStep(context: StepContext): StepResult {
  const { arm, values } = context;
  const texts = values.tasks.flatMap(({ input, reference }) =>
    reference === undefined ? [input] : [input, reference],
  );
  const before = arm.inUse.state.instruction;
  const refused: EventBody[] = [];
  const made = values.drafts.flatMap((draft) => {
    const verdict = guardInstruction(before, draft.instruction, texts);
    if (verdict.ok) return [updateInstruction(arm.inUse, draft.instruction, draft.note)];
    refused.push({
      kind: 'warningRaised',
      message: `A draft was refused (${draft.note}). ${verdict.reason}`,
    });
    return [];
  });
  return contenders(made, context, 'instruction', refused);
}

function contenders(
  made: readonly Candidate[],
  context: StepContext,
  slot: 'weights' | 'instruction',
  events: readonly EventBody[],
): StepResult {
  return {
    values: { contenders: made },
    events: [
      ...events,
      ...made.map(({ id, note }): EventBody => ({ kind: 'candidateMade', candidateId: id, slot, note })),
    ],
    rows: { candidates: made.map((candidate) => ({ ...candidate, at: context.at })) },
  };
}
