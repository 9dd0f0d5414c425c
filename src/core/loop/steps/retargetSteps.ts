/** Owns how `retarget` runs inside a round, and the person's yes it needs (law 9). Deliberately the only writer of the aim. */
import { ratchetThreshold, readParts, retargetMessages, type Failure } from '../../evaluate/retarget.ts';
import { isGuard } from '../../refine/guards.ts';
import { streamSeed } from '../../measure/random.ts';
import type { Aim } from '../arm.ts';
import { askYes } from '../question.ts';
import type { RetargetParameters } from '../recipe.ts';
import type { StepContext, StepResult } from '../stepContext.ts';

export async function retargetStep(
  context: StepContext,
  parameters: RetargetParameters,
): Promise<StepResult> {
  const { arm } = context;
  const { policy } = parameters;
  const change = await changeOf(context, parameters);
  if (change === null)
    return { events: [{ kind: 'retargeted', policy, text: 'the aim stays as it is', by: 'recipe' }] };
  const objective = policy === 'weakness' || policy === 'split';
  const asks = parameters.autonomy === 'low' || (parameters.autonomy === 'medium' && objective);
  if (asks) {
    const { run, at } = context;
    const sentence = `After round ${at.round} the loop would ${change.text}. Resume to agree, or stop the run.`;
    await askYes(run, { step: at.step, round: at.round, at }, change.text, sentence);
  }
  return {
    arm: { aim: { ...arm.aim, ...change.aim } },
    events: [{ kind: 'retargeted', policy, text: change.text, by: asks ? 'person' : 'recipe' }],
  };
}

interface Change {
  readonly aim: Partial<Aim>;
  readonly text: string;
}

async function changeOf(context: StepContext, parameters: RetargetParameters): Promise<Change | null> {
  const { arm } = context;
  switch (parameters.policy) {
    case 'fixed':
      return null;
    case 'ratchet': {
      const threshold = ratchetThreshold(arm.aim.threshold, parameters);
      return threshold === arm.aim.threshold
        ? null
        : { aim: { threshold }, text: `keep solutions with score >= ${threshold}` };
    }
    case 'band': {
      const [low, high] = parameters.band;
      if (arm.aim.band?.[0] === low && arm.aim.band[1] === high) return null;
      return { aim: { band: [low, high] }, text: `keep tasks that are solved ${low} to ${high} of the time` };
    }
    case 'weakness':
    case 'split': {
      const focus = await partsOf(context, parameters, parameters.policy);
      return focus.length === 0 ? null : { aim: { focus }, text: `work on: ${focus.join('; ')}` };
    }
  }
}

/** What the newest evaluation's failures share, in the model's words. Dev tasks are looked at and never learnt from. */
async function partsOf(
  context: StepContext,
  { children, temperature, maxTokens }: RetargetParameters,
  policy: 'weakness' | 'split',
): Promise<readonly string[]> {
  const { run, at, arm } = context;
  const newest = arm.scored.findLast(
    ({ candidate, suite }) => candidate.id === arm.inUse.id && !isGuard(suite.split),
  );
  const tasks = new Map(newest?.tasks.map((task) => [task.id, task]));
  const failures = (newest?.evaluation.scores ?? []).flatMap(({ taskId, score, output }): Failure[] => {
    const task = tasks.get(taskId);
    return task === undefined || score >= 1 || task.split === 'test' ? [] : [{ task, output, score }];
  });
  if (failures.length === 0) return [];
  const [answer] = await context.ask(at.round, [
    {
      item: 'failures',
      sample: 0,
      input: run.recipe.objective.ability,
      request: {
        messages: retargetMessages(run.recipe.objective.ability, failures, policy, children),
        temperature,
        maxTokens,
        seed: streamSeed(run.seed, at.step, at.round, 'failures'),
        weights: arm.inUse.state.weights,
      },
    },
  ]);
  return answer?.ok === true ? readParts(answer.text, children) : [];
}
