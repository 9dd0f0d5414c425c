/**
 * Owns tasks a model sets itself, with an answer it must be sure of: what counts as an answer that can be checked without
 * running anything or judging, and when independent solves confirm it. Self-Challenging Agents (Zhou et al. 2025, arXiv
 * 2506.01716) keep a task only with a check that holds; Absolute Zero (Zhao et al. 2025, arXiv 2505.03335) sets its own
 * tasks from no data. Both check by code; here the check is agreement of solves that do not see the answer
 * (self-consistency, Wang et al. 2022). Pure; deliberately asks nothing itself.
 */
import { graders } from '../measure/grade.ts';

/** Longest answer that counts as checkable, in UTF-16 units: a number, a word or a short phrase, on one line. */
const LONGEST = 80;

export function isCheckable(answer: string): boolean {
  const text = answer.trim();
  return text !== '' && text.length <= LONGEST && !/[\r\n]/.test(text);
}

/** The same number however it is written, or the same text but for upper and lower case. */
export function sameAnswer(answer: string | null, reference: string): boolean {
  return (
    graders.exact(answer, reference, { ignoreCase: true }).score === 1 ||
    graders.numeric(answer, reference).score === 1
  );
}

export interface Confirmation {
  readonly confirmed: boolean;
  /** Solves that came to the task's own answer, in [0, 1]. */
  readonly share: number;
}

/** Confirmed by more than half of the solves, and by no smaller share than `agree`; a solve without an answer counts against. */
export function confirmationOf(
  reference: string,
  answers: readonly (string | null)[],
  agree: number,
): Confirmation {
  const same = answers.filter((answer) => sameAnswer(answer, reference)).length;
  const share = answers.length === 0 ? 0 : same / answers.length;
  return { confirmed: share > 0.5 && share >= agree, share };
}
