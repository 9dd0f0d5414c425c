/** Owns reading evaluations and what changed from one to the next. Deliberately scores nothing. */
import type { Interval } from '../../core/model/candidate.ts';
import { asId, type EvaluationId, type RunId } from '../../core/model/ids.ts';
import type { ChangedTask, EvaluationDetail, EvaluationSummary } from '../../core/model/views.ts';
import type { Connection, Row } from './connection.ts';
import { prefixed, TASK_COLUMNS, toTask } from './experienceRows.ts';
import { checksum } from './payload.ts';
import { readRow } from './readRow.ts';
import { refOf } from './refs.ts';
import { ARMS, SUITES } from './words.ts';
import { evaluationChecksum } from './writeCandidates.ts';

export const EVALUATION = `
  SELECT e.*, c.id AS candidate_id, r.id AS run_id
  FROM evaluations e JOIN candidates c ON c.ref = e.candidate JOIN runs r ON r.ref = e.run`;

export function toEvaluationSummary(path: string, row: Row): EvaluationSummary {
  const id = asId<EvaluationId>(String(row['id']));
  const reader = readRow(path, `evaluation ${id}`, row);
  const summary: EvaluationSummary = {
    id,
    runId: asId(reader.text('run_id')),
    at: { arm: reader.word('arm', ARMS), round: reader.number('round'), step: reader.text('step') },
    candidateId: asId(reader.text('candidate_id')),
    suite: reader.word('suite', SUITES),
    temperature: reader.number('temperature'),
    tasks: reader.number('tasks'),
    mean: reader.number('mean'),
    interval: reader.json<Interval>('interval'),
  };
  reader.verify(evaluationChecksum(summary));
  return summary;
}

/** In the order they were made. */
export function listEvaluations(connection: Connection, runId: RunId): readonly EvaluationSummary[] {
  const run = refOf(connection, 'runs', runId);
  return connection
    .all(`${EVALUATION} WHERE e.run = ? ORDER BY e.ref`, run)
    .map((row) => toEvaluationSummary(connection.path, row));
}

/** One score with its output. */
export function toScored(path: string, evaluationId: string, taskId: string, row: Row) {
  const reader = readRow(path, `the score of task ${taskId} in evaluation ${evaluationId}`, row);
  const score = reader.number('score');
  const output = reader.text('output');
  reader.verify(checksum(evaluationId, taskId, score, output));
  return { score, output };
}

function changedTasks(
  connection: Connection,
  run: number,
  before: { readonly ref: number; readonly summary: EvaluationSummary },
  after: { readonly ref: number; readonly summary: EvaluationSummary },
): readonly ChangedTask[] {
  const { path } = connection;
  return connection
    .all(
      `SELECT ${TASK_COLUMNS}, b.score AS before_score, b.output AS before_output, b.checksum AS before_checksum,
         n.score AS after_score, n.output AS after_output, n.checksum AS after_checksum
       FROM evaluation_scores n
         JOIN evaluation_scores b ON b.evaluation = ? AND b.task = n.task AND b.score <> n.score
         JOIN tasks t ON t.ref = n.task
         JOIN run_tasks rt ON rt.run = ? AND rt.task = n.task
       WHERE n.evaluation = ? ORDER BY n.task`,
      before.ref,
      run,
      after.ref,
    )
    .map((row) => {
      const task = toTask(path, prefixed(row, 'task_'));
      return {
        task,
        before: toScored(path, before.summary.id, task.id, prefixed(row, 'before_')),
        after: toScored(path, after.summary.id, task.id, prefixed(row, 'after_')),
      };
    });
}

export function readEvaluation(connection: Connection, id: EvaluationId): EvaluationDetail | null {
  const row = connection.get(`${EVALUATION} WHERE e.id = ?`, id);
  if (row === null) return null;
  const summary = toEvaluationSummary(connection.path, row);
  const earlier =
    row['previous'] === null
      ? null
      : connection.get(`${EVALUATION} WHERE e.ref = ?`, Number(row['previous']));
  if (earlier === null) return { summary, previous: null, changed: [] };
  const previous = toEvaluationSummary(connection.path, earlier);
  const changed = changedTasks(
    connection,
    Number(row['run']),
    { ref: Number(earlier['ref']), summary: previous },
    { ref: Number(row['ref']), summary },
  );
  return { summary, previous, changed };
}
