/**
 * Owns finding what an output sets apart: fenced code and JSON values. Deliberately reads nothing inside of code.
 */

export interface FencedBlock {
  /** First word after the opening fence, lower case; '' for none. */
  readonly language: string;
  readonly text: string;
}

/**
 * Fenced code blocks of Markdown, in order: three or more ` or ~ at the start of a line (up to three spaces before),
 * closed by at least as many of the same, or by the end of the text.
 */
export function fencedBlocks(output: string): readonly FencedBlock[] {
  const blocks: FencedBlock[] = [];
  let open: { fence: string; language: string; lines: string[] } | null = null;
  const close = (): void => {
    if (open !== null) blocks.push({ language: open.language, text: open.lines.join('\n') });
    open = null;
  };
  for (const line of output.split('\n')) {
    const mark = /^ {0,3}(`{3,}|~{3,})[ \t]*([^\s`]*)([^`]*)$/u.exec(line.slice(0, 300));
    const fence = mark?.[1] ?? '';
    if (open === null) {
      if (fence !== '') open = { fence, language: (mark?.[2] ?? '').toLowerCase(), lines: [] };
    } else if (fence.startsWith(open.fence) && mark?.[2] === '' && mark[3]?.trim() === '') close();
    else open.lines.push(line);
  }
  close();
  return blocks;
}

/** Places to begin a JSON value at that are tried before giving up, so that a text of brackets costs little. */
const mostStarts = 40;

/** Where the bracket that opens at `start` closes, counting brackets outside of strings; -1 when it never does. */
function closingBracket(text: string, start: number): number {
  let depth = 0;
  let inString = false;
  for (let at = start; at < text.length; at++) {
    const mark = text[at];
    if (inString) {
      if (mark === '\\') at++;
      else if (mark === '"') inString = false;
    } else if (mark === '"') inString = true;
    else if (mark === '{' || mark === '[') depth++;
    else if (mark === '}' || mark === ']') {
      depth--;
      if (depth === 0) return at;
    }
  }
  return -1;
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * The JSON object or list of an output, as its text: the whole output, else the last fenced block that is JSON, else the
 * first bracketed part that is. Null when there is none.
 */
export function findJsonText(output: string): string | null {
  const whole = output.trim();
  if (/^[[{]/.test(whole) && parses(whole)) return whole;
  const fenced = fencedBlocks(output).findLast(({ text }) => parses(text));
  if (fenced !== undefined) return fenced.text.trim();
  let tried = 0;
  for (const match of whole.matchAll(/[[{]/g)) {
    if (++tried > mostStarts) return null;
    const end = closingBracket(whole, match.index);
    const part = end < 0 ? '' : whole.slice(match.index, end + 1);
    if (part !== '' && parses(part)) return part;
  }
  return null;
}
