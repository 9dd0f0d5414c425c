/**
 * Owns what a candidate that is better must not break: canary tasks, none of which may fail, and a regression set, whose
 * mean score may fall so far and no further. After the continual-learning suites of published loops, which show gains on
 * one ability paid for with another (catastrophic forgetting: Luo et al. 2023, arXiv 2308.08747).
 * Pure; deliberately decides on scores alone and moves no pointer: that is the gate's.
 */
import type { Evaluation } from '../model/candidate.ts';
import type { GuardSuite } from '../model/task.ts';

export const guardSuites = ['canary', 'regression'] as const satisfies readonly GuardSuite[];

export function isGuard(suite: string): suite is GuardSuite {
  return suite === 'canary' || suite === 'regression';
}

export interface GuardVerdict {
  readonly passed: boolean;
  /** For people: what was looked at and what was found. */
  readonly said: string;
}

/** A task passes from this score on; right and wrong are 1 and 0, a grader of shares may give anything between. */
const PASSES = 0.5;
/** Sums of scores are not exact. */
const ROUNDING = 1e-9;

/** Both evaluations are of the same tasks. `maxLoss` in [0, 1] bounds a regression set's loss of mean score. */
export function judgeGuard(
  suite: GuardSuite,
  inUse: Pick<Evaluation, 'scores' | 'mean'>,
  contender: Pick<Evaluation, 'scores' | 'mean'>,
  maxLoss: number,
): GuardVerdict {
  if (suite === 'canary') {
    const after = new Map(contender.scores.map(({ taskId, score }) => [taskId, score]));
    const passing = inUse.scores.filter(({ score }) => score >= PASSES);
    const broken = passing.filter(({ taskId }) => (after.get(taskId) ?? 0) < PASSES).length;
    return broken > 0
      ? { passed: false, said: `${broken} of ${passing.length} canary tasks that passed now fail` }
      : { passed: true, said: `all ${passing.length} canary tasks that passed still do` };
  }
  const change = contender.mean - inUse.mean;
  const points = `${change > 0 ? '+' : ''}${(change * 100).toFixed(1)} points on ${contender.scores.length} regression tasks`;
  return change < -maxLoss - ROUNDING
    ? { passed: false, said: `${points}, where ${(maxLoss * 100).toFixed(1)} may be lost` }
    : { passed: true, said: points };
}
