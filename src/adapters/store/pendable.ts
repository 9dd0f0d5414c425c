/**
 * Owns which commits may wait: those that bring many rows and nothing that others are built on, and whose every link was
 * looked up, so that spreading them later cannot fail. Deliberately refuses nothing: what may not wait is stored at once.
 */
import type { RunEvent, StoredEvent } from '../../core/model/event.ts';
import type { Feedback, Refinement } from '../../core/model/feedback.ts';
import type { RunId } from '../../core/model/ids.ts';
import type { Commit } from '../../core/ports.ts';
import type { Connection } from './connection.ts';
import { findRef } from './refs.ts';
import { findSolutions } from './solutionLookup.ts';
import { digestOf } from './writeEvents.ts';

/** What waits of a commit. Its events are new to the run and have their numbers. */
export interface PendingCommit {
  readonly runId: RunId;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly events: readonly Pick<StoredEvent, 'seq' | 'event'>[];
  readonly solutions: NonNullable<Commit['solutions']>;
  readonly feedback: readonly Feedback[];
  readonly refinements: readonly Refinement[];
}

/** What is known to be stored or to wait. Must be let go when a transaction that added to it is undone. */
export interface Known {
  /** The number of the next event. */
  seq: number;
  readonly runs: Map<string, number>;
  readonly tasks: Set<string>;
  readonly candidates: Set<string>;
  readonly solutions: Set<string>;
  /** Run and digest of events. */
  readonly events: Set<string>;
}

/** A commit of more is stored at once: whoever reads next would wait for it to be spread. */
const MOST_ROWS = 1024;
const MOST_CHARACTERS = 1 << 20;
/** Ids kept in memory: about ten megabytes. */
const MOST_KNOWN = 100_000;

/** Events that say something of a candidate or an evaluation, which must be stored before them. */
const JUDGING: ReadonlySet<RunEvent['kind']> = new Set([
  'candidateAccepted',
  'candidateRefused',
  'evaluationMade',
]);

/** Called while nothing waits. */
export function knowNothing(connection: Connection): Known {
  const newest = connection.get('SELECT max(seq) AS seq FROM events')?.['seq'];
  return {
    seq: typeof newest === 'number' ? newest + 1 : 1,
    runs: new Map(),
    tasks: new Set(),
    candidates: new Set(),
    solutions: new Set(),
    events: new Set(),
  };
}

const isCount = (value: number | null): boolean => value === null || Number.isSafeInteger(value);

/** The tables are strict: a number of the wrong kind would be refused when nobody is there to be told. */
function hasSoundNumbers({ events, solutions = [], feedback = [] }: Commit): boolean {
  return (
    events.every(({ at }) => Number.isSafeInteger(at.round)) &&
    solutions.every(
      ({ sample, temperature, usage, at }) =>
        Number.isSafeInteger(sample) &&
        Number.isFinite(temperature) &&
        isCount(usage.input) &&
        isCount(usage.output) &&
        Number.isSafeInteger(at.round),
    ) &&
    feedback.every(({ value }) => value.kind !== 'score' || Number.isFinite(value.score))
  );
}

function isSmall({ events, solutions = [], feedback = [], refinements = [] }: Commit): boolean {
  if (events.length + solutions.length + feedback.length + refinements.length > MOST_ROWS) return false;
  let characters = 0;
  for (const { output } of solutions) characters += output.length;
  for (const { reason } of feedback) characters += reason?.length ?? 0;
  for (const { reason } of refinements) characters += reason.length;
  return characters <= MOST_CHARACTERS;
}

function isSimple(commit: Commit): boolean {
  return (
    commit.status === undefined &&
    (commit.tasks ?? []).length === 0 &&
    (commit.candidates ?? []).length === 0 &&
    (commit.evaluations ?? []).length === 0 &&
    !commit.events.some(({ kind }) => JUDGING.has(kind))
  );
}

function isStored(connection: Connection, table: 'tasks' | 'candidates', known: Set<string>, id: string) {
  if (known.has(id)) return true;
  if (findRef(connection, table, id) === null) return false;
  if (known.size >= MOST_KNOWN) known.clear();
  known.add(id);
  return true;
}

/** Whether everything the commit points at is stored, waits, or comes with it. */
function hasLinks(connection: Connection, known: Known, commit: Commit): boolean {
  const { solutions = [], feedback = [], refinements = [] } = commit;
  for (const { taskId, candidateId } of solutions) {
    if (!isStored(connection, 'tasks', known.tasks, taskId)) return false;
    if (!isStored(connection, 'candidates', known.candidates, candidateId)) return false;
  }
  const own = new Set<string>(solutions.map(({ id }) => id));
  const asked = [...feedback, ...refinements]
    .map(({ solutionId }): string => solutionId)
    .filter((id) => !own.has(id) && !known.solutions.has(id));
  if (asked.length === 0) return true;
  const found = findSolutions(connection, asked);
  return asked.every((id) => found.has(id));
}

function runOf(connection: Connection, { runs }: Known, id: RunId): number | null {
  const ref = runs.get(id) ?? findRef(connection, 'runs', id);
  if (ref !== null) runs.set(id, ref);
  return ref;
}

/** The events the run neither holds nor has waiting, with their numbers. */
function number(connection: Connection, known: Known, run: number, events: readonly RunEvent[]) {
  const fresh: Pick<StoredEvent, 'seq' | 'event'>[] = [];
  for (const event of events) {
    const digest = digestOf(event);
    if (digest !== null) {
      const name = `${run} ${Buffer.from(digest).toString('base64')}`;
      if (known.events.has(name)) continue;
      if (connection.get('SELECT 1 FROM events WHERE run = ? AND digest = ?', run, digest) !== null) continue;
      known.events.add(name);
    }
    fresh.push({ seq: known.seq++, event });
  }
  return fresh;
}

/** What is to wait of a commit, now known; null where it has to be stored at once. Reads only. */
export function admit(
  connection: Connection,
  known: Known,
  commit: Commit,
  time: number,
): PendingCommit | null {
  if (!isSimple(commit) || !isSmall(commit) || !hasSoundNumbers(commit)) return null;
  const run = runOf(connection, known, commit.runId);
  if (run === null || !hasLinks(connection, known, commit)) return null;
  const { runId, solutions = [], feedback = [], refinements = [] } = commit;
  for (const { id } of solutions) known.solutions.add(id);
  return {
    runId,
    time,
    events: number(connection, known, run, commit.events),
    solutions,
    feedback,
    refinements,
  };
}
