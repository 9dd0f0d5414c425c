/**
 * Owns how far a judge can be trusted: agreement with people, agreement with itself when the order is swapped, and what
 * a judged share says about the true one. Deliberately calls no judge: it is given verdicts.
 */
import type { Interval } from '../model/candidate.ts';
import { studentQuantile } from './quantile.ts';
import { mean, twoSidedZ } from './statistics.ts';

/** Two verdicts on the same item. */
export type VerdictPair = readonly [string, string];

/**
 * Cohen's kappa of two raters over any categories: agreement beyond what their own habits would give by chance. 1 is
 * perfect, 0 is chance, negative is worse. Cohen (1960), "A coefficient of agreement for nominal scales". Null for no
 * pairs, and where both only ever gave one and the same category, which leaves no chance to exceed.
 */
export function cohenKappa(pairs: readonly VerdictPair[]): number | null {
  if (pairs.length === 0) return null;
  const [first, second] = [new Map<string, number>(), new Map<string, number>()];
  let agreed = 0;
  for (const [a, b] of pairs) {
    first.set(a, (first.get(a) ?? 0) + 1);
    second.set(b, (second.get(b) ?? 0) + 1);
    if (a === b) agreed++;
  }
  const observed = agreed / pairs.length;
  const chance = [...first].reduce(
    (sum, [category, count]) => sum + (count / pairs.length) * ((second.get(category) ?? 0) / pairs.length),
    0,
  );
  return chance >= 1 ? null : (observed - chance) / (1 - chance);
}

/**
 * Kappa of one question only: is it this category or not. Two raters over two categories give the same as `cohenKappa`;
 * with a third one (a tie, an unparsed verdict) it counts among the rest. LLMBar's published agreement between orders is
 * this, asked of the first answer.
 */
export function categoryKappa(pairs: readonly VerdictPair[], category: string): number | null {
  const is = (verdict: string): string => (verdict === category ? 'yes' : 'no');
  return cohenKappa(pairs.map(([a, b]): VerdictPair => [is(a), is(b)]));
}

/** Each in [0, 1]; the averages are over the categories that either side used, each counting the same (macro). */
export interface Classification {
  readonly accuracy: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** How well predicted verdicts meet true ones; pairs are [truth, prediction]. Null for none. */
export function classification(pairs: readonly VerdictPair[]): Classification | null {
  if (pairs.length === 0) return null;
  const categories = [...new Set(pairs.flat())];
  const each = categories.map((category) => {
    const hits = pairs.filter(([truth, given]) => truth === category && given === category).length;
    const predicted = pairs.filter(([, given]) => given === category).length;
    const actual = pairs.filter(([truth]) => truth === category).length;
    const precision = predicted === 0 ? 0 : hits / predicted;
    const recall = actual === 0 ? 0 : hits / actual;
    return {
      precision,
      recall,
      f1: precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall),
    };
  });
  return {
    accuracy: pairs.filter(([truth, given]) => truth === given).length / pairs.length,
    precision: mean(each.map(({ precision }) => precision)),
    recall: mean(each.map(({ recall }) => recall)),
    f1: mean(each.map(({ f1 }) => f1)),
  };
}

/** One pair of answers judged in both orders. Verdicts name the answers, not their places. */
export interface SwappedVerdicts {
  /** Null where the judge's text names no winner. */
  readonly first: string | null;
  readonly swapped: string | null;
  /** What a person says; absent where nobody did. */
  readonly label?: string;
}

export interface SwapReport {
  readonly pairs: number;
  /** Verdicts the judge's text did not give, over both orders. */
  readonly unparsed: number;
  /** Share of pairs with the same verdict in both orders, in [0, 1]. */
  readonly agreement: number;
  /** Kappa between the two orders; null where it has no value. */
  readonly kappa: number | null;
  /** Share of right verdicts in each order and over both; null without labels. */
  readonly accuracy: {
    readonly first: number;
    readonly swapped: number;
    readonly both: number;
  } | null;
}

/**
 * Position-swap consistency of a pairwise judge: LLMBar, Zeng et al. (2023), "Evaluating large language models at
 * evaluating instruction following". An unparsed verdict is a category of its own: it agrees with none and is wrong.
 * Null for no pairs.
 */
export function swapReport(verdicts: readonly SwappedVerdicts[]): SwapReport | null {
  if (verdicts.length === 0) return null;
  const pairs = verdicts.map(({ first, swapped }): VerdictPair => [first ?? '?', swapped ?? '?']);
  const same = verdicts.filter(({ first, swapped }) => first !== null && first === swapped).length;
  const labelled = verdicts.filter(({ label }) => label !== undefined);
  const rightShare = (of: (verdict: SwappedVerdicts) => string | null): number =>
    labelled.filter((verdict) => of(verdict) === verdict.label).length / labelled.length;
  const [first, swapped] = [rightShare((verdict) => verdict.first), rightShare((verdict) => verdict.swapped)];
  return {
    pairs: verdicts.length,
    unparsed: verdicts.flatMap((verdict) => [verdict.first, verdict.swapped]).filter((item) => item === null)
      .length,
    agreement: same / verdicts.length,
    kappa: cohenKappa(pairs),
    accuracy: labelled.length === 0 ? null : { first, swapped, both: (first + swapped) / 2 },
  };
}

/**
 * One verdict from both orders: what both say, null (a tie) where they differ or one is unparsed, so that a place on the
 * page wins nothing. Zheng et al. (2023), "Judging LLM-as-a-judge with MT-Bench and Chatbot Arena", section 3.4.
 */
export function verdictOfBothOrders({ first, swapped }: SwappedVerdicts): string | null {
  return first === swapped ? first : null;
}

/** A judge's yes and no beside a person's, on items judged by both. */
export interface JudgeCheck {
  /** Items a person passed, and how many of them the judge passed. */
  readonly good: number;
  readonly goodPassed: number;
  /** Items a person failed, and how many of them the judge failed. */
  readonly bad: number;
  readonly badFailed: number;
}

export interface CorrectedShare {
  /** Share of items the judge passed, in [0, 1]. */
  readonly reported: number;
  /** Estimate of the share a person would pass, in [0, 1]; null when the judge is no better than chance. */
  readonly corrected: number | null;
  /** Two-sided, on the corrected share; the whole of [0, 1] when nothing can be said. */
  readonly interval: Interval;
  /** P(judge passes | person passes) and P(judge fails | person fails). */
  readonly sensitivity: number;
  readonly specificity: number;
}

const within = (value: number): number => Math.min(1, Math.max(0, value));

/**
 * The share a person would pass, from the share a judge passed and the judge's measured errors: Rogan and Gladen (1978),
 * "Estimating prevalence from the results of a screening test", (reported + specificity - 1) / (sensitivity +
 * specificity - 1). The interval is that of Lang and Reiczigel (2014), "Confidence limits for prevalence of disease
 * adjusted for estimated sensitivity and specificity": all three shares are estimates, and the interval says so.
 * Throws RangeError on counts that are not whole or contradict each other.
 */
export function correctedShare(
  judged: { readonly items: number; readonly passed: number },
  check: JudgeCheck,
  confidence: number,
): CorrectedShare {
  const counts = [judged.items, judged.passed, check.good, check.goodPassed, check.bad, check.badFailed];
  if (!counts.every((count) => Number.isInteger(count) && count >= 0))
    throw new RangeError('Counts of verdicts must be whole and not negative.');
  if (judged.passed > judged.items || check.goodPassed > check.good || check.badFailed > check.bad)
    throw new RangeError('There cannot be more verdicts of one kind than items.');
  const z = twoSidedZ(confidence);
  const share = (part: number, all: number): number => (all === 0 ? 0.5 : part / all);
  const reported = share(judged.passed, judged.items);
  const sensitivity = share(check.goodPassed, check.good);
  const specificity = share(check.badFailed, check.bad);
  const method = 'Rogan-Gladen, interval of Lang and Reiczigel';
  const base = { reported, sensitivity, specificity };
  const everything = { low: 0, high: 1, confidence, method: `${method}: nothing can be said` };
  const power = sensitivity + specificity - 1;
  if (judged.items === 0 || check.good === 0 || check.bad === 0 || power <= 0)
    return { ...base, corrected: null, interval: everything };
  // Their adjusted counts: z^2 / 2 more of either kind for the reported share, one more of either for the other two.
  const n = judged.items + z * z;
  const p = (judged.items * reported + (z * z) / 2) / n;
  const [goodN, badN] = [check.good + 2, check.bad + 2];
  const se = (check.goodPassed + 1) / goodN;
  const sp = (check.badFailed + 1) / badN;
  const adjustedPower = se + sp - 1;
  const corrected = within((reported + specificity - 1) / power);
  if (adjustedPower <= 0) return { ...base, corrected, interval: everything };
  const centre = (p + sp - 1) / adjustedPower;
  const spread = Math.sqrt(
    (p * (1 - p)) / n + (centre ** 2 * se * (1 - se)) / goodN + ((1 - centre) ** 2 * sp * (1 - sp)) / badN,
  );
  const shift = 2 * z * z * ((centre * se * (1 - se)) / goodN - ((1 - centre) * sp * (1 - sp)) / badN);
  const half = (z * spread) / adjustedPower;
  const [low, high] = [within(centre + shift - half), within(centre + shift + half)];
  const interval = { low: Math.min(low, corrected), high: Math.max(high, corrected), confidence, method };
  return { ...base, corrected, interval };
}

/**
 * How a mean of judged scores moves when its judge is checked on `pairs` of [judge, person] scores in [0, 1]: the
 * person's mean estimated as the judged mean plus the mean error, with Student's interval over both samples.
 * Prediction-powered inference, Angelopoulos et al. (2023), for a mean. Null with fewer than two pairs or two scores.
 */
export function correctedMean(
  judged: readonly number[],
  pairs: readonly (readonly [number, number])[],
  confidence: number,
): { readonly reported: number; readonly corrected: number; readonly interval: Interval } | null {
  if (judged.length < 2 || pairs.length < 2) return null;
  const errors = pairs.map(([judge, person]) => person - judge);
  const variance = (values: readonly number[]): number => {
    const centre = mean(values);
    return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
  };
  const parts = [variance(judged) / judged.length, variance(errors) / errors.length] as const;
  const total = parts[0] + parts[1];
  // Welch and Satterthwaite's degrees of freedom of a sum of two variances.
  const freedom =
    total === 0
      ? errors.length - 1
      : total ** 2 / (parts[0] ** 2 / (judged.length - 1) + parts[1] ** 2 / (errors.length - 1));
  const reported = mean(judged);
  const corrected = within(reported + mean(errors));
  const half = studentQuantile(0.5 + confidence / 2, Math.max(1, freedom)) * Math.sqrt(total);
  const method = 'prediction-powered mean, Student’s t';
  const centre = reported + mean(errors);
  return {
    reported,
    corrected,
    interval: {
      low: Math.min(corrected, within(centre - half)),
      high: Math.max(corrected, within(centre + half)),
      confidence,
      method,
    },
  };
}
