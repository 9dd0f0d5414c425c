/**
 * Owns the second schema. Ids are as scattered as hashes are, so an index of them costs a commit a page for each row: the
 * lookups of solutions are filled behind the commits (solutionLookup.ts).
 * Deliberately without foreign keys in the lookups: what they point at is compared on every use.
 */

/** Makes the table anew without its index of ids; its rows and everything that refers to them stay. */
const SOLUTIONS = `
PRAGMA defer_foreign_keys = ON;
CREATE TABLE moved_solutions AS SELECT * FROM solutions;
DROP TABLE solutions;
CREATE TABLE solutions (
  ref INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  key TEXT NOT NULL,
  run INTEGER NOT NULL REFERENCES runs(ref),
  task INTEGER NOT NULL REFERENCES tasks(ref),
  candidate INTEGER NOT NULL REFERENCES candidates(ref),
  experience_group INTEGER NOT NULL REFERENCES experience_groups(ref),
  step TEXT NOT NULL,
  sample INTEGER NOT NULL,
  temperature REAL NOT NULL,
  finish TEXT NOT NULL,
  input_tokens INTEGER,
  output_tokens INTEGER,
  score REAL,
  scored_by_human INTEGER NOT NULL,
  annotated INTEGER NOT NULL
) STRICT;
INSERT INTO solutions SELECT * FROM moved_solutions ORDER BY ref;
DROP TABLE moved_solutions;
CREATE INDEX solutions_of_group ON solutions(experience_group);
CREATE INDEX solutions_annotated ON solutions(run) WHERE annotated = 1;
`;

const LOOKUPS = `
-- hash: CRC-32 of the id, as a signed number.
CREATE TABLE solution_ids (
  hash INTEGER NOT NULL,
  solution INTEGER NOT NULL,
  PRIMARY KEY (hash, solution)
) STRICT, WITHOUT ROWID;

-- hash: CRC-32 of the key, as a signed number.
CREATE TABLE solution_keys (
  hash INTEGER NOT NULL,
  solution INTEGER NOT NULL,
  PRIMARY KEY (hash, solution)
) STRICT, WITHOUT ROWID;

-- The newest solution that work done behind the commits has reached.
CREATE TABLE reached (
  work TEXT PRIMARY KEY,
  solution INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO reached (work, solution) VALUES ('lookup', 0);
`;

export const SCHEMA_2 = SOLUTIONS + LOOKUPS;
