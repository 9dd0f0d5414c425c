/**
 * Owns how a person's judgement changes: each command sets one part and, used again, takes it back. Pure; the commands
 * ask and send.
 */
import type { Annotation } from '../core/model/feedback.ts';

/** What the `annotate` request carries beside the solution; all empty takes the judgement back. */
export interface Judgement {
  readonly verdict: 'accept' | 'reject' | null;
  /** In [0, 1]. */
  readonly score: number | null;
  readonly note: string;
}

export function judgementOf(annotation: Annotation | null): Judgement {
  return {
    verdict: annotation?.verdict ?? null,
    score: annotation?.score ?? null,
    note: annotation?.note ?? '',
  };
}

/** Sets the verdict on all of them, or takes it back where all have it already. */
export function toggleVerdict(
  judgements: readonly Judgement[],
  verdict: 'accept' | 'reject',
): readonly Judgement[] {
  const all = judgements.every((judgement) => judgement.verdict === verdict);
  return judgements.map((judgement) => ({ ...judgement, verdict: all ? null : verdict }));
}

/** A score as a person writes it: "0.8", "80 %", "80%"; '' means none. A string is what is wrong with it. */
export function readScore(text: string): { readonly score: number | null } | string {
  const trimmed = text.trim();
  if (trimmed === '') return { score: null };
  const match = /^(\d+(?:[.,]\d+)?)\s*(%)?$/.exec(trimmed);
  const value =
    match === null ? NaN : Number(match[1]?.replace(',', '.')) / (match[2] === undefined ? 1 : 100);
  if (Number.isNaN(value) || value < 0 || value > 1)
    return 'Write a score from 0 to 1, or a percentage up to 100 %.';
  return { score: value };
}
