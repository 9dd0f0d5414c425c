/**
 * Owns `select` over solutions by threshold: kept or dropped, with the feedback each decision cites (law 3).
 * A person's judgement outranks every other source on the same item. Pure.
 */
import { refinementId } from '../measure/identity.ts';
import type { Annotation, Feedback, Refinement } from '../model/feedback.ts';
import type { Position } from '../model/event.ts';
import type { SolutionId } from '../model/ids.ts';

export interface KeepRule {
  readonly strict: boolean;
  /** In [0, 1]. */
  readonly bound: number;
}

/** Reads a rule such as ">= 1". The schema has already refused anything else. */
export function parseKeepRule(text: string): KeepRule {
  const match = /^\s*(>=|>)\s*(\d+(?:\.\d+)?)\s*$/.exec(text);
  if (match === null) throw new RangeError(`"${text}" is not a keep rule.`);
  return { strict: match[1] === '>', bound: Number(match[2]) };
}

/** What is known of one solution when it is selected. */
export interface Judged {
  readonly solutionId: SolutionId;
  readonly feedback: readonly Feedback[];
  readonly annotation: Annotation | null;
}

export function scoreOf(feedback: readonly Feedback[]): number | null {
  const scored = feedback.findLast((item) => item.value.kind !== 'text');
  if (scored === undefined || scored.value.kind === 'text') return null;
  return scored.value.kind === 'pass' ? Number(scored.value.pass) : scored.value.score;
}

function passes(rule: KeepRule, score: number): boolean {
  return rule.strict ? score > rule.bound : score >= rule.bound;
}

/** Human first, then the newest score; what nobody judged is dropped. */
export function selectByThreshold(item: Judged, rule: KeepRule, at: Position): Refinement {
  const human = item.feedback.filter((feedback) => feedback.source === 'human');
  const base = { id: refinementId(item.solutionId, at), solutionId: item.solutionId };
  const cites = (human.length > 0 ? human : item.feedback).map((feedback) => feedback.id);
  const { annotation } = item;
  if (annotation?.verdict === 'accept')
    return { ...base, verdict: 'kept', reason: 'accepted by a person', cites };
  if (annotation?.verdict === 'reject')
    return { ...base, verdict: 'dropped', reason: 'rejected by a person', cites };
  const byHuman = annotation?.score ?? null;
  const score = byHuman ?? scoreOf(item.feedback.filter((feedback) => feedback.source !== 'human'));
  if (score === null) return { ...base, verdict: 'dropped', reason: 'nobody judged it', cites };
  const kept = passes(rule, score);
  const words = `score ${score}${kept ? ' meets ' : ' misses '}${rule.strict ? '>' : '>='} ${rule.bound}`;
  const reason =
    byHuman === null
      ? (item.feedback.findLast((f) => f.reason !== undefined)?.reason ?? words)
      : `${words}, scored by a person`;
  return { ...base, verdict: kept ? 'kept' : 'dropped', reason, cites };
}

/** A control without its filter: everything is kept and cites nothing, and says so. */
export function keepUnfiltered(item: Judged, at: Position): Refinement {
  return {
    id: refinementId(item.solutionId, at),
    solutionId: item.solutionId,
    verdict: 'kept',
    reason: 'control: kept without a filter',
    cites: [],
  };
}
