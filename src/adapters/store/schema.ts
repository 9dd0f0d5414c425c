/**
 * Owns the tables. Ids of the outside are text in column `id`; rows refer to each other by `ref`, the small row number.
 * `checksum` is payload.ts's CRC-32 of a row's id and text. Summary tables are kept up by the transaction that adds the rows.
 * Deliberately no triggers: what a commit changes is read in one place, the code that commits.
 */

/** "RTCH": says that a SQLite file is a Ratchet workspace. */
export const APPLICATION_ID = 0x52544348;

const RUNS = `
CREATE TABLE runs (
  ref INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  recipe_name ANY NOT NULL,
  recipe_path ANY NOT NULL,
  recipe_text ANY NOT NULL,
  seed INTEGER NOT NULL,
  rounds INTEGER NOT NULL,
  arms TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  checksum INTEGER NOT NULL
) STRICT;

CREATE TABLE run_summaries (
  run INTEGER PRIMARY KEY REFERENCES runs(ref),
  status TEXT NOT NULL,
  message ANY NOT NULL,
  ended_at INTEGER,
  round INTEGER NOT NULL,
  start_score REAL,
  score REAL,
  test_score REAL,
  calls INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL
) STRICT;

CREATE TABLE run_rounds (
  run INTEGER NOT NULL REFERENCES runs(ref),
  arm TEXT NOT NULL,
  round INTEGER NOT NULL,
  score REAL,
  interval TEXT,
  PRIMARY KEY (run, arm, round)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_steps (
  run INTEGER NOT NULL REFERENCES runs(ref),
  arm TEXT NOT NULL,
  round INTEGER NOT NULL,
  step TEXT NOT NULL,
  first_seq INTEGER NOT NULL,
  phase TEXT NOT NULL,
  operator TEXT NOT NULL,
  facts TEXT NOT NULL,
  PRIMARY KEY (run, arm, round, step)
) STRICT, WITHOUT ROWID;

-- digest is null for the kinds that may repeat.
CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs(ref),
  time INTEGER NOT NULL,
  event TEXT NOT NULL,
  digest BLOB,
  checksum INTEGER NOT NULL
) STRICT;
CREATE INDEX events_of_run ON events(run);
CREATE UNIQUE INDEX events_once ON events(run, digest) WHERE digest IS NOT NULL;

CREATE TABLE effects (
  ref INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs(ref),
  key TEXT NOT NULL,
  kind TEXT NOT NULL,
  arm TEXT NOT NULL,
  round INTEGER NOT NULL,
  step TEXT NOT NULL,
  result ANY NOT NULL,
  input_tokens INTEGER,
  output_tokens INTEGER,
  ms REAL NOT NULL,
  checksum INTEGER NOT NULL,
  UNIQUE (run, key)
) STRICT;

CREATE TABLE blobs (
  hash TEXT PRIMARY KEY,
  bytes BLOB NOT NULL
) STRICT;
`;

const EXPERIENCES = `
CREATE TABLE tasks (
  ref INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  input ANY NOT NULL,
  context ANY,
  reference ANY,
  checksum INTEGER NOT NULL
) STRICT;

-- The same task may be in another split of another run.
CREATE TABLE run_tasks (
  run INTEGER NOT NULL REFERENCES runs(ref),
  task INTEGER NOT NULL REFERENCES tasks(ref),
  split TEXT NOT NULL,
  PRIMARY KEY (run, task)
) STRICT, WITHOUT ROWID;

-- How many experiences of a run share arm, round and verdict. Solutions point at their group: one index serves every filter.
-- All that were ever in a group lie between its first and last solution.
CREATE TABLE experience_groups (
  ref INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs(ref),
  arm TEXT NOT NULL,
  round INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  count INTEGER NOT NULL,
  annotated INTEGER NOT NULL,
  first_solution INTEGER NOT NULL,
  last_solution INTEGER NOT NULL,
  UNIQUE (run, arm, round, verdict)
) STRICT;

-- What changes or is looked up; the text is beside it, so that a judgement does not rewrite it.
CREATE TABLE solutions (
  ref INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
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
CREATE INDEX solutions_of_group ON solutions(experience_group);
CREATE INDEX solutions_by_key ON solutions(key);
CREATE INDEX solutions_annotated ON solutions(run) WHERE annotated = 1;

CREATE TABLE solution_texts (
  solution INTEGER PRIMARY KEY REFERENCES solutions(ref),
  output ANY NOT NULL,
  answer ANY,
  checksum INTEGER NOT NULL
) STRICT;

CREATE TABLE feedback (
  solution INTEGER NOT NULL REFERENCES solutions(ref),
  position INTEGER NOT NULL,
  id TEXT NOT NULL,
  source TEXT NOT NULL,
  given_by ANY NOT NULL,
  value TEXT NOT NULL,
  reason ANY,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (solution, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE refinements (
  solution INTEGER NOT NULL REFERENCES solutions(ref),
  position INTEGER NOT NULL,
  id TEXT NOT NULL,
  verdict TEXT NOT NULL,
  reason ANY NOT NULL,
  cites TEXT NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (solution, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE annotations (
  key TEXT PRIMARY KEY,
  solution INTEGER NOT NULL REFERENCES solutions(ref),
  verdict TEXT,
  score REAL,
  note ANY NOT NULL,
  time INTEGER NOT NULL,
  checksum INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;

const CANDIDATES = `
CREATE TABLE candidates (
  ref INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL,
  checksum INTEGER NOT NULL
) STRICT;

CREATE TABLE run_candidates (
  run INTEGER NOT NULL REFERENCES runs(ref),
  arm TEXT NOT NULL,
  version INTEGER NOT NULL,
  candidate INTEGER NOT NULL REFERENCES candidates(ref),
  round INTEGER NOT NULL,
  step TEXT NOT NULL,
  parents TEXT NOT NULL,
  note ANY NOT NULL,
  accepted_seq INTEGER,
  refused_seq INTEGER,
  gain TEXT,
  score REAL,
  score_suite TEXT,
  interval TEXT,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (run, arm, version),
  UNIQUE (run, arm, candidate)
) STRICT, WITHOUT ROWID;
CREATE INDEX runs_of_candidate ON run_candidates(candidate);

CREATE TABLE evaluations (
  ref INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  run INTEGER NOT NULL REFERENCES runs(ref),
  arm TEXT NOT NULL,
  round INTEGER NOT NULL,
  step TEXT NOT NULL,
  candidate INTEGER NOT NULL REFERENCES candidates(ref),
  suite TEXT NOT NULL,
  temperature REAL NOT NULL,
  tasks INTEGER NOT NULL,
  mean REAL NOT NULL,
  interval TEXT NOT NULL,
  previous INTEGER REFERENCES evaluations(ref),
  checksum INTEGER NOT NULL
) STRICT;
CREATE INDEX evaluations_of_run ON evaluations(run, arm, suite);

CREATE TABLE evaluation_scores (
  evaluation INTEGER NOT NULL REFERENCES evaluations(ref),
  task INTEGER NOT NULL REFERENCES tasks(ref),
  score REAL NOT NULL,
  output ANY NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (evaluation, task)
) STRICT, WITHOUT ROWID;
`;

export const SCHEMA_1 = RUNS + EXPERIENCES + CANDIDATES;
