/**
 * Owns what can be said about a text for certain without a language's own tools: the fewest and the most sentences and
 * capital words it can have, and languages that give themselves away by their script.
 * Deliberately never guesses: where tokenisers or language detectors could disagree it gives a range, or null.
 */
import { trimEndOf } from './words.ts';

/** The true count lies in [least, most]. */
export interface Bounds {
  readonly least: number;
  readonly most: number;
}

const count = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;

/** English abbreviations of five letters or more that end in a full stop without ending a sentence. */
const longAbbreviations = new Set(['calif', 'messrs', 'approx', 'assoc', 'maced', 'penna', 'sergt']);

/**
 * Sentences of a text: at most one for each of `.?!` and one more; at least one for each `?` or `!` before white space,
 * and for each full stop between a plain lower-case word and a capital letter.
 */
export function sentenceBounds(text: string): Bounds {
  const body = text.trim();
  if (body === '') return { least: 0, most: 0 };
  const questions = count(body, /[\p{L}\p{N}][?!]\s+(?=[\p{L}\p{N}])/gu);
  const stops = [...body.matchAll(/(?<![\p{L}\p{N}.'’-])\p{Ll}{5,30}\.\s+(?=\p{Lu}\p{Ll})/gu)].filter(
    (match) => !longAbbreviations.has(match[0].slice(0, match[0].indexOf('.'))),
  );
  const inner = trimEndOf(body, `.?!)"']*`);
  return { least: 1 + questions + stops.length, most: 1 + count(inner, /[.?!]/gu) };
}

/** Words that English tokenisers cut in two: each may count twice. */
const cutInTwo = /\b(?:CANNOT|GONNA|GIMME|GOTTA|LEMME|WANNA)\b/g;

/** Words without a lower-case letter and with an upper-case one, however words are told from punctuation. */
export function capitalWordBounds(text: string): Bounds {
  const certain = text.split(/\s+/u).filter((word) => /^[A-Z]{1,40}[,;:?!]?$/.test(word)).length;
  const runs = text.match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  const possible = runs.filter((run) => /\p{Uppercase}/u.test(run) && !/[\p{Lowercase}\p{Lt}]/u.test(run));
  return { least: certain, most: possible.length + count(text, cutInTwo) };
}

/** ISO 639-1 codes of languages that are the only large one in their script. */
const onlyLanguage: Readonly<Record<string, RegExp>> = {
  el: /\p{Script=Greek}/gu,
  gu: /\p{Script=Gujarati}/gu,
  hy: /\p{Script=Armenian}/gu,
  ka: /\p{Script=Georgian}/gu,
  km: /\p{Script=Khmer}/gu,
  kn: /\p{Script=Kannada}/gu,
  ko: /\p{Script=Hangul}/gu,
  lo: /\p{Script=Lao}/gu,
  ml: /\p{Script=Malayalam}/gu,
  my: /\p{Script=Myanmar}/gu,
  or: /\p{Script=Oriya}/gu,
  pa: /\p{Script=Gurmukhi}/gu,
  si: /\p{Script=Sinhala}/gu,
  ta: /\p{Script=Tamil}/gu,
  te: /\p{Script=Telugu}/gu,
  th: /\p{Script=Thai}/gu,
};

/** Languages that share a script: its absence rules them out, its presence does not settle them. */
const sharedScript: Readonly<Record<string, RegExp>> = {
  ar: /\p{Script=Arabic}/gu,
  bg: /\p{Script=Cyrillic}/gu,
  bn: /\p{Script=Bengali}/gu,
  fa: /\p{Script=Arabic}/gu,
  he: /\p{Script=Hebrew}/gu,
  hi: /\p{Script=Devanagari}/gu,
  ja: /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/gu,
  mr: /\p{Script=Devanagari}/gu,
  ne: /\p{Script=Devanagari}/gu,
  ru: /\p{Script=Cyrillic}/gu,
  uk: /\p{Script=Cyrillic}/gu,
  ur: /\p{Script=Arabic}/gu,
  zh: /\p{Script=Han}/gu,
};

/** Shares of the letters beyond which a script settles the language, or rules it out. */
const settles = 0.9;
const rulesOut = 0.1;

/**
 * Whether the whole text is in this language (ISO 639-1, a region after a hyphen is ignored), judged by its script
 * alone; null where the script does not settle it: languages in Latin letters, two languages in one script.
 */
export function languageByScript(text: string, language: string): boolean | null {
  const letters = count(text, /\p{L}/gu);
  if (letters === 0) return null;
  const code = language.toLowerCase().split(/[-_]/u)[0] ?? '';
  const alone = onlyLanguage[code];
  const script = alone ?? sharedScript[code] ?? /\p{Script=Latin}/gu;
  const share = count(text.replace(/\P{L}/gu, ''), script) / letters;
  if (share < rulesOut && (alone !== undefined || sharedScript[code] !== undefined || share === 0))
    return false;
  return alone !== undefined && share >= settles ? true : null;
}
