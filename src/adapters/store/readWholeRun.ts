/**
 * Owns reading everything a store holds of a run, in the nouns it was committed as and in an order in which it can be
 * committed again. Deliberately reads in portions: a run may be larger than the memory.
 */
import type { Candidate, Evaluation } from '../../core/model/candidate.ts';
import type { Position, StoredEvent } from '../../core/model/event.ts';
import type { RunId } from '../../core/model/ids.ts';
import { asId, type ExperienceKey } from '../../core/model/ids.ts';
import type { Task } from '../../core/model/task.ts';
import type { RunDetail } from '../../core/model/views.ts';
import type { EffectRecord } from '../../core/model/effect.ts';
import type { Commit, NewRun } from '../../core/ports.ts';
import { listCandidates } from './candidates.ts';
import type { Connection, Row } from './connection.ts';
import { listEvaluations, toScored } from './evaluations.ts';
import {
  prefixed,
  SOLUTION_COLUMNS,
  TASK_COLUMNS,
  toFeedback,
  toRefinement,
  toSolution,
  toTask,
} from './experienceRows.ts';
import { toEffect } from './ledger.ts';
import { readRow } from './readRow.ts';
import { refOf } from './refs.ts';
import { listEvents } from './runs.ts';
import { ARMS } from './words.ts';

/** Read, and stored elsewhere, a portion at a time: some ten milliseconds for whoever waits behind it. */
const PORTION = 64;

/** Rows of a query whose last two parameters are the ref to go on after and the number of rows, portion by portion. */
function* portions(connection: Connection, sql: string, run: number): Generator<readonly Row[]> {
  for (let after = 0; ; ) {
    const rows = connection.all(sql, run, after, PORTION);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    after = Number(last['ref']);
  }
}

export function newRunOf({ run, recipeText }: RunDetail): NewRun {
  const { id, recipeName, recipePath, seed, rounds, arms, startedAt } = run;
  return { id, recipeName, recipePath, recipeText, seed, rounds, arms, startedAt };
}

export function* tasksOf(connection: Connection, runId: RunId): Generator<readonly Task[]> {
  const sql = `SELECT t.ref, ${TASK_COLUMNS} FROM run_tasks rt JOIN tasks t ON t.ref = rt.task
    WHERE rt.run = ? AND t.ref > ? ORDER BY t.ref LIMIT ?`;
  for (const rows of portions(connection, sql, refOf(connection, 'runs', runId)))
    yield rows.map((row) => toTask(connection.path, prefixed(row, 'task_')));
}

export function candidatesOf(
  connection: Connection,
  runId: RunId,
): readonly (Candidate & { readonly at: Position })[] {
  return listCandidates(connection, runId).map(({ candidate, at }) => ({ ...candidate, at }));
}

/** Solutions in the order they were stored, with all that was said about them. */
export function* experiencesOf(
  connection: Connection,
  runId: RunId,
): Generator<Required<Pick<Commit, 'solutions' | 'feedback' | 'refinements'>>> {
  const { path } = connection;
  const sql = `SELECT s.ref, s.key, s.step, g.arm, g.round, ${SOLUTION_COLUMNS}
    FROM solutions s
      JOIN solution_texts x ON x.solution = s.ref
      JOIN tasks t ON t.ref = s.task
      JOIN candidates c ON c.ref = s.candidate
      JOIN experience_groups g ON g.ref = s.experience_group
    WHERE s.run = ? AND s.ref > ? ORDER BY s.ref LIMIT ?`;
  const said = (table: 'feedback' | 'refinements', solution: number): readonly Row[] =>
    connection.all(`SELECT * FROM ${table} WHERE solution = ? ORDER BY position`, solution);
  for (const rows of portions(connection, sql, refOf(connection, 'runs', runId))) {
    const items = rows.map((row) => {
      const solution = toSolution(path, prefixed(row, 'solution_'));
      const reader = readRow(path, `solution ${solution.id}`, row);
      const at = { arm: reader.word('arm', ARMS), round: reader.number('round'), step: reader.text('step') };
      const ref = reader.number('ref');
      return {
        solution: { ...solution, at, key: asId<ExperienceKey>(reader.text('key')) },
        feedback: said('feedback', ref).map((item) => toFeedback(path, solution.id, item)),
        refinements: said('refinements', ref).map((item) => toRefinement(path, solution.id, item)),
      };
    });
    yield {
      solutions: items.map(({ solution }) => solution),
      feedback: items.flatMap(({ feedback }) => feedback),
      refinements: items.flatMap(({ refinements }) => refinements),
    };
  }
}

function* scoresOf(connection: Connection, evaluationId: string): Generator<Evaluation['scores'][number]> {
  const rows = connection.all(
    `SELECT v.*, t.id AS task_id FROM evaluation_scores v JOIN tasks t ON t.ref = v.task
     WHERE v.evaluation = ? ORDER BY v.task`,
    refOf(connection, 'evaluations', evaluationId),
  );
  for (const row of rows) {
    const taskId = String(row['task_id']);
    yield { taskId: asId(taskId), ...toScored(connection.path, evaluationId, taskId, row) };
  }
}

/** In the order they were made. */
export function* evaluationsOf(
  connection: Connection,
  runId: RunId,
): Generator<Evaluation & { readonly at: Position }> {
  for (const { id, at, candidateId, suite, temperature, mean, interval } of listEvaluations(
    connection,
    runId,
  ))
    yield { id, at, candidateId, suite, temperature, mean, interval, scores: [...scoresOf(connection, id)] };
}

export function* eventsOf(connection: Connection, runId: RunId): Generator<StoredEvent> {
  for (let after = 0; ; ) {
    const page = listEvents(connection, runId, after, PORTION);
    const last = page.at(-1);
    if (last === undefined) return;
    yield* page;
    after = last.seq;
  }
}

export function* effectsOf(connection: Connection, runId: RunId): Generator<readonly EffectRecord[]> {
  const sql = 'SELECT * FROM effects WHERE run = ? AND ref > ? ORDER BY ref LIMIT ?';
  for (const rows of portions(connection, sql, refOf(connection, 'runs', runId)))
    yield rows.map((row) => toEffect(connection.path, row));
}
