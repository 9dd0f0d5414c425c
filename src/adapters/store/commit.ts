/** Owns one commit of the loop: all its rows, in the order their links need, and what the summaries make of them. */
import type { StoredEvent } from '../../core/model/event.ts';
import type { RunStatus } from '../../core/model/views.ts';
import { StoreError, type Commit } from '../../core/ports.ts';
import type { Connection } from './connection.ts';
import { tallyGroups } from './experienceGroups.ts';
import { encodeText } from './payload.ts';
import type { PendingCommit } from './pendable.ts';
import { refOf, rememberRefs } from './refs.ts';
import { storeCandidates, storeEvaluations } from './writeCandidates.ts';
import { IS_HERE } from './words.ts';
import { storeEvents, storeNumbered } from './writeEvents.ts';
import { storeFeedback, storeRefinements, storeSolutions, storeTasks } from './writeExperiences.ts';

/** Stores what is new of a commit, inside the caller's transaction. `time` is milliseconds since 1970. */
export function storeCommit(connection: Connection, commit: Commit, time: number): readonly StoredEvent[] {
  const run = refOf(connection, 'runs', commit.runId);
  const tally = tallyGroups(connection);
  storeTasks(connection, run, commit.tasks ?? []);
  storeCandidates(connection, run, commit.candidates ?? []);
  const task = rememberRefs(connection, 'tasks');
  const candidate = rememberRefs(connection, 'candidates');
  const fresh = storeSolutions(connection, run, commit, tally, { task, candidate });
  storeFeedback(connection, commit.feedback ?? [], fresh);
  storeRefinements(connection, commit.refinements ?? [], tally, fresh);
  storeEvaluations(connection, run, commit.evaluations ?? [], task);
  const stored = storeEvents(connection, { ref: run, id: commit.runId }, commit.events, time);
  tally.settle();
  if (commit.status !== undefined) storeStatus(connection, run, commit.status, time);
  return stored;
}

/** Stores a commit that waited, inside the caller's transaction. */
export function storePending(connection: Connection, commit: PendingCommit): void {
  const run = refOf(connection, 'runs', commit.runId);
  const tally = tallyGroups(connection);
  const task = rememberRefs(connection, 'tasks');
  const candidate = rememberRefs(connection, 'candidates');
  const fresh = storeSolutions(connection, run, commit, tally, { task, candidate });
  storeFeedback(connection, commit.feedback, fresh);
  storeRefinements(connection, commit.refinements, tally, fresh);
  storeNumbered(connection, { ref: run, id: commit.runId }, commit.events, commit.time);
  tally.settle();
}

const ENDED: ReadonlySet<RunStatus> = new Set(['done', 'budget', 'stopped', 'failed']);

function storeStatus(
  connection: Connection,
  run: number,
  { status, message }: NonNullable<Commit['status']>,
  time: number,
): void {
  const changed = connection.run(
    `UPDATE run_summaries SET status = ?, message = ?, ended_at = ? WHERE run = ? AND ${IS_HERE}`,
    status,
    encodeText(message),
    ENDED.has(status) ? time : null,
    run,
  );
  if (changed === 0) throw new StoreError('This run was archived; import its archive to go on.', 'UNKNOWN');
}
