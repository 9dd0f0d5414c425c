/**
 * Owns Pocket's vocabulary and the way from messages to tokens and back. Deliberately total: any text gives tokens,
 * what is not known becomes `?`. Control tokens have no spelling, so no text can forge them.
 */
import type { Message } from '../../core/ports.ts';
import { allPhrases } from './phrases.ts';

/** Ends an answer. */
export const endToken = 0;

const characters = [...'?+=,>:;.!-*@()/0123456789abcdefghijklmnopqrstuvwxyz'];

/** Tokens that may be drawn: the end and single characters, a multiple of 4 together. */
export const drawableTokens = 1 + characters.length;

const firstControl = drawableTokens;
const startToken = firstControl;
const instructionEnd = firstControl + 1;
const questionToken = firstControl + 2;
const answerToken = firstControl + 3;

const words = [...new Set(allPhrases.join(' ').split(' '))].filter((word) => word.length > 1);

const characterToken = new Map(characters.map((character, index) => [character, 1 + index]));
const wordToken = new Map(words.map((word, index) => [word, firstControl + 4 + index]));
const unknownToken = 1;

/** Distinct tokens in use; the network's vocabulary is at least this. */
export const tokensInUse = firstControl + 4 + words.length;

function encodeCharacters(text: string): number[] {
  const tokens: number[] = [];
  for (const character of text.toLowerCase()) {
    if (/\s/u.test(character)) continue;
    tokens.push(characterToken.get(character) ?? unknownToken);
  }
  return tokens;
}

/** Known words and single letters; a run of unknown words is one `?`. Case, punctuation and line ends are ignored. */
function encodeInstruction(text: string): number[] {
  const tokens: number[] = [];
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []) {
    const token = wordToken.get(word) ?? (word.length === 1 ? characterToken.get(word) : undefined);
    if (token !== undefined) tokens.push(token);
    else if (tokens.at(-1) !== unknownToken) tokens.push(unknownToken);
  }
  return tokens;
}

/** `question`, or `context` lines before the question on the last line. */
function encodeQuestion(text: string): number[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const question = encodeCharacters(lines.pop() ?? '');
  return [...encodeCharacters(lines.join(';')), questionToken, ...question, answerToken];
}

/** Tokens of a conversation up to where Pocket's answer starts. System messages come first whatever their place. */
export function encodePrompt(messages: readonly Message[]): number[] {
  const of = (role: Message['role']) => messages.filter((message) => message.role === role);
  const tokens = [startToken, ...of('system').flatMap((message) => encodeInstruction(message.content))];
  tokens.push(instructionEnd);
  for (const message of messages) {
    if (message.role === 'user') tokens.push(...encodeQuestion(message.content));
    if (message.role === 'assistant') tokens.push(...encodeCompletion(message.content));
  }
  return tokens;
}

/** Tokens of an answer, its end included. */
export function encodeCompletion(text: string): number[] {
  return [...encodeCharacters(text), endToken];
}

/** Text of drawn tokens; the end has no spelling. */
export function decode(tokens: readonly number[]): string {
  return tokens.map((token) => characters[token - 1] ?? '').join('');
}
