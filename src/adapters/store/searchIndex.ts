/**
 * Owns the index of the words of experiences: SQLite's FTS4 in a file of its own beside the workspace. All in it follows from
 * the workspace, so it is no part of a backup or an export, and an index that is damaged or of another workspace is made
 * anew. Filled in batches while the store is idle: within a commit it made that 43 times slower.
 * Deliberately answers with row numbers only, and is never needed for an answer to be right.
 */
import { StoreError } from '../../core/ports.ts';
import type { Connection, Row } from './connection.ts';
import { type Database, type DatabaseOptions, openDatabase } from './database.ts';
import { type HostFiles, nodeFiles } from './hostFiles.ts';
import { OUTPUT } from './longTexts.ts';
import type { Migration } from './migrations.ts';
import { formerLogPath, logPath } from './ownMarks.ts';
import { decodeText } from './payload.ts';
import { type Phrase, wordsOf } from './searchQuery.ts';

/** Contents and sizes of texts are left out: the workspace has them. */
const SCHEMA = `
CREATE VIRTUAL TABLE words USING fts4(content="", tokens, order=desc, matchinfo=fts3, tokenize=simple);
INSERT INTO words (words) VALUES ('automerge=8');

-- The newest solution the index has, and its id: another id in the workspace means that this is another's index.
CREATE TABLE reached (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  solution INTEGER NOT NULL,
  id TEXT NOT NULL
) STRICT;
INSERT INTO reached (one, solution, id) VALUES (1, 0, '');
`;

const MIGRATIONS: readonly Migration[] = [{ version: 1, apply: (connection) => connection.script(SCHEMA) }];

const CACHE_KIBIBYTES = 2048;
const FOLD_AT_BYTES = 4 << 20;
/** Solutions of a batch: about ten milliseconds. */
const BATCH = 48;

export interface SearchIndex {
  /** Every solution up to this one is in the index. */
  reached(): number;
  /** Solutions with all the phrases, newest first, over `above` and under `below`, at most `limit`. */
  find(phrases: readonly Phrase[], above: number, below: number, limit: number): readonly number[];
  /** Enters the next solutions of the workspace; whether there may be more. */
  enterBatch(): boolean;
  close(): void;
}

function reachedBy(connection: Connection): { readonly solution: number; readonly id: string } {
  const row = connection.get('SELECT solution, id FROM reached');
  return { solution: Number(row?.['solution'] ?? 0), id: String(row?.['id'] ?? '') };
}

/** FTS4's query: each phrase in quotes, of words that hold letters, digits and marks only. */
function matchOf(phrases: readonly Phrase[]): string {
  return phrases.map(({ words, prefix }) => `"${words.join(' ')}${prefix ? '*' : ''}"`).join(' ');
}

function tokensOf(row: Row): string {
  // A word stands between the texts, so that no phrase reaches from one into the next.
  return ['input', 'context', 'output']
    .map((column) => wordsOf(decodeText(row[column]) ?? '').join(' '))
    .join(' \u241e ');
}

function enterBatch(workspace: Database, index: Database): boolean {
  const after = index.read(reachedBy).solution;
  const rows = workspace.read((connection) =>
    connection.all(
      `SELECT s.ref, s.id, t.input, t.context, ${OUTPUT} AS output
       FROM solutions s CROSS JOIN solution_texts x ON x.solution = s.ref CROSS JOIN tasks t ON t.ref = s.task
       WHERE s.ref > ? ORDER BY s.ref LIMIT ?`,
      after,
      BATCH,
    ),
  );
  const last = rows.at(-1);
  if (last === undefined) return false;
  index.transact((connection) => {
    for (const row of rows)
      connection.run('INSERT INTO words (docid, tokens) VALUES (?, ?)', Number(row['ref']), tokensOf(row));
    connection.run('UPDATE reached SET solution = ?, id = ?', Number(last['ref']), String(last['id']));
  });
  const goesOn = rows.length === BATCH;
  if (!goesOn || index.logBytes() >= FOLD_AT_BYTES) index.fold(!goesOn);
  return goesOn;
}

/** Whether what the index reached is still in the workspace under its number. */
function fits(workspace: Database, index: Database): boolean {
  const { solution, id } = index.read(reachedBy);
  if (solution === 0) return true;
  return (
    workspace.read((connection) => connection.get('SELECT id FROM solutions WHERE ref = ?', solution))?.[
      'id'
    ] === id
  );
}

/** Nothing of it is lost: the workspace has it all. */
function discard(file: string, files: HostFiles): void {
  for (const part of [file, logPath(file), formerLogPath(file), `${file}-journal`])
    if (files.exists(part)) files.remove(part);
}

async function openFitting(workspace: Database, options: DatabaseOptions): Promise<Database | null> {
  try {
    const index = await openDatabase({ ...options, migrations: MIGRATIONS, derived: true });
    if (fits(workspace, index)) return index;
    index.close();
    return null;
  } catch (error) {
    if (error instanceof StoreError && error.code !== null && /^E[A-Z]+$/.test(error.code)) throw error;
    return null;
  }
}

/** Opens the index in `options.file`, making it when it is missing or does not fit. Throws StoreError when that fails. */
export async function openSearchIndex(workspace: Database, options: DatabaseOptions): Promise<SearchIndex> {
  let index = await openFitting(workspace, options);
  if (index === null) {
    discard(options.file, options.files ?? nodeFiles);
    index = await openDatabase({ ...options, migrations: MIGRATIONS, derived: true });
  }
  const opened = index;
  opened.read((connection) => {
    connection.run(`PRAGMA cache_size = -${CACHE_KIBIBYTES}`);
    // After a power cut the newest batches may be missing, not half there: they are entered again.
    connection.run('PRAGMA synchronous = NORMAL');
  });
  return {
    reached: () => opened.read(reachedBy).solution,
    find: (phrases, above, below, limit) =>
      opened
        .read((connection) =>
          connection.all(
            'SELECT docid FROM words WHERE words MATCH ? AND docid > ? AND docid < ? ORDER BY docid DESC LIMIT ?',
            matchOf(phrases),
            above,
            below,
            limit,
          ),
        )
        .map((row) => Number(row['docid'])),
    enterBatch: () => enterBatch(workspace, opened),
    close: () => opened.close(),
  };
}
