/**
 * Owns reading a conversation as a task: what was asked last before the last answer is the input, what went before it the
 * context, the answer the reference. Roles of ShareGPT (from/value), of OpenAI's messages (role/content) and of dialogues
 * written as text ("Human: ... Assistant: ...") are known.
 */
import { isRow } from './fields.ts';

export type ReadConversation =
  | {
      readonly ok: true;
      readonly input: string;
      readonly context: string | null;
      readonly reference: string | null;
    }
  | { readonly ok: false; readonly reason: string };

type Speaker = 'system' | 'user' | 'assistant' | 'tool';

interface Turn {
  readonly speaker: Speaker;
  readonly text: string;
}

const speakers: Readonly<Record<string, Speaker>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  human: 'user',
  prompter: 'user',
  assistant: 'assistant',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bing: 'assistant',
  bard: 'assistant',
  bot: 'assistant',
  model: 'assistant',
  tool: 'tool',
  function: 'tool',
  function_call: 'tool',
  function_response: 'tool',
  observation: 'tool',
  ipython: 'tool',
};

const titles: Readonly<Record<Speaker, string>> = {
  system: 'System',
  user: 'User',
  assistant: 'Assistant',
  tool: 'Tool',
};

/** Whether a value is a list of turns, or one turn. */
export function isConversation(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every(isTurn);
  return isTurn(value);
}

function isTurn(value: unknown): boolean {
  if (!isRow(value)) return false;
  return (
    (typeof value.role === 'string' &&
      (Object.hasOwn(value, 'content') || Object.hasOwn(value, 'tool_calls'))) ||
    (typeof value.from === 'string' && Object.hasOwn(value, 'value'))
  );
}

/** A dialogue in one text, in the manner of the HH-RLHF data. */
export function isDialogue(text: string): boolean {
  return /^\s*Human:/.test(text) && /\n\s*Assistant:/.test(text);
}

/** What a turn says; null for a turn without words (a call of a tool). */
function contentOf(content: unknown): string | null | { readonly reason: string } {
  if (content === null || content === undefined) return null;
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return { reason: 'what a turn says must be text' };
  const parts: string[] = [];
  for (const part of content as readonly unknown[]) {
    const text = isRow(part) ? (part.text ?? part.value) : part;
    if (typeof text !== 'string')
      return { reason: 'a turn holds something that is no text (an image or a sound)' };
    parts.push(text);
  }
  return parts.join('\n');
}

function turnsOf(value: unknown): readonly Turn[] | { readonly reason: string } {
  if (typeof value === 'string') return dialogueTurns(value);
  const turns: Turn[] = [];
  for (const item of (Array.isArray(value) ? value : [value]) as readonly unknown[]) {
    if (!isRow(item)) return { reason: 'a turn is no object' };
    const role = String(item.role ?? item.from).toLowerCase();
    const speaker = speakers[role];
    if (speaker === undefined)
      return { reason: 'a turn is by somebody unknown (user, assistant, system and tool are known)' };
    const text = contentOf(item.content ?? item.value);
    if (text !== null && typeof text !== 'string') return text;
    if (text !== null && !text.isWellFormed())
      return { reason: 'a turn holds half a character (a lone surrogate)' };
    const called = text === null && item.tool_calls !== undefined;
    if (called) turns.push({ speaker: 'tool', text: JSON.stringify(item.tool_calls) });
    else if (text !== null && text.trim() !== '') turns.push({ speaker, text });
  }
  return turns;
}

function dialogueTurns(text: string): readonly Turn[] {
  return text
    .split(/(?:^|\n\n)\s*(?=(?:Human|Assistant):)/)
    .filter((part) => part.trim() !== '')
    .map((part) => ({
      speaker: part.startsWith('Human:') ? ('user' as const) : ('assistant' as const),
      text: part.replace(/^(?:Human|Assistant):\s?/, ''),
    }))
    .filter((turn) => turn.text.trim() !== '');
}

/** `value` is a list of turns, one turn, or a dialogue in one text. */
export function readConversation(value: unknown): ReadConversation {
  const turns = turnsOf(value);
  if ('reason' in turns) return { ok: false, reason: turns.reason };
  const asked = turns.findLastIndex(({ speaker }) => speaker === 'user');
  const answered = turns.findLastIndex(({ speaker }) => speaker === 'assistant');
  // An answer nobody gave yet, or the last one that follows a question.
  const before = answered < 0 ? turns.length : answered;
  const question =
    answered < 0 ? asked : turns.slice(0, before).findLastIndex(({ speaker }) => speaker === 'user');
  const input = turns[question]?.text;
  if (input === undefined) return { ok: false, reason: 'no turn of a user comes before an answer' };
  const around = turns.slice(0, before).filter((_turn, index) => index !== question);
  const onlySystem = around.every(({ speaker }) => speaker === 'system');
  const context = around
    .map(({ speaker, text }) => (onlySystem ? text : `${titles[speaker]}: ${text}`))
    .join('\n\n');
  return {
    ok: true,
    input,
    context: context === '' ? null : context,
    reference: answered < 0 ? null : (turns[answered]?.text ?? null),
  };
}

/** What an answer says: text, a turn, or the last answer of a list of turns. Null when there is none. */
export function answerIn(value: unknown): string | null {
  if (typeof value === 'string') {
    if (!isDialogue(value)) return value;
    return dialogueTurns(value).findLast(({ speaker }) => speaker === 'assistant')?.text ?? null;
  }
  if (!isConversation(value)) return null;
  const turns = turnsOf(value);
  if ('reason' in turns) return null;
  return turns.findLast(({ speaker }) => speaker === 'assistant')?.text ?? null;
}
