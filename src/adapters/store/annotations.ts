/**
 * Owns a person's judgements: one for each (input, output), whichever runs met it, and the marks they leave on solutions
 * and counts. Deliberately writes no feedback: a run reads judgements into its ledger when a round begins.
 */
import type { Annotation } from '../../core/model/feedback.ts';
import type { Task } from '../../core/model/task.ts';
import { StoreError } from '../../core/ports.ts';
import type { Connection } from './connection.ts';
import { tallyGroups } from './experienceGroups.ts';
import {
  ANNOTATION_COLUMNS,
  annotationChecksum,
  prefixed,
  SOLUTION_COLUMNS,
  TASK_COLUMNS,
  toAnnotation,
  toSolution,
  toTask,
} from './experienceRows.ts';
import { encodeText } from './payload.ts';
import { refOf } from './refs.ts';
import { solutionsMayHaveKey } from './solutionLookup.ts';

/** Marks every solution with this key, in every run, and moves the counts along. */
function mark(connection: Connection, key: string, annotated: 0 | 1): void {
  const tally = tallyGroups(connection);
  const solutions = JSON.stringify(solutionsMayHaveKey(connection, key));
  const groups = connection.all(
    `SELECT experience_group, count(*) AS n FROM solutions
     WHERE ref IN (SELECT value FROM json_each(?)) AND key = ? AND annotated <> ? GROUP BY experience_group`,
    solutions,
    key,
    annotated,
  );
  for (const row of groups)
    tally.annotate(Number(row['experience_group']), (annotated === 1 ? 1 : -1) * Number(row['n']));
  connection.run(
    `UPDATE solutions SET annotated = ?
     WHERE ref IN (SELECT value FROM json_each(?)) AND key = ? AND annotated <> ?`,
    annotated,
    solutions,
    key,
    annotated,
  );
  tally.settle();
}

/** Stores, replaces or (when it says nothing) removes a judgement, inside the caller's transaction. */
export function annotate(connection: Connection, annotation: Annotation): void {
  const { key, verdict, score, note } = annotation;
  const solution = refOf(connection, 'solutions', annotation.solutionId);
  if (connection.get('SELECT key FROM solutions WHERE ref = ?', solution)?.['key'] !== key)
    throw new StoreError(
      `Solution ${annotation.solutionId} is not of the experience that was judged.`,
      'UNKNOWN',
    );
  if (verdict === null && score === null && note === '') {
    connection.run('DELETE FROM annotations WHERE key = ?', key);
    mark(connection, key, 0);
    return;
  }
  connection.run(
    'INSERT OR REPLACE INTO annotations (key, solution, verdict, score, note, time, checksum) VALUES (?, ?, ?, ?, ?, ?, ?)',
    key,
    solution,
    verdict,
    score,
    encodeText(note),
    annotation.time,
    annotationChecksum(annotation),
  );
  mark(connection, key, 1);
}

export function listAnnotations(
  connection: Connection,
): readonly (Annotation & { readonly task: Task; readonly output: string })[] {
  const { path } = connection;
  return connection
    .all(
      `SELECT ${SOLUTION_COLUMNS}, ${TASK_COLUMNS}, ${ANNOTATION_COLUMNS}
       FROM annotations a
         JOIN solutions s ON s.ref = a.solution
         JOIN solutions o ON o.ref = s.ref
         JOIN solution_texts x ON x.solution = s.ref
         JOIN tasks t ON t.ref = s.task
         JOIN run_tasks rt ON rt.run = s.run AND rt.task = s.task
         JOIN candidates c ON c.ref = s.candidate
       ORDER BY a.key`,
    )
    .flatMap((row) => {
      const annotation = toAnnotation(path, prefixed(row, 'annotation_'));
      if (annotation === null) return [];
      const task = toTask(path, prefixed(row, 'task_'));
      return [{ ...annotation, task, output: toSolution(path, prefixed(row, 'solution_')).output }];
    });
}
