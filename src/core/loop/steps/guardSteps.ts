/**
 * Owns scoring a contender that the gate would accept on the suites that must not get worse, beside the candidate in use.
 * Deliberately asks nothing of one that is refused anyway, and decides nothing: that is refine/guards.ts.
 */
import type { Candidate } from '../../model/candidate.ts';
import type { EventBody } from '../../model/event.ts';
import { guardSuites, judgeGuard } from '../../refine/guards.ts';
import type { ArmState, Scored } from '../arm.ts';
import type { StepContext, StepResult } from '../stepContext.ts';
import { scoreBaseline, scoreCandidates, scoredResult, suiteDigest } from './evaluateSteps.ts';

export interface Guarded {
  readonly passed: boolean;
  /** What the guards found, for people; null where the recipe has none. */
  readonly said: string | null;
  readonly arm: ArmState;
  readonly events: readonly EventBody[];
  readonly evaluations: readonly Scored['evaluation'][];
}

/** `chosenBy` is the evaluation it won by: the guards are asked in the same way. Every guard is scored, whatever one finds. */
export async function passGuards(
  context: StepContext,
  contender: Candidate,
  chosenBy: Scored,
  maxLoss: number,
): Promise<Guarded> {
  let { arm } = context;
  const events: EventBody[] = [];
  const evaluations: Scored['evaluation'][] = [];
  const note = ({ arm: changed, events: told, rows }: StepResult) => {
    arm = { ...arm, ...changed };
    events.push(...told);
    evaluations.push(...((rows?.evaluations ?? []) as Scored['evaluation'][]));
  };
  const verdicts = [];
  for (const split of guardSuites) {
    const tasks = context.run.sets[split];
    if (tasks.length === 0) continue;
    const suite = { ...chosenBy.suite, split, tasks, round: 0 };
    const digest = suiteDigest(context, suite);
    let scored = arm.scored.findLast((item) => item.candidate.id === contender.id && item.digest === digest);
    if (scored === undefined) {
      [scored] = await scoreCandidates({ ...context, arm }, [contender], suite);
      if (scored === undefined) throw new RangeError(`The ${split} suite was not scored.`);
      note(scoredResult({ ...context, arm }, [scored]));
    }
    const baseline = await scoreBaseline({ ...context, arm }, arm.inUse, scored);
    if (baseline.result !== null) note(baseline.result);
    verdicts.push(judgeGuard(split, baseline.scored.evaluation, scored.evaluation, maxLoss));
  }
  const failed = verdicts.filter(({ passed }) => !passed);
  const told = (failed.length > 0 ? failed : verdicts).map(({ said }) => said).join('; ');
  return { passed: failed.length === 0, said: told === '' ? null : told, arm, events, evaluations };
}
