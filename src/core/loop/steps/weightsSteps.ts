/** Owns how `update` of weights runs inside a round: training here, or writing the data for training elsewhere. */
import { hashOf } from '../../measure/hash.ts';
import { streamSeed } from '../../measure/random.ts';
import { asId, type ContentHash } from '../../model/ids.ts';
import { ProviderError, type StopSignal, type TrainingData, type TrainingResult } from '../../ports.ts';
import { exportText } from '../../update/exportData.ts';
import { updateState } from '../../update/update.ts';
import type { Dataset } from '../arm.ts';
import type { UpdateOf } from '../recipe.ts';
import { isStopping, type RunControl } from '../services.ts';
import type { StepContext, StepResult } from '../stepContext.ts';
import { averageStep } from './averageSteps.ts';
import { basesOf, contenders, resetSlotStep, sizeOf } from './updateSteps.ts';

export function weightsStep(
  context: StepContext,
  parameters: UpdateOf<'weights'>,
): Promise<StepResult> | StepResult {
  switch (parameters.op) {
    case 'train':
      return trainStep(context, parameters);
    case 'average':
      return averageStep(context, parameters);
    case 'export':
      return exportStep(context, parameters);
    case 'reset':
      return resetSlotStep(context, 'weights');
  }
}

function warned(message: string): StepResult {
  return { events: [{ kind: 'warningRaised', message }] };
}

async function trainStep(context: StepContext, parameters: UpdateOf<'weights'>): Promise<StepResult> {
  const { run, at, arm, values } = context;
  const { dataset } = values;
  if (dataset === null || sizeOf(dataset.data) === 0)
    return warned('Nothing was kept to train on, so no candidate was made this round.');
  const trainer = run.services.trainer(run.recipe.model);
  if (trainer === null) {
    throw new ProviderError(
      `The weights of "${run.recipe.model}" cannot be trained here; use the model pocket, update another slot, or export the data.`,
    );
  }
  const data = trainable(dataset, parameters);
  if (data === null)
    return warned('Rewards are for a reward model trained elsewhere: export them, or pack another form.');
  const { beta, nllWeight, learningRate, epochs } = parameters;
  const base = parameters.from === 'base' ? arm.start.state.weights : arm.inUse.state.weights;
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
        stopping(run.control),
        context.progress,
      ),
  );
  const size = sizeOf(dataset.data);
  const note = `trained on ${size} ${data.form === 'sft' ? 'solutions' : 'pairs'}, loss ${result.loss.toFixed(3)}`;
  const weights = asId<ContentHash>(result.weights);
  const made = basesOf(context).map((candidate) => updateState([candidate], { weights }, note));
  return contenders(context, made, 'weights', []);
}

function trainable({ data }: Dataset, { beta, nllWeight }: UpdateOf<'weights'>): TrainingData | null {
  switch (data.form) {
    case 'sft':
      return data;
    case 'pairs':
      return { ...data, beta, nllWeight };
    case 'reward':
      return null;
  }
}

/** Writes the data set beside the recipe, the round in its name; the model stays as it is. */
async function exportStep(
  { run, at, values }: StepContext,
  { file }: UpdateOf<'weights'>,
): Promise<StepResult> {
  const { dataset } = values;
  if (dataset === null || sizeOf(dataset.data) === 0 || file === undefined)
    return warned('Nothing was kept to write, so no file was written this round.');
  const name = file.replace(
    /(\.[A-Za-z0-9]+)?$/,
    (ending) =>
      `-${at.arm === 'control' ? 'control-' : ''}round-${at.round}${ending === '' ? '.jsonl' : ending}`,
  );
  await run.services.exports.write(name, exportText(dataset.data));
  const rows = sizeOf(dataset.data);
  return {
    events: [{ kind: 'reportMade', text: `${rows} rows written to ${name}`, digest: dataset.digest }],
  };
}

/** Training is broken off and done again: it costs nothing but its time. */
function stopping(control: RunControl): StopSignal {
  return {
    get aborted() {
      return isStopping(control);
    },
  };
}
