/**
 * Owns the fourth schema: long outputs are kept once, however many solutions gave them (longTexts.ts).
 * Deliberately without a reference from solutions to texts: a reading that finds none is damage and says so.
 */
export const SCHEMA_4 = `
-- hash: sha256 of the text's UTF-8.
CREATE TABLE texts (
  ref INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  text TEXT NOT NULL
) STRICT;

-- Where it is not null, the output is that text and the column beside it is ''.
ALTER TABLE solution_texts ADD COLUMN text INTEGER;
CREATE INDEX solutions_of_text ON solution_texts(text) WHERE text IS NOT NULL;
`;
