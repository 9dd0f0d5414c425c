// Owns the check of a round's health: the figures by hand, and which warning each trouble raises and nothing else does.
import { describe, expect, test } from 'vitest';
import {
  type Health,
  healthAlarms,
  type HealthSignal,
  healthWarnings,
  measureHealth,
  type RoundFacts,
} from '../../../../src/core/measure/health.ts';

const facts: RoundFacts = {
  round: 2,
  tasks: [
    { answers: ['1', '1', '1', '1'], passed: 4, lengths: [10, 10, 10, 10] },
    { answers: ['1', '2', '1', '2'], passed: 2, lengths: [20, 20, 20, 20] },
    { answers: ['5', '6', null, null], passed: 0, lengths: [30, 30, 30, 30] },
  ],
  made: ['add the numbers', 'sort the words'],
  archive: ['add the numbers'],
  judgedLengths: [10, 50],
  judgedTwice: [
    { self: true, independent: true },
    { self: true, independent: false },
    { self: true, independent: false },
    { self: false, independent: false },
  ],
  comparison: { better: 3, worse: 2, tasks: 10 },
};

const healthy: Health = {
  round: 1,
  signalShare: 0.5,
  novelty: 0.6,
  answerEntropy: 0.6,
  meanLength: 100,
  judgedLength: 100,
  selfAgreement: 0.9,
  selfFlattery: 0,
  regressionShare: 0,
  regressions: 0,
  improvements: 3,
  passAt1: 0.4,
  k: 4,
  passAtK: 0.7,
};

const signals = (rounds: readonly Health[]): HealthSignal[] =>
  healthWarnings(rounds).map(({ signal }) => signal);

describe('measureHealth', () => {
  test('by hand', () => {
    const health = measureHealth(facts);
    expect(health.signalShare).toBeCloseTo(1 / 3, 12);
    expect(health.novelty).toBeCloseTo((0 + 2 / 3) / 2, 12);
    expect(health.answerEntropy).toBeCloseTo((0 + 1 / 2 + 1) / 3, 12);
    expect(health.meanLength).toBe(20);
    expect(health.judgedLength).toBe(30);
    expect(health.selfAgreement).toBe(1 / 2);
    expect(health.selfFlattery).toBe(1 / 2);
    expect(health.regressionShare).toBe(1 / 5);
    expect(health).toMatchObject({ regressions: 2, improvements: 3, k: 4 });
    expect(health.passAt1).toBe(1 / 2);
    expect(health.passAtK).toBeCloseTo(2 / 3, 12);
  });

  test('nothing to measure is unknown, not 0, and warns of nothing', () => {
    const empty = measureHealth({
      round: 1,
      tasks: [],
      made: [],
      archive: [],
      judgedLengths: [],
      judgedTwice: [],
      comparison: null,
    });
    const { round, k, ...figures } = empty;
    expect([round, k]).toEqual([1, 0]);
    expect(Object.values(figures).every((value) => value === null)).toBe(true);
    expect(signals([empty])).toEqual([]);
    expect(signals([])).toEqual([]);
  });

  test('one sample a task shows no signal and no pass@k', () => {
    const single = measureHealth({ ...facts, tasks: [{ answers: ['1'], passed: 1, lengths: [3] }] });
    expect(single).toMatchObject({ signalShare: null, answerEntropy: null, passAtK: null, k: 1, passAt1: 1 });
  });
});

describe('healthWarnings', () => {
  test('a healthy round warns of nothing', () => {
    expect(signals([healthy])).toEqual([]);
    expect(signals([healthy, { ...healthy, passAt1: 0.5, passAtK: 0.75 }])).toEqual([]);
  });

  test.each<[HealthSignal, Partial<Health>]>([
    ['signalShare', { signalShare: 0.1 }],
    ['novelty', { novelty: 0.2 }],
    ['answerEntropy', { answerEntropy: 0.2 }],
    ['judgedLength', { judgedLength: 160 }],
    ['selfAgreement', { selfAgreement: 0.6 }],
    ['selfFlattery', { selfFlattery: 0.2 }],
    ['regressionShare', { regressionShare: 0.1, regressions: 2 }],
    ['passAtK', { passAt1: 0.5, passAtK: 0.6 }],
    ['passAt1', { passAt1: 0.3 }],
  ])('%s alone', (signal, trouble) => {
    const rounds = [healthy, { ...healthy, round: 2, ...trouble }];
    expect(signals(rounds)).toEqual([signal]);
    const [warning] = healthWarnings(rounds);
    expect(warning?.says).toMatch(/\.$/);
    expect(warning?.failure).not.toBe('');
    expect(warning?.source).not.toBe('');
  });

  test('what explains a figure keeps it quiet', () => {
    // Longer answers that no judge scored, agreement that came with being right, one regression only, other k than at first.
    expect(signals([healthy, { ...healthy, meanLength: 400 }])).toEqual([]);
    expect(signals([healthy, { ...healthy, answerEntropy: 0.1, passAt1: 0.6, passAtK: 0.8 }])).toEqual([]);
    expect(signals([healthy, { ...healthy, regressionShare: 0.1, regressions: 1 }])).toEqual([]);
    expect(signals([healthy, { ...healthy, passAt1: 0.5, passAtK: 0.6, k: 2 }])).toEqual([]);
  });

  test('thresholds can be replaced', () => {
    const rounds = [healthy, { ...healthy, judgedLength: 160 }];
    expect(healthWarnings(rounds, { judgedLength: 2 })).toEqual([]);
    expect(healthWarnings(rounds)[0]).toMatchObject({ threshold: 1.5, value: 1.6 });
  });

  test('every alarm names a failure that was published', () => {
    expect(healthAlarms.length).toBeGreaterThanOrEqual(9);
    expect(new Set(healthAlarms.map(({ signal }) => signal)).size).toBe(healthAlarms.length);
    for (const { source } of healthAlarms) expect(source).toMatch(/\d{4}|R-Zero|MoT/);
  });
});
