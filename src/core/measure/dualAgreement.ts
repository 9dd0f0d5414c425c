/**
 * Owns dual execution agreement: programs and tests that nobody has checked rank each other by who passes what.
 * CodeT: Chen et al. (2022), "CodeT: code generation with generated tests". Deliberately runs nothing: it is given the
 * recorded matrix of passes.
 */

export interface ExecutedProgram<Id> {
  readonly id: Id;
  /** How often this very program was drawn; at least 1. */
  readonly count: number;
  /** Whether it passed each test, in the order of `testCounts`; null when it could not be run at all. */
  readonly passes: readonly boolean[] | null;
}

/** Programs that pass exactly the same tests. */
export interface AgreementSet<Id> {
  readonly programs: readonly Id[];
  /** Draws of these programs, repeats counted. */
  readonly draws: number;
  /** Tests they pass, repeats counted. */
  readonly tests: number;
  /** tests x sqrt(draws): the score of CodeT, as its published code takes it. */
  readonly score: number;
}

/**
 * Sets of agreeing programs, best first, ties in order of appearance; programs that pass no test are in none.
 * `testCounts` says how often each test was written. Throws RangeError where a row has another length.
 */
export function agreementSets<Id>(
  programs: readonly ExecutedProgram<Id>[],
  testCounts: readonly number[],
): readonly AgreementSet<Id>[] {
  const sets = new Map<string, ExecutedProgram<Id>[]>();
  for (const program of programs) {
    if (program.passes === null || !program.passes.includes(true)) continue;
    if (program.passes.length !== testCounts.length)
      throw new RangeError(`${program.passes.length} results do not fit ${testCounts.length} tests.`);
    const key = program.passes.map((pass) => (pass ? '1' : '0')).join('');
    const known = sets.get(key);
    if (known === undefined) sets.set(key, [program]);
    else known.push(program);
  }
  const scored = [...sets.values()].map((members) => {
    const passes = members[0]?.passes ?? [];
    const tests = testCounts.reduce((sum, count, index) => sum + (passes[index] === true ? count : 0), 0);
    const draws = members.reduce((sum, { count }) => sum + count, 0);
    return { programs: members.map(({ id }) => id), draws, tests, score: tests * Math.sqrt(draws) };
  });
  return scored.sort((a, b) => b.score - a.score);
}

/** How many draws a rank holds and how many of them are right. */
export interface RankedDraws {
  readonly score: number;
  readonly draws: number;
  readonly correct: number;
}

/**
 * pass@k when k programs are taken by rank, one draw at random from each of the best k ranks, from the best again when
 * there are fewer: the estimate of CodeT's published code. Sets of equal score are one rank. Null without a rank.
 */
export function rankedPassAtK(sets: readonly RankedDraws[], k: number): number | null {
  const ranks: { score: number; draws: number; correct: number }[] = [];
  for (const { score, draws, correct } of [...sets].sort((a, b) => b.score - a.score)) {
    const last = ranks.at(-1);
    if (last?.score === score) {
      last.draws += draws;
      last.correct += correct;
    } else ranks.push({ score, draws, correct });
  }
  if (ranks.length === 0) return null;
  const allFail = ranks.slice(0, k).reduce((product, { draws, correct }, index) => {
    const times = Math.floor(k / ranks.length) + (index < k % ranks.length ? 1 : 0);
    return product * (1 - correct / draws) ** (ranks.length >= k ? 1 : times);
  }, 1);
  return 1 - allFail;
}
