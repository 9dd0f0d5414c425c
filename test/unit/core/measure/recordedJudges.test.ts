// Owns the check of judges' statistics against published and recomputed figures; skipped without the recorded data.
import { describe, expect, test } from 'vitest';
import {
  categoryKappa,
  classification,
  cohenKappa,
  swapReport,
  type VerdictPair,
} from '../../../../src/core/measure/judgeStatistics.ts';
import { mean } from '../../../../src/core/measure/statistics.ts';
import { vote } from '../../../../src/core/measure/votes.ts';
import { readPreference, readRating } from '../../../../src/core/prompt/verdict.ts';
import { expected, recordedJson, recordedPresent, recordedRows } from '../recorded.ts';

interface Judge {
  readonly subset: string;
  readonly judge: string;
  readonly strategy: string;
  readonly items: readonly {
    readonly label: number;
    readonly winner_AB: string | null;
    readonly winner_BA: string | null;
    readonly text_AB?: string;
    readonly text_BA?: string;
  }[];
}
const judges = (): Judge[] => recordedRows<Judge>('llmbar/judges_natural.jsonl');

describe.skipIf(!recordedPresent)('llmbar', () => {
  test('accuracy in both orders, agreement between them and kappas of eleven judges', () => {
    expect(judges()).toHaveLength(11);
    for (const { subset, judge, strategy, items } of judges()) {
      const want = expected<Record<string, number>>(`llmbar/${subset}/${judge}/${strategy}`);
      const report = swapReport(
        items.map((item) => ({ first: item.winner_AB, swapped: item.winner_BA, label: String(item.label) })),
      );
      const name = `${judge} ${strategy}`;
      expect(report?.pairs, name).toBe(want['n']);
      expect(100 * (report?.accuracy?.first ?? NaN), name).toBeCloseTo(want['acc_AB'] as number, 10);
      expect(100 * (report?.accuracy?.swapped ?? NaN), name).toBeCloseTo(want['acc_BA'] as number, 10);
      expect(100 * (report?.accuracy?.both ?? NaN), name).toBeCloseTo(want['avg'] as number, 10);
      expect(100 * (report?.agreement ?? NaN), name).toBeCloseTo(want['positional_agreement'] as number, 10);
      expect(report?.unparsed, name).toBe(want['unparsed']);
      const orders = items.map((item): VerdictPair => [item.winner_AB ?? '?', item.winner_BA ?? '?']);
      expect(categoryKappa(orders, '1'), name).toBeCloseTo(want['kappa_agreement'] as number, 6);
      if (report?.unparsed === 0)
        expect(report.kappa, name).toBeCloseTo(want['kappa_agreement'] as number, 6);
      const labels = items.map((item): VerdictPair => [String(item.label), item.winner_AB ?? '?']);
      expect(cohenKappa(labels), name).toBeCloseTo(want['true_kappa_vs_label_AB'] as number, 6);
    }
  });

  test('every verdict is read from the judge’s own words', () => {
    const winner = (text: string, order: 'AB' | 'BA'): string | null => {
      const side = readPreference(text);
      if (side === null || side === 'tie') return null;
      return (side === 'first') === (order === 'AB') ? '1' : '2';
    };
    const texts = judges().flatMap(({ items }) =>
      items.flatMap((item) => [
        { text: item.text_AB, order: 'AB' as const, want: item.winner_AB },
        { text: item.text_BA, order: 'BA' as const, want: item.winner_BA },
      ]),
    );
    const written = texts.filter(({ text }) => text !== undefined);
    expect(written).toHaveLength(1800);
    expect(written.filter(({ text, order, want }) => winner(text ?? '', order) !== want)).toEqual([]);
  });
});

describe.skipIf(!recordedPresent)('pandalm', () => {
  test('kappas of three people, their majority, and the judge against it', () => {
    type Row = Record<'annotator1' | 'annotator2' | 'annotator3', number>;
    const rows = recordedJson<Row[]>('pandalm/testset-v1.json');
    const verdicts = recordedJson<{ pandalm_result: number }[]>('pandalm/pandalm-7b-testset-v1.json');
    const people = expected<Record<string, number> & { majority: Record<string, number> }>('pandalm/humans');
    const names = ['annotator1', 'annotator2', 'annotator3'] as const;
    for (const [key, a, b] of [
      ['kappa12', 0, 1],
      ['kappa13', 0, 2],
      ['kappa23', 1, 2],
    ] as const) {
      const pairs = rows.map((row): VerdictPair => [String(row[names[a]]), String(row[names[b]])]);
      expect(cohenKappa(pairs)).toBeCloseTo(people[key] as number, 6);
    }
    const majority = rows.map(
      (row) => vote(names.map((name) => ({ key: String(row[name]) }))).winners[0] ?? '',
    );
    for (const [verdict, count] of Object.entries(people.majority))
      expect(majority.filter((winner) => winner === verdict)).toHaveLength(count);
    const want = expected<Record<string, number>>('pandalm/pandalm-7b');
    const pairs = majority.map(
      (truth, index): VerdictPair => [truth, String(verdicts[index]?.pandalm_result)],
    );
    const report = classification(pairs);
    expect(100 * (report?.accuracy ?? NaN)).toBeCloseTo(want['acc'] as number, 6);
    expect(100 * (report?.precision ?? NaN)).toBeCloseTo(want['precision'] as number, 6);
    expect(100 * (report?.recall ?? NaN)).toBeCloseTo(want['recall'] as number, 6);
    expect(100 * (report?.f1 ?? NaN)).toBeCloseTo(want['f1'] as number, 6);
    expect(cohenKappa(pairs)).toBeCloseTo(want['kappa'] as number, 6);
  });
});

describe.skipIf(!recordedPresent)('mt_bench', () => {
  test('ratings read from the judge’s words, means by model and turn', () => {
    const want = expected<{
      n: number;
      parsed_equal_recorded: number;
      means: Record<string, { n: number; all: number; turn1: number; turn2: number }>;
    }>('mt_bench/judgments_capybara_trl');
    const rows = recordedRows<{ model: string; judgment: string; score: number; turn: number }>(
      'mt_bench/judgments_capybara_trl.jsonl',
    );
    expect(rows).toHaveLength(want.n);
    const read = rows.map((row) => ({ ...row, rating: readRating(row.judgment, 1, 10) }));
    expect(read.filter(({ rating, score }) => rating === score)).toHaveLength(want.parsed_equal_recorded);
    for (const [model, figures] of Object.entries(want.means)) {
      const own = read.filter((row) => row.model === model);
      expect(own).toHaveLength(figures.n);
      const meanOf = (list: typeof own): number => mean(list.map(({ rating }) => rating ?? NaN));
      expect(meanOf(own)).toBeCloseTo(figures.all, 10);
      expect(meanOf(own.filter(({ turn }) => turn === 1))).toBeCloseTo(figures.turn1, 10);
      expect(meanOf(own.filter(({ turn }) => turn === 2))).toBeCloseTo(figures.turn2, 10);
    }
  });
});
