/**
 * Owns what the panel knows of the run it shows: a fold over the run's events, nothing else.
 * Deliberately pure and without a DOM, so that the same events always give the same picture.
 */
import type { Interval, Gain } from '../src/core/model/candidate.ts';
import type {
  Arm,
  Phase,
  RunEvent,
  RunEventKind,
  ShowcaseItem,
  StoredEvent,
} from '../src/core/model/event.ts';
import type { HealthFigures } from '../src/core/model/health.ts';
import type { CandidateId } from '../src/core/model/ids.ts';
import { count, counted, percent, points } from '../src/protocol/wording.ts';

/** The dev score of the candidate in use after a round. */
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

/** What one dev evaluation said of one candidate. */
interface Scored {
  readonly mean: number;
  readonly interval: Interval;
  readonly tasks: number;
  readonly showcase: readonly ShowcaseItem[];
}

/** What a step came to so far, and how many events said so. */
export interface StepNote {
  readonly kind: RunEventKind;
  readonly times: number;
  readonly text: string;
}

export interface ArmModel {
  readonly points: readonly CurvePoint[];
  /** Dev scores of candidates the gate refused: tried, but not what the loop goes on with. */
  readonly refused: readonly { readonly round: number; readonly mean: number }[];
  /** Replies of the candidate in use after a round. */
  readonly showcases: ReadonlyMap<number, readonly ShowcaseItem[]>;
  /** A candidate whose dev score is known and about which nothing is decided yet. */
  readonly pending: { readonly round: number; readonly candidate: CandidateId } | null;
  readonly inUse: CandidateId | null;
  /** The newest dev score of every candidate of the arm. */
  readonly scored: ReadonlyMap<CandidateId, Scored>;
  readonly decisions: ReadonlyMap<number, Decision>;
  readonly round: number;
  /** What each step of the arm's newest round came to so far, by step path. */
  readonly notes: ReadonlyMap<string, StepNote>;
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

/** A figure of a round's health that published loops went wrong by. */
export interface Alarm {
  readonly round: number;
  readonly message: string;
  readonly seenBefore: string;
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
  /** What the health of the main arm's rounds warns of; a control is there to go wrong. */
  readonly alarms: readonly Alarm[];
  /** What its last resume found again, and what it has to ask again; null where it was never resumed. */
  readonly resumed: { readonly recovered: number; readonly repeated: number } | null;
  /** Of the newest round of the main arm that was measured; null before. */
  readonly health: { readonly round: number; readonly figures: HealthFigures } | null;
  /** Number of the newest event folded in; events up to it are ignored. */
  readonly lastSeq: number;
}

const emptyArm: ArmModel = {
  points: [],
  refused: [],
  showcases: new Map(),
  pending: null,
  inUse: null,
  scored: new Map(),
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
  alarms: [],
  resumed: null,
  health: null,
  lastSeq: 0,
};

function inArm(model: RunModel, arm: Arm, change: (arm: ArmModel) => ArmModel): RunModel {
  return arm === 'main'
    ? { ...model, main: change(model.main) }
    : { ...model, control: change(model.control) };
}

/** What a step came to, for the wheel, when it said so `times` times; null for events that are no step's result. */
export function stepNote(event: RunEvent, times: number): string | null {
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
      return times > 1 ? counted(times, 'candidate') : event.note;
    case 'evaluationMade':
      return times > 1
        ? counted(times, 'candidate')
        : `${percent(event.mean)} on ${counted(event.tasks, `${event.suite} task`)}`;
    case 'candidateAccepted':
      return event.gain === null ? 'accepted' : `accepted, ${points(event.gain.gain)}`;
    case 'candidateRefused':
      if (times > 1) return `${count(times)} refused`;
      return event.gain === null ? 'refused' : `refused, ${points(event.gain.gain)}`;
    default:
      return null;
  }
}

/** The wheel after an event: events of the run itself leave it where it stands. */
function turn(wheel: Wheel, event: RunEvent): Wheel {
  const { arm, round, step } = event.at;
  if ((step === '' && event.kind !== 'roundStarted') || step === 'health') return wheel;
  const phase =
    event.kind === 'stepStarted' ? event.phase : event.kind === 'roundStarted' ? null : wheel.phase;
  return { arm, round, step, phase };
}

function withNote(model: RunModel, event: RunEvent): RunModel {
  const { arm, step } = event.at;
  if (step === '' || step === 'health') return model;
  return inArm(model, arm, (state) => {
    const before = state.notes.get(step);
    const times = before?.kind === event.kind ? before.times + 1 : 1;
    const text = stepNote(event, times);
    if (text === null) return state;
    return { ...state, notes: new Map(state.notes).set(step, { kind: event.kind, times, text }) };
  });
}

/** The arm when this candidate is the one in use after the round; its newest dev score and replies are the round's. */
function usedAfter(arm: ArmModel, round: number, candidate: CandidateId): ArmModel {
  const scored = arm.scored.get(candidate);
  const used = { ...arm, pending: null, inUse: candidate };
  if (scored === undefined) return used;
  const { mean, interval, tasks, showcase } = scored;
  const others = arm.points.filter((point) => point.round !== round);
  return {
    ...used,
    points: [...others, { round, mean, interval, tasks }].sort((left, right) => left.round - right.round),
    showcases: new Map(arm.showcases).set(round, showcase),
  };
}

/** Several candidates may stand before the gate in one round; one accepted makes the round a kept one. */
function decide(arm: ArmModel, round: number, decision: Decision): ArmModel {
  if (arm.decisions.get(round)?.accepted === true) return arm;
  return { ...arm, decisions: new Map(arm.decisions).set(round, decision) };
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
      const { candidateId, mean, interval, tasks, showcase } = event;
      return inArm(model, arm, (state) => {
        const scored = new Map(state.scored).set(candidateId, { mean, interval, tasks, showcase });
        const known = { ...state, scored };
        return state.inUse === null || state.inUse === candidateId
          ? usedAfter(known, round, candidateId)
          : { ...known, pending: { round, candidate: candidateId } };
      });
    }
    case 'candidateAccepted':
      return inArm(model, arm, (state) =>
        decide(usedAfter(state, round, event.candidateId), round, { accepted: true, reason: event.reason }),
      );
    case 'candidateRefused': {
      return inArm(model, arm, (state) => {
        const mean = state.scored.get(event.candidateId)?.mean;
        const refused = mean === undefined ? state.refused : [...state.refused, { round, mean }];
        return decide({ ...usedAfter(state, round, event.inUse), refused }, round, {
          accepted: false,
          reason: event.reason,
        });
      });
    }
    case 'testScored':
      return arm === 'main'
        ? {
            ...model,
            test: { start: event.start, final: event.final, interval: event.interval, gain: event.gain },
          }
        : model;
    case 'healthMeasured':
      return arm === 'main' ? { ...model, health: { round, figures: event.health } } : model;
    case 'warningRaised':
      return warned(model, event);
    case 'runResumed':
      return { ...model, resumed: { recovered: event.recovered, repeated: event.repeated ?? 0 } };
    case 'dataSkipped':
      return {
        ...model,
        warnings: [...model.warnings, `${event.file}, line ${event.line} skipped: ${event.reason}`],
      };
    default:
      return model;
  }
}

function warned(model: RunModel, event: Extract<RunEvent, { kind: 'warningRaised' }>): RunModel {
  const { message, seenBefore, at } = event;
  if (seenBefore === undefined) return { ...model, warnings: [...model.warnings, message] };
  if (at.arm !== 'main') return model;
  return { ...model, alarms: [...model.alarms, { round: at.round, message, seenBefore }] };
}

/** Where no gate has decided by the time the wheel goes on, the newest candidate is the one it goes on with. */
function goneOn(arm: ArmModel, name: Arm, event: RunEvent): ArmModel {
  const { pending } = arm;
  if (pending === null) return arm;
  const { at } = event;
  const same =
    at.arm === name && at.round === pending.round && at.step !== 'test' && event.kind !== 'runEnded';
  return same ? arm : usedAfter(arm, pending.round, pending.candidate);
}

/** Events already folded in (by number) change nothing, so an overlap of snapshot and changes is harmless. */
export function foldEvents(model: RunModel, events: readonly StoredEvent[]): RunModel {
  let next = model;
  for (const { seq, event } of events) {
    if (seq <= next.lastSeq) continue;
    const main = goneOn(next.main, 'main', event);
    const control = goneOn(next.control, 'control', event);
    const folded = withNote(fold({ ...next, main, control }, event), event);
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
