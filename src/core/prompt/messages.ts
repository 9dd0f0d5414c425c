/**
 * Owns how a model state and a task become the messages of one call: instruction, principles, workflow, memory, scratch,
 * demonstrations, then the task. Deliberately adds no word where a slot is empty, so that a bare model sees the bare task.
 */
import type { ModelState } from '../model/candidate.ts';
import type { Knowledge } from '../model/knowledge.ts';
import type { Task } from '../model/task.ts';

/** Fits the Message of the ports, which this folder does not import. */
export interface PromptMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** What one attempt at a task is told beside the task. */
export interface Framing {
  /** The memory items this task is shown, best first. */
  readonly knowledge: readonly Knowledge[];
  readonly principles: readonly string[];
  /** Which slots of the state are shown beside its instruction. */
  readonly shows: { readonly scratch: boolean; readonly workflow: boolean; readonly demonstrations: boolean };
  /** Asks for the reasoning before the answer (chain of thought, Wei et al. 2022). */
  readonly reasoning: boolean;
  /** Asks for a bad answer, in these words (RLCD, Yang et al. 2023). */
  readonly negation: string | null;
  /** The right answer, shown for a rationalisation (STaR, Zelikman et al. 2022). */
  readonly hint: string | null;
  /** Earlier attempts, oldest first, with what was said of each: '' for wrong without a word, null for nothing known. */
  readonly attempts: readonly { readonly output: string; readonly said: string | null }[];
}

export const plainFraming: Framing = {
  knowledge: [],
  principles: [],
  shows: { scratch: true, workflow: true, demonstrations: true },
  reasoning: false,
  negation: null,
  hint: null,
  attempts: [],
};

/** Between context and input: a Markdown rule, so that neither reads as part of the other. */
const separator = '\n\n---\n\n';

/** Marks what a hint adds, so that `pack` can leave it out wherever a model repeats it (law 4). */
export const HINT_MARK = 'Known answer:';

const REASONING = 'Think step by step, then give the final answer on a line of its own after "Answer:".';

function taskText({ input, context }: Pick<Task, 'input' | 'context'>): string {
  const before = context?.trim() ?? '';
  return before === '' ? input : `${before}${separator}${input}`;
}

/** A system message only for an instruction that says something; the user message is the context, if any, then the input. */
export function toMessages(
  instruction: string,
  task: Pick<Task, 'input' | 'context'>,
): readonly PromptMessage[] {
  return renderTask({ instruction }, task, plainFraming);
}

/** The messages of one attempt at a task by a candidate in this state. */
export function renderTask(
  state: Pick<ModelState, 'instruction' | 'demonstrations' | 'scratch' | 'workflow'>,
  task: Pick<Task, 'input' | 'context'>,
  framing: Framing,
): readonly PromptMessage[] {
  const system = systemText(state, framing);
  const demonstrations = framing.shows.demonstrations ? (state.demonstrations ?? []) : [];
  const examples = demonstrations.flatMap(({ input, output }): PromptMessage[] => [
    { role: 'user', content: input },
    { role: 'assistant', content: output },
  ]);
  const attempts = framing.attempts.flatMap(({ output, said }, index): PromptMessage[] => [
    {
      role: 'user',
      content: index === 0 ? taskText(task) : againText(framing.attempts[index - 1]?.said ?? null),
    },
    { role: 'assistant', content: output },
    ...(index === framing.attempts.length - 1 ? [{ role: 'user' as const, content: againText(said) }] : []),
  ]);
  const last: PromptMessage[] = attempts.length > 0 ? attempts : [{ role: 'user', content: taskText(task) }];
  const messages = [
    ...(system === '' ? [] : [{ role: 'system' as const, content: system }]),
    ...examples,
    ...last,
  ];
  return withEnding(messages, framing);
}

function againText(said: string | null): string {
  if (said === null)
    return 'Look at that answer again: keep what is right, mend what is not, and give the whole answer.';
  const judged = said.trim() === '' ? 'That was not right.' : `What was said of that answer:\n${said.trim()}`;
  return `${judged}\n\nTry the task again; give the whole answer.`;
}

/** What is asked of the answer stands at the very end, where every model reads it. */
function withEnding(
  messages: readonly PromptMessage[],
  { hint, negation, reasoning }: Framing,
): PromptMessage[] {
  const ending = [
    ...(hint === null ? [] : [`${HINT_MARK} ${hint}\nShow how to get there as if you did not know it.`]),
    ...(negation === null ? [] : [negation]),
    ...(reasoning ? [REASONING] : []),
  ];
  const final = messages.at(-1);
  if (final === undefined || ending.length === 0) return [...messages];
  return [...messages.slice(0, -1), { ...final, content: [final.content, ...ending].join('\n\n') }];
}

function systemText(
  state: Pick<ModelState, 'instruction' | 'scratch' | 'workflow'>,
  { principles, knowledge, shows }: Framing,
): string {
  const workflow = shows.workflow ? (state.workflow ?? '') : '';
  const scratch = shows.scratch ? (state.scratch ?? []) : [];
  const parts = [
    state.instruction.trim() === '' ? '' : state.instruction,
    list('Hold to these principles:', principles),
    workflow.trim() === '' ? '' : `Follow this workflow:\n${workflow}`,
    list(
      'What earlier experience taught:',
      knowledge.map(({ text }) => text),
    ),
    list('Notes from earlier attempts:', scratch),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function list(title: string, lines: readonly string[]): string {
  return lines.length === 0
    ? ''
    : `${title}\n${lines.map((line) => `- ${line.replace(/\s+/g, ' ').trim()}`).join('\n')}`;
}
