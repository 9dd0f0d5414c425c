/** Owns the one scoring of the sealed test suite at a run's end: what is in use, and the start, on the same tasks (law 2). */
import { pairedGain } from '../measure/gain.ts';
import { CONFIDENCE } from '../evaluate/evaluate.ts';
import type { EventBody, Position } from '../model/event.ts';
import { emptyRound, type ArmState } from './arm.ts';
import { createAsk, type Pace } from './asking.ts';
import type { RunContext, StepContext } from './stepContext.ts';
import { operatorSteps } from './recipe.ts';
import { evaluationEvent, scoreCandidates } from './steps/evaluateSteps.ts';

const STEP = 'test';

/** With the temperature and length of the last dev evaluation. Returns a sentence on the outcome. */
export async function scoreTest(run: RunContext, arm: ArmState, pace: Pace): Promise<string> {
  const at: Position = { arm: 'main', round: run.recipe.rounds, step: STEP };
  const last = operatorSteps(run.recipe.steps).findLast(
    (step) => step.operator === 'evaluate' && step.with.suite === 'dev',
  );
  const { temperature, maxTokens, repeats, style, recall, passAt } =
    last?.operator === 'evaluate'
      ? last.with
      : { temperature: 0, maxTokens: 512, repeats: 1, style: 'plain' as const, recall: 1, passAt: undefined };
  await commit(run, at, [{ kind: 'stepStarted', phase: 'evaluate', operator: 'evaluate' }]);
  const asking = createAsk(run, at, { phase: 'evaluate', operator: 'evaluate' }, pace);
  const context: StepContext = { run, at, arm, values: emptyRound([], new Map()), ...asking };
  const candidates = arm.inUse.id === arm.start.id ? [arm.start] : [arm.start, arm.inUse];
  const suite = {
    split: 'test' as const,
    tasks: run.sets.test,
    temperature,
    maxTokens,
    repeats,
    style,
    recall,
    passAt: passAt ?? null,
    round: 0,
  };
  const scored = await scoreCandidates(context, candidates, suite);
  const start = scored[0];
  const final = scored.at(-1);
  if (start === undefined || final === undefined) throw new RangeError('The test suite was not scored.');
  const gain = pairedGain(start.evaluation.scores, final.evaluation.scores, CONFIDENCE);
  const { mean, interval } = final.evaluation;
  const stored = await run.services.store.commit({
    runId: run.id,
    events: [
      ...scored.map((item) => ({ ...evaluationEvent(item), at })),
      { kind: 'testScored', start: start.evaluation.mean, final: mean, interval, gain, at },
    ],
    tasks: run.sets.test,
    evaluations: scored.map(({ evaluation }) => evaluation),
  });
  run.services.onEvents(stored);
  const percent = (value: number) => `${(value * 100).toFixed(1)} %`;
  if (arm.inUse.id === arm.start.id)
    return `Nothing was shown to be better than the start (${percent(mean)} on the sealed test).`;
  return `${percent(start.evaluation.mean)} -> ${percent(mean)} on the sealed test.`;
}

async function commit(run: RunContext, at: Position, events: readonly EventBody[]): Promise<void> {
  const stored = await run.services.store.commit({
    runId: run.id,
    events: events.map((event) => ({ ...event, at })),
  });
  run.services.onEvents(stored);
}
