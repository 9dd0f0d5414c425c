import { describe, expect, test } from 'vitest';
import { emptyFold, foldEvent } from '../../../src/cli/runReport.ts';
import type { Arm, EventBody, StoredEvent } from '../../../src/core/model/event.ts';
import { asId, type CandidateId } from '../../../src/core/model/ids.ts';

const candidate = (name: string) => asId<CandidateId>(name);

function stored(body: EventBody, round: number, arm: Arm = 'main'): StoredEvent {
  return { seq: 1, runId: asId('r'), time: 0, event: { ...body, at: { arm, round, step: 's' } } };
}

const evaluated = (
  name: string,
  mean: number,
  round: number,
  arm: Arm = 'main',
  suite: 'dev' | 'train' = 'dev',
) =>
  stored(
    {
      kind: 'evaluationMade',
      evaluationId: asId(`${name}${round}`),
      candidateId: candidate(name),
      suite,
      tasks: 10,
      mean,
      interval: { low: mean - 0.1, high: mean + 0.1, confidence: 0.95, method: 'wilson' },
      showcase: [],
      digest: asId('d'),
    },
    round,
    arm,
  );

const accepted = (name: string, round: number, arm: Arm = 'main') =>
  stored(
    {
      kind: 'candidateAccepted',
      candidateId: candidate(name),
      previous: candidate('start'),
      gain: null,
      reason: '',
    },
    round,
    arm,
  );

const refused = (name: string, round: number) =>
  stored(
    {
      kind: 'candidateRefused',
      candidateId: candidate(name),
      inUse: candidate('start'),
      gain: null,
      reason: '',
    },
    round,
  );

const accuracies = (events: readonly StoredEvent[], arm: Arm = 'main') =>
  events.reduce(foldEvent, emptyFold)[arm].rounds.map(({ round, accuracy }) => [round, accuracy]);

describe("a round's accuracy", () => {
  test('is that of the candidate in use at its end: a refused one does not count, an accepted one does', () => {
    const events = [
      evaluated('start', 0.1, 0),
      evaluated('worse', 0.05, 1),
      refused('worse', 1),
      evaluated('better', 0.6, 2),
      accepted('better', 2),
    ];
    expect(accuracies(events)).toEqual([
      [0, 0.1],
      [1, 0.1],
      [2, 0.6],
    ]);
  });

  test('is measured again where the candidate in use was', () => {
    const events = [evaluated('start', 0.1, 0), evaluated('start', 0.2, 1)];
    expect(accuracies(events)).toEqual([
      [0, 0.1],
      [1, 0.2],
    ]);
  });

  test('is of the dev suite only, and the control has its own', () => {
    const events = [
      evaluated('start', 0.1, 0),
      evaluated('start', 0.1, 0, 'control'),
      evaluated('a', 0.9, 1, 'main', 'train'),
      evaluated('b', 0.3, 1, 'control'),
      accepted('b', 1, 'control'),
    ];
    expect(accuracies(events)).toEqual([[0, 0.1]]);
    expect(accuracies(events, 'control')).toEqual([
      [0, 0.1],
      [1, 0.3],
    ]);
  });
});

test('what was kept is counted in the loop, not in its control', () => {
  const made = (arm: Arm) =>
    stored(
      { kind: 'refinementsMade', kept: 3, dropped: 5, corrected: 1, byHuman: 0, digest: asId('d') },
      1,
      arm,
    );
  const { kept } = [
    made('main'),
    made('main'),
    made('control'),
    accepted('a', 1),
    accepted('b', 1, 'control'),
    refused('c', 2),
  ].reduce(foldEvent, emptyFold);
  expect(kept).toEqual({ solutions: 6, dropped: 10, corrected: 2, candidates: 1, refused: 1 });
});
