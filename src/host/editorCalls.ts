/**
 * Owns one call to a language model of the editor, as data in and data out: which model is meant, messages without a system
 * role, what an error means for the run. Deliberately imports no vscode, so that it is tested without an editor.
 */
import type { EditorModelAnswer, EditorModelRequest } from '../protocol/clientRequests.ts';

/** What is used of a model of the editor. */
export interface EditorChat<Model> {
  readonly vendor: string;
  readonly family: string;
  readonly id: string;
  readonly model: Model;
}

/** Longer answers are no answer to keep. */
const mostCharacters = 8_000_000;

/** The model a recipe means by `vendor/family`, `vendor/id`, or an id or family alone; null where there is none. */
export function pickModel<Model>(
  wanted: string,
  offered: readonly EditorChat<Model>[],
): EditorChat<Model> | null {
  const slash = wanted.indexOf('/');
  const vendor = slash < 0 ? null : wanted.slice(0, slash);
  const rest = wanted.slice(slash + 1);
  const fits = (name: (chat: EditorChat<Model>) => string) =>
    offered.find((chat) => name(chat) === rest && (vendor === null || chat.vendor === vendor));
  return (
    fits(({ id }) => id) ??
    fits(({ family }) => family) ??
    // An id may have a slash in it.
    offered.find(({ id }) => id === wanted) ??
    null
  );
}

export interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

/** Editor models know no system role: what it says stands before what the user says. */
export function withoutSystem(messages: EditorModelRequest['messages']): readonly Turn[] {
  const rules = messages.filter(({ role }) => role === 'system').map(({ content }) => content);
  const turns: Turn[] = messages.flatMap(({ role, content }) =>
    role === 'system' ? [] : [{ role, content }],
  );
  if (rules.length === 0) return turns;
  const text = rules.join('\n\n');
  const first = turns.findIndex(({ role }) => role === 'user');
  if (first < 0) return [{ role: 'user', content: text }, ...turns];
  return turns.map((turn, index) =>
    index === first ? { ...turn, content: `${text}\n\n${turn.content}` } : turn,
  );
}

const plain = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, 300)
    .replace(/[.\s]+$/u, '');

function wordsOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
  const own = error instanceof Error ? error.message : String(error);
  return plain(cause === '' || own.includes(cause) ? own : `${own}: ${cause}`);
}

/** What an error of the editor's language models means for a run: errors of LanguageModelError by their code. */
export function readChatError(model: string, error: unknown): EditorModelAnswer {
  const code = (error as { readonly code?: unknown } | null)?.code;
  const said = wordsOf(error);
  switch (code) {
    case 'NoPermissions':
      return {
        kind: 'provider',
        reason: `The editor does not let Ratchet use ${model}; press Resume and allow it when the editor asks.`,
      };
    case 'Blocked':
      return {
        kind: 'provider',
        reason: `The editor blocks ${model} for now (${said}); its quota may be used up, so resume later.`,
      };
    case 'NotFound':
      return {
        kind: 'provider',
        reason: `The editor no longer offers ${model} (${said}); pick another model, then resume.`,
      };
    default:
      return { kind: 'item', reason: `the editor model failed: ${said === '' ? 'no reason given' : said}` };
  }
}

/** Reads a streamed answer to its end. Throws what the stream throws. */
export async function readWhole(pieces: AsyncIterable<string>): Promise<string | null> {
  const parts: string[] = [];
  let length = 0;
  for await (const piece of pieces) {
    parts.push(piece);
    length += piece.length;
    if (length > mostCharacters) return null;
  }
  return parts.join('');
}
