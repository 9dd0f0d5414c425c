// Owns the proof of what the panel shows of a run's health.
import { describe, expect, test } from 'vitest';
import type { EventBody, Position } from '../../../src/core/model/event.ts';
import { healthLines } from '../../../src/protocol/healthWords.ts';
import { emptyRun, foldEvents } from '../../../webview/runModel.ts';
import { at, stored } from '../host/builders.ts';

type Body = EventBody & { readonly at: Position };
const started: Body = {
  kind: 'runStarted',
  recipe: 'star',
  seed: 1,
  rounds: 3,
  arms: ['main', 'control'],
  at: at(0),
};

describe('the health of a round', () => {
  const figures = {
    signalShare: 0.25,
    novelty: null,
    answerEntropy: 0.5,
    meanLength: 12.4,
    selfShare: 0,
    selfAgreement: null,
    regressions: 1,
    improvements: 3,
    passAt1: 0.5,
    k: 4,
    passAtK: 0.75,
  };
  const measured = (round: number, arm: 'main' | 'control' = 'main'): Body => ({
    kind: 'healthMeasured',
    health: figures,
    at: at(round, 'health', arm),
  });

  test('is that of the newest round of the main arm, and moves no step of the wheel', () => {
    const model = foldEvents(emptyRun, stored([started, measured(1), measured(2), measured(3, 'control')]));
    expect(model.health).toEqual({ round: 2, figures });
    expect(model.wheel.step).toBe('');
    expect(model.main.notes.size).toBe(0);
    expect(foldEvents(emptyRun, stored([started])).health).toBeNull();
  });

  test('warns of rounds of the main arm, apart from other warnings', () => {
    const warning = (round: number, arm: 'main' | 'control', seenBefore?: string): Body => ({
      kind: 'warningRaised',
      message: `of ${arm} ${round}`,
      ...(seenBefore === undefined ? {} : { seenBefore }),
      at: at(round, 'health', arm),
    });
    const model = foldEvents(
      emptyRun,
      stored([
        started,
        warning(1, 'main', 'collapse'),
        warning(1, 'control', 'collapse'),
        warning(2, 'main'),
      ]),
    );
    expect(model.alarms).toEqual([{ round: 1, message: 'of main 1', seenBefore: 'collapse' }]);
    expect(model.warnings).toEqual(['of main 2']);
  });

  test('shows a line for each figure there is, and none for others', () => {
    const lines = healthLines(figures);
    expect(lines.map(({ label, value }) => `${label}: ${value}`)).toEqual([
      'Tasks with signal: 25.0\u00a0%',
      'pass@1: 50.0\u00a0%',
      'pass@4: 75.0\u00a0%',
      'Answers disagree: 50.0\u00a0%',
      'Characters an answer: 12',
      'Judged by itself: 0.0\u00a0%',
      'Mended and broken: 3 / 1',
    ]);
  });
});
