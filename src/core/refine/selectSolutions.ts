/**
 * Owns `select` over solutions: kept or dropped, with the feedback each decision cites (law 3). A person's judgement
 * outranks every other source on the same item; scores of two versions of a judge are never compared (law 5).
 * Pure given its stream.
 */
import { refinementId } from '../measure/identity.ts';
import type { Random } from '../measure/random.ts';
import type { Annotation, Feedback, Refinement } from '../model/feedback.ts';
import type { Position } from '../model/event.ts';
import type { SolutionId, TaskId } from '../model/ids.ts';
import { entropyOf, extremesOf, majorityOf, softmaxOf, topOf, tournamentOf } from './selectMany.ts';

export interface KeepRule {
  readonly sign: '>=' | '>' | '<=' | '<';
  /** In [0, 1]. */
  readonly bound: number;
}

/** Reads a rule such as ">= 1". The schema has already refused anything else. */
export function parseKeepRule(text: string): KeepRule {
  const match = /^\s*(>=|>|<=|<)\s*(\d+(?:\.\d+)?)\s*$/.exec(text);
  if (match === null) throw new RangeError(`"${text}" is not a keep rule.`);
  return { sign: match[1] as KeepRule['sign'], bound: Number(match[2]) };
}

export function meets({ sign, bound }: KeepRule, score: number): boolean {
  switch (sign) {
    case '>=':
      return score >= bound;
    case '>':
      return score > bound;
    case '<=':
      return score <= bound;
    case '<':
      return score < bound;
  }
}

/** What is known of one solution when it is selected. */
export interface Judged {
  readonly solutionId: SolutionId;
  readonly taskId: TaskId;
  readonly output: string;
  readonly answer: string | null;
  readonly feedback: readonly Feedback[];
  readonly annotation: Annotation | null;
}

export function scoreOf(feedback: readonly Feedback[]): number | null {
  const scored = feedback.findLast((item) => item.value.kind !== 'text');
  if (scored === undefined || scored.value.kind === 'text') return null;
  return scored.value.kind === 'pass' ? Number(scored.value.pass) : scored.value.score;
}

export type SolutionPolicy =
  | { readonly policy: 'threshold'; readonly rule: KeepRule }
  | { readonly policy: 'band'; readonly band: readonly [number, number] }
  | { readonly policy: 'top'; readonly k: number }
  | { readonly policy: 'majority'; readonly maxEntropy: number | null }
  | { readonly policy: 'distinct'; readonly rule: KeepRule; readonly by: 'answer' | 'output' | 'equations' }
  | { readonly policy: 'extremes' }
  | { readonly policy: 'softmax'; readonly k: number; readonly temperature: number }
  | { readonly policy: 'tournament'; readonly k: number; readonly size: number };

interface Decision {
  readonly kept: boolean;
  readonly reason: string;
}

const drop = (reason: string): Decision => ({ kept: false, reason });
const keep = (reason: string): Decision => ({ kept: true, reason });

/** One decision for each item, in their order. `randomOf` names the stream of a task's draws. */
export function selectSolutions(
  items: readonly Judged[],
  policy: SolutionPolicy,
  at: Position,
  randomOf: (task: TaskId) => Random,
): Refinement[] {
  const version = newestJudge(items);
  const scores = new Map(items.map((item) => [item, comparableScore(item, version)]));
  const decisions = new Map<Judged, Decision>();
  for (const [task, group] of Map.groupBy(items, ({ taskId }) => taskId)) {
    const values = group.map((item) => scores.get(item) ?? null);
    decideTask(group, values, policy, () => randomOf(task)).forEach((decision, index) => {
      const item = group[index];
      if (item !== undefined) decisions.set(item, decision);
    });
  }
  return items.map((item) => toRefinement(item, decisions.get(item) ?? drop('nobody judged it'), at));
}

/** The judge who judged last, readably or not: scores of its other versions do not count beside its own. */
export function newestJudge(items: readonly Pick<Judged, 'feedback'>[]): string | null {
  for (const { feedback } of items.toReversed()) {
    const judged = feedback.findLast(({ source }) => source === 'judge');
    if (judged !== undefined) return judged.by;
  }
  return null;
}

/** A person's score first, then the newest of the others; null where there is none that may be compared. */
function comparableScore({ feedback, annotation }: Judged, judge: string | null): number | null {
  if (annotation?.score !== null && annotation?.score !== undefined) return annotation.score;
  const human = scoreOf(feedback.filter(({ source }) => source === 'human'));
  return human ?? scoreOf(comparable(feedback, judge));
}

/** Law 5 is held here: without what other judges, and other versions of this one, have said. */
export function comparable(feedback: readonly Feedback[], judge: string | null): readonly Feedback[] {
  return feedback.filter(({ source, by }) => source !== 'judge' || by === judge);
}

function decideTask(
  group: readonly Judged[],
  scores: readonly (number | null)[],
  policy: SolutionPolicy,
  random: () => Random,
): Decision[] {
  const chosen = (indices: readonly number[], kept: string, dropped: string): Decision[] =>
    group.map((_, index) =>
      scores[index] === null
        ? drop('nobody judged it')
        : indices.includes(index)
          ? keep(kept)
          : drop(dropped),
    );
  switch (policy.policy) {
    case 'threshold':
      return group.map((item, index) => byRule(item, scores[index] ?? null, policy.rule));
    case 'band':
      return scores.map((score) => {
        if (score === null) return drop('nobody judged it');
        const [low, high] = policy.band;
        const inside = score >= low && score <= high;
        return {
          kept: inside,
          reason: `score ${score} is ${inside ? 'within' : 'outside'} ${low} to ${high}`,
        };
      });
    case 'top':
      return chosen(
        topOf(scores, policy.k),
        `among the best ${policy.k} of its task`,
        'others of its task scored higher',
      );
    case 'majority':
      return byMajority(group, policy.maxEntropy);
    case 'distinct':
      return byDistinct(group, scores, policy);
    case 'extremes': {
      const ends = extremesOf(scores);
      if (ends === null) return group.map(() => drop('all of its task scored the same'));
      return group.map((_, index) =>
        index === ends[0]
          ? keep('the best of its task')
          : drop(index === ends[1] ? 'the worst of its task' : 'neither best nor worst of its task'),
      );
    }
    case 'softmax':
      return chosen(
        softmaxOf(scores, policy.k, policy.temperature, random()),
        'drawn by its score',
        'not drawn',
      );
    case 'tournament':
      return chosen(
        tournamentOf(scores, policy.k, policy.size, random()),
        'won its tournament',
        'won no tournament',
      );
  }
}

function byRule({ annotation, feedback }: Judged, score: number | null, rule: KeepRule): Decision {
  if (score === null) return drop('nobody judged it');
  const kept = meets(rule, score);
  const words = `score ${score}${kept ? ' meets ' : ' misses '}${rule.sign} ${rule.bound}`;
  const byHuman = annotation?.score ?? null;
  if (byHuman !== null) return { kept, reason: `${words}, scored by a person` };
  return { kept, reason: feedback.findLast((item) => item.reason !== undefined)?.reason ?? words };
}

function byMajority(group: readonly Judged[], maxEntropy: number | null): Decision[] {
  const answers = group.map(({ answer }) => answer);
  const winner = majorityOf(answers);
  const entropy = entropyOf(answers);
  if (maxEntropy !== null && entropy > maxEntropy)
    return group.map(() => drop(`the answers disagree: ${entropy.toFixed(2)} bits, more than ${maxEntropy}`));
  return group.map(({ answer }) =>
    answer !== null && answer === winner
      ? keep('the answer most agree on')
      : drop('another answer has more votes'),
  );
}

/** Digits and signs of what is calculated, in order: solutions with the same equations reason alike (RFT). */
function equationsOf(output: string): string {
  return (output.match(/[\d.,()+\-*/×÷=^%\s]*=[\d.,()+\-*/×÷^%\s]*\d/gu) ?? [])
    .map((equation) => equation.replace(/\s+/gu, ''))
    .join(';');
}

function byDistinct(
  group: readonly Judged[],
  scores: readonly (number | null)[],
  { rule, by }: Extract<SolutionPolicy, { policy: 'distinct' }>,
): Decision[] {
  const seen = new Set<string>();
  return group.map((item, index) => {
    const first = byRule(item, scores[index] ?? null, rule);
    if (!first.kept) return first;
    const name =
      by === 'answer' ? (item.answer ?? '') : by === 'output' ? item.output : equationsOf(item.output);
    if (seen.has(name)) return drop(`another of its task has the same ${by}`);
    seen.add(name);
    return keep(`first of its task with this ${by}`);
  });
}

/** Law 3 is held here: what a person said counts before all else, and nothing is kept that cites nobody. */
function toRefinement(
  { solutionId, feedback, annotation }: Judged,
  decision: Decision,
  at: Position,
): Refinement {
  const human = feedback.filter(({ source }) => source === 'human');
  const cites = (human.length > 0 ? human : feedback).map(({ id }) => id);
  const base = { id: refinementId(solutionId, at), solutionId, cites };
  const said = annotation === null ? verdictOf(human) : annotation.verdict;
  if (said === 'accept') return { ...base, verdict: 'kept', reason: 'accepted by a person' };
  if (said === 'reject') return { ...base, verdict: 'dropped', reason: 'rejected by a person' };
  if (cites.length === 0) return { ...base, verdict: 'dropped', reason: 'nobody judged it' };
  return { ...base, verdict: decision.kept ? 'kept' : 'dropped', reason: decision.reason };
}

/** What a person asked by `assess` said last. */
function verdictOf(human: readonly Feedback[]): 'accept' | 'reject' | null {
  const said = human.findLast(({ value }) => value.kind === 'pass')?.value;
  return said?.kind === 'pass' ? (said.pass ? 'accept' : 'reject') : null;
}

/** A control without its filter: everything is kept and cites nothing, and says so. */
export function keepUnfiltered({ solutionId }: Pick<Judged, 'solutionId'>, at: Position): Refinement {
  return {
    id: refinementId(solutionId, at),
    solutionId,
    verdict: 'kept',
    reason: 'control: kept without a filter',
    cites: [],
  };
}
