/**
 * Owns the health of a round: a few figures that published loops went wrong by, and warnings that name which failure a
 * figure points at. Deliberately stops nothing; the thresholds are ours, chosen to speak before the damage is done, and
 * each says what was seen where.
 */
import { noveltyAgainst } from './diversity.ts';
import { meanPassAtK } from './passAtK.ts';
import { mean } from './statistics.ts';
import { relativeEntropy } from './votes.ts';

/** What one task showed in one round. */
export interface TaskFacts {
  /** One key a sample: equal keys are the same answer, null is none. */
  readonly answers: readonly (string | null)[];
  /** Samples that passed, of all. */
  readonly passed: number;
  /** Characters (or tokens, the same unit in every round) of each output. */
  readonly lengths: readonly number[];
}

export interface RoundFacts {
  readonly round: number;
  readonly tasks: readonly TaskFacts[];
  /** Texts this round made: tasks, solutions or knowledge. */
  readonly made: readonly string[];
  /** Texts of all rounds before. */
  readonly archive: readonly string[];
  /** Of the outputs that a judge scored, as `lengths`. */
  readonly judgedLengths: readonly number[];
  /** Items judged by the model itself and by somebody independent: the two verdicts. */
  readonly judgedTwice: readonly { readonly self: boolean; readonly independent: boolean }[];
  /** Against the candidate in use before, on the same tasks; null without such a comparison. */
  readonly comparison: { readonly better: number; readonly worse: number; readonly tasks: number } | null;
}

/** Null wherever the round gives nothing to measure it by. */
export interface Health {
  readonly round: number;
  /** Share of tasks solved sometimes but not always, in [0, 1]: only these say what to learn. Needs two samples a task. */
  readonly signalShare: number | null;
  /** How new this round's texts are against the whole archive, in [0, 1]. */
  readonly novelty: number | null;
  /** How divided the answers to one task are on average, in [0, 1]. */
  readonly answerEntropy: number | null;
  readonly meanLength: number | null;
  /** The same of outputs that a judge scored: where nobody judges by taste, a longer answer flatters nobody. */
  readonly judgedLength: number | null;
  /** Share of twice judged items on which the model and the independent judge agree, in [0, 1]. */
  readonly selfAgreement: number | null;
  /** Share the model passed minus the share the independent judge passed, in [-1, 1]. */
  readonly selfFlattery: number | null;
  /** Share of compared tasks that got worse, in [0, 1], and how many got better for each that did. */
  readonly regressionShare: number | null;
  readonly regressions: number | null;
  readonly improvements: number | null;
  readonly passAt1: number | null;
  /** The samples a task has at least; pass@k is taken at this k. */
  readonly k: number;
  readonly passAtK: number | null;
}

const meanOrNull = (values: readonly number[]): number | null => (values.length === 0 ? null : mean(values));
const shareOf = <Item>(items: readonly Item[], is: (item: Item) => boolean): number | null =>
  items.length === 0 ? null : items.filter(is).length / items.length;

/** The figures of one round. `archive` times `made` comparisons of texts: pass a sample of a large archive. */
export function measureHealth(facts: RoundFacts): Health {
  const sampled = facts.tasks
    .filter(({ answers }) => answers.length > 0)
    .map(({ answers, passed }) => ({ samples: answers.length, passed }));
  const k = sampled.reduce(
    (least, { samples }) => Math.min(least, samples),
    sampled.length > 0 ? Infinity : 0,
  );
  const repeated = sampled.filter(({ samples }) => samples >= 2);
  const twice = facts.judgedTwice;
  const selfShare = shareOf(twice, ({ self }) => self);
  const independentShare = shareOf(twice, ({ independent }) => independent);
  const compared = facts.comparison;
  return {
    round: facts.round,
    signalShare: shareOf(repeated, ({ samples, passed }) => passed > 0 && passed < samples),
    novelty: noveltyAgainst(facts.made, facts.archive),
    answerEntropy: meanOrNull(facts.tasks.flatMap(({ answers }) => relativeEntropy(answers) ?? [])),
    meanLength: meanOrNull(facts.tasks.flatMap(({ lengths }) => lengths)),
    judgedLength: meanOrNull(facts.judgedLengths),
    selfAgreement: shareOf(twice, ({ self, independent }) => self === independent),
    selfFlattery: selfShare === null || independentShare === null ? null : selfShare - independentShare,
    regressionShare: compared === null || compared.tasks === 0 ? null : compared.worse / compared.tasks,
    regressions: compared?.worse ?? null,
    improvements: compared?.better ?? null,
    passAt1: meanPassAtK(sampled, 1),
    k,
    passAtK: k >= 2 ? meanPassAtK(sampled, k) : null,
  };
}

export type HealthSignal = Exclude<keyof Health, 'round' | 'k'>;

export interface HealthWarning {
  readonly signal: HealthSignal;
  readonly value: number;
  readonly threshold: number;
  /** One sentence for people, with what to do. */
  readonly says: string;
  /** The published failure it points at. */
  readonly failure: string;
  readonly source: string;
}

/** This round, the one before and the first one that was measured. */
interface History {
  readonly now: Health;
  readonly before: Health | null;
  readonly first: Health;
}

interface Alarm {
  readonly signal: HealthSignal;
  readonly threshold: number;
  /** The value that crosses the threshold; null when it does not, or cannot be told. */
  readonly crossed: (history: History, threshold: number) => number | null;
  readonly says: string;
  readonly failure: string;
  readonly source: string;
}

const when = (value: number | null, crosses: (value: number) => boolean): number | null =>
  value !== null && crosses(value) ? value : null;
const ratio = (now: number | null, then: number | null): number | null =>
  now === null || then === null || then === 0 ? null : now / then;
const change = (now: number | null, then: number | null): number | null =>
  now === null || then === null ? null : now - then;

/** Every alarm, in the order they are shown. */
export const healthAlarms: readonly Alarm[] = [
  {
    signal: 'signalShare',
    threshold: 0.2,
    crossed: ({ now }, threshold) => when(now.signalShare, (value) => value < threshold),
    says: 'Few tasks are solved sometimes and missed sometimes, so there is little left to learn from them; choose harder or easier tasks.',
    failure: 'nothing left to learn: only tasks between never and always solved carry signal',
    source: 'R-Zero (2508.05004), Self-Questioning LMs, Absolute Zero (2505.03335)',
  },
  {
    signal: 'novelty',
    threshold: 0.3,
    crossed: ({ now }, threshold) => when(now.novelty, (value) => value < threshold),
    says: 'What this round made is much like what was there before; propose from documents or other seeds, or filter more strictly.',
    failure:
      'loss of diversity: texts above ROUGE-L 0.7 to the pool are repeats, and loops on repeats collapse',
    source: 'Self-Instruct (2212.10560); Shumailov et al. (2024), Nature 631, 755-759',
  },
  {
    signal: 'answerEntropy',
    threshold: 0.5,
    crossed: ({ now, first }, threshold) => {
      const left = ratio(now.answerEntropy, first.answerEntropy);
      const gained = change(now.passAt1, first.passAt1);
      return gained !== null && gained > 0.02 ? null : when(left, (value) => value < threshold);
    },
    says: 'Answers have become alike without becoming right; raise the temperature or keep more of the first data in every round.',
    failure: 'collapse onto one answer: agreement rises while correctness does not',
    source: 'MoT (2305.05181) for the entropy; TTRL and R-Zero for majorities that are wrong together',
  },
  {
    signal: 'judgedLength',
    threshold: 1.5,
    crossed: ({ now, first }, threshold) =>
      when(ratio(now.judgedLength, first.judgedLength), (value) => value > threshold),
    says: 'Judged answers are much longer than at the start; judges prefer longer answers, so compare at equal length.',
    failure: 'length drift: judged gains that are length',
    source: 'Length-controlled AlpacaEval (2404.04475); Singhal et al. (2310.03716)',
  },
  {
    signal: 'selfAgreement',
    threshold: 0.7,
    crossed: ({ now }, threshold) => when(now.selfAgreement, (value) => value < threshold),
    says: 'The model and the independent judge disagree on many items; put an independent check before the update.',
    failure: 'labels the model gives itself decay: 79, 69, 63 % right over three rounds',
    source: 'R-Zero (2508.05004)',
  },
  {
    signal: 'selfFlattery',
    threshold: 0.15,
    crossed: ({ now }, threshold) => when(now.selfFlattery, (value) => value > threshold),
    says: 'The model passes its own work more often than the independent judge does; do not let it judge what it trains on.',
    failure: 'a judge over-rates what it has trained',
    source: 'Sotopia-pi (2403.08715)',
  },
  {
    signal: 'regressionShare',
    threshold: 0.05,
    crossed: ({ now }, threshold) =>
      (now.regressions ?? 0) > 1 ? when(now.regressionShare, (value) => value > threshold) : null,
    says: 'Tasks that worked before fail now; look at them before accepting, and add them to the regression suite.',
    failure:
      'gains that break what worked: an optimised prompt transferred worse than none (54.5 against 56.8)',
    source: 'Do Agent Optimizers Compound? (2607.14004)',
  },
  {
    signal: 'passAtK',
    threshold: 0.02,
    crossed: ({ now, first }, threshold) => {
      const lost = now.k === first.k ? change(first.passAtK, now.passAtK) : null;
      const gained = change(now.passAt1, first.passAt1);
      return gained !== null && gained > 0 ? when(lost, (value) => value > threshold) : null;
    },
    says: 'pass@1 rose while pass@k fell: the model picks better among what it could do already and can do less; keep more varied solutions.',
    failure: 'sharpening instead of learning: fewer tasks are within reach',
    source: 'Yue et al. (2025), 2504.13837',
  },
  {
    signal: 'passAt1',
    threshold: 0.02,
    crossed: ({ now, before }, threshold) =>
      when(change(before?.passAt1 ?? null, now.passAt1), (value) => value > threshold),
    says: 'The share of right answers fell since the last round; go back to the candidate before it.',
    failure: 'decline after two or three rounds of self-made data',
    source: 'SOFT (2402.07610), GRATH, Auto Evol-Instruct, R-Zero',
  },
];

/**
 * Warnings of the last of these rounds, which are in order. Thresholds of single alarms may be replaced. A figure that
 * is null warns of nothing.
 */
export function healthWarnings(
  rounds: readonly Health[],
  thresholds: Partial<Readonly<Record<HealthSignal, number>>> = {},
): readonly HealthWarning[] {
  const [now, first] = [rounds.at(-1), rounds[0]];
  if (now === undefined || first === undefined) return [];
  const history: History = { now, first, before: rounds.at(-2) ?? null };
  return healthAlarms.flatMap(({ crossed, ...alarm }) => {
    const threshold = thresholds[alarm.signal] ?? alarm.threshold;
    const value = crossed(history, threshold);
    const { signal, says, failure, source } = alarm;
    return value === null ? [] : [{ signal, value, threshold, says, failure, source }];
  });
}
