/**
 * Owns what a run came to, folded from its events: accuracy by round in both arms, the sealed test, what was kept.
 * Pure; the same events give the same report, live or afterwards.
 */
import type { Interval } from '../core/model/candidate.ts';
import type { Arm, StoredEvent } from '../core/model/event.ts';
import type { CandidateId } from '../core/model/ids.ts';
import type { RunResult } from '../protocol/engine.ts';

/** Accuracy and bounds in [0, 1]. Round 0 is the start, before any round. */
export interface RoundReport {
  readonly round: number;
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
}

export interface TestReport {
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
  readonly start: number;
  readonly gain: number;
  readonly gainLow: number;
  readonly gainHigh: number;
}

/** Of the loop itself, not of its control. */
export interface KeptReport {
  readonly solutions: number;
  readonly dropped: number;
  readonly corrected: number;
  readonly candidates: number;
  readonly refused: number;
}

/** What `--json` prints. */
export interface RunReport {
  readonly recipe: string;
  readonly seed: number;
  readonly rounds: readonly RoundReport[];
  readonly control: readonly RoundReport[];
  readonly test: TestReport | null;
  readonly kept: KeptReport;
  readonly calls: number;
  /** Of this command, from its start to its end. */
  readonly seconds: number;
  readonly outcome: RunResult['kind'];
}

interface ArmFold {
  readonly inUse: CandidateId | null;
  readonly scores: ReadonlyMap<CandidateId, Omit<RoundReport, 'round'>>;
  readonly rounds: readonly RoundReport[];
}

export interface RunFold {
  readonly main: ArmFold;
  readonly control: ArmFold;
  readonly test: TestReport | null;
  readonly kept: KeptReport;
}

const emptyArm: ArmFold = { inUse: null, scores: new Map(), rounds: [] };

export const emptyFold: RunFold = {
  main: emptyArm,
  control: emptyArm,
  test: null,
  kept: { solutions: 0, dropped: 0, corrected: 0, candidates: 0, refused: 0 },
};

export function foldEvent(fold: RunFold, { event }: StoredEvent): RunFold {
  const { arm } = event.at;
  switch (event.kind) {
    case 'evaluationMade': {
      if (event.suite !== 'dev') return fold;
      const { low, high } = event.interval;
      const score = { accuracy: event.mean, low, high };
      const before = fold[arm];
      const scores = new Map(before.scores).set(event.candidateId, score);
      // The start is in use until a gate accepts another.
      return withArm(
        fold,
        arm,
        { ...before, scores, inUse: before.inUse ?? event.candidateId },
        event.at.round,
      );
    }
    case 'candidateAccepted':
      return withArm(
        arm === 'main' ? { ...fold, kept: { ...fold.kept, candidates: fold.kept.candidates + 1 } } : fold,
        arm,
        { ...fold[arm], inUse: event.candidateId },
        event.at.round,
      );
    case 'candidateRefused':
      return arm === 'main' ? { ...fold, kept: { ...fold.kept, refused: fold.kept.refused + 1 } } : fold;
    case 'refinementsMade':
      return arm === 'main' ? { ...fold, kept: addKept(fold.kept, event) } : fold;
    case 'testScored':
      return { ...fold, test: testReport(event.final, event.interval, event.start, event.gain) };
    default:
      return fold;
  }
}

/** A round's accuracy is that of the candidate in use at its end, as last measured on the dev suite. */
function withArm(fold: RunFold, arm: Arm, state: ArmFold, round: number): RunFold {
  const score = state.inUse === null ? undefined : state.scores.get(state.inUse);
  const others = state.rounds.filter((one) => one.round !== round);
  const rounds =
    score === undefined ? state.rounds : [...others, { round, ...score }].sort((a, b) => a.round - b.round);
  return { ...fold, [arm]: { ...state, rounds } };
}

function addKept(kept: KeptReport, more: { kept: number; dropped: number; corrected: number }): KeptReport {
  return {
    ...kept,
    solutions: kept.solutions + more.kept,
    dropped: kept.dropped + more.dropped,
    corrected: kept.corrected + more.corrected,
  };
}

function testReport(
  accuracy: number,
  { low, high }: Interval,
  start: number,
  gain: { gain: number; interval: Interval },
): TestReport {
  return {
    accuracy,
    low,
    high,
    start,
    gain: gain.gain,
    gainLow: gain.interval.low,
    gainHigh: gain.interval.high,
  };
}
