/**
 * Owns storing candidates and evaluations: versions within a run's arm, the gate's verdicts, and each candidate's newest score.
 * Deliberately decides nothing: which candidate is in use follows from the events of the gate.
 */
import type { Candidate, Evaluation, Gain, Interval } from '../../core/model/candidate.ts';
import type { Arm, Position } from '../../core/model/event.ts';
import { StoreError } from '../../core/ports.ts';
import type { Connection } from './connection.ts';
import { checksum, encodeText } from './payload.ts';
import { findRef, nextRef, refOf } from './refs.ts';

type PlacedCandidate = Candidate & { readonly at: Position };
type PlacedEvaluation = Evaluation & { readonly at: Position };

export function candidateChecksum(id: string, state: string): number {
  return checksum(id, state);
}

export function storeCandidates(
  connection: Connection,
  run: number,
  candidates: readonly PlacedCandidate[],
): void {
  for (const candidate of candidates) {
    let ref = findRef(connection, 'candidates', candidate.id);
    if (ref === null) {
      ref = nextRef(connection, 'candidates');
      const state = JSON.stringify(candidate.state);
      connection.run(
        'INSERT INTO candidates (ref, id, state, checksum) VALUES (?, ?, ?, ?)',
        ref,
        candidate.id,
        state,
        candidateChecksum(candidate.id, state),
      );
    }
    const { arm, round, step } = candidate.at;
    const parents = JSON.stringify(candidate.parents);
    connection.run(
      `INSERT INTO run_candidates (run, arm, version, candidate, round, step, parents, note, checksum)
       SELECT ?1, ?2, coalesce(max(version), 0) + 1, ?3, ?4, ?5, ?6, ?7, ?8
       FROM run_candidates WHERE run = ?1 AND arm = ?2
       ON CONFLICT (run, arm, candidate) DO NOTHING`,
      run,
      arm,
      ref,
      round,
      step,
      parents,
      encodeText(candidate.note),
      checksum(candidate.id, parents, candidate.note),
    );
  }
}

function gated(changed: number, candidateId: string): void {
  if (changed === 0)
    throw new StoreError(`Candidate ${candidateId} was judged before it was stored.`, 'UNKNOWN');
}

export function noteAccepted(
  connection: Connection,
  run: number,
  arm: Arm,
  candidateId: string,
  gain: Gain | null,
  seq: number,
): void {
  const changed = connection.run(
    'UPDATE run_candidates SET accepted_seq = ?, gain = ? WHERE run = ? AND arm = ? AND candidate = ?',
    seq,
    gain === null ? null : JSON.stringify(gain),
    run,
    arm,
    refOf(connection, 'candidates', candidateId),
  );
  gated(changed, candidateId);
}

export function noteRefused(
  connection: Connection,
  run: number,
  arm: Arm,
  candidateId: string,
  gain: Gain | null,
  seq: number,
): void {
  // The gain it was accepted with, or a measured one, says more than a refusal without a measurement.
  const changed = connection.run(
    `UPDATE run_candidates SET refused_seq = ?, gain = CASE WHEN accepted_seq IS NULL THEN coalesce(?, gain) ELSE gain END
     WHERE run = ? AND arm = ? AND candidate = ?`,
    seq,
    gain === null ? null : JSON.stringify(gain),
    run,
    arm,
    refOf(connection, 'candidates', candidateId),
  );
  gated(changed, candidateId);
}

export function evaluationChecksum(evaluation: Omit<Evaluation, 'scores'>): number {
  const { id, suite, temperature, mean, interval } = evaluation;
  return checksum(id, suite, temperature, mean, JSON.stringify(interval));
}

/**
 * Stores an evaluation with its scores, and which one it is compared with: the newest on its suite and arm whose candidate
 * was not refused. Nothing happens when its id is stored already.
 */
function storeEvaluation(
  connection: Connection,
  run: number,
  evaluation: PlacedEvaluation,
  taskRef: (id: string) => number,
): void {
  if (findRef(connection, 'evaluations', evaluation.id) !== null) return;
  const { at, suite, scores } = evaluation;
  const ref = nextRef(connection, 'evaluations');
  const candidate = refOf(connection, 'candidates', evaluation.candidateId);
  const interval = JSON.stringify(evaluation.interval);
  connection.run(
    `INSERT INTO evaluations (ref, id, run, arm, round, step, candidate, suite, temperature, tasks, mean, interval, previous, checksum)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,
       (SELECT max(e.ref) FROM evaluations e WHERE e.run = ?3 AND e.arm = ?4 AND e.suite = ?8 AND NOT EXISTS (
         SELECT 1 FROM run_candidates c WHERE c.run = e.run AND c.arm = e.arm AND c.candidate = e.candidate
           AND c.refused_seq IS NOT NULL AND c.accepted_seq IS NULL)), ?13)`,
    ref,
    evaluation.id,
    run,
    at.arm,
    at.round,
    at.step,
    candidate,
    suite,
    evaluation.temperature,
    scores.length,
    evaluation.mean,
    interval,
    evaluationChecksum(evaluation),
  );
  for (const { taskId, score, output } of scores)
    connection.run(
      'INSERT INTO evaluation_scores (evaluation, task, score, output, checksum) VALUES (?, ?, ?, ?, ?)',
      ref,
      taskRef(taskId),
      score,
      encodeText(output),
      checksum(evaluation.id, taskId, score, output),
    );
  noteScore(connection, run, at.arm, candidate, evaluation.suite, evaluation.mean, interval);
}

/** A candidate shows its newest dev score; before there is one, the newest of any suite but the sealed one. */
function noteScore(
  connection: Connection,
  run: number,
  arm: Arm,
  candidate: number,
  suite: Evaluation['suite'],
  mean: number,
  interval: string,
): void {
  if (suite === 'test' || suite === 'regression' || suite === 'canary') return;
  connection.run(
    `UPDATE run_candidates SET score = ?, score_suite = ?, interval = ?
     WHERE run = ? AND arm = ? AND candidate = ? AND (? = 'dev' OR score_suite IS NOT 'dev')`,
    mean,
    suite,
    interval,
    run,
    arm,
    candidate,
    suite,
  );
}

export function storeEvaluations(
  connection: Connection,
  run: number,
  evaluations: readonly PlacedEvaluation[],
  taskRef: (id: string) => number,
): void {
  for (const evaluation of evaluations) storeEvaluation(connection, run, evaluation, taskRef);
}

export interface DevScore {
  readonly mean: number;
  readonly interval: Interval;
}

/** The dev score of the candidate an arm has in use: the last accepted, else the start. Null when it has none. */
export function scoreInUse(connection: Connection, run: number, arm: Arm): DevScore | null {
  const row = connection.get(
    `SELECT score, score_suite, interval FROM run_candidates WHERE run = ? AND arm = ?
     ORDER BY accepted_seq DESC NULLS LAST, version LIMIT 1`,
    run,
    arm,
  );
  if (row === null || row['score_suite'] !== 'dev') return null;
  return { mean: Number(row['score']), interval: JSON.parse(String(row['interval'])) as Interval };
}

/** The dev score of the candidate an arm started with. */
export function scoreOfStart(connection: Connection, run: number, arm: Arm): number | null {
  const row = connection.get(
    "SELECT score FROM run_candidates WHERE run = ? AND arm = ? AND version = 1 AND score_suite = 'dev'",
    run,
    arm,
  );
  return typeof row?.['score'] === 'number' ? row['score'] : null;
}
