/** Owns how an instruction and a task become the messages of one call. Deliberately adds no wording of its own. */
import type { Task } from '../model/task.ts';

/** Fits the Message of the ports, which this folder does not import. */
export interface PromptMessage {
  readonly role: 'system' | 'user';
  readonly content: string;
}

/** Between context and input: a Markdown rule, so that neither reads as part of the other. */
const separator = '\n\n---\n\n';

/** A system message only for an instruction that says something; the user message is the context, if any, then the input. */
export function toMessages(
  instruction: string,
  task: Pick<Task, 'input' | 'context'>,
): readonly PromptMessage[] {
  const context = task.context?.trim() ?? '';
  const content = context === '' ? task.input : `${context}${separator}${task.input}`;
  const user: PromptMessage = { role: 'user', content };
  return instruction.trim() === '' ? [user] : [{ role: 'system', content: instruction }, user];
}
