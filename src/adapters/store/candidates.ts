/** Owns reading candidates: as a run made them, with version, standing and score. Deliberately makes no verdict of its own. */
import type { Candidate, Gain, Interval, ModelState } from '../../core/model/candidate.ts';
import type { Arm } from '../../core/model/event.ts';
import { asId, type CandidateId, type RunId } from '../../core/model/ids.ts';
import type { CandidateSummary } from '../../core/model/views.ts';
import type { Connection, Row } from './connection.ts';
import { checksum } from './payload.ts';
import { readRow } from './readRow.ts';
import { refOf } from './refs.ts';
import { damageError } from './storeFault.ts';
import { ARMS } from './words.ts';
import { candidateChecksum } from './writeCandidates.ts';

export const CANDIDATE = `
  SELECT rc.*, c.id, c.state, c.checksum AS state_checksum
  FROM run_candidates rc JOIN candidates c ON c.ref = rc.candidate`;

export function toCandidate(path: string, row: Row): Candidate {
  const id = String(row['id']);
  const reader = readRow(path, `candidate ${id}`, row);
  const state = reader.text('state');
  if (row['state_checksum'] !== candidateChecksum(id, state))
    throw damageError(path, `candidate ${id} has an unreadable content: its checksum does not fit`);
  const note = reader.text('note');
  reader.verify(checksum(id, reader.text('parents'), note));
  return {
    id: asId(id),
    state: reader.json<ModelState>('state'),
    parents: reader.json<readonly CandidateId[]>('parents'),
    note,
  };
}

/** A candidate with the parents and note the run's arm gave it, else those of whoever made it first. */
export function candidateInRun(connection: Connection, candidate: number, run: number, arm: Arm): Candidate {
  const row = connection.get(
    `${CANDIDATE} WHERE rc.candidate = ? ORDER BY rc.run = ? AND rc.arm = ? DESC, rc.run, rc.arm DESC LIMIT 1`,
    candidate,
    run,
    arm,
  );
  if (row === null) throw damageError(connection.path, `candidate ${candidate} belongs to no run`);
  return toCandidate(connection.path, row);
}

/** A candidate as it was first made. */
export function readCandidate(connection: Connection, id: CandidateId): Candidate | null {
  const row = connection.get(`${CANDIDATE} WHERE c.id = ? ORDER BY rc.run, rc.arm DESC LIMIT 1`, id);
  return row === null ? null : toCandidate(connection.path, row);
}

function toSummary(path: string, runId: RunId, row: Row, inUse: boolean): CandidateSummary {
  const candidate = toCandidate(path, row);
  const reader = readRow(path, `candidate ${candidate.id}`, row);
  const version = reader.number('version');
  const standing = (): CandidateSummary['status'] => {
    if (inUse) return 'inUse';
    if (row['accepted_seq'] !== null) return 'accepted';
    if (version === 1) return 'start';
    return row['refused_seq'] === null ? 'made' : 'refused';
  };
  return {
    candidate,
    runId,
    at: { arm: reader.word('arm', ARMS), round: reader.number('round'), step: reader.text('step') },
    version,
    status: standing(),
    score: reader.numberOrNull('score'),
    interval: row['interval'] === null ? null : reader.json<Interval>('interval'),
    gain: row['gain'] === null ? null : reader.json<Gain>('gain'),
  };
}

/** Main arm first, then by version. */
export function listCandidates(connection: Connection, runId: RunId): readonly CandidateSummary[] {
  const run = refOf(connection, 'runs', runId);
  const rows = connection.all(`${CANDIDATE} WHERE rc.run = ? ORDER BY rc.arm DESC, rc.version`, run);
  const used = new Map<unknown, Row>();
  // The last accepted, else the start, which comes first.
  for (const row of rows) {
    const best = used.get(row['arm']);
    if (best === undefined || Number(row['accepted_seq']) > Number(best['accepted_seq']))
      used.set(row['arm'], row);
  }
  return rows.map((row) => toSummary(connection.path, runId, row, used.get(row['arm']) === row));
}
