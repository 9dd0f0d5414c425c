/**
 * Owns reading what a model was asked to write in a form: a JSON object, or several. Tolerant of fences and of words around
 * them; deliberately guesses nothing where no object is found.
 */

/** Longest reply that is looked through, in UTF-16 units. */
const LONGEST = 1_000_000;

type Fields = Readonly<Record<string, unknown>>;

/** Every JSON object of the reply that is not inside another, in order; those of an array too. Never throws. */
export function objectsIn(reply: string): readonly Fields[] {
  const text = reply.slice(0, LONGEST);
  const found: Fields[] = [];
  let at = text.indexOf('{');
  while (at >= 0 && found.length < 1000) {
    const end = endOfObject(text, at);
    if (end < 0) break;
    const value = parsed(text.slice(at, end));
    if (value !== null) found.push(value);
    at = text.indexOf('{', value === null ? at + 1 : end);
  }
  return found;
}

/** Offset behind the object that begins at `start`; -1 where it never ends. */
function endOfObject(text: string, start: number): number {
  let depth = 0;
  let quoted = false;
  for (let at = start; at < text.length; at++) {
    const sign = text[at];
    if (quoted) {
      if (sign === '\\') at++;
      else if (sign === '"') quoted = false;
    } else if (sign === '"') quoted = true;
    else if (sign === '{') depth++;
    else if (sign === '}' && --depth === 0) return at + 1;
  }
  return -1;
}

function parsed(text: string): Fields | null {
  try {
    return JSON.parse(text) as Fields;
  } catch {
    return null;
  }
}

/** The member as trimmed text; null where it is missing, empty or no text. Numbers count as their digits. */
export function textOf(fields: Fields, name: string): string | null {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : '';
  return text === '' ? null : text;
}

/** The member as a finite number; null where there is none. */
export function numberOf(fields: Fields, name: string): number | null {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}
