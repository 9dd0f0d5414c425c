// Owns the check against recorded outputs of real models with known scores; skipped where ../shared/data is absent.
import { describe, expect, test } from 'vitest';
import { pairedGain } from '../../../../src/core/measure/gain.ts';
import { graders } from '../../../../src/core/measure/grade.ts';
import { parseNumber } from '../../../../src/core/measure/numbers.ts';
import type { Scored } from '../../../../src/core/measure/statistics.ts';
import { asId, type TaskId } from '../../../../src/core/model/ids.ts';
import { extractAnswer } from '../../../../src/core/prompt/answer.ts';
import { expected, recordedPresent, recordedRows as rows } from '../recorded.ts';

describe.skipIf(!recordedPresent)('gsm8k', () => {
  test('gold answers of the test set', () => {
    const want = expected<{ rows: number; sum_of_gold: number; min: number; max: number; negative: number }>(
      'gsm8k/test',
    );
    const values = rows<{ answer: string }>('gsm8k/test.jsonl').map(
      ({ answer }) => parseNumber(extractAnswer(answer, 'auto') ?? '')?.value ?? NaN,
    );
    expect(values).toHaveLength(want.rows);
    expect(values.reduce((sum, value) => sum + value, 0)).toBe(want.sum_of_gold);
    expect([Math.min(...values), Math.max(...values)]).toEqual([want.min, want.max]);
    expect(values.filter((value) => value < 0)).toHaveLength(want.negative);
  });

  test.each(['6b_finetuning', '6b_verification'] as const)(
    'recorded correctness of %s, row by row',
    (model) => {
      const want = expected<{ correct: number; agree_with_recorded_flag: number; no_answer: number }>(
        `gsm8k/${model}`,
      );
      type Row = { ground_truth: string } & Record<typeof model, { is_correct: boolean; solution: string }>;
      const all = rows<Row>('gsm8k/model_solutions_6b.jsonl');
      for (const rule of ['auto', { after: 'A: ' }, 'last-number'] as const) {
        const right = all.map((row) => {
          const reference = extractAnswer(row.ground_truth, rule) ?? '';
          return graders.numeric(extractAnswer(row[model].solution, rule), reference).score === 1;
        });
        expect(right.filter(Boolean)).toHaveLength(want.correct);
        expect(right.filter((value, index) => value === all[index]?.[model].is_correct)).toHaveLength(
          want.agree_with_recorded_flag,
        );
      }
      const none = all.filter((row) => extractAnswer(row[model].solution, { after: 'A: ' }) === null);
      expect(none).toHaveLength(want.no_answer);
    },
  );
});

interface BbhRow {
  readonly task: string;
  readonly mode: 'cot' | 'direct';
  readonly published_accuracy: number;
  readonly items: readonly (readonly [string, string])[];
}

describe.skipIf(!recordedPresent)('bbh', () => {
  const scores = (row: BbhRow): Scored[] =>
    row.items.map(([target, prediction], index) => ({
      taskId: asId<TaskId>(`${row.task}/${index}`),
      score: graders.exact(extractAnswer(prediction, 'auto'), target).score,
    }));
  const share = (list: readonly Scored[]): number =>
    (100 * list.reduce((sum, { score }) => sum + score, 0)) / list.length;

  test('published accuracy of each task in both prompt styles', () => {
    const want = expected<{ tasks: number; cot_avg: number; direct_avg: number }>('bbh');
    const all = rows<BbhRow>('bbh/davinci_outputs.jsonl').filter((row) => Array.isArray(row.items));
    for (const row of all)
      expect(share(scores(row)), `${row.task} ${row.mode}`).toBeCloseTo(row.published_accuracy, 6);
    for (const [mode, average] of [
      ['cot', want.cot_avg],
      ['direct', want.direct_avg],
    ] as const) {
      const accuracies = all.filter((row) => row.mode === mode).map((row) => share(scores(row)));
      expect(accuracies).toHaveLength(want.tasks);
      expect(accuracies.reduce((sum, value) => sum + value, 0) / accuracies.length).toBeCloseTo(average, 6);
    }
  });

  test('paired comparison of the two styles says what the counts say', () => {
    const all = rows<BbhRow>('bbh/davinci_outputs.jsonl').filter((row) => Array.isArray(row.items));
    const of = (mode: BbhRow['mode']): Scored[] => all.filter((row) => row.mode === mode).flatMap(scores);
    const gain = pairedGain(of('direct'), of('cot'), 0.95);
    expect(gain.tasks).toBe(of('cot').length);
    expect((gain.better - gain.worse) / gain.tasks).toBeCloseTo(gain.gain, 12);
    expect(gain.interval.low).toBeGreaterThan(0.15);
  });
});

describe.skipIf(!recordedPresent)('program of thought', () => {
  test('executed values against gold, within 1e-3', () => {
    const want = expected<{ n: number; abs_1e3_correct: number; missing: number }>('pot/gsm8k_fewshot');
    const all = rows<{ answer: number; executed: number | null }>('pot/gsm8k_fewshot.jsonl');
    expect(all).toHaveLength(want.n);
    expect(all.filter(({ executed }) => executed === null)).toHaveLength(want.missing);
    const right = all.filter(({ answer, executed }) => {
      const given = executed === null ? null : String(executed);
      return graders.numeric(given, String(answer), { tolerance: 1e-3 }).score === 1;
    });
    expect(right).toHaveLength(want.abs_1e3_correct);
  });
});
