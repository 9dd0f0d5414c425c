/**
 * Owns matching text with a person's regular expression in time linear in the text, whatever the text: RE2 syntax, so
 * no back references. Deliberately never uses the platform's own engine, which a hostile text can stop for hours.
 */
import { RE2JS } from 're2js';
import { noAnswer, type OpenGrade, right, shown, unknown, wrong } from './grade.ts';

export interface PatternOptions {
  readonly ignoreCase?: boolean;
  /** ^ and $ match at line ends as well. */
  readonly multiline?: boolean;
  /** . matches a line end as well. */
  readonly dotAll?: boolean;
  /** The whole answer has to match, not a part of it. Default false. */
  readonly whole?: boolean;
  /** `javascript` accepts the spellings only JavaScript has (\u0041, named groups); what RE2 lacks is refused either way. */
  readonly dialect?: 're2' | 'javascript';
}

export type Pattern =
  | { readonly ok: true; readonly test: (text: string) => boolean }
  | { readonly ok: false; readonly reason: string };

/** Longer patterns are refused: what a pattern costs grows with it. Characters. */
const longestPattern = 2_000;
/** Instructions of the compiled pattern; `(?:a{1000}){1000}` is short and has a million. */
const largestProgram = 20_000;

/** A pattern ready for use, or why it is none. Never throws. */
export function compilePattern(source: string, options: PatternOptions = {}): Pattern {
  if (source.length > longestPattern)
    return { ok: false, reason: `the pattern is longer than ${longestPattern} characters` };
  const flags =
    (options.ignoreCase === true ? RE2JS.CASE_INSENSITIVE : 0) |
    (options.multiline === true ? RE2JS.MULTILINE : 0) |
    (options.dotAll === true ? RE2JS.DOTALL : 0);
  try {
    const compiled = RE2JS.compile(
      options.dialect === 'javascript' ? RE2JS.translateRegExp(source) : source,
      flags,
    );
    if (compiled.programSize() > largestProgram)
      return { ok: false, reason: 'the pattern repeats too much to be matched in reasonable time' };
    return options.whole === true
      ? { ok: true, test: (text) => compiled.matches(text) }
      : { ok: true, test: (text) => compiled.matcher(text).find() };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Whether the answer matches the pattern; unknown when the pattern cannot be used. */
export function gradePattern(answer: string | null, source: string, options: PatternOptions = {}): OpenGrade {
  if (answer === null) return noAnswer;
  const pattern = compilePattern(source, options);
  if (!pattern.ok) return unknown(`the pattern ${shown(source)} cannot be used: ${pattern.reason}`);
  return pattern.test(answer)
    ? right(`matches ${shown(source)}`)
    : wrong(`does not match ${shown(source)}: ${shown(answer)}`);
}
