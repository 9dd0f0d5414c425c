/** Owns turning rows into tasks, solutions, feedback, refinements and annotations, each checked as it is read. */
import type { Annotation, Feedback, FeedbackValue, Refinement } from '../../core/model/feedback.ts';
import { asId, type FeedbackId } from '../../core/model/ids.ts';
import type { Solution, Task } from '../../core/model/task.ts';
import type { Row, SqlValue } from './connection.ts';
import { OUTPUT } from './longTexts.ts';
import { checksum } from './payload.ts';
import { readRow } from './readRow.ts';
import { FINISHES, SOURCES, SPLITS, VERDICTS } from './words.ts';
import { feedbackChecksum, refinementChecksum, taskChecksum } from './writeExperiences.ts';

/** The columns of a row that were selected under a prefix, without it. */
export function prefixed(row: Row, prefix: string): Row {
  const part: Record<string, SqlValue> = {};
  for (const [column, value] of Object.entries(row))
    if (column.startsWith(prefix)) part[column.slice(prefix.length)] = value;
  return part;
}

/** A task as a run has it. `t` is the alias of tasks, `rt` of run_tasks. */
export const TASK_COLUMNS = `t.id AS task_id, rt.split AS task_split, t.input AS task_input, t.context AS task_context,
  t.reference AS task_reference, t.details AS task_details, t.checksum AS task_checksum`;

export function toTask(path: string, row: Row): Task {
  const id = String(row['id']);
  const reader = readRow(path, `task ${id}`, row);
  const context = reader.textOrNull('context');
  const reference = reader.textOrNull('reference');
  const details = reader.textOrNull('details');
  const input = reader.text('input');
  reader.verify(taskChecksum(id, input, context, reference, details));
  return {
    id: asId(id),
    split: reader.word('split', SPLITS),
    input,
    ...(context === null ? {} : { context }),
    ...(reference === null ? {} : { reference }),
    ...(details === null ? {} : reader.json<Pick<Task, 'choices' | 'tests' | 'entryPoint'>>('details')),
  };
}

/** `s` is the alias of solutions, `x` of solution_texts, `c` of candidates. */
export const SOLUTION_COLUMNS = `s.id AS solution_id, t.id AS solution_task, c.id AS solution_candidate,
  s.sample AS solution_sample, ${OUTPUT} AS solution_output, x.answer AS solution_answer,
  s.temperature AS solution_temperature, s.finish AS solution_finish, s.input_tokens AS solution_input_tokens,
  s.output_tokens AS solution_output_tokens, x.checksum AS solution_checksum`;

export function toSolution(path: string, row: Row): Solution {
  const id = String(row['id']);
  const reader = readRow(path, `solution ${id}`, row);
  const solution: Solution = {
    id: asId(id),
    taskId: asId(reader.text('task')),
    candidateId: asId(reader.text('candidate')),
    sample: reader.number('sample'),
    output: reader.text('output'),
    answer: reader.textOrNull('answer'),
    temperature: reader.number('temperature'),
    finish: reader.word('finish', FINISHES),
    usage: { input: reader.numberOrNull('input_tokens'), output: reader.numberOrNull('output_tokens') },
  };
  reader.verify(checksum(id, solution.output, solution.answer));
  return solution;
}

export function toFeedback(path: string, solutionId: string, row: Row): Feedback {
  const id = String(row['id']);
  const reader = readRow(path, `feedback ${id}`, row);
  const reason = reader.textOrNull('reason');
  const feedback: Feedback = {
    id: asId(id),
    solutionId: asId(solutionId),
    source: reader.word('source', SOURCES),
    by: reader.text('given_by'),
    value: reader.json<FeedbackValue>('value'),
    ...(reason === null ? {} : { reason }),
  };
  reader.verify(feedbackChecksum(feedback));
  return feedback;
}

export function toRefinement(path: string, solutionId: string, row: Row): Refinement {
  const id = String(row['id']);
  const reader = readRow(path, `refinement ${id}`, row);
  const refinement: Refinement = {
    id: asId(id),
    solutionId: asId(solutionId),
    verdict: reader.word('verdict', VERDICTS),
    reason: reader.text('reason'),
    cites: reader.json<readonly FeedbackId[]>('cites'),
  };
  reader.verify(refinementChecksum(refinement));
  return refinement;
}

/** `a` is the alias of annotations, `s` of the solution it was made on. */
export const ANNOTATION_COLUMNS = `a.key AS annotation_key, o.id AS annotation_solution, a.verdict AS annotation_verdict,
  a.score AS annotation_score, a.note AS annotation_note, a.time AS annotation_time, a.checksum AS annotation_checksum`;

export function annotationChecksum(annotation: Annotation): number {
  const { key, solutionId, verdict, score, note, time } = annotation;
  return checksum(key, solutionId, verdict, score, note, time);
}

export function toAnnotation(path: string, row: Row): Annotation | null {
  if (row['key'] === null || row['key'] === undefined) return null;
  const key = String(row['key']);
  const reader = readRow(path, `the annotation of experience ${key}`, row);
  const annotation: Annotation = {
    key: asId(key),
    solutionId: asId(reader.text('solution')),
    verdict: row['verdict'] === null ? null : reader.word('verdict', ['accept', 'reject'] as const),
    score: reader.numberOrNull('score'),
    note: reader.text('note'),
    time: reader.number('time'),
  };
  reader.verify(annotationChecksum(annotation));
  return annotation;
}
