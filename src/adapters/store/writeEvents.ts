/**
 * Owns storing events, numbered without gaps and once each, and the summaries they keep up: run, rounds, steps.
 * Deliberately reads no artifact.
 */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../core/measure/hash.ts';
import type { Arm, RunEvent, StoredEvent } from '../../core/model/event.ts';
import type { RunId } from '../../core/model/ids.ts';
import type { Connection } from './connection.ts';
import { checksum } from './payload.ts';
import { foldStep, stepOf, type StepFacts } from './stepFacts.ts';
import { type DevScore, noteAccepted, noteRefused, scoreInUse, scoreOfStart } from './writeCandidates.ts';

const REPEATABLE: ReadonlySet<RunEvent['kind']> = new Set(['runPaused', 'runResumed', 'runEnded']);

/** 128 bits of the event's content hash. */
export function digestOf(event: RunEvent): Uint8Array | null {
  if (REPEATABLE.has(event.kind)) return null;
  const json = canonicalJson(event as unknown as Parameters<typeof canonicalJson>[0]);
  return createHash('sha256').update(json).digest().subarray(0, 16);
}

export function eventChecksum(seq: number, event: string): number {
  return checksum(seq, event);
}

/** Zero where the run holds it already. */
function insertEvent(
  connection: Connection,
  run: number,
  seq: number,
  time: number,
  event: RunEvent,
): number {
  const json = JSON.stringify(event);
  return connection.run(
    `INSERT INTO events (seq, run, time, event, digest, checksum) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (run, digest) WHERE digest IS NOT NULL DO NOTHING`,
    seq,
    run,
    time,
    json,
    digestOf(event),
    eventChecksum(seq, json),
  );
}

function noteEvents(connection: Connection, run: number, stored: readonly StoredEvent[]): void {
  for (const item of stored) noteEvent(connection, run, item);
  noteScores(connection, run, stored);
}

interface OfRun {
  readonly ref: number;
  readonly id: RunId;
}

/** Stores the events the run does not hold yet; returns those, in order. */
export function storeEvents(
  connection: Connection,
  run: OfRun,
  events: readonly RunEvent[],
  time: number,
): readonly StoredEvent[] {
  if (events.length === 0) return [];
  const newest = connection.get('SELECT max(seq) AS seq FROM events')?.['seq'];
  let seq = typeof newest === 'number' ? newest + 1 : 1;
  const stored: StoredEvent[] = [];
  for (const event of events) {
    if (insertEvent(connection, run.ref, seq, time, event) === 0) continue;
    stored.push({ seq, runId: run.id, time, event });
    seq++;
  }
  noteEvents(connection, run.ref, stored);
  return stored;
}

/** Stores events that have their numbers already. */
export function storeNumbered(
  connection: Connection,
  run: OfRun,
  events: readonly Pick<StoredEvent, 'seq' | 'event'>[],
  time: number,
): void {
  for (const { seq, event } of events) insertEvent(connection, run.ref, seq, time, event);
  noteEvents(
    connection,
    run.ref,
    events.map(({ seq, event }) => ({ seq, runId: run.id, time, event })),
  );
}

function noteEvent(connection: Connection, run: number, { event, seq }: StoredEvent): void {
  const { arm, round } = event.at;
  noteStep(connection, run, event, seq);
  switch (event.kind) {
    case 'roundStarted':
      noteRound(connection, run, arm, round);
      if (arm === 'main')
        connection.run('UPDATE run_summaries SET round = max(round, ?) WHERE run = ?', round, run);
      break;
    case 'candidateAccepted':
      noteAccepted(connection, run, arm, event.candidateId, event.gain, seq);
      break;
    case 'candidateRefused':
      noteRefused(connection, run, arm, event.candidateId, event.gain, seq);
      break;
    case 'testScored':
      connection.run('UPDATE run_summaries SET test_score = ? WHERE run = ?', event.final, run);
      break;
    default:
      break;
  }
}

function noteRound(connection: Connection, run: number, arm: Arm, round: number): void {
  connection.run(
    'INSERT INTO run_rounds (run, arm, round) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    run,
    arm,
    round,
  );
}

function noteStep(connection: Connection, run: number, event: RunEvent, seq: number): void {
  const step = stepOf(event);
  if (step === null) return;
  const { arm, round, step: path } = event.at;
  noteRound(connection, run, arm, round);
  const known = connection.get(
    'SELECT facts FROM run_steps WHERE run = ? AND arm = ? AND round = ? AND step = ?',
    run,
    arm,
    round,
    path,
  );
  const before = known === null ? {} : (JSON.parse(String(known['facts'])) as StepFacts);
  connection.run(
    `INSERT INTO run_steps (run, arm, round, step, first_seq, phase, operator, facts) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (run, arm, round, step) DO UPDATE SET facts = excluded.facts`,
    run,
    arm,
    round,
    path,
    seq,
    step.phase,
    step.operator,
    JSON.stringify(foldStep(before, event)),
  );
}

/** Rounds whose dev score may have changed, with the newest dev evaluation among these events. */
function touchedRounds(stored: readonly StoredEvent[]) {
  const touched = new Map<string, { arm: Arm; round: number; newest: DevScore | null }>();
  for (const { event } of stored) {
    const isDev = event.kind === 'evaluationMade' && event.suite === 'dev';
    if (!isDev && event.kind !== 'candidateAccepted' && event.kind !== 'candidateRefused') continue;
    const { arm, round } = event.at;
    const before = touched.get(`${arm} ${round}`)?.newest ?? null;
    const newest = isDev ? { mean: event.mean, interval: event.interval } : before;
    touched.set(`${arm} ${round}`, { arm, round, newest });
  }
  return touched.values();
}

/** A round's score is that of the candidate in use at its end; where that has no dev score, the newest of the round. */
function noteScores(connection: Connection, run: number, stored: readonly StoredEvent[]): void {
  for (const { arm, round, newest } of touchedRounds(stored)) {
    const score = scoreInUse(connection, run, arm) ?? newest;
    if (score === null) continue;
    connection.run(
      'UPDATE run_rounds SET score = ?, interval = ? WHERE run = ? AND arm = ? AND round = ?',
      score.mean,
      JSON.stringify(score.interval),
      run,
      arm,
      round,
    );
    if (arm === 'main')
      connection.run(
        'UPDATE run_summaries SET score = ?, start_score = coalesce(start_score, ?) WHERE run = ?',
        score.mean,
        scoreOfStart(connection, run, arm),
        run,
      );
  }
}
