/**
 * Owns what the panel knows of the run it shows: a fold over the run's events, nothing else.
 * Deliberately pure and without a DOM, so that the same events always give the same picture.
 */
import type { Interval, Gain } from '../src/core/model/candidate.ts';
import type { Arm, Phase, RunEvent, ShowcaseItem, StoredEvent } from '../src/core/model/event.ts';
import { count, counted, points } from '../src/protocol/wording.ts';

/** One dev evaluation of an arm. */
export interface CurvePoint {
  readonly round: number;
  /** In [0, 1]. */
  readonly mean: number;
  readonly interval: Interval;
  readonly tasks: number;
}

/** What the gate said in a round; null where the round had no gate. */
export interface Decision {
  readonly accepted: boolean;
  readonly reason: string;
}

export interface ArmModel {
  readonly points: readonly CurvePoint[];
  readonly showcases: ReadonlyMap<number, readonly ShowcaseItem[]>;
  readonly decisions: ReadonlyMap<number, Decision>;
  readonly round: number;
  /** What each step of the arm's newest round came to so far, by step path. */
  readonly notes: ReadonlyMap<string, string>;
}

export interface TestScore {
  readonly start: number;
  readonly final: number;
  readonly interval: Interval;
  readonly gain: Gain;
}

/** Where the run is now. */
export interface Wheel {
  readonly arm: Arm;
  readonly round: number;
  readonly step: string;
  readonly phase: Phase | null;
}

export interface RunModel {
  readonly plannedRounds: number;
  readonly seed: number;
  readonly hasControl: boolean;
  readonly main: ArmModel;
  readonly control: ArmModel;
  readonly wheel: Wheel;
  readonly test: TestScore | null;
  readonly warnings: readonly string[];
  /** Number of the newest event folded in; events up to it are ignored. */
  readonly lastSeq: number;
}

const emptyArm: ArmModel = {
  points: [],
  showcases: new Map(),
  decisions: new Map(),
  round: 0,
  notes: new Map(),
};

export const emptyRun: RunModel = {
  plannedRounds: 0,
  seed: 0,
  hasControl: false,
  main: emptyArm,
  control: emptyArm,
  wheel: { arm: 'main', round: 0, step: '', phase: null },
  test: null,
  warnings: [],
  lastSeq: 0,
};

function inArm(model: RunModel, arm: Arm, change: (arm: ArmModel) => ArmModel): RunModel {
  return arm === 'main'
    ? { ...model, main: change(model.main) }
    : { ...model, control: change(model.control) };
}

/** What a step's event says it came to, for the wheel; null for events that are no step's result. */
export function stepNote(event: RunEvent): string | null {
  switch (event.kind) {
    case 'tasksAcquired':
      return counted(event.count, 'task');
    case 'solutionsAcquired':
      return (
        counted(event.count, 'solution') +
        (event.failed > 0 ? `, ${count(event.failed)} without an answer` : '')
      );
    case 'feedbackGiven':
      return `${count(event.passed)} of ${count(event.count)} pass`;
    case 'refinementsMade': {
      const total = event.kept + event.dropped + event.corrected;
      const parts = [`kept ${count(event.kept)} of ${count(total)}`];
      if (event.corrected > 0) parts.push(`corrected ${count(event.corrected)}`);
      if (event.byHuman > 0) parts.push(`${count(event.byHuman)} by you`);
      return parts.join(', ');
    }
    case 'datasetPacked':
      return (
        counted(event.examples, 'example') +
        (event.duplicates > 0 ? `, ${count(event.duplicates)} duplicates left out` : '')
      );
    case 'draftsRevised':
      return counted(event.count, 'draft');
    case 'candidateMade':
      return event.note;
    case 'candidateAccepted':
      return event.gain === null ? 'accepted' : `accepted, ${points(event.gain.gain)}`;
    case 'candidateRefused':
      return event.gain === null ? 'refused' : `refused, ${points(event.gain.gain)}`;
    default:
      return null;
  }
}

/** The wheel after an event: events of the run itself leave it where it stands. */
function turn(wheel: Wheel, event: RunEvent): Wheel {
  const { arm, round, step } = event.at;
  if (step === '' && event.kind !== 'roundStarted') return wheel;
  const phase =
    event.kind === 'stepStarted' ? event.phase : event.kind === 'roundStarted' ? null : wheel.phase;
  return { arm, round, step, phase };
}

function withNote(model: RunModel, event: RunEvent): RunModel {
  const note = stepNote(event);
  const { arm, step } = event.at;
  if (note === null || step === '') return model;
  return inArm(model, arm, (state) => ({ ...state, notes: new Map(state.notes).set(step, note) }));
}

function fold(model: RunModel, event: RunEvent): RunModel {
  const { arm, round } = event.at;
  switch (event.kind) {
    case 'runStarted':
      return {
        ...model,
        plannedRounds: event.rounds,
        seed: event.seed,
        hasControl: event.arms.includes('control'),
      };
    case 'roundStarted':
      return inArm(model, arm, (state) => ({
        ...state,
        round: Math.max(state.round, round),
        notes: new Map(),
      }));
    case 'evaluationMade': {
      if (event.suite !== 'dev') return model;
      const point: CurvePoint = {
        round,
        mean: event.mean,
        interval: event.interval,
        tasks: event.tasks,
      };
      return inArm(model, arm, (state) => ({
        ...state,
        points: [...state.points.filter((other) => other.round !== round), point].sort(
          (left, right) => left.round - right.round,
        ),
        showcases: new Map(state.showcases).set(round, event.showcase),
      }));
    }
    case 'candidateAccepted':
    case 'candidateRefused': {
      const accepted = event.kind === 'candidateAccepted';
      return inArm(model, arm, (state) => ({
        ...state,
        // Several candidates may stand before the gate in one round; one accepted makes the round a kept one.
        decisions: state.decisions.get(round)?.accepted
          ? state.decisions
          : new Map(state.decisions).set(round, { accepted, reason: event.reason }),
      }));
    }
    case 'testScored':
      return arm === 'main'
        ? {
            ...model,
            test: { start: event.start, final: event.final, interval: event.interval, gain: event.gain },
          }
        : model;
    case 'warningRaised':
      return { ...model, warnings: [...model.warnings, event.message] };
    case 'dataSkipped':
      return {
        ...model,
        warnings: [...model.warnings, `${event.file}, line ${event.line} skipped: ${event.reason}`],
      };
    default:
      return model;
  }
}

/** Events already folded in (by number) change nothing, so an overlap of snapshot and changes is harmless. */
export function foldEvents(model: RunModel, events: readonly StoredEvent[]): RunModel {
  let next = model;
  for (const { seq, event } of events) {
    if (seq <= next.lastSeq) continue;
    const folded = withNote(fold(next, event), event);
    next = { ...folded, wheel: turn(folded.wheel, event), lastSeq: seq };
  }
  return next;
}

/** The newest point of an arm, or null before its first evaluation. */
export function newest(arm: ArmModel): CurvePoint | null {
  return arm.points.at(-1) ?? null;
}

/** A round counts as kept when its gate accepted, and as refused when its gate refused; null when it had none. */
export function keptIn(arm: ArmModel, round: number): boolean | null {
  return arm.decisions.get(round)?.accepted ?? null;
}
