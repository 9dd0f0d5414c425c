/**
 * Owns an instruction as a list of phrases, and the edits of phrase-level instruction search in the manner of GrIPS
 * (Prasad et al. 2023, "GrIPS: Gradient-free, Edit-based Instruction Search for Prompting Large Language Models").
 * Deliberately calls no model and scores nothing: substitutes come from a pool instead of a paraphraser.
 */
import type { Random } from '../measure/random.ts';
import { pick } from '../measure/random.ts';

export type PhraseEdit = 'delete' | 'swap' | 'add' | 'substitute';

export interface EditedPhrases {
  readonly phrases: readonly string[];
  /** What was done, for people: `added "think step by step"`. */
  readonly note: string;
}

type Edit = (phrases: readonly string[], pool: readonly string[], random: Random) => EditedPhrases | null;

/** After these a full stop ends no sentence. */
const abbreviations = new Set([
  'e.g.',
  'i.e.',
  'etc.',
  'vs.',
  'cf.',
  'dr.',
  'mr.',
  'mrs.',
  'ms.',
  'no.',
  'fig.',
  'eq.',
]);

/** Sentences of one line, each with its full stop; a list number ("1."), an abbreviation or a decimal ends none. */
function sentences(line: string): string[] {
  const found: string[] = [];
  let start = 0;
  for (const match of line.matchAll(/[.!?]+["')\]]*\s+(?=["'(\[{]?[\p{Lu}\p{N}{])|[。！？]+/gu)) {
    const end = match.index + match[0].trimEnd().length;
    const word = line.slice(start, end).split(/\s+/u).at(-1) ?? '';
    if (abbreviations.has(word.toLowerCase()) || /^(?:\p{N}{1,3}|\p{L})\.$/u.test(word)) continue;
    found.push(line.slice(start, end).trim());
    start = match.index + match[0].length;
  }
  found.push(line.slice(start).trim());
  return found.filter((sentence) => sentence !== '');
}

/** The phrases of an instruction: one for each line, and for each sentence of a line with several. None of '' . */
export function splitPhrases(instruction: string): string[] {
  return instruction.split(/\r\n|[\n\r\u2028\u2029]/u).flatMap((line) => sentences(line.trim()));
}

/** One phrase a line. `splitPhrases` of it gives the phrases back if they came from `splitPhrases`. */
export function joinPhrases(phrases: readonly string[]): string {
  return phrases.join('\n');
}

const quoted = (phrase: string): string => `"${phrase}"`;

const deletePhrase: Edit = (phrases, _pool, random) => {
  if (phrases.length < 2) return null;
  const index = random.int(phrases.length);
  return {
    phrases: phrases.toSpliced(index, 1),
    note: `removed ${quoted(phrases[index] as string)}`,
  };
};

const swapPhrases: Edit = (phrases, _pool, random) => {
  const pairs = phrases.flatMap((phrase, i) =>
    phrases.slice(i + 1).flatMap((other, offset) => (other === phrase ? [] : [[i, i + 1 + offset] as const])),
  );
  if (pairs.length === 0) return null;
  const [i, j] = pick(random, pairs);
  const swapped = phrases.with(i, phrases[j] as string).with(j, phrases[i] as string);
  return { phrases: swapped, note: `swapped phrases ${i + 1} and ${j + 1}` };
};

/** Phrases of the pool that are not in the list yet, each once. */
function newcomers(phrases: readonly string[], pool: readonly string[]): readonly string[] {
  return [...new Set(pool)].filter((phrase) => phrase.trim() !== '' && !phrases.includes(phrase));
}

const addPhrase: Edit = (phrases, pool, random) => {
  const choices = newcomers(phrases, pool);
  if (choices.length === 0) return null;
  const phrase = pick(random, choices);
  return {
    phrases: phrases.toSpliced(random.int(phrases.length + 1), 0, phrase),
    note: `added ${quoted(phrase)}`,
  };
};

const substitutePhrase: Edit = (phrases, pool, random) => {
  const choices = newcomers(phrases, pool);
  if (phrases.length === 0 || choices.length === 0) return null;
  const index = random.int(phrases.length);
  const phrase = pick(random, choices);
  return {
    phrases: phrases.with(index, phrase),
    note: `replaced ${quoted(phrases[index] as string)} by ${quoted(phrase)}`,
  };
};

const edits: Readonly<Record<PhraseEdit, Edit>> = {
  delete: deletePhrase,
  swap: swapPhrases,
  add: addPhrase,
  substitute: substitutePhrase,
};

/**
 * The phrases after one edit at a random place: always a different list, or null when this edit can change nothing.
 * `pool` holds the phrases that `add` and `substitute` may bring in; those already in the list do not count. `delete`
 * keeps at least one phrase.
 */
export function editPhrases(
  phrases: readonly string[],
  edit: PhraseEdit,
  pool: readonly string[],
  random: Random,
): EditedPhrases | null {
  return edits[edit](phrases, pool, random);
}
