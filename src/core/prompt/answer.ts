/**
 * Owns finding the final answer in a model's output. Deliberately does not judge it: that is measure/grade.ts.
 */
import { readChoice } from '../measure/choice.ts';
import { findNumbers } from '../measure/numbers.ts';
import { fencedBlocks, findJsonText } from './blocks.ts';

/**
 * `after`: the text after the last occurrence of the marker. `last-number`: the last number. `whole`: the output.
 * `auto`: the last explicit mark of a final answer (\boxed{}, <answer>, "####", "Answer:", "the answer is", a line
 * "A:"), else the last line that says something. `choice`: the letter `auto` names, else the last letter in brackets,
 * else what `auto` gives. `json`: the JSON object or list. `code`: the last fenced block, the output without one.
 */
export type AnswerRule =
  | { readonly after: string }
  | 'last-number'
  | 'whole'
  | 'auto'
  | 'choice'
  | 'json'
  | 'code';

function textOrNull(text: string): string | null {
  const trimmed = text.trim();
  return trimmed === '' ? null : trimmed;
}

function afterMarker(output: string, marker: string): string | null {
  if (marker === '') return textOrNull(output);
  const index = output.lastIndexOf(marker);
  return index < 0 ? null : textOrNull(output.slice(index + marker.length));
}

interface Mark {
  readonly index: number;
  readonly answer: string;
}

/** The last \boxed{...} with balanced braces. */
function boxed(output: string): Mark | null {
  const opening = /\\boxed\s{0,4}\{/gu;
  const starts = [...output.matchAll(opening)].map(
    (match) => [match.index, match.index + match[0].length] as const,
  );
  // A box that stays open to the end keeps any box around it open as well: earlier ones must close before it.
  let limit = output.length;
  for (const [index, start] of starts.reverse()) {
    let depth = 1;
    for (let end = start; end < limit; end++) {
      if (output[end] === '{') depth++;
      if (output[end] === '}') depth--;
      if (depth === 0) return { index, answer: output.slice(start, end) };
    }
    limit = index;
  }
  return null;
}

/** The last <answer>...</answer>; an output cut off before the closing tag has none. */
function tagged(output: string): Mark | null {
  const end = output.toLowerCase().lastIndexOf('</answer>');
  if (end < 0) return null;
  const start = output.toLowerCase().lastIndexOf('<answer>', end);
  return start < 0 ? null : { index: start, answer: output.slice(start + '<answer>'.length, end) };
}

/** Phrases that announce the final answer, each up to and including what separates it from the answer. */
const announcements = [
  /####/g,
  /\banswer\b[*_`"]{0,3}[ \t]{0,4}(?:is\b(?![ \t]+not\b)[ \t]{0,4}:?|:|=)[*_`]{0,3}/giu,
  /^[ \t*_]{0,4}A[ \t]{0,2}:[*_]{0,2}/gmu,
  /(?:정답|답|答案|答え)[ \t]{0,4}(?:은|는|是|は)?[ \t]{0,4}[:：]?[ \t]{0,4}(?=\S)/gu,
];

/** From the mark to the end of its line, or the next line that says something when the mark ends its line. */
function announced(output: string): Mark | null {
  let last: { index: number; end: number } | null = null;
  const textEnd = output.trimEnd().length;
  for (const pattern of announcements) {
    for (const match of output.matchAll(pattern)) {
      const end = match.index + match[0].length;
      if ((last === null || match.index >= last.index) && end < textEnd) last = { index: match.index, end };
    }
  }
  if (last === null) return null;
  const rest = output.slice(last.end).trimStart();
  return { index: last.index, answer: rest.split('\n', 1)[0] ?? '' };
}

function lastLine(output: string): string | null {
  return output.split('\n').findLast((line) => line.trim() !== '') ?? null;
}

/** Marks that may stand around an answer, longer ones first; a run of backticks is handled by its length. */
const pairs: readonly (readonly [string, string])[] = [
  ['**', '**'],
  ['__', '__'],
  ['*', '*'],
  ['_', '_'],
  ['$$', '$$'],
  ['$', '$'],
  ['"', '"'],
  ['“', '”'],
  ['\\(', '\\)'],
  ['\\[', '\\]'],
];

/** What stands between a pair of marks around the whole text and holds no opening mark itself; else the text. */
function withoutPair(text: string): string {
  let ticks = 0;
  while (text[ticks] === '`') ticks++;
  const all = ticks === 0 ? pairs : [['`'.repeat(ticks), '`'.repeat(ticks)] as const];
  for (const [open, close] of all) {
    if (text.length <= open.length + close.length || !text.startsWith(open) || !text.endsWith(close))
      continue;
    const inner = text.slice(open.length, -close.length);
    if (!inner.includes(open)) return inner;
  }
  return text;
}

/** Marks nested deeper than this stay. */
const mostPairs = 20;

/** Takes off what is around an answer rather than part of it: Markdown marks, $ of TeX, quotes, the full stop. */
function unwrap(answer: string): string | null {
  let text = answer.trim();
  for (let turn = 0, before = ''; before !== text && turn < mostPairs; turn++) {
    before = text;
    text = withoutPair(text);
    if (text.length > 1 && /[.。]$/u.test(text) && text.at(-2) !== '.') text = text.slice(0, -1);
    text = text.trim();
  }
  return textOrNull(text);
}

function automatic(output: string): string | null {
  const marks = [boxed(output), tagged(output), announced(output)].filter((mark) => mark !== null);
  const last = marks.reduce<Mark | null>(
    (latest, mark) => (latest === null || mark.index > latest.index ? mark : latest),
    null,
  );
  if (last === null) return unwrap(lastLine(output) ?? '');
  // "The answer is \boxed{5}" holds both marks; the inner one is the answer.
  return unwrap(boxed(last.answer)?.answer ?? last.answer);
}

function chosen(output: string): string | null {
  const answer = automatic(output);
  const named = answer === null ? null : readChoice(answer);
  return named ?? [...output.matchAll(/[([]([A-Z])[)\]]/g)].at(-1)?.[1] ?? answer;
}

/** Code keeps the white space its first line begins with: that may be its indentation. */
function codeOf(output: string): string | null {
  const code = (fencedBlocks(output).at(-1)?.text ?? output).trimEnd().replace(/^\n+/u, '');
  return code === '' ? null : code;
}

/** The final answer of an output under a rule, trimmed; null when there is none. */
export function extractAnswer(output: string, rule: AnswerRule): string | null {
  if (typeof rule === 'object') return afterMarker(output, rule.after);
  switch (rule) {
    case 'last-number':
      return findNumbers(output).at(-1)?.text ?? null;
    case 'whole':
      return textOrNull(output);
    case 'auto':
      return automatic(output);
    case 'choice':
      return chosen(output);
    case 'json':
      return findJsonText(output);
    case 'code':
      return codeOf(output);
  }
}

/** The words with the answer left out, unless the output they are about has it too: then it is no news to its writer. */
export function withoutAnswer(words: string, answer: string, output: string): string {
  const secret = answer.trim();
  if (secret === '' || placesOf(secret, output).length > 0) return words;
  return placesOf(secret, words)
    .toReversed()
    .reduce((text, at) => `${text.slice(0, at)}[…]${text.slice(at + secret.length)}`, words);
}

/** Offsets at which the answer stands by itself, not as a part of a longer word or number. */
export function placesOf(answer: string, text: string): readonly number[] {
  const joins = (sign: string | undefined) => sign !== undefined && /[\p{L}\p{N}]/u.test(sign);
  const places: number[] = [];
  for (let at = text.indexOf(answer); at >= 0; at = text.indexOf(answer, at + answer.length)) {
    const end = at + answer.length;
    const inside = (joins(answer[0]) && joins(text[at - 1])) || (joins(answer.at(-1)) && joins(text[end]));
    if (!inside) places.push(at);
  }
  return places;
}
