/**
 * Owns reading what a judge wrote: a rating, or which of two answers is better. Deliberately strict about ambiguity: a
 * text that names both or neither has no verdict, and the caller asks again or counts it as unparsed.
 */

/**
 * A rating in [low, high], or null: the last "[[7]]", else the last "Rating: 7", "Score: 7/10", else the whole text when
 * it is nothing but a number. Ratings out of range are no ratings.
 */
export function readRating(text: string, low: number, high: number): number | null {
  const number = String.raw`(-?\d{1,6}(?:\.\d{1,6})?)`;
  const marked = [...text.matchAll(new RegExp(String.raw`\[\[[ \t]{0,4}${number}[ \t]{0,4}\]\]`, 'g'))].at(
    -1,
  );
  const named = [
    ...text.matchAll(
      new RegExp(
        String.raw`\b(?:rating|score)[*_]{0,2}(?:[ \t]{0,4}[:=][*_ \t]{0,4}|[ \t]{1,4}(?:is|of)[ \t]{1,4})${number}(?![\d.]*\d)`,
        'giu',
      ),
    ),
  ].at(-1);
  const alone = new RegExp(String.raw`^\s*${number}(?:[ \t]?/[ \t]?\d{1,6})?\s*$`).exec(text.slice(0, 100));
  const found = marked?.[1] ?? named?.[1] ?? (text.length <= 100 ? alone?.[1] : undefined);
  if (found === undefined) return null;
  const value = Number(found);
  return value >= low && value <= high ? value : null;
}

/** The first answer shown, the second, or no difference. */
export type Preference = 'first' | 'second' | 'tie';

const sides: Readonly<Record<string, Preference>> = {
  a: 'first',
  b: 'second',
  c: 'tie',
  '1': 'first',
  '2': 'second',
};
/** "whether Output (a) is better" and "neither Output (a) nor Output (b) is better" praise nobody. */
const subject = String.raw`(?<!\b(?:nor|neither|whether|if|unless)[ \t])\b(?:output|assistant|response|answer|model)[ \t]{0,4}[([]?([ab12])[)\]]?(?![\p{L}\p{N}])`;
const praise = String.raw`[*_"]{0,3}[,]?[ \t]{1,4}(?:is|was)[ \t]{1,4}(?:(?:the|slightly|clearly|much|significantly|overall|generally|also|a|therefore|thus)[ \t]{1,4}){0,3}(?:better|best|superior|preferable|preferred|stronger|winner)\b`;

/** The one side a list of matches names; null where it names none, or both. */
function agreed(found: readonly (Preference | undefined)[]): Preference | null {
  const named = new Set(found.filter((side) => side !== undefined));
  return named.size === 1 ? ([...named][0] ?? null) : null;
}

const sideOf = (mark: string | undefined): Preference | undefined => sides[(mark ?? '').toLowerCase()];

/**
 * Which of two answers a judge prefers: the last "[[A]]", "[[B]]" or "[[C]]" (tie), else the last sentence that says
 * "Output (a) is better" (or Assistant B, Response 2...), else the one side a text of a line names. Null when it names
 * none or contradicts itself within its last verdict.
 */
export function readPreference(text: string): Preference | null {
  const marked = [...text.matchAll(/\[\[[ \t]{0,4}([A-Ca-c])[ \t]{0,4}\]\]/g)].at(-1);
  if (marked !== undefined) return sideOf(marked[1]) ?? null;
  const praised = [...text.matchAll(new RegExp(subject + praise, 'giu'))];
  const last = praised.at(-1);
  if (last !== undefined) return sideOf(last[1]) ?? null;
  const lines = text.trim().split('\n');
  if (lines.length !== 1) return null;
  return agreed([...text.matchAll(new RegExp(subject, 'giu'))].map((match) => sideOf(match[1])));
}
