/**
 * Owns what is remembered of a step of a round and the sentence made of it. Pure: folds events, reads no table.
 * Deliberately keeps counts and verdicts only; the artifacts are rows of their own.
 */
import type { Gain, Interval } from '../../core/model/candidate.ts';
import type { HealthFigures } from '../../core/model/health.ts';
import type { EventBody, Phase, RunEvent } from '../../core/model/event.ts';

interface Shown {
  readonly gain: Gain | null;
  readonly reason: string;
}

/** Everything absent has not happened. */
export interface StepFacts {
  readonly tasks?: number;
  readonly solutions?: { readonly count: number; readonly failed: number };
  readonly feedback?: { readonly count: number; readonly passed: number };
  readonly refinements?: {
    readonly kept: number;
    readonly dropped: number;
    readonly corrected: number;
    readonly byHuman: number;
  };
  readonly dataset?: { readonly examples: number; readonly duplicates: number };
  readonly drafts?: number;
  readonly made?: { readonly count: number; readonly note: string };
  readonly evaluations?: {
    readonly count: number;
    readonly best: number;
    readonly tasks: number;
    readonly interval: Interval;
  };
  readonly accepted?: Shown;
  readonly refused?: Shown & { readonly count: number };
  readonly selected?: { readonly kept: number; readonly dropped: number; readonly reason: string };
  readonly knowledge?: { readonly count: number; readonly form: string; readonly refused: number };
  /** A report, or what the next round aims at. */
  readonly said?: string;
  readonly health?: HealthFigures;
  readonly test?: { readonly start: number; readonly final: number; readonly interval: Interval };
}

type OfStep = Readonly<Record<string, { readonly phase: Phase; readonly operator: string }>>;

/** What a step that never announced itself must have been. */
const BY_KIND: OfStep = {
  tasksAcquired: { phase: 'acquire', operator: 'propose' },
  solutionsAcquired: { phase: 'acquire', operator: 'solve' },
  feedbackGiven: { phase: 'acquire', operator: 'assess' },
  refinementsMade: { phase: 'refine', operator: 'select' },
  draftsRevised: { phase: 'refine', operator: 'revise' },
  tasksSelected: { phase: 'refine', operator: 'select' },
  knowledgeDistilled: { phase: 'update', operator: 'distill' },
  reportMade: { phase: 'evaluate', operator: 'evaluate' },
  retargeted: { phase: 'evaluate', operator: 'retarget' },
  datasetPacked: { phase: 'update', operator: 'pack' },
  candidateMade: { phase: 'update', operator: 'update' },
  candidateAccepted: { phase: 'refine', operator: 'select' },
  candidateRefused: { phase: 'refine', operator: 'select' },
  evaluationMade: { phase: 'evaluate', operator: 'evaluate' },
  testScored: { phase: 'evaluate', operator: 'evaluate' },
  healthMeasured: { phase: 'evaluate', operator: 'health' },
};

/** Phase and operator of the step an event belongs to; null where the event is no part of a step. */
export function stepOf(event: RunEvent): { readonly phase: Phase; readonly operator: string } | null {
  if (event.at.step === '') return null;
  if (event.kind === 'stepStarted') return { phase: event.phase, operator: event.operator };
  return BY_KIND[event.kind] ?? null;
}

/** The facts after one more event; events that say nothing about a step's outcome leave them as they are. */
export function foldStep(facts: StepFacts, event: EventBody): StepFacts {
  switch (event.kind) {
    case 'tasksAcquired':
      return { ...facts, tasks: (facts.tasks ?? 0) + event.count };
    case 'solutionsAcquired': {
      const before = facts.solutions ?? { count: 0, failed: 0 };
      const solutions = { count: before.count + event.count, failed: before.failed + event.failed };
      return { ...facts, solutions };
    }
    case 'feedbackGiven': {
      const before = facts.feedback ?? { count: 0, passed: 0 };
      const feedback = { count: before.count + event.count, passed: before.passed + event.passed };
      return { ...facts, feedback };
    }
    case 'refinementsMade': {
      const { kept, dropped, corrected, byHuman } = event;
      return { ...facts, refinements: { kept, dropped, corrected, byHuman } };
    }
    case 'datasetPacked':
      return { ...facts, dataset: { examples: event.examples, duplicates: event.duplicates } };
    case 'draftsRevised':
      return { ...facts, drafts: (facts.drafts ?? 0) + event.count };
    case 'tasksSelected':
      return { ...facts, selected: { kept: event.kept, dropped: event.dropped, reason: event.reason } };
    case 'knowledgeDistilled': {
      const { count, form, refused } = event;
      return { ...facts, knowledge: { count, form, refused } };
    }
    case 'reportMade':
    case 'retargeted':
      return { ...facts, said: event.text.split('\n', 1)[0] ?? '' };
    case 'candidateMade':
      return { ...facts, made: { count: (facts.made?.count ?? 0) + 1, note: event.note } };
    case 'evaluationMade':
      return { ...facts, evaluations: foldEvaluation(facts, event) };
    case 'candidateAccepted':
      return { ...facts, accepted: { gain: event.gain, reason: event.reason } };
    case 'candidateRefused':
      return { ...facts, refused: foldRefusal(facts, event) };
    case 'healthMeasured':
      return { ...facts, health: event.health };
    case 'testScored':
      return { ...facts, test: { start: event.start, final: event.final, interval: event.interval } };
    default:
      return facts;
  }
}

function foldEvaluation(
  facts: StepFacts,
  event: Extract<EventBody, { kind: 'evaluationMade' }>,
): NonNullable<StepFacts['evaluations']> {
  const { mean, tasks, interval } = event;
  const before = facts.evaluations;
  if (before === undefined) return { count: 1, best: mean, tasks, interval };
  return mean > before.best
    ? { count: before.count + 1, best: mean, tasks, interval }
    : { ...before, count: before.count + 1 };
}

/** A refusal that was measured says more than one that was not. */
function foldRefusal(
  facts: StepFacts,
  { gain, reason }: Extract<EventBody, { kind: 'candidateRefused' }>,
): NonNullable<StepFacts['refused']> {
  const before = facts.refused;
  const shown = before !== undefined && gain === null ? before : { gain, reason };
  return { ...shown, count: (before?.count ?? 0) + 1 };
}

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;
const bounds = (interval: Interval): string => `[${interval.low.toFixed(2)}, ${interval.high.toFixed(2)}]`;
const also = (count: number, words: string): string => (count > 0 ? `, ${count} ${words}` : '');

function shownGain({ gain, reason }: Shown): string {
  if (gain === null) return reason;
  const sign = gain.gain < 0 ? '' : '+';
  return `${sign}${gain.gain.toFixed(2)} ${bounds(gain.interval)} on ${counted(gain.tasks, 'task', 'tasks')}`;
}

function sayGate({ accepted, refused }: StepFacts): string | null {
  if (accepted !== undefined) return `accepted: ${shownGain(accepted)}`;
  if (refused === undefined) return null;
  return refused.count === 1 || refused.gain !== null
    ? `refused: ${shownGain(refused)}`
    : `refused ${refused.count}: ${refused.reason}`;
}

function sayEvaluations({ evaluations }: StepFacts): string | null {
  if (evaluations === undefined) return null;
  const { count, best, tasks, interval } = evaluations;
  const score = `${best.toFixed(2)} ${bounds(interval)} on ${counted(tasks, 'task', 'tasks')}`;
  return count === 1 ? score : `${count} evaluations, best ${score}`;
}

function sayRefinements({ refinements }: StepFacts): string | null {
  if (refinements === undefined) return null;
  const { kept, dropped, corrected, byHuman } = refinements;
  return `kept ${kept}, dropped ${dropped}${corrected > 0 ? `, corrected ${corrected}` : ''}${also(byHuman, 'by a person')}`;
}

/** The figures that say most; the panel shows them all. */
function sayHealth({ signalShare, passAt1, k, passAtK, regressions, selfShare }: HealthFigures): string {
  const percent = (value: number) => `${(100 * value).toFixed(0)} %`;
  const parts = [
    ...(signalShare === null ? [] : [`signal in ${percent(signalShare)} of tasks`]),
    ...(passAt1 === null ? [] : [`pass@1 ${passAt1.toFixed(2)}`]),
    ...(passAtK === null ? [] : [`pass@${k} ${passAtK.toFixed(2)}`]),
    ...(selfShare === null || selfShare === 0 ? [] : [`${percent(selfShare)} judged by itself`]),
    ...(regressions === null ? [] : [`${regressions} regressions`]),
  ];
  return parts.join(', ');
}

function sayAim({ selected, knowledge, said }: StepFacts): string | null {
  if (selected !== undefined)
    return `kept ${counted(selected.kept, 'task', 'tasks')}, dropped ${selected.dropped}: ${selected.reason}`;
  if (knowledge !== undefined)
    return `${counted(knowledge.count, 'item', 'items')} of form ${knowledge.form}${also(knowledge.refused, 'refused as copies')}`;
  return said ?? null;
}

/** One line for people, '' while there is nothing to say: "768 solutions", "kept 61, dropped 707". */
export function sayStep(facts: StepFacts): string {
  const { tasks, solutions, feedback, dataset, drafts, made, test } = facts;
  if (test !== undefined)
    return `${test.start.toFixed(2)} -> ${test.final.toFixed(2)} ${bounds(test.interval)} on the sealed test`;
  if (facts.health !== undefined) return sayHealth(facts.health);
  const decided = sayGate(facts) ?? sayEvaluations(facts) ?? sayAim(facts);
  if (decided !== null) return decided;
  if (made !== undefined) return made.count === 1 ? made.note : `${made.count} candidates`;
  if (drafts !== undefined) return counted(drafts, 'draft', 'drafts');
  if (dataset !== undefined)
    return counted(dataset.examples, 'example', 'examples') + also(dataset.duplicates, 'duplicates left out');
  const refined = sayRefinements(facts);
  if (refined !== null) return refined;
  if (feedback !== undefined) return `${feedback.count} judged, ${feedback.passed} passed`;
  if (solutions !== undefined)
    return counted(solutions.count, 'solution', 'solutions') + also(solutions.failed, 'failed');
  return tasks === undefined ? '' : counted(tasks, 'task', 'tasks');
}
