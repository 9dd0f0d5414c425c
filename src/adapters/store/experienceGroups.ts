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
}

export interface GroupTally {
  /** The group with these properties; made, empty, when there is none. */
  find(run: number, arm: Arm, round: number, verdict: GroupVerdict): number;
  /** The group beside `group` whose experiences have another verdict. */
  beside(group: number, verdict: GroupVerdict): number;
  add(group: number, count: number, annotated: number): void;
  /** Writes the sums; must be called once, at the end of the transaction. */
  settle(): void;
}

const COLUMNS = 'ref, run, arm, round, verdict, count, annotated';

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
  };
}

/** Groups of a run, main arm first, then by round. */
export function groupsOf(connection: Connection, run: number): readonly ExperienceGroup[] {
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

export function tallyGroups(connection: Connection): GroupTally {
  const byName = new Map<string, number>();
  const beside = new Map<string, number>();
  const changes = new Map<number, { count: number; annotated: number }>();
  const find = (run: number, arm: Arm, round: number, verdict: GroupVerdict): number => {
    const name = `${run} ${arm} ${round} ${verdict}`;
    const known = byName.get(name);
    if (known !== undefined) return known;
    const row = connection.get(
      'SELECT ref FROM experience_groups WHERE run = ? AND arm = ? AND round = ? AND verdict = ?',
      run,
      arm,
      round,
      verdict,
    );
    let ref = row?.['ref'];
    if (typeof ref !== 'number') {
      ref = nextRef(connection, 'experience_groups');
      connection.run(
        `INSERT INTO experience_groups (${COLUMNS}) VALUES (?, ?, ?, ?, ?, 0, 0)`,
        ref,
        run,
        arm,
        round,
        verdict,
      );
    }
    byName.set(name, ref);
    return ref;
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
    add: (group, count, annotated) => {
      const change = changes.get(group) ?? { count: 0, annotated: 0 };
      changes.set(group, { count: change.count + count, annotated: change.annotated + annotated });
    },
    settle: () => {
      for (const [group, { count, annotated }] of changes)
        if (count !== 0 || annotated !== 0)
          connection.run(
            'UPDATE experience_groups SET count = count + ?, annotated = annotated + ? WHERE ref = ?',
            count,
            annotated,
            group,
          );
      changes.clear();
    },
  };
}
