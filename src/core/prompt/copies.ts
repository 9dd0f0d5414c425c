/**
 * Owns finding text that a draft shares with training texts, as runs of words and of characters.
 * Deliberately exact: paraphrases are not copies.
 */

interface CopySearch {
  /** Text that may be shared: what the draft was made from. */
  readonly before: string;
  readonly after: string;
  readonly trainingTexts: readonly string[];
  /** Shortest run of consecutive words that counts. */
  readonly words: number;
  /** Shortest run of characters that counts; white space and case are made alike. */
  readonly characters: number;
}

/** Units of a text with what separates them when they are joined again. */
interface Units {
  readonly of: (text: string) => readonly string[];
  readonly separator: string;
}

const wordUnits: Units = {
  of: (text) =>
    text
      .normalize('NFC')
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? [],
  separator: ' ',
};
const characterUnits: Units = {
  of: (text) => [...text.normalize('NFC').toLowerCase().replace(/\s+/gu, ' ').trim()],
  separator: '',
};

/**
 * The first run of `least` units or more that stands in the draft and in a training text but not in `before`; null if
 * there is none. Any run that long holds a whole aligned block of half its length, so only those blocks of a training
 * text are looked up and then extended: a pass costs the text's length over half of `least`.
 */
function findRun(search: CopySearch, units: Units, least: number): string | null {
  const draft = units.of(search.after);
  if (draft.length < least) return null;
  const block = Math.ceil(least / 2);
  const joined = (list: readonly string[], from: number, to: number): string =>
    list.slice(from, to).join(units.separator);
  const places = new Map<string, number[]>();
  for (let index = 0; index + block <= draft.length; index++) {
    const key = joined(draft, index, index + block);
    const known = places.get(key);
    if (known === undefined) places.set(key, [index]);
    else known.push(index);
  }
  const allowed = units.of(search.before);
  const original = new Set(allowed.map((_unit, index) => joined(allowed, index, index + least)));
  for (const text of search.trainingTexts) {
    const source = units.of(text);
    for (let at = 0; at + block <= source.length; at += block) {
      for (const place of places.get(joined(source, at, at + block)) ?? []) {
        const [from, to] = extend(draft, place, source, at, block);
        for (let start = from; start + least <= to; start++) {
          if (!original.has(joined(draft, start, start + least))) return joined(draft, from, to);
        }
      }
    }
  }
  return null;
}

/** The longest equal run around a shared block, as a range of the draft. */
function extend(
  draft: readonly string[],
  place: number,
  source: readonly string[],
  at: number,
  block: number,
): readonly [number, number] {
  let [from, to] = [place, place + block];
  while (from > 0 && at - (place - from) > 0 && draft[from - 1] === source[at - (place - from) - 1]) from--;
  while (to < draft.length && at + (to - place) < source.length && draft[to] === source[at + (to - place)])
    to++;
  return [from, to];
}

/** The shared text, shortened for people; null when the draft copies nothing. */
export function findCopy(search: CopySearch): string | null {
  const found =
    findRun(search, wordUnits, search.words) ?? findRun(search, characterUnits, search.characters);
  if (found === null) return null;
  const shown = [...found];
  return shown.length > 120 ? `${shown.slice(0, 120).join('')}…` : found;
}
