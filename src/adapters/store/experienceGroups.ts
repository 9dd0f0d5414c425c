/**
 * Owns the counts of experiences by run, arm, round and verdict, kept up as solutions come, move and are annotated.
 * Deliberately never counts rows.
 */
import type { Arm } from '../../core/model/event.ts';
import type { RunId } from '../../core/model/ids.ts';
import type { ExperienceCount } from '../../core/model/views.ts';
import type { Connection, Row } from './connection.ts';
import { readRow } from './readRow.ts';
import { nextRef, refOf } from './refs.ts';
import { ARMS, GROUP_VERDICTS } from './words.ts';

export type GroupVerdict = ExperienceCount['verdict'];

export interface ExperienceGroup {
  readonly ref: number;
  readonly run: number;
  readonly arm: Arm;
  readonly round: number;
  readonly verdict: GroupVerdict;
  readonly count: number;
  readonly annotated: number;
  /** Bounds of the row numbers of its solutions, not always tight. */
  readonly first: number;
  readonly last: number;
}

export interface GroupTally {
  /** The group with these properties; made, empty, when there is none. */
  find(run: number, arm: Arm, round: number, verdict: GroupVerdict): number;
  /** The group beside `group` whose experiences have another verdict. */
  beside(group: number, verdict: GroupVerdict): number;
  enter(group: number, solution: number, annotated: number): void;
  leave(group: number, annotated: number): void;
  /** So many of the group's experiences became annotated, or less than none. */
  annotate(group: number, change: number): void;
  /** Writes the sums; must be called once, at the end of the transaction. */
  settle(): void;
}

/** The first solution of a group that never had one: above every row number. */
const NOT_YET = Number.MAX_SAFE_INTEGER;
const COLUMNS = 'ref, run, arm, round, verdict, count, annotated, first_solution, last_solution';

function toGroup(connection: Connection, row: Row): ExperienceGroup {
  const reader = readRow(connection.path, 'a count of experiences', row);
  return {
    ref: reader.number('ref'),
    run: reader.number('run'),
    arm: reader.word('arm', ARMS),
    round: reader.number('round'),
    verdict: reader.word('verdict', GROUP_VERDICTS),
    count: reader.number('count'),
    annotated: reader.number('annotated'),
    first: reader.number('first_solution'),
    last: reader.number('last_solution'),
  };
}

interface KnownGroups {
  readonly run: number;
  /** Of the connection, when they were read. */
  readonly writes: number;
  readonly groups: readonly ExperienceGroup[];
}

/** Of the run asked for last: a page and the counts beside it ask for the same. */
const known = new WeakMap<Connection, KnownGroups>();

/** Groups of a run, main arm first, then by round. */
export function groupsOf(connection: Connection, run: number): readonly ExperienceGroup[] {
  const writes = connection.writes();
  const last = known.get(connection);
  if (last?.run === run && last.writes === writes) return last.groups;
  const groups = readGroups(connection, run);
  known.set(connection, { run, writes, groups });
  return groups;
}

function readGroups(connection: Connection, run: number): readonly ExperienceGroup[] {
  return connection
    .all(
      `SELECT ${COLUMNS} FROM experience_groups WHERE run = ? AND count > 0 ORDER BY arm DESC, round, verdict`,
      run,
    )
    .map((row) => toGroup(connection, row));
}

export function experienceCounts(connection: Connection, runId: RunId): readonly ExperienceCount[] {
  return groupsOf(connection, refOf(connection, 'runs', runId)).map(
    ({ arm, round, verdict, count, annotated }) => ({ arm, round, verdict, count, annotated }),
  );
}

interface Change {
  count: number;
  annotated: number;
  first: number;
  last: number;
}

function noChange(): Change {
  return { count: 0, annotated: 0, first: NOT_YET, last: 0 };
}

/** The group with these properties, made when there is none. */
function findGroup(
  connection: Connection,
  run: number,
  arm: Arm,
  round: number,
  verdict: GroupVerdict,
): number {
  const row = connection.get(
    'SELECT ref FROM experience_groups WHERE run = ? AND arm = ? AND round = ? AND verdict = ?',
    run,
    arm,
    round,
    verdict,
  );
  if (typeof row?.['ref'] === 'number') return row['ref'];
  const ref = nextRef(connection, 'experience_groups');
  connection.run(
    `INSERT INTO experience_groups (${COLUMNS}) VALUES (?, ?, ?, ?, ?, 0, 0, ?, 0)`,
    ref,
    run,
    arm,
    round,
    verdict,
    NOT_YET,
  );
  return ref;
}

export function tallyGroups(connection: Connection): GroupTally {
  const byName = new Map<string, number>();
  const beside = new Map<string, number>();
  const changes = new Map<number, Change>();
  const find: GroupTally['find'] = (run, arm, round, verdict) => {
    const name = `${run} ${arm} ${round} ${verdict}`;
    const ref = byName.get(name) ?? findGroup(connection, run, arm, round, verdict);
    byName.set(name, ref);
    return ref;
  };
  const change = (group: number): Change => {
    const known = changes.get(group) ?? noChange();
    changes.set(group, known);
    return known;
  };
  return {
    find,
    beside: (group, verdict) => {
      const name = `${group} ${verdict}`;
      const known = beside.get(name);
      if (known !== undefined) return known;
      const row = connection.get(`SELECT ${COLUMNS} FROM experience_groups WHERE ref = ?`, group);
      const { run, arm, round } = toGroup(connection, row ?? {});
      const found = find(run, arm, round, verdict);
      beside.set(name, found);
      return found;
    },
    enter: (group, solution, annotated) => {
      const to = change(group);
      to.count++;
      to.annotated += annotated;
      to.first = Math.min(to.first, solution);
      to.last = Math.max(to.last, solution);
    },
    leave: (group, annotated) => {
      const from = change(group);
      from.count--;
      from.annotated -= annotated;
    },
    annotate: (group, by) => {
      change(group).annotated += by;
    },
    settle: () => {
      for (const [group, { count, annotated, first, last }] of changes)
        connection.run(
          `UPDATE experience_groups SET count = count + ?, annotated = annotated + ?,
             first_solution = min(first_solution, ?), last_solution = max(last_solution, ?) WHERE ref = ?`,
          count,
          annotated,
          first,
          last,
          group,
        );
      changes.clear();
    },
  };
}
