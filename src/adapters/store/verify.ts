/**
 * Owns the full check of a store: SQLite's own, every checksum, every blob's hash, and summaries against what they sum up.
 * Works in portions, so that commits go on between them. Deliberately repairs nothing.
 */
import { asId } from '../../core/model/ids.ts';
import { StoreError } from '../../core/ports.ts';
import { getBlob } from './blobs.ts';
import { CANDIDATE, toCandidate } from './candidates.ts';
import type { Connection, Row, SqlValue } from './connection.ts';
import type { Database } from './database.ts';
import { EVALUATION, toEvaluationSummary, toScored } from './evaluations.ts';
import {
  ANNOTATION_COLUMNS,
  prefixed,
  SOLUTION_COLUMNS,
  toAnnotation,
  toFeedback,
  toRefinement,
  toSolution,
  toTask,
} from './experienceRows.ts';
import { toEffect } from './ledger.ts';
import { checkLongText } from './longTexts.ts';
import { stuckRows } from './pending.ts';
import { toEvent, toRun } from './runs.ts';
import { archivedEvents } from './removeRun.ts';
import { isFindable } from './solutionLookup.ts';
import { damageError } from './storeFault.ts';
import { IS_HERE } from './words.ts';

export interface Verification {
  readonly ok: boolean;
  /** Rows and blobs read and compared. */
  readonly checked: number;
  /** One sentence each, at most a hundred. */
  readonly problems: readonly string[];
}

interface Walk {
  /** Rows in the order of the key; its `?`s are the key's columns and then the limit. */
  readonly sql: string;
  readonly key: readonly string[];
  /** Throws StoreError when the row is not as it was stored. */
  readonly check: (connection: Connection, row: Row) => unknown;
}

const PORTION = 500;
const MOST_PROBLEMS = 100;
const START = -1;

function checkSolution(connection: Connection, row: Row): void {
  const { path } = connection;
  const { id } = toSolution(path, prefixed(row, 'solution_'));
  if (!isFindable(connection, Number(row['ref']), id, String(row['key'])))
    throw damageError(path, `solution ${id} cannot be found by its id and key`);
}

const WALKS: readonly Walk[] = [
  {
    sql: `SELECT r.*, s.*, CASE WHEN s.${IS_HERE} THEN s.status ELSE 'stopped' END AS status FROM runs r JOIN run_summaries s ON s.run = r.ref WHERE r.ref > ? ORDER BY r.ref LIMIT ?`,
    key: ['ref'],
    check: ({ path }, row) => toRun(path, row),
  },
  {
    sql: 'SELECT * FROM events WHERE seq > ? ORDER BY seq LIMIT ?',
    key: ['seq'],
    check: ({ path }, row) => toEvent(path, asId(''), row),
  },
  {
    sql: 'SELECT * FROM effects WHERE ref > ? ORDER BY ref LIMIT ?',
    key: ['ref'],
    check: ({ path }, row) => toEffect(path, row),
  },
  {
    sql: "SELECT *, 'train' AS split FROM tasks WHERE ref > ? ORDER BY ref LIMIT ?",
    key: ['ref'],
    check: ({ path }, row) => toTask(path, row),
  },
  {
    sql: `SELECT s.ref, s.id, s.key, ${SOLUTION_COLUMNS} FROM solutions s LEFT JOIN solution_texts x ON x.solution = s.ref
      LEFT JOIN tasks t ON t.ref = s.task LEFT JOIN candidates c ON c.ref = s.candidate
      WHERE s.ref > ? ORDER BY s.ref LIMIT ?`,
    key: ['ref'],
    check: checkSolution,
  },
  {
    sql: 'SELECT * FROM feedback WHERE (solution, position) > (?, ?) ORDER BY solution, position LIMIT ?',
    key: ['solution', 'position'],
    check: ({ path }, row) => toFeedback(path, '', row),
  },
  {
    sql: 'SELECT * FROM refinements WHERE (solution, position) > (?, ?) ORDER BY solution, position LIMIT ?',
    key: ['solution', 'position'],
    check: ({ path }, row) => toRefinement(path, '', row),
  },
  {
    sql: `SELECT a.key, ${ANNOTATION_COLUMNS} FROM annotations a JOIN solutions o ON o.ref = a.solution
      WHERE a.key > ? ORDER BY a.key LIMIT ?`,
    key: ['key'],
    check: ({ path }, row) => toAnnotation(path, prefixed(row, 'annotation_')),
  },
  {
    sql: `${CANDIDATE} WHERE (rc.run, rc.arm, rc.version) > (?, ?, ?) ORDER BY rc.run, rc.arm, rc.version LIMIT ?`,
    key: ['run', 'arm', 'version'],
    check: ({ path }, row) => toCandidate(path, row),
  },
  {
    sql: `${EVALUATION} WHERE e.ref > ? ORDER BY e.ref LIMIT ?`,
    key: ['ref'],
    check: ({ path }, row) => toEvaluationSummary(path, row),
  },
  {
    sql: `SELECT v.*, e.id AS evaluation_id, t.id AS task_id FROM evaluation_scores v
      JOIN evaluations e ON e.ref = v.evaluation JOIN tasks t ON t.ref = v.task
      WHERE (v.evaluation, v.task) > (?, ?) ORDER BY v.evaluation, v.task LIMIT ?`,
    key: ['evaluation', 'task'],
    check: ({ path }, row) => toScored(path, String(row['evaluation_id']), String(row['task_id']), row),
  },
  {
    sql: 'SELECT ref, hash, CAST(text AS BLOB) AS text FROM texts WHERE ref > ? ORDER BY ref LIMIT ?',
    key: ['ref'],
    check: ({ path }, row) => checkLongText(path, row),
  },
  {
    sql: 'SELECT hash FROM blobs WHERE hash > ? ORDER BY hash LIMIT ?',
    key: ['hash'],
    check: (connection, row) => getBlob(connection, asId(String(row['hash']))),
  },
];

/** Groups whose kept counts or bounds do not fit their solutions. */
const WRONG_COUNTS = `
  SELECT g.ref, g.count, coalesce(s.n, 0) AS counted
  FROM experience_groups g
    LEFT JOIN (
      SELECT experience_group, count(*) AS n, sum(annotated) AS a, min(ref) AS low, max(ref) AS high
      FROM solutions GROUP BY 1
    ) s ON s.experience_group = g.ref
  WHERE g.run IN (SELECT run FROM run_summaries WHERE ${IS_HERE}) AND (g.count <> coalesce(s.n, 0) OR g.annotated <> coalesce(s.a, 0)
    OR s.low < g.first_solution OR s.high > g.last_solution)`;

function checkWhole(connection: Connection): readonly string[] {
  const problems = connection
    .all('PRAGMA integrity_check')
    .map((row) => String(row['integrity_check']))
    .filter((line) => line !== 'ok');
  for (const row of connection.all('PRAGMA foreign_key_check'))
    problems.push(`${String(row['table'])} row ${String(row['rowid'])} points at a missing row.`);
  problems.push(...stuckRows(connection));
  for (const row of connection.all(WRONG_COUNTS))
    problems.push(
      `Group ${String(row['ref'])} does not fit its experiences: it says ${String(row['count'])}, ${String(row['counted'])} are there.`,
    );
  const events = connection.get('SELECT count(*) AS n, coalesce(max(seq), 0) AS newest FROM events');
  const archived = archivedEvents(connection);
  if (Number(events?.['n']) + archived !== events?.['newest'])
    problems.push(
      `The newest event has number ${String(events?.['newest'])}, but there are ${String(events?.['n'])}, and ${archived} in archives.`,
    );
  return problems;
}

/** What a check found wrong, in words, or null. Anything but a failed check is the caller's to know. */
function complaint(check: () => unknown): string | null {
  try {
    check();
    return null;
  } catch (error) {
    if (error instanceof StoreError && error.code !== 'CLOSED') return error.message;
    throw error;
  }
}

async function walk(
  database: Pick<Database, 'read'>,
  { sql, key, check }: Walk,
  found: string[],
  pause: () => Promise<void>,
): Promise<number> {
  let after: readonly SqlValue[] = key.map((column) => (column === 'key' || column === 'hash' ? '' : START));
  let checked = 0;
  for (;;) {
    await pause();
    let rows: readonly Row[] = [];
    const unread = complaint(() => {
      rows = database.read((connection) => connection.all(sql, ...after, PORTION));
    });
    const wrong = rows.map((row) => complaint(() => database.read((connection) => check(connection, row))));
    for (const problem of [unread, ...wrong]) if (problem !== null) found.push(problem);
    checked += rows.length;
    const last = rows.at(-1);
    if (last === undefined || found.length >= MOST_PROBLEMS) return checked;
    after = key.map((column) => last[column] as SqlValue);
  }
}

/** `pause` is awaited between portions. Throws StoreError only when the store is closed meanwhile. */
export async function verifyStore(
  database: Pick<Database, 'read'>,
  pause: () => Promise<void>,
): Promise<Verification> {
  const problems: string[] = [];
  const unread = complaint(() => {
    // What is in memory says nothing about the file.
    database.read((connection) => connection.script('PRAGMA shrink_memory'));
    problems.push(...database.read(checkWhole));
  });
  if (unread !== null) problems.push(unread);
  let checked = 0;
  for (const next of WALKS) checked += await walk(database, next, problems, pause);
  return { ok: problems.length === 0, checked, problems: problems.slice(0, MOST_PROBLEMS) };
}
