/**
 * Owns which rows an event makes stale, so that a tree draws one row anew and not itself. Deliberately pure; ids are the
 * ones the rows carry.
 */
import type { RunEvent, StoredEvent } from '../../core/model/event.ts';
import type { RunSummary } from '../../core/model/views.ts';
import type { ViewId } from '../ids.ts';

/** Row ids by view; '' is the whole view (a row at the top came or went). */
export type AffectedRows = Readonly<Partial<Record<ViewId, readonly string[]>>>;

const runRow = (runId: string) => `run:${runId}`;

/** The experience row of the round an event is about; in a control, the group that holds it. */
function experienceRow({ runId, event }: StoredEvent): string {
  const { arm, round } = event.at;
  return arm === 'main' ? `${runRow(runId)}/main:${round}` : `${runRow(runId)}/control/control:${round}`;
}

const experienceKinds: readonly RunEvent['kind'][] = [
  'solutionsAcquired',
  'feedbackGiven',
  'refinementsMade',
];
const candidateKinds: readonly RunEvent['kind'][] = [
  'candidateMade',
  'candidateAccepted',
  'candidateRefused',
  'evaluationMade',
];

/** A run that may be new to every view. */
function everywhere(runId: string): AffectedRows {
  const all = ['', runRow(runId)];
  return {
    'ratchet.loops': all,
    'ratchet.experiences': all,
    'ratchet.evaluations': all,
    'ratchet.candidates': all,
  };
}

export function rowsAffectedBy(stored: StoredEvent): AffectedRows {
  const { event, runId } = stored;
  if (event.kind === 'runStarted') return everywhere(runId);
  const rows: Partial<Record<ViewId, readonly string[]>> = { 'ratchet.loops': [runRow(runId)] };
  if (experienceKinds.includes(event.kind)) rows['ratchet.experiences'] = [experienceRow(stored)];
  if (candidateKinds.includes(event.kind)) rows['ratchet.candidates'] = [runRow(runId)];
  if (event.kind === 'evaluationMade') rows['ratchet.evaluations'] = [runRow(runId)];
  return rows;
}

/** A run that changed its status shows it in every tree, and its loop file shows whether one runs. */
export function rowsAffectedByRun(run: RunSummary): AffectedRows {
  // One that paused before its first event is told of here alone.
  if (run.round === 0) return everywhere(run.id);
  const rows = [runRow(run.id)];
  return {
    'ratchet.loops': [`loop:${run.recipePath}`],
    'ratchet.experiences': rows,
    'ratchet.evaluations': rows,
    'ratchet.candidates': rows,
  };
}
