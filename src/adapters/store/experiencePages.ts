/**
 * Owns pages of experiences in the order they were stored. A filter names groups (experienceGroups.ts); their members are
 * merged by row number, so that a page costs the same at any depth. Deliberately without OFFSET and without a sort.
 */
import type { Annotation } from '../../core/model/feedback.ts';
import { asId } from '../../core/model/ids.ts';
import type { ExperienceFilter, ExperiencePage, ExperienceSummary } from '../../core/model/views.ts';
import type { Connection, Row } from './connection.ts';
import { groupsOf, type ExperienceGroup } from './experienceGroups.ts';
import { ANNOTATION_COLUMNS, prefixed, toAnnotation, toFeedback, toRefinement } from './experienceRows.ts';
import { OUTPUT } from './longTexts.ts';
import { pageStart } from './pageRange.ts';
import { checksum } from './payload.ts';
import { readRow } from './readRow.ts';
import { refOf } from './refs.ts';
import { damageError } from './storeFault.ts';
import { ARMS, GROUP_VERDICTS } from './words.ts';
import { taskChecksum } from './writeExperiences.ts';

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

/** Takes up groups as their turn comes: of many rounds only those are compared whose rows lie side by side. */
function turns(waiting: readonly Cursor[]) {
  const later = waiting.toSorted((one, other) => other.next - one.next);
  const begun = new Set<Cursor>();
  const isBefore = (cursor: Cursor | undefined, other: Cursor | null): cursor is Cursor =>
    cursor !== undefined && (other === null || cursor.next < other.next);
  return {
    /** The group whose next is smallest; null at the end. */
    next: (): Cursor | null => {
      let found: Cursor | null = null;
      for (const cursor of begun) if (isBefore(cursor, found)) found = cursor;
      const first = later.at(-1);
      if (!isBefore(first, found)) return found;
      later.pop();
      begun.add(first);
      return first;
    },
    end: (cursor: Cursor): void => void begun.delete(cursor),
  };
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
  const { next, end } = turns(
    groups
      .filter(({ last }) => last > after)
      .map(({ ref, first }) => ({ group: ref, ahead: [], next: Math.max(first, after + 1) })),
  );
  const found: number[] = [];
  for (let cursor = next(); cursor !== null && found.length < limit; cursor = next()) {
    const head = cursor.ahead.shift();
    if (head === undefined) {
      const count = Math.min(READ_AHEAD, limit - found.length);
      cursor.ahead = refsIn(connection.all(sql, cursor.group, cursor.next, count));
      if (cursor.ahead.length === 0) end(cursor);
      else cursor.next = cursor.ahead[0] as number;
      continue;
    }
    found.push(head);
    cursor.next = cursor.ahead[0] ?? head + 1;
  }
  return found;
}

/** The newest refinement's reason where there is one, else the newest reason of a feedback, by solution. */
function reasonsOf(connection: Connection, refs: readonly number[]): ReadonlyMap<number, string> {
  const { path } = connection;
  const reasons = new Map<number, string>();
  const newest = (table: string, of: readonly number[], which: string): readonly Row[] =>
    connection.all(
      `SELECT r.*, max(r.position) AS newest FROM json_each(?) j CROSS JOIN ${table} r ON r.solution = j.value
       ${which} GROUP BY j.key`,
      JSON.stringify(of),
    );
  for (const row of newest('refinements', refs, ''))
    reasons.set(Number(row['solution']), toRefinement(path, '', row).reason);
  const others = refs.filter((ref) => !reasons.has(ref));
  if (others.length === 0) return reasons;
  for (const row of newest('feedback', others, 'WHERE r.reason IS NOT NULL'))
    reasons.set(Number(row['solution']), toFeedback(path, '', row).reason ?? '');
  return reasons;
}

/** What a list shows of an experience: the columns of tasks under their own names, the solution's beside them. */
const SUMMARY_COLUMNS = `s.ref, s.id AS solution, s.step, s.score, s.annotated, g.arm, g.round, g.verdict,
  ${OUTPUT} AS output, x.answer, x.checksum AS solution_checksum, t.id AS task, t.input, t.context, t.reference, t.details,
  t.checksum`;

function inputOf(path: string, row: Row): string {
  const id = String(row['task']);
  const reader = readRow(path, `task ${id}`, row);
  const [context, reference] = [reader.textOrNull('context'), reader.textOrNull('reference')];
  const input = reader.text('input');
  reader.verify(taskChecksum(id, input, context, reference, reader.textOrNull('details')));
  return input;
}

function annotationOf(connection: Connection, row: Row): Annotation | null {
  if (row['annotated'] !== 1) return null;
  const found = connection.get(
    `SELECT ${ANNOTATION_COLUMNS} FROM solutions s JOIN annotations a ON a.key = s.key
       JOIN solutions o ON o.ref = a.solution WHERE s.ref = ?`,
    Number(row['ref']),
  );
  return found === null ? null : toAnnotation(connection.path, prefixed(found, 'annotation_'));
}

function toSummary(
  connection: Connection,
  row: Row,
  reasons: ReadonlyMap<number, string>,
): ExperienceSummary {
  const { path } = connection;
  const id = String(row['solution']);
  const reader = readRow(path, `solution ${id}`, row);
  const output = reader.text('output');
  const answer = reader.textOrNull('answer');
  if (row['solution_checksum'] !== checksum(id, output, answer))
    throw damageError(path, `solution ${id} has an unreadable content: its checksum does not fit`);
  const annotation = annotationOf(connection, row);
  const verdict = reader.word('verdict', GROUP_VERDICTS);
  const judged =
    annotation?.verdict === null || annotation === null ? null : Number(annotation.verdict === 'accept');
  return {
    solutionId: asId(id),
    taskId: asId(reader.text('task')),
    at: { arm: reader.word('arm', ARMS), round: reader.number('round'), step: reader.text('step') },
    input: inputOf(path, row),
    output,
    answer,
    score: annotation?.score ?? judged ?? reader.numberOrNull('score'),
    verdict: verdict === 'unrefined' ? null : verdict,
    reason: reasons.get(reader.number('ref')) ?? '',
    annotation,
  };
}

/** The experiences with these row numbers, in this order. */
export function experienceSummaries(
  connection: Connection,
  refs: readonly number[],
): readonly ExperienceSummary[] {
  if (refs.length === 0) return [];
  const reasons = reasonsOf(connection, refs);
  return connection
    .all(
      `SELECT ${SUMMARY_COLUMNS}
       FROM json_each(?) j
         CROSS JOIN solutions s ON s.ref = j.value
         CROSS JOIN solution_texts x ON x.solution = s.ref
         CROSS JOIN tasks t ON t.ref = s.task
         CROSS JOIN experience_groups g ON g.ref = s.experience_group
       ORDER BY j.key`,
      JSON.stringify(refs),
    )
    .map((row) => toSummary(connection, row, reasons));
}

/** `after` is a page's `next`. Throws StoreError for a limit outside 1 to 1,000 or a place no page gave. */
export function experiencePage(
  connection: Connection,
  filter: ExperienceFilter,
  after: string | null,
  limit: number,
): ExperiencePage {
  const start = pageStart(after, limit, 0, 0);
  const run = refOf(connection, 'runs', asId(filter.runId));
  const groups = groupsOf(connection, run).filter((group) => matches(group, filter));
  // One more than asked for says whether there is a next page.
  const refs =
    filter.annotated === true
      ? annotatedRefs(connection, run, groups, start, limit + 1)
      : mergedRefs(connection, groups, start, limit + 1, filter.annotated === false);
  const shown = refs.slice(0, limit);
  return {
    items: experienceSummaries(connection, shown),
    next: refs.length > limit ? String(shown.at(-1)) : null,
  };
}
