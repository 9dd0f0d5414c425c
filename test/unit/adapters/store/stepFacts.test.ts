import { describe, expect, test } from 'vitest';
import { foldStep, sayStep, stepOf, type StepFacts } from '../../../../src/adapters/store/stepFacts.ts';
import type { Gain } from '../../../../src/core/model/candidate.ts';
import type { EventBody } from '../../../../src/core/model/event.ts';
import { asId, type ContentHash } from '../../../../src/core/model/ids.ts';
import { interval, place } from './samples.ts';

const digest = asId<ContentHash>('d');
const gain: Gain = {
  tasks: 500,
  gain: 0.36,
  interval: { ...interval, low: 0.31, high: 0.41 },
  better: 180,
  worse: 0,
  tied: 320,
  smallestVisible: 0.02,
};
const evaluated = (mean: number): EventBody => ({
  kind: 'evaluationMade',
  evaluationId: asId('e'),
  candidateId: asId('c'),
  suite: 'dev',
  tasks: 500,
  mean,
  interval,
  showcase: [],
  digest,
});
const refused = (reason: string, measured: Gain | null = null): EventBody => ({
  kind: 'candidateRefused',
  candidateId: asId('c'),
  inUse: asId('b'),
  gain: measured,
  reason,
});
const accepted = (measured: Gain | null): EventBody => ({
  kind: 'candidateAccepted',
  candidateId: asId('c'),
  previous: asId('b'),
  gain: measured,
  reason: 'accepted without a gate',
});
const solved = (count: number, failed: number): EventBody => ({
  kind: 'solutionsAcquired',
  count,
  failed,
  finish: {},
  meanOutputTokens: null,
  digest,
});
const made = (note: string): EventBody => ({
  kind: 'candidateMade',
  candidateId: asId('c'),
  slot: 'weights',
  note,
});

test.each<[string, readonly EventBody[]]>([
  ['', [{ kind: 'stepStarted', phase: 'acquire', operator: 'solve' }]],
  ['192 tasks', [{ kind: 'tasksAcquired', split: 'train', count: 192, digest }]],
  ['768 solutions', [solved(768, 0)]],
  ['1 solution', [solved(1, 0)]],
  ['768 solutions, 3 failed', [solved(700, 1), solved(68, 2)]],
  ['768 judged, 61 passed', [{ kind: 'feedbackGiven', source: 'metric', count: 768, passed: 61, digest }]],
  [
    'kept 61, dropped 707',
    [{ kind: 'refinementsMade', kept: 61, dropped: 707, corrected: 0, byHuman: 0, digest }],
  ],
  [
    'kept 60, dropped 707, corrected 1, 2 by a person',
    [{ kind: 'refinementsMade', kept: 60, dropped: 707, corrected: 1, byHuman: 2, digest }],
  ],
  [
    '77 examples, 4 duplicates left out',
    [{ kind: 'datasetPacked', form: 'sft', examples: 77, duplicates: 4, digest }],
  ],
  ['12 drafts', [{ kind: 'draftsRevised', count: 12, digest }]],
  ['trained on 412 solutions', [made('trained on 412 solutions')]],
  ['3 candidates', [made('a'), made('b'), made('c')]],
  ['0.46 [0.20, 0.40] on 500 tasks', [evaluated(0.46)]],
  ['3 evaluations, best 0.46 [0.20, 0.40] on 500 tasks', [evaluated(0.2), evaluated(0.46), evaluated(0.3)]],
  ['accepted: +0.36 [0.31, 0.41] on 500 tasks', [refused('scored lower'), accepted(gain)]],
  ['accepted: accepted without a gate', [accepted(null)]],
  [
    'refused: -0.02 [0.31, 0.41] on 500 tasks',
    [refused('no gain', { ...gain, gain: -0.02 }), refused('scored lower')],
  ],
  ['refused 2: scored lower', [refused('scored lower'), refused('scored lower')]],
  ['accepted: +0.36 [0.31, 0.41] on 500 tasks', [evaluated(0.1), accepted(gain)]],
  [
    '0.10 -> 0.94 [0.20, 0.40] on the sealed test',
    [evaluated(0.94), { kind: 'testScored', start: 0.1, final: 0.94, interval, gain }],
  ],
])('a step says "%s"', (sentence, events) => {
  expect(sayStep(events.reduce<StepFacts>(foldStep, {}))).toBe(sentence);
});

describe('the step an event belongs to', () => {
  test('is the one it announces, else the one its kind implies', () => {
    const at = place(1, '0.solve');
    expect(stepOf({ kind: 'stepStarted', phase: 'refine', operator: 'select', at })).toEqual({
      phase: 'refine',
      operator: 'select',
    });
    expect(stepOf({ ...solved(1, 0), at })).toEqual({ phase: 'acquire', operator: 'solve' });
  });

  test('is none for what happens to the run itself', () => {
    expect(stepOf({ ...solved(1, 0), at: place(1, '') })).toBeNull();
    expect(stepOf({ kind: 'roundStarted', at: place(1, '0.solve') })).toBeNull();
  });
});

describe('the health of a round', () => {
  const none = {
    signalShare: null,
    novelty: null,
    answerEntropy: null,
    meanLength: null,
    selfShare: null,
    selfAgreement: null,
    regressions: null,
    improvements: null,
    passAt1: null,
    k: 0,
    passAtK: null,
  };
  const said = (health: Partial<typeof none> | Record<string, number>): string =>
    sayStep(foldStep({}, { kind: 'healthMeasured', health: { ...none, ...health } }));

  test('is a step of its own, in the figures that are there', () => {
    const event: EventBody = { kind: 'healthMeasured', health: none };
    expect(stepOf({ ...event, at: place(1, 'health') })).toEqual({
      phase: 'evaluate',
      operator: 'health',
    });
    expect(
      said({ signalShare: 0.25, passAt1: 0.5, k: 4, passAtK: 0.75, selfShare: 0.5, regressions: 2 }),
    ).toBe('signal in 25 % of tasks, pass@1 0.50, pass@4 0.75, 50 % judged by itself, 2 regressions');
    expect(said({ selfShare: 0 })).toBe('');
  });
});
