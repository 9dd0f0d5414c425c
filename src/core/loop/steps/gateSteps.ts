/** Owns how `select` over this round's candidates runs: the best of them, and the gate. Deliberately the only place that moves the pointer in use (law 1). */
import type { Candidate } from '../../model/candidate.ts';
import type { EventBody } from '../../model/event.ts';
import { gate, topCandidates } from '../../refine/selectCandidates.ts';
import type { ArmState } from '../arm.ts';
import type { GateParameters } from '../recipe.ts';
import type { StepContext, StepResult } from '../stepContext.ts';
import { newestOf, scoreBaseline } from './evaluateSteps.ts';
import { passGuards } from './guardSteps.ts';

export function selectTopStep(context: StepContext, k: number): StepResult {
  const { arm, values, at } = context;
  const kept = topCandidates(
    values.contenders,
    (candidate) => newestOf(arm.scored, candidate, at.round)?.evaluation,
    k,
  );
  const refused = values.contenders.filter((candidate) => !kept.includes(candidate));
  return {
    values: { contenders: kept },
    events: refused.map(
      (candidate): EventBody => ({
        kind: 'candidateRefused',
        candidateId: candidate.id,
        inUse: arm.inUse.id,
        gain: null,
        reason: 'scored lower than others of its round',
      }),
    ),
  };
}

/**
 * Accepts the best contender if the paired interval of its gain over the candidate in use is above 0, and refuses the rest.
 * The one in use is scored on the very same tasks first where it was not yet; then both on what must not get worse.
 */
export async function gateStep(
  context: StepContext,
  { confidence, maxRegressions, maxLoss }: GateParameters,
): Promise<StepResult> {
  const { arm, values, at } = context;
  const [best] = topCandidates(
    values.contenders,
    (candidate) => newestOf(arm.scored, candidate, at.round)?.evaluation,
    1,
  );
  const scored = best === undefined ? undefined : newestOf(arm.scored, best, at.round);
  if (best === undefined) return { events: [] };
  if (scored === undefined)
    return refuse(context, values.contenders, 'nothing evaluated it in this round', null);
  if (best.id === arm.inUse.id) {
    return refuse(context, values.contenders, 'it is the candidate in use already', null);
  }
  const baseline = await scoreBaseline(context, arm.inUse, scored);
  const decision = gate(baseline.scored.evaluation, scored.evaluation, confidence, maxRegressions ?? null);
  const others = refuse(
    context,
    values.contenders.filter(({ id }) => id !== best.id),
    'another of its round scored higher',
    null,
  );
  const after: ArmState = { ...arm, ...baseline.result?.arm };
  const guarded = decision.accepted
    ? await passGuards({ ...context, arm: after }, best, scored, maxLoss)
    : { passed: false, said: null, arm: after, events: [], evaluations: [] };
  const { gain } = decision;
  const reason = guarded.said === null ? decision.reason : `${decision.reason}; ${guarded.said}`;
  const verdict: EventBody = guarded.passed
    ? { kind: 'candidateAccepted', candidateId: best.id, previous: arm.inUse.id, gain, reason }
    : { kind: 'candidateRefused', candidateId: best.id, inUse: arm.inUse.id, gain, reason };
  const rows = baseline.result?.rows;
  const evaluations = [...(rows?.evaluations ?? []), ...guarded.evaluations];
  return {
    values: { contenders: [] },
    arm: { scored: guarded.arm.scored, ...(guarded.passed ? { inUse: best } : {}) },
    events: [...(baseline.result?.events ?? []), ...guarded.events, ...others.events, verdict],
    ...(evaluations.length === 0 ? {} : { rows: { ...rows, evaluations } }),
  };
}

function refuse(
  context: StepContext,
  candidates: readonly Candidate[],
  reason: string,
  gain: null,
): StepResult {
  const inUse = context.arm.inUse.id;
  return {
    values: { contenders: [] },
    events: candidates.map(
      ({ id }): EventBody => ({ kind: 'candidateRefused', candidateId: id, inUse, gain, reason }),
    ),
  };
}

/** The control's stand-in for a gate it leaves out: the newest contender is used, proven or not. */
export function withoutGate(context: StepContext): StepResult {
  const newest = context.values.contenders.at(-1);
  if (newest === undefined) return { events: [] };
  return {
    values: { contenders: [] },
    arm: { inUse: newest },
    events: [
      {
        kind: 'candidateAccepted',
        candidateId: newest.id,
        previous: context.arm.inUse.id,
        gain: null,
        reason: 'control: accepted without a gate',
      },
    ],
  };
}
