/**
 * Owns how the numbers and states of read models are said to a person, so that trees, panel, status bar and documents
 * say them alike. Deliberately knows no view and no locale: numbers are written the way the recipes write them.
 */
import type { Interval } from '../core/model/candidate.ts';
import type { Arm, Phase } from '../core/model/event.ts';
import type { FeedbackSource } from '../core/model/feedback.ts';
import type { RunStatus } from '../core/model/views.ts';

const space = '\u00a0';

/** A score in [0, 1] as a percentage with one decimal: "94.0 %". */
export function percent(score: number): string {
  return `${(100 * score).toFixed(1)}${space}%`;
}

/** The bounds of an interval on a score: "91.6 to 95.8 %". */
export function range(interval: Interval): string {
  return `${(100 * interval.low).toFixed(1)} to ${percent(interval.high)}`;
}

/** A difference of two scores in percentage points with its sign: "+91.2 points". */
export function points(difference: number): string {
  const value = 100 * difference;
  const rounded = value.toFixed(1);
  const sign = Number(rounded) > 0 ? '+' : '';
  return `${Number(rounded) === 0 ? '0.0' : sign + rounded.replace('-', '\u2212')}${space}points`;
}

/** Whole numbers with thin grouping: "12 345". */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, space);
}

/** "1 task", "2 tasks". */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A duration for people: "8 s", "2 min 5 s", "1 h 3 min". */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds}${space}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}${space}min ${seconds % 60}${space}s`;
  return `${Math.floor(minutes / 60)}${space}h ${minutes % 60}${space}min`;
}

export function statusWord(status: RunStatus): string {
  const words: Readonly<Record<RunStatus, string>> = {
    running: 'running',
    paused: 'paused',
    done: 'done',
    budget: 'stopped by its budget',
    stopped: 'stopped',
    failed: 'failed',
  };
  return words[status];
}

export function armWord(arm: Arm): string {
  return arm === 'main' ? 'loop' : 'control';
}

export function phaseWord(phase: Phase): string {
  return phase.charAt(0).toUpperCase() + phase.slice(1);
}

/** Round 0 is the state before any round. */
export function roundWord(round: number): string {
  return round === 0 ? 'Start' : `Round ${round}`;
}

/**
 * Whether feedback of this source can be wrong in the same way as the model it judges. A judge or a log-probability
 * may be the model itself; the environment, a metric and a person never are.
 */
export function independence(source: FeedbackSource): string {
  switch (source) {
    case 'environment':
    case 'metric':
    case 'human':
      return 'independent of the model';
    case 'vote':
      return 'the model judging itself, by majority of its own answers';
    case 'logprob':
      return 'the model judging itself, by its own probabilities';
    case 'judge':
      return 'a model judging; independent only if it is another model';
  }
}
