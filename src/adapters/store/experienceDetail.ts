/** Owns one experience with everything said about it. Deliberately for one at a time; lists are experiencePages.ts. */
import type { RunId, SolutionId } from '../../core/model/ids.ts';
import { asId } from '../../core/model/ids.ts';
import type { ExperienceDetail } from '../../core/model/views.ts';
import { candidateInRun } from './candidates.ts';
import type { Connection } from './connection.ts';
import {
  ANNOTATION_COLUMNS,
  prefixed,
  SOLUTION_COLUMNS,
  TASK_COLUMNS,
  toAnnotation,
  toFeedback,
  toRefinement,
  toSolution,
  toTask,
} from './experienceRows.ts';
import { readRow } from './readRow.ts';
import { findSolution } from './solutionLookup.ts';
import { ARMS, IS_HERE } from './words.ts';

export function readExperience(connection: Connection, id: SolutionId): ExperienceDetail | null {
  const { path } = connection;
  const ref = findSolution(connection, id);
  if (ref === null) return null;
  const row = connection.get(
    `SELECT s.run, s.candidate, s.step, g.arm, g.round, r.id AS run_id, r.recipe_name,
       ${SOLUTION_COLUMNS}, ${TASK_COLUMNS}, ${ANNOTATION_COLUMNS}
     FROM solutions s
       JOIN solution_texts x ON x.solution = s.ref
       JOIN tasks t ON t.ref = s.task
       JOIN run_tasks rt ON rt.run = s.run AND rt.task = s.task
       JOIN candidates c ON c.ref = s.candidate
       JOIN experience_groups g ON g.ref = s.experience_group
       JOIN runs r ON r.ref = s.run
       JOIN run_summaries u ON u.run = s.run AND u.${IS_HERE}
       LEFT JOIN annotations a ON s.annotated = 1 AND a.key = s.key
       LEFT JOIN solutions o ON o.ref = a.solution
     WHERE s.ref = ?`,
    ref,
  );
  if (row === null) return null;
  const reader = readRow(path, `solution ${id}`, row);
  const arm = reader.word('arm', ARMS);
  const said = (table: string) =>
    connection.all(`SELECT * FROM ${table} WHERE solution = ? ORDER BY position`, ref);
  const refinement = said('refinements').at(-1);
  return {
    runId: asId<RunId>(reader.text('run_id')),
    recipeName: reader.text('recipe_name'),
    at: { arm, round: reader.number('round'), step: reader.text('step') },
    task: toTask(path, prefixed(row, 'task_')),
    solution: toSolution(path, prefixed(row, 'solution_')),
    candidate: candidateInRun(connection, reader.number('candidate'), reader.number('run'), arm),
    feedback: said('feedback').map((item) => toFeedback(path, id, item)),
    refinement: refinement === undefined ? null : toRefinement(path, id, refinement),
    annotation: toAnnotation(path, prefixed(row, 'annotation_')),
  };
}
