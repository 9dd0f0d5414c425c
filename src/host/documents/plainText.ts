/**
 * Owns making text from models and datasets safe to show: control and direction characters become visible, code fences
 * cannot be closed from inside. Deliberately keeps every other character as it is.
 */

/** Characters that change how other text looks without being seen themselves: controls, bidi marks, invisible ones. */
const unseen =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;

function named(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`;
}

/** The text with every unseen character written as \u{...}; line ends and tabs stay. */
export function visible(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(unseen, named);
}

/** One line of at most `limit` characters, line ends shown as a return sign, cut with an ellipsis. */
export function oneLine(text: string, limit: number): string {
  // Cut first: a reply may be megabytes long. Twice the limit leaves room for what is trimmed.
  const head = visible(text.slice(0, 2 * limit + 2))
    .replace(/\n/g, ' \u21b5 ')
    .replace(/\t/g, ' ')
    .trim();
  const characters = Array.from(head);
  return characters.length > limit ? `${characters.slice(0, limit - 1).join('')}\u2026` : head;
}

function longestTicks(text: string): number {
  let longest = 0;
  for (const run of text.matchAll(/`+/g)) longest = Math.max(longest, run[0].length);
  return longest;
}

/** A fenced block that nothing in the text can close: its fence is longer than any run of backticks inside. */
export function fenced(text: string): string {
  const fence = '`'.repeat(Math.max(3, longestTicks(text) + 1));
  const body = visible(text);
  return `${fence}text\n${body}${body.endsWith('\n') ? '' : '\n'}${fence}`;
}

/** A code span on one line that nothing in the text can close. */
export function inlineCode(text: string, limit = 200): string {
  const line = oneLine(text, limit);
  if (line === '') return '(empty)';
  const ticks = '`'.repeat(longestTicks(line) + 1);
  const pad = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${ticks}${pad}${line}${pad}${ticks}`;
}

/** A sentence from outside (a reason, a note) within Markdown prose: one line, with marks that would be markup escaped. */
export function prose(text: string, limit = 1000): string {
  return oneLine(text, limit).replace(/[\\`*_{}[\]()<>#|~!&]/g, '\\$&');
}
