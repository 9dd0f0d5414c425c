/**
 * Owns what a person types to find experiences: the conditions and words in it, and whether a text has them. Words are cut
 * the same way for the index, for what it has not reached yet, and for the query. Deliberately knows no table.
 */
import type { Arm } from '../../core/model/event.ts';
import type { ExperienceCount } from '../../core/model/views.ts';
import { ARMS, GROUP_VERDICTS } from './words.ts';

type GroupVerdict = ExperienceCount['verdict'];

/** Words that follow each other; the last may be the beginning of one. */
export interface Phrase {
  readonly words: readonly string[];
  readonly prefix: boolean;
}

export interface ScoreCondition {
  readonly operator: '<' | '<=' | '=' | '>=' | '>';
  readonly score: number;
}

/** All of it must hold. */
export interface SearchQuery {
  readonly phrases: readonly Phrase[];
  /** What has no word in it, such as "->", to be found as it stands. */
  readonly literals: readonly string[];
  readonly scores: readonly ScoreCondition[];
  /** True: only what nobody judged. */
  readonly unscored: boolean;
  readonly rounds: { readonly from: number; readonly to: number } | null;
  readonly arm: Arm | null;
  readonly verdict: GroupVerdict | null;
  readonly annotated: boolean | null;
  /** One sentence for each condition that was not understood and therefore does not count. */
  readonly problems: readonly string[];
}

type Conditions = { -readonly [Name in keyof SearchQuery]: SearchQuery[Name] };

const LONGEST_QUERY = 1000;
const MOST_TERMS = 16;
/** Longer words are found by their beginning. */
const LONGEST_WORD = 64;
/** What lies behind so many characters of a text is not searched. */
const LONGEST_TEXT = 100_000;

/** Scripts written without spaces: each character is a word. */
const SPACELESS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu;
const ASCII = /^[\0-\x7f]*$/;
const LATIN_MARKS = /[\u0300-\u036f]/g;

/** The words of a text, without case and without the accents of Latin letters. */
export function wordsOf(text: string): readonly string[] {
  const part = text.slice(0, LONGEST_TEXT);
  const plain = ASCII.test(part)
    ? part
    : part.normalize('NFKD').replace(LATIN_MARKS, '').normalize('NFC').replace(SPACELESS, ' $& ');
  const words = plain.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
  return words.map((word) => word.slice(0, LONGEST_WORD));
}

const RANGE = /^(\d{1,6})(?:-(\d{1,6}))?$/;
const SCORE = /^(<=|>=|<|>|=)?(\d{0,6}(?:\.\d{1,12})?)$/;

/** What each condition sets; false when its value is not understood. */
const CONDITIONS: Readonly<
  Record<string, { readonly help: string; readonly set: (query: Conditions, value: string) => boolean }>
> = {
  score: {
    help: 'score:<0.5, score:>=0.5, score:1 or score:none',
    set: (query, value) => {
      if (value === 'none') return (query.unscored = true);
      const [, operator = '=', digits = ''] = SCORE.exec(value) ?? [];
      if (digits === '') return false;
      query.scores = [
        ...query.scores,
        { operator: operator as ScoreCondition['operator'], score: Number(digits) },
      ];
      return true;
    },
  },
  round: {
    help: 'round:3 or round:2-5',
    set: (query, value) => {
      const [, from, to = from] = RANGE.exec(value) ?? [];
      if (from === undefined || to === undefined) return false;
      query.rounds = { from: Number(from), to: Number(to) };
      return true;
    },
  },
  arm: {
    help: `arm:${ARMS.join(' or arm:')}`,
    set: (query, value) => (query.arm = ARMS.find((arm) => arm === value) ?? null) !== null,
  },
  verdict: {
    help: `verdict:${GROUP_VERDICTS.join(', verdict:')}`,
    set: (query, value) =>
      (query.verdict = GROUP_VERDICTS.find((verdict) => verdict === value) ?? null) !== null,
  },
  annotated: {
    help: 'annotated:yes or annotated:no',
    set: (query, value) => {
      query.annotated = value === 'yes' ? true : value === 'no' ? false : null;
      return query.annotated !== null;
    },
  },
};

function addText(query: Conditions, text: string): void {
  const words = wordsOf(text);
  if (words.length > 0) query.phrases = [...query.phrases, { words, prefix: text.endsWith('*') }];
  else if (text.trim() !== '') query.literals = [...query.literals, text];
}

function addTerm(query: Conditions, term: string): void {
  const [, name = '', value = ''] = /^([a-z]+):(.*)$/isu.exec(term) ?? [];
  const condition = Object.hasOwn(CONDITIONS, name.toLowerCase())
    ? CONDITIONS[name.toLowerCase()]
    : undefined;
  if (condition === undefined) addText(query, term);
  else if (!condition.set(query, value.toLowerCase()))
    query.problems = [
      ...query.problems,
      `"${term}" is not understood, so it does not count: write ${condition.help}.`,
    ];
}

/**
 * Reads `score:<0.5 round:3 verdict:kept words "words in a row" beginn*`. Any text is a query; what is too much of it
 * (1,000 characters, 16 terms) is left out.
 */
export function parseSearch(text: string): SearchQuery {
  const query: Conditions = {
    phrases: [],
    literals: [],
    scores: [],
    unscored: false,
    rounds: null,
    arm: null,
    verdict: null,
    annotated: null,
    problems: [],
  };
  const terms = [...text.slice(0, LONGEST_QUERY).matchAll(/"([^"]*)"?|[^\s"]+/g)].slice(0, MOST_TERMS);
  for (const [term, quoted] of terms)
    if (quoted === undefined) addTerm(query, term);
    else addText(query, quoted);
  return query;
}

/** Whether texts, taken together, have every phrase and literal. */
export function hasText(query: SearchQuery, texts: readonly string[]): boolean {
  const lines = texts.map((text) => ` ${wordsOf(text).join(' ')} `);
  const inOrder = ({ words, prefix }: Phrase): boolean => {
    const sought = ` ${words.join(' ')}${prefix ? '' : ' '}`;
    return lines.some((line) => line.includes(sought));
  };
  return query.phrases.every(inOrder) && hasLiterals(query, texts);
}

export function hasLiterals({ literals }: SearchQuery, texts: readonly string[]): boolean {
  return literals.every((literal) => texts.some((text) => text.slice(0, LONGEST_TEXT).includes(literal)));
}
