/**
 * Owns votes among several answers to one task: who wins, by how much, and how divided they are.
 * Deliberately does not decide when two answers are the same: callers vote with a key, and null never votes.
 */

export interface Ballot {
  /** What the vote is for; equal keys are one answer. Null: no answer, which abstains. */
  readonly key: string | null;
  /** Not negative; 1 when absent. */
  readonly weight?: number;
}

export interface VoteResult {
  /** Keys with the most weight, in order of first appearance; empty when nobody voted. */
  readonly winners: readonly string[];
  /** Weight of one winner over that of all votes cast; 0 when nobody voted. */
  readonly share: number;
  /** Weight of one winner over that of all ballots, those that abstained included. */
  readonly support: number;
  /** Weight of each key, in order of first appearance. */
  readonly tally: ReadonlyMap<string, number>;
}

/**
 * Plurality vote, weighted where weights are given: self-consistency, Wang et al. (2022), "Self-consistency improves
 * chain of thought reasoning in language models". Throws RangeError on a weight that is negative or not finite.
 */
export function vote(ballots: readonly Ballot[]): VoteResult {
  const tally = new Map<string, number>();
  let everyone = 0;
  for (const { key, weight = 1 } of ballots) {
    if (!(Number.isFinite(weight) && weight >= 0)) throw new RangeError(`A vote cannot weigh ${weight}.`);
    everyone += weight;
    if (key !== null) tally.set(key, (tally.get(key) ?? 0) + weight);
  }
  const cast = [...tally.values()].reduce((sum, weight) => sum + weight, 0);
  const most = [...tally.values()].reduce((a, b) => Math.max(a, b), 0);
  if (cast === 0) return { winners: [], share: 0, support: 0, tally };
  // Weights may be sums of fractions in another order: what differs by rounding only is a tie.
  const winners = [...tally].filter(([, weight]) => weight >= most * (1 - 1e-12)).map(([key]) => key);
  return { winners, share: most / cast, support: most / everyone, tally };
}

/** The score of a vote under a judgement of each winner: a tie counts by the share of right winners. In [0, 1]. */
export function voteScore({ winners }: VoteResult, isRight: (key: string) => boolean): number {
  return winners.length === 0 ? 0 : winners.filter(isRight).length / winners.length;
}

/**
 * Entropy of the answers in nats: 0 when all agree, ln n when all n differ. As the uncertainty of a pool of thoughts
 * in MoT, Li and Qiu (2023), "MoT: memory-of-thought enables ChatGPT to self-improve". Answers of null count as one more
 * answer each: not answering is no agreement. 0 for no answers.
 */
export function answerEntropy(keys: readonly (string | null)[]): number {
  const counts = new Map<string, number>();
  keys.forEach((key, index) => {
    const name = key === null ? `none ${index}` : `key ${key}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  });
  const entropy = [...counts.values()].reduce((sum, count) => {
    const share = count / keys.length;
    return sum - share * Math.log(share);
  }, 0);
  return Math.max(0, entropy);
}

/** The same over ln n, in [0, 1], so that tasks with other numbers of answers compare; null for fewer than two. */
export function relativeEntropy(keys: readonly (string | null)[]): number | null {
  return keys.length < 2 ? null : Math.min(1, answerEntropy(keys) / Math.log(keys.length));
}
