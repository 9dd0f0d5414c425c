/**
 * Owns the branded identifiers every noun carries, so that one kind of id cannot be passed for another.
 * Deliberately does not make ids: content hashing lives in core/measure/identity.ts.
 */

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Lower-case hexadecimal sha256, 64 characters. */
export type ContentHash = Branded<'ContentHash'>;
export type RunId = Branded<'RunId'>;
/** Content hash of a task's input, context and reference: the same task has the same id in every run. */
export type TaskId = Branded<'TaskId'>;
export type SolutionId = Branded<'SolutionId'>;
export type FeedbackId = Branded<'FeedbackId'>;
export type RefinementId = Branded<'RefinementId'>;
/** Content hash of a model state: equal states are one candidate. */
export type CandidateId = Branded<'CandidateId'>;
export type EvaluationId = Branded<'EvaluationId'>;
/** Content hash of (task input, output): what a person's judgement is attached to, across runs. */
export type ExperienceKey = Branded<'ExperienceKey'>;
/** Ledger key of one effect (design: the ledger). */
export type EffectKey = Branded<'EffectKey'>;

/** Brands a string that is known to hold such an id (a database row, a message that passed its guard). */
export function asId<Id extends string>(text: string): Id {
  return text as Id;
}
