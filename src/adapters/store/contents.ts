/**
 * Owns how much a workspace holds, as numbers a person can compare: of the open one, of a backup, of one that is damaged.
 * Deliberately counts from small tables and indexes, never by a scan of rows.
 */
import type { Connection } from './connection.ts';
import { IS_HERE } from './words.ts';

export interface Contents {
  readonly runs: number;
  readonly experiences: number;
  /** Number of the newest event. */
  readonly events: number;
  /** Number of the newest settled answer. */
  readonly answers: number;
}

const COUNTED: readonly (keyof Contents)[] = ['runs', 'experiences', 'events', 'answers'];

/** The tables asked here are in every schema. */
const CONTENTS = `SELECT (SELECT count(*) FROM run_summaries WHERE ${IS_HERE}) AS runs,
  (SELECT coalesce(sum(g.count), 0) FROM experience_groups g JOIN run_summaries s ON s.run = g.run WHERE s.${IS_HERE}) AS experiences,
  (SELECT coalesce(max(seq), 0) FROM events) AS events,
  (SELECT coalesce(max(ref), 0) FROM effects) AS answers`;

export function readContents(connection: Connection): Contents {
  const row = connection.get(CONTENTS);
  const number = (name: keyof Contents): number => Number(row?.[name] ?? 0);
  return {
    runs: number('runs'),
    experiences: number('experiences'),
    events: number('events'),
    answers: number('answers'),
  };
}

export function sameContents(one: Contents, other: Contents): boolean {
  return COUNTED.every((name) => one[name] === other[name]);
}

/** What `had` has and `has` has not; never negative. */
export function missingFrom(has: Contents, had: Contents): Contents {
  const less = (name: keyof Contents): number => Math.max(0, had[name] - has[name]);
  return {
    runs: less('runs'),
    experiences: less('experiences'),
    events: less('events'),
    answers: less('answers'),
  };
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

/** "3 runs, 1,204 experiences". */
export function sayContents({ runs, experiences }: Contents): string {
  return `${counted(runs, 'run')}, ${counted(experiences, 'experience')}`;
}

/** "2 experiences, 5 answers"; '' where nothing is missing. */
export function sayMissing({ runs, experiences, answers, events }: Contents): string {
  const parts: readonly (readonly [number, string])[] = [
    [runs, 'run'],
    [experiences, 'experience'],
    [answers, 'answer'],
    [events, 'event'],
  ];
  return parts
    .filter(([count]) => count > 0)
    .map(([count, noun]) => counted(count, noun))
    .join(', ');
}
