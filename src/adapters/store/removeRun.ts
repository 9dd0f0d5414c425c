/**
 * Owns taking a run out of a store after it was archived: hidden in one small transaction, then its rows, slice by slice.
 * What others need stays: a judgement moves to an equal solution of another run, else its solution stays; tasks and
 * candidates stay, which other runs may share; the newest solution, event and answer stay, whose numbers must not be given
 * again. The run's own row stays, too, so that an import finds what is left of it. Deliberately knows no file.
 */
import { crc32 } from 'node:zlib';
import type { RunId } from '../../core/model/ids.ts';
import { StoreError } from '../../core/ports.ts';
import type { Connection, Row } from './connection.ts';
import type { Database } from './database.ts';
import { longTextsOf, removeUnused } from './longTexts.ts';
import { encodeText } from './payload.ts';
import { refOf } from './refs.ts';
import { solutionsMayHaveKey } from './solutionLookup.ts';
import { IS_HERE } from './words.ts';

/** Rows a slice removes: a few milliseconds for a commit that waits behind it. */
const SLICE = 128;

const numberOf = (row: Row | null, name: string): number => Number(row?.[name] ?? 0);

/** Judgements of this run's experiences that an equal experience of another run can carry. */
function moveJudgements(connection: Connection, run: number): void {
  const judged = connection.all(
    'SELECT a.key FROM annotations a JOIN solutions s ON s.ref = a.solution WHERE s.run = ?',
    run,
  );
  for (const { key } of judged) {
    const others = connection.get(
      `SELECT s.ref FROM json_each(?) j CROSS JOIN solutions s ON s.ref = j.value
         CROSS JOIN run_summaries r ON r.run = s.run
       WHERE s.key = ? AND s.run <> ? AND r.${IS_HERE} ORDER BY s.ref DESC LIMIT 1`,
      JSON.stringify(solutionsMayHaveKey(connection, String(key))),
      String(key),
      run,
    );
    if (others !== null)
      connection.run(
        'UPDATE annotations SET solution = ? WHERE key = ?',
        numberOf(others, 'ref'),
        String(key),
      );
  }
}

const wentOnError = (): StoreError =>
  new StoreError('The run went on meanwhile, so it was not archived. Pause it first.', 'BUSY');

/** Throws StoreError for a run that goes on. */
export function checkStandsStill(connection: Connection, runId: RunId): void {
  const run = refOf(connection, 'runs', runId);
  const sql = "SELECT 1 FROM run_summaries WHERE run = ? AND status = 'running'";
  if (connection.get(sql, run) !== null) throw wentOnError();
}

/**
 * Hides a run, inside the caller's transaction: from here on it is not listed, found or counted. `message` says where it
 * went. Throws StoreError for a run that is not here, or that goes on.
 */
export function hideRun(connection: Connection, runId: RunId, message: string): void {
  const run = refOf(connection, 'runs', runId);
  const changed = connection.run(
    `UPDATE run_summaries SET status = 'leaving', message = ? WHERE run = ? AND status <> 'running' AND ${IS_HERE}`,
    encodeText(message),
    run,
  );
  if (changed === 0) throw wentOnError();
  moveJudgements(connection, run);
  connection.run('UPDATE experience_groups SET count = 0, annotated = 0 WHERE run = ?', run);
}

/** The run that is being taken out, or null. */
function leavingRun(connection: Connection): number | null {
  const row = connection.get("SELECT run FROM run_summaries WHERE status = 'leaving' LIMIT 1");
  return row === null ? null : numberOf(row, 'run');
}

const hashOf = (text: unknown): number => crc32(String(text)) | 0;

function removeSolutions(connection: Connection, run: number): number {
  const rows = connection.all(
    `SELECT ref, id, key FROM solutions
     WHERE experience_group IN (SELECT ref FROM experience_groups WHERE run = ?)
       AND ref NOT IN (SELECT solution FROM annotations) AND ref <> (SELECT max(ref) FROM solutions)
     LIMIT ?`,
    run,
    SLICE,
  );
  if (rows.length === 0) return 0;
  const refs = JSON.stringify(rows.map((row) => row['ref']));
  const texts = longTextsOf(connection, refs);
  for (const [table, column] of [
    ['feedback', 'solution'],
    ['refinements', 'solution'],
    ['solution_texts', 'solution'],
    ['solutions', 'ref'],
  ] as const)
    connection.run(`DELETE FROM ${table} WHERE ${column} IN (SELECT value FROM json_each(?))`, refs);
  removeUnused(connection, texts);
  for (const [table, text] of [
    ['solution_ids', 'id'],
    ['solution_keys', 'key'],
  ] as const)
    for (const row of rows)
      connection.run(
        `DELETE FROM ${table} WHERE hash = ? AND solution = ?`,
        hashOf(row[text]),
        numberOf(row, 'ref'),
      );
  return rows.length;
}

/** How many events of the workspace are in archives only. */
export function archivedEvents(connection: Connection): number {
  return numberOf(connection.get("SELECT solution AS n FROM reached WHERE work = 'archived events'"), 'n');
}

function countArchivedEvents(connection: Connection, events: number): void {
  connection.run(
    `INSERT INTO reached (work, solution) VALUES ('archived events', ?1)
     ON CONFLICT (work) DO UPDATE SET solution = solution + ?1`,
    events,
  );
}

function removeEvents(connection: Connection, run: number): number {
  const removed = connection.run(
    `DELETE FROM events WHERE seq IN (
       SELECT seq FROM events WHERE run = ? AND seq <> (SELECT max(seq) FROM events) LIMIT ?)`,
    run,
    SLICE,
  );
  if (removed > 0) countArchivedEvents(connection, removed);
  return removed;
}

function removeEffects(connection: Connection, run: number): number {
  return connection.run(
    `DELETE FROM effects WHERE ref IN (
       SELECT ref FROM effects WHERE run = ? AND ref <> (SELECT max(ref) FROM effects) LIMIT ?)`,
    run,
    SLICE,
  );
}

/** Newest first: each points at the one before it. */
function removeEvaluations(connection: Connection, run: number): number {
  const newest = connection.get('SELECT max(ref) AS ref FROM evaluations WHERE run = ?', run)?.['ref'];
  if (typeof newest !== 'number') return 0;
  const scores = connection.run(
    `DELETE FROM evaluation_scores WHERE evaluation = ?1 AND task IN (
       SELECT task FROM evaluation_scores WHERE evaluation = ?1 LIMIT ?2)`,
    newest,
    SLICE,
  );
  if (scores < SLICE) connection.run('DELETE FROM evaluations WHERE ref = ?', newest);
  return 1;
}

/** Weights of this run's candidates that no other run's candidate has; one at a time, for they may be large. */
function removeWeights(connection: Connection, run: number): number {
  return connection.run(
    `DELETE FROM blobs WHERE hash = (
       SELECT b.hash FROM run_candidates rc JOIN candidates c ON c.ref = rc.candidate
         JOIN blobs b ON b.hash = c.state ->> '$.weights'
       WHERE rc.run = ?1 AND NOT EXISTS (
         SELECT 1 FROM run_candidates o JOIN candidates d ON d.ref = o.candidate
         WHERE o.run <> ?1 AND d.state ->> '$.weights' = b.hash)
       LIMIT 1)`,
    run,
  );
}

/** What is few; the tasks of solutions that stay keep theirs. */
function removeRest(connection: Connection, run: number): void {
  connection.run(
    `DELETE FROM run_tasks WHERE run = ?1 AND task NOT IN (
       SELECT task FROM solutions WHERE experience_group IN (SELECT ref FROM experience_groups WHERE run = ?1))`,
    run,
  );
  connection.run(
    `DELETE FROM experience_groups WHERE run = ? AND ref NOT IN (
       SELECT experience_group FROM solutions WHERE experience_group IN (SELECT ref FROM experience_groups WHERE run = ?))`,
    run,
    run,
  );
  for (const table of ['run_candidates', 'run_steps', 'run_rounds'])
    connection.run(`DELETE FROM ${table} WHERE run = ?`, run);
  connection.run("UPDATE run_summaries SET status = 'archived' WHERE run = ?", run);
}

/** Removes one slice of a hidden run, inside the caller's transaction; whether more of it is left. */
function removeSlice(connection: Connection, run: number): boolean {
  for (const remove of [removeSolutions, removeEvaluations, removeEffects, removeEvents, removeWeights])
    if (remove(connection, run) > 0) return true;
  removeRest(connection, run);
  return false;
}

/** Awaited between slices. */
export type Pause = () => Promise<void>;

/** Takes out what is left of a run that is leaving; once all of it is out there is nothing to do. */
export async function finishRemoval(database: Database, pause: Pause, afterSlice: () => void): Promise<void> {
  for (;;) {
    const run = database.read(leavingRun);
    if (run === null) return;
    database.transact((connection) => removeSlice(connection, run));
    afterSlice();
    await pause();
  }
}

/**
 * Makes what is left of an archived run ready to be completed by an import, inside the caller's transaction. Does nothing
 * to a run that is here.
 */
export function reviveRemnants(connection: Connection, runId: RunId): void {
  const run = refOf(connection, 'runs', runId);
  const revived = connection.run(
    `UPDATE run_summaries SET status = 'running', message = '' WHERE run = ? AND NOT ${IS_HERE}`,
    run,
  );
  if (revived === 0) return;
  connection.run(
    `UPDATE experience_groups SET
       count = (SELECT count(*) FROM solutions s WHERE s.experience_group = experience_groups.ref),
       annotated = (SELECT coalesce(sum(s.annotated), 0) FROM solutions s WHERE s.experience_group = experience_groups.ref)
     WHERE run = ?`,
    run,
  );
  // The newest event may be this run's: its number stays taken, the import brings it under another.
  connection.run(`UPDATE events SET digest = zeroblob(16) WHERE run = ?`, run);
}

/** Removes the event whose number was kept, once the import has brought all. */
export function removeStaleEvent(connection: Connection, run: number): void {
  const removed = connection.run('DELETE FROM events WHERE run = ? AND digest = zeroblob(16)', run);
  if (removed > 0) countArchivedEvents(connection, removed);
}
