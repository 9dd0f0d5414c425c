/**
 * Owns what a person filters experiences by, and how it is written as a search (ports.ts, searchExperiences) and said in
 * words. Deliberately pure: neither asks nor shows.
 */
import type { Arm } from '../../core/model/event.ts';
import type { ExperienceCount } from '../../core/model/views.ts';
import { roundWord } from '../../protocol/wording.ts';

export type ShownVerdict = ExperienceCount['verdict'];

/** All of it must hold; '' and null are no condition. */
export interface Conditions {
  readonly verdict: ShownVerdict | null;
  readonly arm: Arm | null;
  /** "3" or "2-5". */
  readonly rounds: string;
  readonly judged: boolean | null;
  /** "<0.5", ">=0.5", "1" or "none". */
  readonly score: string;
  /** Words, "words in a row", beginn*. */
  readonly text: string;
}

export const noConditions: Conditions = {
  verdict: null,
  arm: null,
  rounds: '',
  judged: null,
  score: '',
  text: '',
};

export const verdictWords: Readonly<Record<ShownVerdict, string>> = {
  kept: 'Kept',
  corrected: 'Corrected',
  dropped: 'Dropped',
  unrefined: 'Not refined',
};

const roundsPattern = /^(\d{1,6})(?:\s*-\s*(\d{1,6}))?$/;
const scorePattern = /^(<=|>=|<|>|=)?\s*(\d{1,6}(?:\.\d{1,12})?|\.\d{1,12})\s*(%?)$/;

/** As the search writes it; null where it is not rounds. '' stays ''. */
export function readRounds(typed: string): string | null {
  const text = typed.trim();
  if (text === '') return '';
  const [, from, to] = roundsPattern.exec(text) ?? [];
  if (from === undefined) return null;
  if (to === undefined) return String(Number(from));
  return Number(from) <= Number(to) ? `${Number(from)}-${Number(to)}` : null;
}

/** As the search writes it, percentages as shares; null where it is not a score. '' stays ''. */
export function readScoreCondition(typed: string): string | null {
  const text = typed.trim().toLowerCase();
  if (text === '' || text === 'none') return text;
  const [, operator = '', digits, percent] = scorePattern.exec(text) ?? [];
  if (digits === undefined) return null;
  const value = percent === '%' ? Number((Number(digits) / 100).toFixed(12)) : Number(digits);
  return `${operator === '=' ? '' : operator}${value}`;
}

/** The search that finds exactly what meets the conditions; '' for none. */
export function searchOf({ verdict, arm, rounds, judged, score, text }: Conditions): string {
  return [
    verdict === null ? '' : `verdict:${verdict}`,
    arm === null ? '' : `arm:${arm}`,
    rounds === '' ? '' : `round:${rounds}`,
    judged === null ? '' : `annotated:${judged ? 'yes' : 'no'}`,
    score === '' ? '' : `score:${score}`,
    text.trim(),
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function sayRounds(rounds: string): string {
  return rounds.includes('-')
    ? `rounds ${rounds.replace('-', ' to ')}`
    : roundWord(Number(rounds)).toLowerCase();
}

/** What each condition says, in the order of the list; '' where it is none. */
export function sayEach(conditions: Conditions): Readonly<Record<keyof Conditions, string>> {
  const { verdict, arm, rounds, judged, score, text } = conditions;
  return {
    verdict: verdict === null ? '' : verdictWords[verdict].toLowerCase(),
    arm: arm === null ? '' : arm === 'main' ? 'loop' : 'control',
    rounds: rounds === '' ? '' : sayRounds(rounds),
    judged: judged === null ? '' : judged ? 'judged by you' : 'not judged by you',
    score: score === '' ? '' : score === 'none' ? 'no score' : `score ${score.replace(/^([<>]=?)/, '$1 ')}`,
    text: text.trim(),
  };
}

/** "dropped · rounds 2 to 5 · carry"; '' for none. */
export function sayConditions(conditions: Conditions): string {
  return Object.values(sayEach(conditions))
    .filter((part) => part !== '')
    .join(' \u00b7 ');
}
