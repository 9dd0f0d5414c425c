/**
 * Owns the backward check: a number of the task is masked, the model is told the answer and asked for the number
 * (Self-Verification, Weng et al. 2022; FOBAR, Jiang et al. 2023). Deliberately needs no reference.
 */
import { findNumbers, sameNumber } from '../measure/numbers.ts';
import type { Task } from '../model/task.ts';
import type { PromptMessage } from '../prompt/messages.ts';
import { extractAnswer } from '../prompt/answer.ts';
import { parseNumber } from '../measure/numbers.ts';

export interface BackwardCheck {
  readonly messages: readonly PromptMessage[];
  /** The masked number, as it stood. */
  readonly masked: string;
}

/** Masks the task's last number; null where it has none. */
export function backwardCheck({ input, context }: Task, answer: string): BackwardCheck | null {
  const last = findNumbers(input).at(-1);
  if (last === undefined) return null;
  const hidden = `${input.slice(0, last.start)}X${input.slice(last.end)}`;
  const task = context === undefined || context.trim() === '' ? hidden : `${context}\n\n${hidden}`;
  const question = `${task}\n\nThe answer is ${answer}. Which number does X stand for? Write it on the last line after "Answer:".`;
  return { messages: [{ role: 'user', content: question }], masked: last.text };
}

export function recovers(reply: string, masked: string): boolean {
  const expected = parseNumber(masked);
  const given = parseNumber(extractAnswer(reply, 'auto') ?? '');
  return expected !== null && given !== null && sameNumber(given, expected);
}
