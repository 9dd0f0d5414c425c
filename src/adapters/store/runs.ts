/** Owns runs as rows: recording a new one and reading summaries and details. Answers come from maintained tables. */
import type { Interval } from '../../core/model/candidate.ts';
import type { Arm, StoredEvent } from '../../core/model/event.ts';
import { asId, type RunId } from '../../core/model/ids.ts';
import type { RoundSummary, RunDetail, RunSummary, StepSummary } from '../../core/model/views.ts';
import { StoreError, type NewRun } from '../../core/ports.ts';
import type { Connection, Row } from './connection.ts';
import { checksum, encodeText } from './payload.ts';
import { readRow } from './readRow.ts';
import { findRef, nextRef, refOf } from './refs.ts';
import { sayStep, type StepFacts } from './stepFacts.ts';
import { ARMS, IS_HERE, PHASES, STATUSES } from './words.ts';
import { eventChecksum } from './writeEvents.ts';

function runChecksum(run: NewRun): number {
  return checksum(
    run.id,
    run.recipeName,
    run.recipePath,
    run.recipeText,
    run.seed,
    run.rounds,
    run.arms.join(),
    run.startedAt,
  );
}

/** Records a run, inside the caller's transaction. The same run twice is one; another under its id is refused. */
export function createRun(connection: Connection, run: NewRun): void {
  const known = findRef(connection, 'runs', run.id);
  if (known !== null) {
    const row = connection.get('SELECT checksum FROM runs WHERE ref = ?', known);
    if (row?.['checksum'] === runChecksum(run)) return;
    throw new StoreError(`Another run is recorded under the id ${run.id} already.`, 'EXISTS');
  }
  const ref = nextRef(connection, 'runs');
  connection.run(
    `INSERT INTO runs (ref, id, recipe_name, recipe_path, recipe_text, seed, rounds, arms, started_at, checksum)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ref,
    run.id,
    encodeText(run.recipeName),
    encodeText(run.recipePath),
    encodeText(run.recipeText),
    run.seed,
    run.rounds,
    run.arms.join(),
    run.startedAt,
    runChecksum(run),
  );
  connection.run(
    `INSERT INTO run_summaries (run, status, message, round, calls, input_tokens, output_tokens)
     VALUES (?, 'running', '', 0, 0, 0, 0)`,
    ref,
  );
}

const RUN = `
  SELECT r.*, s.status, s.message, s.ended_at, s.round, s.start_score, s.score, s.test_score, s.calls
  FROM runs r JOIN run_summaries s ON s.run = r.ref`;

export function toRun(path: string, row: Row): { readonly run: RunSummary; readonly recipeText: string } {
  const id = asId<RunId>(String(row['id']));
  const reader = readRow(path, `run ${id}`, row);
  const recipeText = reader.text('recipe_text');
  const run: RunSummary = {
    id,
    recipeName: reader.text('recipe_name'),
    recipePath: reader.text('recipe_path'),
    status: reader.word('status', STATUSES),
    message: reader.text('message'),
    seed: reader.number('seed'),
    rounds: reader.number('rounds'),
    startedAt: reader.number('started_at'),
    endedAt: reader.numberOrNull('ended_at'),
    round: reader.number('round'),
    arms: ARMS.filter((arm) => reader.text('arms').split(',').includes(arm)),
    startScore: reader.numberOrNull('start_score'),
    score: reader.numberOrNull('score'),
    testScore: reader.numberOrNull('test_score'),
    calls: reader.number('calls'),
  };
  reader.verify(runChecksum({ ...run, recipeText, arms: run.arms }));
  return { run, recipeText };
}

/** Whether the workspace holds the run: not one that is unknown, and not one that was archived. */
export function isHere(connection: Connection, id: RunId): boolean {
  const sql = `SELECT 1 FROM runs r JOIN run_summaries s ON s.run = r.ref WHERE r.id = ? AND s.${IS_HERE}`;
  return connection.get(sql, id) !== null;
}

/** Newest first. */
export function listRuns(connection: Connection): readonly RunSummary[] {
  return connection
    .all(`${RUN} WHERE s.${IS_HERE} ORDER BY r.ref DESC`)
    .map((row) => toRun(connection.path, row).run);
}

function toStep(path: string, row: Row): StepSummary {
  const reader = readRow(path, 'a step of a run', row);
  return {
    at: { arm: reader.word('arm', ARMS), round: reader.number('round'), step: reader.text('step') },
    phase: reader.word('phase', PHASES),
    operator: reader.text('operator'),
    summary: sayStep(reader.json<StepFacts>('facts')),
  };
}

function roundsOf(connection: Connection, run: number): readonly RoundSummary[] {
  const steps = new Map<string, StepSummary[]>();
  const placed = (arm: Arm, round: number): StepSummary[] => {
    const key = `${arm} ${round}`;
    const list = steps.get(key) ?? [];
    steps.set(key, list);
    return list;
  };
  for (const row of connection.all('SELECT * FROM run_steps WHERE run = ? ORDER BY first_seq', run)) {
    const step = toStep(connection.path, row);
    placed(step.at.arm, step.at.round).push(step);
  }
  return connection
    .all('SELECT * FROM run_rounds WHERE run = ? ORDER BY arm DESC, round', run)
    .map((row): RoundSummary => {
      const reader = readRow(connection.path, 'a round of a run', row);
      const arm = reader.word('arm', ARMS);
      const round = reader.number('round');
      return {
        arm,
        round,
        score: reader.numberOrNull('score'),
        interval: row['interval'] === null ? null : reader.json<Interval>('interval'),
        steps: placed(arm, round),
      };
    });
}

export function readRun(connection: Connection, id: RunId): RunDetail | null {
  const row = connection.get(`${RUN} WHERE r.id = ? AND s.${IS_HERE}`, id);
  if (row === null) return null;
  return { ...toRun(connection.path, row), rounds: roundsOf(connection, Number(row['ref'])) };
}

export function toEvent(path: string, runId: RunId, row: Row): StoredEvent {
  const reader = readRow(path, `event ${String(row['seq'])}`, row);
  const seq = reader.number('seq');
  reader.verify(eventChecksum(seq, reader.text('event')));
  return { seq, runId, time: reader.number('time'), event: reader.json<StoredEvent['event']>('event') };
}

export function listEvents(
  connection: Connection,
  runId: RunId,
  afterSeq: number,
  limit: number,
): readonly StoredEvent[] {
  return connection
    .all(
      'SELECT seq, time, event, checksum FROM events WHERE run = ? AND seq > ? ORDER BY seq LIMIT ?',
      refOf(connection, 'runs', runId),
      afterSeq,
      limit,
    )
    .map((row) => toEvent(connection.path, runId, row));
}
