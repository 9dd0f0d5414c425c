/**
 * Owns multiple choice: the options of a question and which of them an answer names, by letter or by text.
 * Deliberately does not find the answer in a long output (prompt/answer.ts).
 */
import { trimEndOf } from './words.ts';
import { type Grade, noAnswer, type OpenGrade, right, shown, unknown, wrong } from './grade.ts';

export interface Choice {
  /** One capital letter, A to Z. */
  readonly letter: string;
  /** May be empty. */
  readonly text: string;
}

const fullWidth = (text: string): string =>
  text.replace(/[\uff01-\uff5e]/g, (mark) => String.fromCharCode(mark.charCodeAt(0) - 0xfee0));

/** Letters stand in a row from A on: "(A) red", "B. green", "[c]: blue", at the start of a line or in one line. */
function inOrder(found: readonly Choice[]): readonly Choice[] {
  const start = found.findLastIndex(({ letter }) => letter === 'A');
  if (start < 0) return [];
  const run = found.slice(start);
  const end = run.findIndex(({ letter }, index) => letter !== String.fromCharCode(65 + index));
  const choices = end < 0 ? run : run.slice(0, end);
  return choices.length >= 2 ? choices : [];
}

/** The options a question lists, the last list if it has several; empty when it lists none. */
export function findChoices(question: string): readonly Choice[] {
  const text = fullWidth(question);
  const lines = [...text.matchAll(/^[ \t]{0,8}[*_]{0,2}[([]?([A-Za-z])[)\].:][*_]{0,2}[ \t]+([^\n]*)$/gm)];
  const fromLines = inOrder(lines.map((match) => toChoice(match[1], match[2])));
  if (fromLines.length > 0) return fromLines;
  const marks = [...text.matchAll(/(?<![\p{L}\p{N}])\(([A-Za-z])\)/gu)];
  return inOrder(
    marks.map((match, index) =>
      toChoice(match[1], text.slice(match.index + match[0].length, marks[index + 1]?.index).split('\n')[0]),
    ),
  );
}

function toChoice(letter: string | undefined, text: string | undefined): Choice {
  return { letter: (letter ?? '').toUpperCase(), text: trimEndOf(text ?? '', ',;').trim() };
}

function plain(text: string): string {
  return text
    .normalize('NFC')
    .toLowerCase()
    .replace(/[\s"'“”‘’*_`]+/gu, ' ')
    .trim()
    .replace(/[.。]$/u, '');
}

/**
 * The letter an answer names: a letter alone or in brackets, a letter before a separator ("B) green", "B. green",
 * "option B"), else an option whose text the answer is. Null when it names none, or more than one.
 */
export function readChoice(answer: string, choices: readonly Choice[] = []): string | null {
  const text = trimEndOf(fullWidth(answer), '*_`"\'').replace(/^[*_`"'\s]+/u, '');
  const bare = /^[([{]?([A-Za-z])[)\]}]?[.:]?$/u.exec(text)?.[1]?.toUpperCase();
  if (bare !== undefined) return allowed(bare, choices);
  const byText = choices.filter((choice) => choice.text !== '' && plain(choice.text) === plain(text));
  if (byText.length === 1) return byText[0]?.letter ?? null;
  const led =
    /^(?:(?:option|choice|answer)[ \t]{1,4}[([]?([A-Za-z])(?![\p{L}\p{N}'’])|[([]([A-Za-z])[)\]]|([A-Z])[).:](?=\s))/iu.exec(
      text,
    );
  const letter = (led?.[1] ?? led?.[2] ?? led?.[3])?.toUpperCase();
  if (letter === undefined) return null;
  const others = [...text.matchAll(/[([]([A-Za-z])[)\]]/gu)].map((match) => (match[1] ?? '').toUpperCase());
  return others.some((other) => other !== letter) ? null : allowed(letter, choices);
}

function allowed(letter: string, choices: readonly Choice[]): string | null {
  return choices.length === 0 || choices.some((choice) => choice.letter === letter) ? letter : null;
}

/**
 * Whether the answer names the same option as the reference; each may be a letter or an option's text. Unknown when the
 * reference itself names no option.
 */
export function gradeChoice(
  answer: string | null,
  reference: string,
  choices: readonly Choice[] = [],
): OpenGrade | Grade {
  if (answer === null) return noAnswer;
  const expected = readChoice(reference, choices);
  if (expected === null)
    return plain(reference) !== '' && plain(reference) === plain(answer)
      ? right('equal to the reference')
      : unknown(`the reference ${shown(reference)} names none of the options`);
  const given = readChoice(answer, choices);
  if (given === null) return wrong(`expected option ${expected}; ${shown(answer)} names no single option`);
  return given === expected ? right(`chose ${given}`) : wrong(`expected option ${expected}, got ${given}`);
}
