/** Owns how a round's health is said in the panel. Deliberately judges nothing: alarms are warnings of the run. */
import type { HealthFigures } from '../core/model/health.ts';
import { percent } from './wording.ts';

export interface HealthLine {
  readonly label: string;
  readonly value: string;
  /** What the figure is, for who does not know it. */
  readonly help: string;
}

/** A line for each figure the round gave; none for those it did not. */
export function healthLines(health: HealthFigures): readonly HealthLine[] {
  const line = (
    label: string,
    value: number | null,
    help: string,
    say: (value: number) => string = percent,
  ) => (value === null ? [] : [{ label, value: say(value), help }]);
  const { k, regressions, improvements } = health;
  return [
    ...line(
      'Tasks with signal',
      health.signalShare,
      'Solved sometimes, missed sometimes: only these say what to learn.',
    ),
    ...line('pass@1', health.passAt1, 'How likely one answer is right.'),
    ...line(`pass@${k}`, health.passAtK, `How likely one of ${k} answers is right: what is within reach.`),
    ...line(
      'Answers disagree',
      health.answerEntropy,
      'Entropy of the answers to one task, as a share of the most there can be.',
    ),
    ...line(
      'New against all before',
      health.novelty,
      'Tasks and lessons of this round against those of earlier rounds, by words.',
    ),
    ...line('Characters an answer', health.meanLength, 'Mean length of the outputs.', (value) =>
      String(Math.round(value)),
    ),
    ...line(
      'Judged by itself',
      health.selfShare,
      'Share of the judgements the model made of its own work, by judging or by voting.',
    ),
    ...line(
      'Agrees with others',
      health.selfAgreement,
      'How often the model’s judgement is that of somebody independent.',
    ),
    ...(regressions === null || improvements === null
      ? []
      : [
          {
            label: 'Mended and broken',
            value: `${improvements} / ${regressions}`,
            help: 'Tasks the accepted candidate solves and the one before did not, and the other way round.',
          },
        ]),
  ];
}
