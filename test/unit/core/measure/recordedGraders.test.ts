// Owns the check of graders, votes and filters against recorded outputs with known results; skipped without the data.
import { describe, expect, test } from 'vitest';
import { agreementSets, rankedPassAtK } from '../../../../src/core/measure/dualAgreement.ts';
import { gradeFormatRule } from '../../../../src/core/measure/formatRules.ts';
import { pairedGain } from '../../../../src/core/measure/gain.ts';
import { gradeArithmetic } from '../../../../src/core/measure/mathEquivalence.ts';
import { filterNovel } from '../../../../src/core/measure/novelty.ts';
import { meanPassAtK, passAtK } from '../../../../src/core/measure/passAtK.ts';
import { costOf, perDollar } from '../../../../src/core/measure/prices.ts';
import { rougePool } from '../../../../src/core/measure/rouge.ts';
import { mean } from '../../../../src/core/measure/statistics.ts';
import { vote, voteScore } from '../../../../src/core/measure/votes.ts';
import { asciiWords, unicodeWords } from '../../../../src/core/measure/words.ts';
import { asId, type TaskId } from '../../../../src/core/model/ids.ts';
import { extractAnswer } from '../../../../src/core/prompt/answer.ts';
import { expected, recordedJson, recordedPresent, recordedRows, recordedText } from '../recorded.ts';

describe.skipIf(!recordedPresent)('format rules: ifeval', () => {
  interface Row {
    readonly key: number;
    readonly instruction_id_list: readonly string[];
    readonly kwargs: readonly Record<string, unknown>[];
    readonly response: string;
    readonly expected_strict: readonly boolean[];
    readonly expected_loose: readonly boolean[];
    /** Null where the published checker needs no library. */
    readonly depends_on: readonly (string | null)[];
  }

  test.each([false, true])('loose %s: exact without a library, never wrong with one', (loose) => {
    const want = expected<{ prompts: number; instructions: number; library_dependent: number }>('ifeval');
    const all = recordedRows<Row>('ifeval/prompts_responses.jsonl');
    expect(all).toHaveLength(want.prompts);
    const graded = all.flatMap((row) =>
      row.instruction_id_list.map((kind, index) => ({
        name: `${row.key} ${kind}`,
        library: row.depends_on[index] ?? null,
        truth: Number((loose ? row.expected_loose : row.expected_strict)[index]),
        score: gradeFormatRule(row.response, { kind, with: row.kwargs[index] ?? {} }, loose).score,
      })),
    );
    expect(graded).toHaveLength(want.instructions);
    const free = graded.filter(({ library }) => library === null);
    const dependent = graded.filter(({ library }) => library !== null);
    expect(dependent).toHaveLength(want.library_dependent);
    expect(free.filter(({ score, truth }) => score !== truth)).toEqual([]);
    expect(dependent.filter(({ score, truth }) => score !== null && score !== truth)).toEqual([]);
    expect(dependent.filter(({ score }) => score === null).length).toBeLessThan(60);
  });
});

describe.skipIf(!recordedPresent)('votes: date_sc', () => {
  test('self-consistency over ten samples, ties by share', () => {
    const want = expected<Record<string, number>>('date_sc');
    interface Row {
      readonly final_answer: string;
      readonly pred_answers: readonly string[];
      readonly majority_results: readonly string[];
    }
    const all = recordedRows<Row>('date_sc/date_votes.jsonl');
    const results = all.map((row) => {
      const result = vote(
        row.pred_answers.map((answer) => ({ key: answer === 'No answer!' ? null : answer })),
      );
      const right = (key: string): boolean => key === row.final_answer;
      return {
        winners: result.winners,
        same: [...result.winners].sort().join() === [...row.majority_results].sort().join(),
        score: voteScore(result, right),
        first: result.winners[0] === row.final_answer,
        any: row.pred_answers.some(right),
        samples: row.pred_answers.filter(right).length / row.pred_answers.length,
      };
    });
    expect(results).toHaveLength(want['n'] as number);
    expect(results.filter(({ same }) => same)).toHaveLength(want['winner_sets_match'] as number);
    expect(results.filter(({ winners }) => winners.length > 1)).toHaveLength(want['ties'] as number);
    expect(results.filter(({ first }) => first)).toHaveLength(want['first_seen_tiebreak'] as number);
    expect(results.filter(({ any }) => any)).toHaveLength(want['oracle_any'] as number);
    expect(100 * mean(results.map(({ score }) => score))).toBeCloseTo(
      want['majority_accuracy'] as number,
      10,
    );
    expect(100 * mean(results.map(({ samples }) => samples))).toBeCloseTo(
      want['sample_accuracy'] as number,
      10,
    );
  });
});

describe.skipIf(!recordedPresent)('arithmetic: game24', () => {
  interface Row {
    readonly idx: number;
    readonly ys: readonly string[];
    readonly accs: readonly boolean[];
    readonly usage_so_far: { completion_tokens: number; prompt_tokens: number; cost: number };
  }

  test('every one of 10,000 answers, pass@k, majority of expressions, cost', () => {
    const want = expected<{
      samples: number;
      mean_percent: number;
      solved_any: number;
      expression_majority_solved: number;
      pass_at_k: Record<string, number>;
      cost_recomputed: number;
    }>('game24/io_100x100');
    const puzzles = recordedText('game24/24.csv')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => (line.split(',')[1] ?? '').split(' '));
    const all = recordedRows<Row>('game24/io_100x100.jsonl');
    const graded = all.map(({ idx, ys, accs }) => {
      const answers = ys.map((text) => extractAnswer(text, 'auto'));
      const right = answers.map((answer) => gradeArithmetic(answer, puzzles[idx] ?? [], '24').score === 1);
      const keys = answers.map((answer) => answer?.split('=')[0]?.trim() ?? null);
      const { winners } = vote(keys.map((key) => ({ key })));
      return {
        agree: right.filter((value, index) => value === accs[index]).length,
        samples: right.length,
        passed: right.filter(Boolean).length,
        majority: right[keys.indexOf(winners[0] ?? null)] === true,
      };
    });
    expect(graded.reduce((sum, { agree }) => sum + agree, 0)).toBe(want.samples);
    expect(graded.filter(({ passed }) => passed > 0)).toHaveLength(want.solved_any);
    expect(100 * mean(graded.map(({ passed, samples }) => passed / samples))).toBeCloseTo(
      want.mean_percent,
      10,
    );
    for (const [k, value] of Object.entries(want.pass_at_k))
      expect(100 * (meanPassAtK(graded, Number(k)) ?? NaN), `pass@${k}`).toBeCloseTo(value, 4);
    expect(graded.filter(({ majority }) => majority)).toHaveLength(want.expression_majority_solved);
    const usage = all.at(-1)?.usage_so_far ?? { completion_tokens: 0, prompt_tokens: 0 };
    const cost = costOf({ input: 30, output: 60 }, usage.prompt_tokens, usage.completion_tokens) / perDollar;
    expect(cost).toBeCloseTo(want.cost_recomputed, 6);
  });
});

describe.skipIf(!recordedPresent)('dual execution agreement: codet', () => {
  interface Row {
    readonly test_counts: readonly number[];
    readonly upstream_pack_syntax_error: boolean;
    readonly solutions: readonly {
      readonly id: number;
      readonly count: number;
      readonly correct: boolean;
      /** Hexadecimal of a leading 1 and one bit a test. */
      readonly pass: string | null;
    }[];
  }
  const bits = (hex: string): boolean[] =>
    [...BigInt(`0x${hex}`).toString(2)].slice(1).map((bit) => bit === '1');

  test.each([
    ['codet/tasks_0_81', false],
    ['codet/tasks_0_81 upstream-compatible', true],
  ])('%s', (key, upstream) => {
    const want = expected<{
      tasks: number;
      baseline_pass_at_k: Record<string, number>;
      codet_pass_at_k: Record<string, number>;
      tasks_without_agreement: number;
    }>(key);
    const all = recordedRows<Row>('codet/matrix_tasks_000_081.jsonl').map((row) => {
      const lost = upstream && row.upstream_pack_syntax_error;
      const sets = agreementSets(
        row.solutions.map(({ pass, ...rest }) => ({
          ...rest,
          passes: pass === null || lost ? null : bits(pass),
        })),
        row.test_counts,
      );
      const draws = (wanted: (item: Row['solutions'][number]) => boolean): number =>
        row.solutions.filter(wanted).reduce((sum, { count }) => sum + count, 0);
      return {
        samples: draws(() => true),
        passed: draws(({ correct }) => correct),
        ranked: sets.map(({ score, draws: all, programs }) => ({
          score,
          draws: all,
          correct: draws(({ id, correct }) => correct && programs.includes(id)),
        })),
      };
    });
    expect(all).toHaveLength(want.tasks);
    expect(all.filter(({ ranked }) => ranked.length === 0)).toHaveLength(want.tasks_without_agreement);
    for (const [k, value] of Object.entries(want.baseline_pass_at_k))
      expect(100 * (meanPassAtK(all, Number(k)) ?? NaN), `pass@${k}`).toBeCloseTo(value, 3);
    for (const [k, value] of Object.entries(want.codet_pass_at_k)) {
      const each = all.map(
        ({ ranked, samples, passed }) =>
          rankedPassAtK(ranked, Number(k)) ?? passAtK(samples, passed, Number(k)) ?? NaN,
      );
      expect(100 * mean(each), `CodeT pass@${k}`).toBeCloseTo(value, 3);
    }
  });
});

describe.skipIf(!recordedPresent)('novelty: self-instruct', () => {
  const instructions = (file: string): string[] =>
    recordedRows<{ instruction: string }>(file).map(({ instruction }) => instruction);

  test('ROUGE-L of 730 stored pairs, bit for bit', () => {
    const want = expected<Record<string, number>>('alpaca_regen/regen_73');
    const made = recordedJson<
      {
        instruction: string;
        most_similar_instructions: Record<string, number>;
        avg_similarity_score: number;
      }[]
    >('alpaca_regen/regen_73.json');
    const pool = rougePool(asciiWords);
    const texts: string[] = [];
    const add = (text: string): void => {
      pool.add(text);
      texts.push(text);
    };
    instructions('alpaca_regen/seed_tasks.jsonl').forEach(add);
    const seen = made.map(({ instruction, most_similar_instructions: stored, avg_similarity_score }) => {
      const found = pool.similarities(instruction);
      const exact = Object.entries(stored).filter(([text, value]) =>
        found.some((similarity, index) => texts[index] === text && similarity === value),
      );
      add(instruction);
      return {
        exact: exact.length,
        most: Math.max(...found),
        mean: Math.abs(mean(found) - avg_similarity_score) < 1e-12,
      };
    });
    expect(seen.reduce((sum, { exact }) => sum + exact, 0)).toBe(want['bit_exact']);
    expect(seen.filter((one) => one.mean)).toHaveLength(want['avg_matches'] as number);
    expect(Math.max(...seen.map(({ most }) => most))).toBe(want['max']);
    expect(mean(seen.map(({ most }) => most))).toBeCloseTo(want['mean_max'] as number, 12);
    expect(seen.filter(({ most }) => most > 0.7)).toHaveLength(want['over_0_7'] as number);
  });

  test('the filter of Self-Instruct on its own seeds and its users’ tasks', () => {
    const want = expected<{
      seeds: number;
      user: number;
      seed_self_filter_dropped: number[];
      user_below_0_7_vs_seeds: number;
      user_sequential_dropped: string[];
      mean_max: number;
    }>('self_instruct');
    const seeds = instructions('self_instruct/seed_tasks.jsonl');
    const users = recordedRows<{ id: string; instruction: string }>(
      'self_instruct/user_oriented_instructions.jsonl',
    );
    expect([seeds.length, users.length]).toEqual([want.seeds, want.user]);
    const dropped = filterNovel(seeds, [], { words: asciiWords }).flatMap(({ kept }, i) => (kept ? [] : [i]));
    expect(dropped).toEqual(want.seed_self_filter_dropped);
    const pool = rougePool(asciiWords);
    for (const seed of seeds) pool.add(seed);
    const most = users.map(({ instruction }) => Math.max(...pool.similarities(instruction)));
    expect(most.filter((similarity) => similarity < 0.7)).toHaveLength(want.user_below_0_7_vs_seeds);
    expect(mean(most)).toBeCloseTo(want.mean_max, 12);
    const kept = filterNovel(
      users.map(({ instruction }) => instruction),
      seeds,
      { words: asciiWords },
    );
    expect(users.filter((_user, index) => kept[index]?.kept === false).map(({ id }) => id)).toEqual(
      want.user_sequential_dropped,
    );
  });

  test('Korean: ASCII words see nothing, words of any script do', () => {
    const want = expected<Record<string, number>>('self_instruct_ko/ko_first150');
    const texts = instructions('self_instruct_ko/ko_first150.jsonl');
    expect(texts).toHaveLength(want['n'] as number);
    expect(texts.filter((text) => asciiWords(text).length === 0)).toHaveLength(
      want['zero_ascii_tokens'] as number,
    );
    const droppedBy = (words: typeof asciiWords): number =>
      filterNovel(texts, [], { words }).filter(({ kept }) => !kept).length;
    expect(droppedBy(asciiWords)).toBe(want['ascii_filter_dropped']);
    expect(droppedBy(unicodeWords)).toBe(want['unicode_filter_dropped']);
  });
});

describe.skipIf(!recordedPresent)('paired gains of recorded loops', () => {
  const scored = (items: readonly { id: string; solved: boolean }[]) =>
    items.map(({ id, solved }) => ({ taskId: asId<TaskId>(id), score: Number(solved) }));

  test('self-debugging (LDB): solved before and after', () => {
    const [before, after] = ['seed', 'ldb'].map((stage) => {
      const want = expected<{ n: number; solved: number; percent: number }>(`ldb/humaneval_gpt35_${stage}`);
      const rows = recordedRows<{ task_id: string; is_solved: boolean }>(
        `ldb/humaneval_gpt35_${stage}.jsonl`,
      );
      const scores = scored(rows.map(({ task_id, is_solved }) => ({ id: task_id, solved: is_solved })));
      expect(scores).toHaveLength(want.n);
      expect(scores.filter(({ score }) => score === 1)).toHaveLength(want.solved);
      expect(100 * mean(scores.map(({ score }) => score))).toBeCloseTo(want.percent, 10);
      return scores;
    });
    const gain = pairedGain(before ?? [], after ?? [], 0.95);
    expect(gain.gain).toBeCloseTo((136 - 121) / 164, 12);
    expect(gain.interval.low).toBeGreaterThan(0);
  });

  test('reflexion: success by trial, and that the last trials show nothing new', () => {
    const want = expected<{ envs: number; success_and_total_memories_per_trial: [number, number][] }>(
      'reflexion/alfworld_base',
    );
    const trials = want.success_and_total_memories_per_trial.map(([success, memories], trial) => {
      type Environments = Record<string, { memory: string[]; is_success: boolean }>;
      const all = Object.entries(
        recordedJson<Environments>(`reflexion/alfworld_base_trial_${trial}.json`),
      ).filter(([, value]) => Array.isArray(value.memory));
      const scores = scored(all.map(([id, { is_success }]) => ({ id, solved: is_success })));
      expect(scores).toHaveLength(want.envs);
      expect(scores.filter(({ score }) => score === 1)).toHaveLength(success);
      expect(all.reduce((sum, [, { memory }]) => sum + memory.length, 0)).toBe(memories);
      return scores;
    });
    const gain = (from: number, to: number) => pairedGain(trials[from] ?? [], trials[to] ?? [], 0.95);
    expect(gain(0, 6).interval.low).toBeGreaterThan(0);
    expect(gain(3, 6).interval.low).toBeLessThanOrEqual(0);
    expect(gain(5, 6)).toMatchObject({ gain: 0, better: 0, worse: 0 });
  });
});
