/**
 * Owns pages of experiences in the order they were stored. A filter names groups (experienceGroups.ts); their members are
 * merged by row number, so that a page costs the same at any depth. Deliberately without OFFSET and without a sort.
 */
import type { Refinement } from '../../core/model/feedback.ts';
import { asId } from '../../core/model/ids.ts';
import type { ExperienceFilter, ExperiencePage, ExperienceSummary } from '../../core/model/views.ts';
import { StoreError } from '../../core/ports.ts';
import type { Connection, Row } from './connection.ts';
import { groupsOf, type ExperienceGroup } from './experienceGroups.ts';
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
import { refOf } from './refs.ts';
import { ARMS, GROUP_VERDICTS } from './words.ts';

const LARGEST_PAGE = 1000;
/** Row numbers of a group read at once. */
const READ_AHEAD = 64;

function matches(group: ExperienceGroup, filter: ExperienceFilter): boolean {
  return (
    (filter.arm === undefined || group.arm === filter.arm) &&
    (filter.round === undefined || group.round === filter.round) &&
    (filter.verdict === undefined || group.verdict === filter.verdict) &&
    (filter.annotated !== true || group.annotated > 0) &&
    (filter.annotated !== false || group.annotated < group.count)
  );
}

const refsIn = (rows: readonly Row[]): number[] => rows.map((row) => Number(row['ref']));

/** Row numbers of annotated solutions in any of the groups: few, and found by an index of their own. */
function annotatedRefs(
  connection: Connection,
  run: number,
  groups: readonly ExperienceGroup[],
  after: number,
  limit: number,
): readonly number[] {
  return refsIn(
    connection.all(
      `SELECT ref FROM solutions WHERE run = ? AND annotated = 1 AND ref > ?
         AND experience_group IN (SELECT value FROM json_each(?)) ORDER BY ref LIMIT ?`,
      run,
      after,
      JSON.stringify(groups.map(({ ref }) => ref)),
      limit,
    ),
  );
}

/** A group being merged: row numbers read ahead, and where to go on. */
interface Cursor {
  readonly group: number;
  ahead: number[];
  /** Nothing before this is left: the next row number once `ahead` holds it, a lower bound until then. */
  next: number;
}

function smallest(cursors: ReadonlySet<Cursor>): Cursor | null {
  let found: Cursor | null = null;
  for (const cursor of cursors) if (found === null || cursor.next < found.next) found = cursor;
  return found;
}

/**
 * The smallest `limit` row numbers over `after` in all the groups: always on with the group whose next is smallest.
 * A group is not read before its turn comes, so that a run of many rounds costs no more than one of few.
 */
function mergedRefs(
  connection: Connection,
  groups: readonly ExperienceGroup[],
  after: number,
  limit: number,
  unannotatedOnly: boolean,
): readonly number[] {
  const sql = `SELECT ref FROM solutions WHERE experience_group = ? AND ref >= ? ${unannotatedOnly ? 'AND annotated = 0' : ''}
    ORDER BY ref LIMIT ?`;
  const cursors = new Set<Cursor>(
    groups
      .filter(({ last }) => last > after)
      .map(({ ref, first }) => ({ group: ref, ahead: [], next: Math.max(first, after + 1) })),
  );
  const found: number[] = [];
  for (let cursor = smallest(cursors); cursor !== null && found.length < limit; cursor = smallest(cursors)) {
    const head = cursor.ahead.shift();
    if (head === undefined) {
      const count = Math.min(READ_AHEAD, limit - found.length);
      cursor.ahead = refsIn(connection.all(sql, cursor.group, cursor.next, count));
      if (cursor.ahead.length === 0) cursors.delete(cursor);
      else cursor.next = cursor.ahead[0] as number;
      continue;
    }
    found.push(head);
    cursor.next = cursor.ahead[0] ?? head + 1;
  }
  return found;
}

interface Reasons {
  readonly refinement: ReadonlyMap<number, Refinement>;
  readonly feedback: ReadonlyMap<number, string>;
}

/** The newest refinement and the newest reason of a feedback, by solution. */
function reasonsOf(connection: Connection, refs: string): Reasons {
  const all = (table: string): readonly Row[] =>
    connection.all(
      `SELECT * FROM ${table} WHERE solution IN (SELECT value FROM json_each(?)) ORDER BY solution, position`,
      refs,
    );
  const refinement = new Map<number, Refinement>();
  for (const row of all('refinements'))
    refinement.set(Number(row['solution']), toRefinement(connection.path, '', row));
  const feedback = new Map<number, string>();
  for (const row of all('feedback')) {
    const { reason } = toFeedback(connection.path, '', row);
    if (reason !== undefined) feedback.set(Number(row['solution']), reason);
  }
  return { refinement, feedback };
}

function toSummary(path: string, row: Row, reasons: Reasons): ExperienceSummary {
  const solution = toSolution(path, prefixed(row, 'solution_'));
  const task = toTask(path, prefixed(row, 'task_'));
  const annotation = toAnnotation(path, prefixed(row, 'annotation_'));
  const reader = readRow(path, `solution ${solution.id}`, row);
  const verdict = reader.word('verdict', GROUP_VERDICTS);
  const ref = reader.number('ref');
  const judged =
    annotation?.verdict === null || annotation === null ? null : Number(annotation.verdict === 'accept');
  return {
    solutionId: solution.id,
    taskId: task.id,
    at: { arm: reader.word('arm', ARMS), round: reader.number('round'), step: reader.text('step') },
    input: task.input,
    output: solution.output,
    answer: solution.answer,
    score: annotation?.score ?? judged ?? reader.numberOrNull('score'),
    verdict: verdict === 'unrefined' ? null : verdict,
    reason: reasons.refinement.get(ref)?.reason ?? reasons.feedback.get(ref) ?? '',
    annotation,
  };
}

function summaries(connection: Connection, refs: readonly number[]): readonly ExperienceSummary[] {
  if (refs.length === 0) return [];
  const list = JSON.stringify(refs);
  const reasons = reasonsOf(connection, list);
  return connection
    .all(
      `SELECT s.ref, s.step, s.score, g.arm, g.round, g.verdict, ${SOLUTION_COLUMNS}, ${TASK_COLUMNS}, ${ANNOTATION_COLUMNS}
       FROM json_each(?) j
         CROSS JOIN solutions s ON s.ref = j.value
         JOIN solution_texts x ON x.solution = s.ref
         JOIN tasks t ON t.ref = s.task
         JOIN run_tasks rt ON rt.run = s.run AND rt.task = s.task
         JOIN candidates c ON c.ref = s.candidate
         JOIN experience_groups g ON g.ref = s.experience_group
         LEFT JOIN annotations a ON s.annotated = 1 AND a.key = s.key
         LEFT JOIN solutions o ON o.ref = a.solution
       ORDER BY j.key`,
      list,
    )
    .map((row) => toSummary(connection.path, row, reasons));
}

/** `after` is a page's `next`. Throws StoreError for a limit outside 1 to 1,000 or a place no page gave. */
export function experiencePage(
  connection: Connection,
  filter: ExperienceFilter,
  after: string | null,
  limit: number,
): ExperiencePage {
  const start = after === null ? 0 : Number(after);
  if (
    !Number.isSafeInteger(start) ||
    start < 0 ||
    !Number.isInteger(limit) ||
    limit < 1 ||
    limit > LARGEST_PAGE
  )
    throw new StoreError(
      `A page has 1 to ${LARGEST_PAGE} experiences and begins where another ended.`,
      'RANGE',
    );
  const run = refOf(connection, 'runs', asId(filter.runId));
  const groups = groupsOf(connection, run).filter((group) => matches(group, filter));
  // One more than asked for says whether there is a next page.
  const refs =
    filter.annotated === true
      ? annotatedRefs(connection, run, groups, start, limit + 1)
      : mergedRefs(connection, groups, start, limit + 1, filter.annotated === false);
  const shown = refs.slice(0, limit);
  return {
    items: summaries(connection, shown),
    next: refs.length > limit ? String(shown.at(-1)) : null,
  };
}
