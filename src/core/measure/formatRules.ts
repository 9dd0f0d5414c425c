/**
 * Owns rules on the form of an output that a program can check: the 25 kinds of IFEval (Zhou et al. 2023,
 * "Instruction-following evaluation for large language models"), under their published names and parameters.
 * Deliberately reads keywords literally, never as regular expressions, and answers "unknown" where the published
 * checker asks a language detector or a trained tokeniser and the text does not settle it by itself.
 */
import { type OpenGrade, right, unknown, wrong } from './grade.ts';
import { readJson } from './jsonSchema.ts';
import { type Bounds, capitalWordBounds, languageByScript, sentenceBounds } from './textBounds.ts';

/** Parameters of a rule by their published names; those a kind does not use are ignored. */
export type RuleParameters = Readonly<Record<string, unknown>>;

export interface FormatRule {
  /** For example `length_constraints:number_words`. */
  readonly kind: string;
  readonly with?: RuleParameters;
}

/** True, false, or null: cannot be told. */
type Verdict = boolean | null;
type Check = (text: string, parameters: RuleParameters) => Verdict;

/** A rule without a parameter it needs cannot be told. */
function withNumber(name: string, check: (text: string, value: number) => Verdict): Check {
  return (text, parameters) => {
    const value = parameters[name];
    return typeof value === 'number' && Number.isFinite(value) ? check(text, value) : null;
  };
}
function withText(name: string, check: (text: string, value: string) => Verdict): Check {
  return (text, parameters) => {
    const value = parameters[name];
    return typeof value === 'string' && value.trim() !== '' ? check(text, value.trim()) : null;
  };
}
function withTexts(name: string, check: (text: string, values: readonly string[]) => Verdict): Check {
  return (text, parameters) => {
    const value = parameters[name];
    const texts = Array.isArray(value)
      ? value.filter((item): item is string => typeof item === 'string' && item !== '')
      : [];
    return texts.length > 0 ? check(text, texts) : null;
  };
}

/** "at least" n, else "less than" n; a range settles it only where all of it agrees. */
function compare(counted: Bounds, relation: unknown, threshold: unknown): Verdict {
  if (typeof threshold !== 'number') return null;
  const atLeast = counted.least >= threshold ? true : counted.most < threshold ? false : null;
  if (relation === 'at least') return atLeast;
  return relation === 'less than' && atLeast !== null ? !atLeast : null;
}
const exactly = (value: number): Bounds => ({ least: value, most: value });

function occurrences(text: string, part: string): number {
  let found = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) found++;
  return found;
}

const lower = (text: string): string => text.toLowerCase();
const wordCharacter = /[\p{L}\p{N}_]/u;

/** Whether `word` stands in the text with a word boundary at either end, both in lower case. */
function standsAlone(text: string, word: string): boolean {
  const boundary = (left: string, rightSide: string): boolean =>
    wordCharacter.test(left) !== wordCharacter.test(rightSide);
  const before = (at: number): string => [...text.slice(Math.max(0, at - 2), at)].at(-1) ?? '';
  const after = (at: number): string => String.fromCodePoint(text.codePointAt(at) ?? 32);
  const [first, last] = [[...word][0] ?? '', [...word].at(-1) ?? ''];
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (boundary(before(at), first) && boundary(last, after(at + word.length))) return true;
  }
  return false;
}

/** Lines that begin with "*" and something other than "*", or with "-". A lone "*" takes the next line as its text. */
function bulletPoints(text: string): number {
  const lines = text.split('\n').map((line) => line.trimStart());
  let found = 0;
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] as string;
    if (line.startsWith('-')) found++;
    else if (line === '*' && index + 1 < lines.length) {
      found++;
      if ((lines[index + 1] as string).startsWith('-')) found++;
      index++;
    } else if (line.startsWith('*') && line.length > 1 && line[1] !== '*') found++;
  }
  return found;
}

/** "[...]" within a line, from an opening bracket to the next closing one. */
function placeholders(text: string): number {
  let found = 0;
  for (const line of text.split('\n')) {
    for (let from = line.indexOf('['); from >= 0; ) {
      const end = line.indexOf(']', from + 1);
      if (end < 0) break;
      found++;
      from = line.indexOf('[', end + 1);
    }
  }
  return found;
}

/** "*...*" and "**...**" within a line that hold something; the second kind counts beside what it holds of the first. */
function highlights(text: string): number {
  const single = (text.match(/\*[^\n*]*\*/g) ?? []).filter((part) => part.replaceAll('*', '').trim() !== '');
  const double = (text.match(/\*\*[^\n*]*\*\*/g) ?? []).filter((part) => part.slice(2, -2).trim() !== '');
  return single.length + double.length;
}

function hasTitle(text: string): boolean {
  return text.split('\n').some((line) => {
    const [from, to] = [line.indexOf('<<'), line.lastIndexOf('>>')];
    if (from < 0 || to < from + 3) return false;
    const trimmed = line.slice(from, to + 2).replace(/^<+/u, '');
    let end = trimmed.length;
    while (trimmed[end - 1] === '>') end--;
    return trimmed.slice(0, end).trim() !== '';
  });
}

function sections(text: string, name: string): number {
  let found = 0;
  for (let at = text.indexOf(name); at >= 0; ) {
    const number = /^\s?\p{Nd}+/u.exec(text.slice(at + name.length, at + name.length + 64));
    if (number !== null) found++;
    at = text.indexOf(name, at + (number === null ? 1 : name.length + number[0].length));
  }
  return found;
}

/** Paragraphs between "***"; an empty one in the middle breaks the rule. */
function dividedParagraphs(text: string, wanted: number): boolean {
  const parts = text.split('***');
  const middleEmpty = parts.slice(1, -1).some((part) => part.trim() === '');
  return !middleEmpty && parts.filter((part) => part.trim() !== '').length === wanted;
}

const paragraphFirstWord: Check = (text, parameters) => {
  const { num_paragraphs: wanted, nth_paragraph: nth, first_word: word } = parameters;
  if (typeof wanted !== 'number' || typeof nth !== 'number' || typeof word !== 'string') return null;
  if (nth <= 0 || nth > wanted) return null;
  const paragraphs = text.split('\n\n');
  const filled = paragraphs.filter((paragraph) => paragraph.trim() !== '').length;
  const paragraph = paragraphs[nth - 1]?.trim() ?? '';
  if (nth > filled || paragraph === '') return false;
  const first = (paragraph.split(/\s+/u, 1)[0] ?? '').replace(/^'+/u, '').replace(/^"+/u, '');
  return filled === wanted && lower(first.split(/[.,?!'"]/u, 1)[0] ?? '') === lower(word);
};

function twoResponses(text: string): boolean {
  const parts = text.split('******').map((part) => part.trim());
  const filled = parts.filter((part) => part !== '');
  return !parts.slice(1, -1).includes('') && filled.length === 2 && filled[0] !== filled[1];
}

function hasPostscript(text: string, marker: string): boolean {
  const plain = lower(text);
  if (marker === 'P.P.S') return /p\.\s?p\.\s?s/u.test(plain);
  return marker === 'P.S.' ? /p\.\s?s\./u.test(plain) : plain.includes(lower(marker));
}

/** Without a letter of the other case; then English or not, which Latin letters do not settle. */
function inOneCase(text: string, wanted: RegExp, other: RegExp): Verdict {
  if (!wanted.test(text) || other.test(text)) return false;
  return languageByScript(text, 'en');
}

const checks: Readonly<Record<string, Check>> = {
  'keywords:existence': withTexts('keywords', (text, words) => {
    const plain = lower(text);
    return words.every((word) => plain.includes(lower(word)));
  }),
  'keywords:frequency': (text, parameters) =>
    withText('keyword', (all, word) =>
      compare(exactly(occurrences(lower(all), lower(word))), parameters['relation'], parameters['frequency']),
    )(text, parameters),
  'keywords:forbidden_words': withTexts('forbidden_words', (text, words) => {
    const plain = lower(text);
    return !words.some((word) => standsAlone(plain, lower(word)));
  }),
  'keywords:letter_frequency': (text, parameters) =>
    withText('letter', (all, letter) =>
      [...letter].length === 1
        ? compare(
            exactly(occurrences(lower(all), lower(letter))),
            parameters['let_relation'],
            parameters['let_frequency'],
          )
        : null,
    )(text, parameters),
  'language:response_language': withText('language', languageByScript),
  'length_constraints:number_sentences': (text, parameters) =>
    compare(sentenceBounds(text), parameters['relation'], parameters['num_sentences']),
  'length_constraints:number_paragraphs': withNumber('num_paragraphs', dividedParagraphs),
  'length_constraints:number_words': (text, parameters) =>
    compare(
      exactly(text.match(/[\p{L}\p{N}_]+/gu)?.length ?? 0),
      parameters['relation'],
      parameters['num_words'],
    ),
  'length_constraints:nth_paragraph_first_word': paragraphFirstWord,
  'detectable_content:number_placeholders': withNumber(
    'num_placeholders',
    (text, wanted) => placeholders(text) >= wanted,
  ),
  'detectable_content:postscript': withText('postscript_marker', hasPostscript),
  'detectable_format:number_bullet_lists': withNumber(
    'num_bullets',
    (text, wanted) => bulletPoints(text) === wanted,
  ),
  'detectable_format:constrained_response': (text) =>
    ['My answer is yes.', 'My answer is no.', 'My answer is maybe.'].some((option) => text.includes(option)),
  'detectable_format:number_highlighted_sections': withNumber(
    'num_highlights',
    (text, wanted) => highlights(text) >= wanted,
  ),
  'detectable_format:multiple_sections': (text, parameters) =>
    withText('section_spliter', (all, name) => {
      const wanted = parameters['num_sections'];
      return typeof wanted === 'number' ? sections(all, name) >= wanted : null;
    })(text, parameters),
  'detectable_format:json_format': (text) => readJson(text).ok,
  'detectable_format:title': hasTitle,
  'combination:two_responses': twoResponses,
  'combination:repeat_prompt': withText('prompt_to_repeat', (text, prompt) =>
    lower(text.trim()).startsWith(lower(prompt)),
  ),
  'startend:end_checker': withText('end_phrase', (text, phrase) =>
    lower(withoutQuotes(text.trim())).endsWith(lower(phrase)),
  ),
  'startend:quotation': (text) => {
    const body = text.trim();
    return body.length > 1 && body.startsWith('"') && body.endsWith('"');
  },
  'change_case:capital_word_frequency': (text, parameters) =>
    compare(capitalWordBounds(text), parameters['capital_relation'], parameters['capital_frequency']),
  'change_case:english_capital': (text) => inOneCase(text, /\p{Uppercase}/u, /[\p{Lowercase}\p{Lt}]/u),
  'change_case:english_lowercase': (text) => inOneCase(text, /\p{Lowercase}/u, /[\p{Uppercase}\p{Lt}]/u),
  'punctuation:no_comma': (text) => !text.includes(','),
};

function withoutQuotes(text: string): string {
  let [from, to] = [0, text.length];
  while (text[from] === '"') from++;
  while (to > from && text[to - 1] === '"') to--;
  return text.slice(from, to);
}

export const formatRuleKinds: readonly string[] = Object.keys(checks);

/** The output, and the output without its first line, its last line, both, each with and without its asterisks. */
function looseForms(output: string): readonly string[] {
  const lines = output.split('\n');
  const cut = [lines.slice(1), lines.slice(0, -1), lines.slice(1, -1)].map((part) => part.join('\n').trim());
  const forms = [output, ...cut];
  return [...forms, ...forms.map((form) => form.replaceAll('*', ''))];
}

/**
 * Whether an output keeps one rule: 1, 0, or unknown with the reason. `loose` accepts it too when it does so without
 * its first or last line or its asterisks, as the published loose accuracy does. An empty output keeps no rule.
 */
export function gradeFormatRule(output: string, rule: FormatRule, loose = false): OpenGrade {
  const check = Object.hasOwn(checks, rule.kind) ? checks[rule.kind] : undefined;
  if (check === undefined) return unknown(`there is no rule ${rule.kind}`);
  const forms = (loose ? looseForms(output) : [output]).filter((form) => form.trim() !== '');
  const verdicts = forms.map((form) => check(form, rule.with ?? {}));
  if (verdicts.includes(true)) return right(`keeps ${rule.kind}`);
  return verdicts.includes(null)
    ? unknown(`${rule.kind} cannot be told from the text alone`)
    : wrong(`breaks ${rule.kind}`);
}

/** All rules: 0 as soon as one is broken, unknown when none is but some cannot be told, else 1. */
export function gradeFormatRules(output: string, rules: readonly FormatRule[], loose = false): OpenGrade {
  if (rules.length === 0) return unknown('there are no rules to check');
  const grades = rules.map((rule) => gradeFormatRule(output, rule, loose));
  const broken = grades.filter(({ score }) => score === 0);
  const open = grades.filter(({ score }) => score === null);
  if (broken.length > 0) return wrong(broken.map(({ reason }) => reason).join('; '));
  return open.length > 0 ? unknown(open.map(({ reason }) => reason).join('; ')) : right('keeps every rule');
}

/**
 * Rules from JSON: a list of `{ kind, with }`, or a row of an IFEval file with `instruction_id_list` and `kwargs`. Null
 * when it is neither.
 */
export function readFormatRules(json: unknown): readonly FormatRule[] | null {
  const isRecord = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (Array.isArray(json)) {
    const rules = json.map((item: unknown): FormatRule | null =>
      isRecord(item) && typeof item['kind'] === 'string'
        ? { kind: item['kind'], with: isRecord(item['with']) ? item['with'] : {} }
        : null,
    );
    return rules.every((rule) => rule !== null) ? rules : null;
  }
  if (!isRecord(json)) return null;
  const { instruction_id_list: kinds, kwargs } = json;
  if (!Array.isArray(kinds) || !Array.isArray(kwargs) || kinds.length !== kwargs.length) return null;
  return readFormatRules(
    kinds.map((kind: unknown, index) => ({ kind, with: (kwargs as readonly unknown[])[index] })),
  );
}
