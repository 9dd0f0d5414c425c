/**
 * Owns the checks a drafted instruction must pass before it may become a candidate: it is usable, keeps its template
 * variables, and does not carry training text. Deliberately does not measure whether it is any better.
 */
import { findCopy } from './copies.ts';

export type GuardVerdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Longer instructions are refused; characters. */
const longestInstruction = 20_000;
const copiedWords = 8;
const copiedCharacters = 40;

/** {{name}} and {name}; not a TeX argument such as \frac{a}{b}. */
function templateVariables(text: string): ReadonlySet<string> {
  const double = [...text.matchAll(/\{\{\s*([\p{L}_][\p{L}\p{N}_.-]*)\s*\}\}/gu)].map(
    (match) => `{{${match[1]}}}`,
  );
  const single = [...text.matchAll(/(?<![\\{}\p{L}\p{N}_^])\{([\p{L}_][\p{L}\p{N}_.-]*)\}(?!\})/gu)].map(
    (match) => `{${match[1]}}`,
  );
  return new Set([...double, ...single]);
}

const refuse = (reason: string): GuardVerdict => ({ ok: false, reason });

/**
 * Whether `after` may replace `before`. Refused with a reason for people when it is empty or over 20,000 characters,
 * lacks a template variable that `before` has, or holds 8 or more consecutive words (or 40 or more characters) of a
 * training text that `before` does not hold. Words are compared without case and punctuation.
 */
export function guardInstruction(
  before: string,
  after: string,
  trainingTexts: readonly string[],
): GuardVerdict {
  if (after.trim() === '') return refuse('The draft is empty.');
  if (after.length > longestInstruction)
    return refuse(`The draft has ${after.length} characters, more than the ${longestInstruction} allowed.`);
  const kept = templateVariables(after);
  const lost = [...templateVariables(before)].filter((name) => !kept.has(name));
  if (lost.length > 0) return refuse(`The draft lost the template variable ${lost.join(', ')}.`);
  const copy = findCopy({ before, after, trainingTexts, words: copiedWords, characters: copiedCharacters });
  return copy === null ? { ok: true } : refuse(`The draft copies a training text: "${copy}".`);
}
