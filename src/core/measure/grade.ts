/**
 * Owns the graders: an answer against a reference, as a score in [0, 1] with the reason.
 * Deliberately does not find the answer in an output (prompt/answer.ts) and calls no model.
 */
import { parseNumber, sameNumber } from './numbers.ts';

export const metricNames = ['exact', 'numeric', 'contains'] as const;
export type MetricName = (typeof metricNames)[number];

/** What a grader says; `score` is null where it cannot tell, which leaves the question to a judge. */
export interface OpenGrade {
  /** In [0, 1], or null for unknown. */
  readonly score: number | null;
  /** For people. */
  readonly reason: string;
}

export interface Grade extends OpenGrade {
  readonly score: number;
}

export interface GradeOptions {
  /** `exact` and `contains`: upper and lower case count as the same. Default false. */
  readonly ignoreCase?: boolean;
  /** `numeric`: numbers this close count as equal. Default 0, which still forgives rounding at 1e-9 relative. */
  readonly tolerance?: number;
}

/** `answer` is null when none was found in the output; that scores 0 under every grader. */
export type Grader = (answer: string | null, reference: string, options?: GradeOptions) => Grade;

const shownLength = 80;

/** A text as a reason quotes it: in quotation marks, at most 80 characters of it. */
export function shown(text: string): string {
  const characters = [...text.slice(0, 2 * shownLength)];
  return characters.length > shownLength ? `"${characters.slice(0, shownLength).join('')}…"` : `"${text}"`;
}

function comparable(text: string, ignoreCase: boolean): string {
  const plain = text.normalize('NFC').trim();
  return ignoreCase ? plain.toLowerCase() : plain;
}

export const right = (reason: string): Grade => ({ score: 1, reason });
export const wrong = (reason: string): Grade => ({ score: 0, reason });
export const unknown = (reason: string): OpenGrade => ({ score: null, reason });
export const noAnswer = wrong('no answer was found in the output');

/** Same text after Unicode NFC and trimming. */
const gradeExact: Grader = (answer, reference, options = {}) => {
  if (answer === null) return noAnswer;
  const ignoreCase = options.ignoreCase ?? false;
  return comparable(answer, ignoreCase) === comparable(reference, ignoreCase)
    ? right('equal to the reference')
    : wrong(`expected ${shown(reference)}, got ${shown(answer)}`);
};

/** Same number, however it is written; the very same text counts as well (a time, a date). */
const gradeNumeric: Grader = (answer, reference, options = {}) => {
  if (answer === null) return noAnswer;
  if (comparable(answer, false) === comparable(reference, false)) return right('equal to the reference');
  const expected = parseNumber(reference);
  if (expected === null) return wrong(`the reference ${shown(reference)} is not a number`);
  const given = parseNumber(answer);
  if (given === null) return wrong(`expected the number ${expected.text}, got ${shown(answer)}`);
  return sameNumber(given, expected, options.tolerance)
    ? right(`${given.text} is the number expected`)
    : wrong(`expected ${expected.text}, got ${given.text}`);
};

/** Whether `part` stands in `whole`; a part that begins or ends with a digit is not found inside a longer number. */
function standsIn(whole: string, part: string): boolean {
  const firstDigit = /^\p{Nd}/u.test(part);
  const lastDigit = /\p{Nd}$/u.test(part);
  for (let index = whole.indexOf(part); index >= 0; index = whole.indexOf(part, index + 1)) {
    const before = whole.slice(Math.max(0, index - 2), index);
    const after = whole.slice(index + part.length, index + part.length + 2);
    const cutsBefore = firstDigit && /\p{Nd}[.,]?$/u.test(before);
    const cutsAfter = lastDigit && /^[.,]?\p{Nd}/u.test(after);
    if (!cutsBefore && !cutsAfter) return true;
  }
  return false;
}

/** The reference occurs in the answer, white space counted alike. An empty reference is never contained. */
const gradeContains: Grader = (answer, reference, options = {}) => {
  if (answer === null) return noAnswer;
  const plain = (text: string): string => comparable(text, options.ignoreCase ?? false).replace(/\s+/gu, ' ');
  const part = plain(reference);
  if (part === '') return wrong('the reference is empty, so nothing can contain it');
  return standsIn(plain(answer), part)
    ? right(`contains ${shown(reference)}`)
    : wrong(`does not contain ${shown(reference)}: ${shown(answer)}`);
};

export const graders: Readonly<Record<MetricName, Grader>> = {
  exact: gradeExact,
  numeric: gradeNumeric,
  contains: gradeContains,
};
