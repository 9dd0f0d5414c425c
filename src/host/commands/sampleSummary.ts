/** Owns what a sample says of itself in a list. Deliberately reads one line; the engine reads the recipe. */

/** The first `description:` line or, without one, the first comment line: the sample says what it is for. */
export function summaryOf(text: string): string {
  const described = /^description:\s*(\S.*)$/m.exec(text)?.[1];
  const comment = /^#\s*(\S.*)$/m.exec(text)?.[1];
  return (described ?? comment ?? '').trim();
}
