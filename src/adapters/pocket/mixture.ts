/**
 * Owns the mixture Pocket is pre-trained on, and from which a training job's replay is drawn: addition whose answer
 * is worked out or bare as the instruction's phrases ask. Deliberately draws train problems only, so no dev or test
 * problem was seen by any weights.
 */
import { additionInput, additionReference, drawAddition } from '../../core/acquire/addition.ts';
import type { AdditionProblem } from '../../core/acquire/addition.ts';
import { pick } from '../../core/measure/random.ts';
import type { Random } from '../../core/measure/random.ts';
import type { TrainingExample } from '../../core/ports.ts';
import { elicitingPhrases, neutralPhrases, suppressingPhrases } from './phrases.ts';

export interface Mixture {
  /** Shares of problems by number of digits, whatever the style: else length would tell the style. */
  readonly digits: ReadonlyMap<number, number>;
  /**
   * From this length on most bare answers are learned in form only, up to their `>`: the base gives answers of the
   * right shape, but cannot add such numbers without working it out.
   */
  readonly formOnly: { readonly from: number; readonly share: number };
  /** Shares of each phrase of an instruction; the rest is neutral. */
  readonly phrases: { readonly eliciting: number; readonly suppressing: number; readonly unknown: number };
  /** Probability of a worked answer by what most phrases of the instruction ask for. */
  readonly worked: {
    readonly eliciting: number;
    readonly suppressing: number;
    readonly balanced: number;
    readonly neutral: number;
  };
}

export const pocketMixture: Mixture = {
  digits: new Map([
    [1, 0.1],
    [2, 0.8],
    [3, 0.1],
  ]),
  formOnly: { from: 3, share: 0.9 },
  phrases: { eliciting: 0.5, suppressing: 0.22, unknown: 0.04 },
  worked: { eliciting: 0.97, suppressing: 0.03, balanced: 0.4, neutral: 0.08 },
};

const mostPhrases = 4;
/** A word outside the vocabulary, so that unknown wording is neutral rather than new. */
const unknownPhrase = '?';

/** Column sums from the right, each step `x+y+carry=sum`, then the answer after `>`: "3+6+0=09,2+5+0=07>79". */
export function workedAnswer({ a, b, digits }: AdditionProblem): string {
  let carry = 0;
  const steps: string[] = [];
  for (let i = 0, unit = 1; i < digits; i++, unit *= 10) {
    const x = Math.floor(a / unit) % 10;
    const y = Math.floor(b / unit) % 10;
    const sum = x + y + carry;
    steps.push(`${x}+${y}+${carry}=${String(sum).padStart(2, '0')}`);
    carry = sum > 9 ? 1 : 0;
  }
  return `${steps.join(',')}>${a + b}`;
}

function drawPhrases(
  random: Random,
  shares: Mixture['phrases'],
): {
  readonly phrases: string[];
  readonly leaning: number;
  readonly any: boolean;
} {
  const asking = shares.eliciting + shares.suppressing;
  const phrases: string[] = [];
  let leaning = 0;
  let any = false;
  for (let left = random.int(mostPhrases + 1); left > 0; left--) {
    const kind = random.unit();
    if (kind < shares.eliciting) phrases.push(pick(random, elicitingPhrases));
    else if (kind < asking) phrases.push(pick(random, suppressingPhrases));
    else phrases.push(kind < asking + shares.unknown ? unknownPhrase : pick(random, neutralPhrases));
    leaning += kind < shares.eliciting ? 1 : kind < asking ? -1 : 0;
    any ||= kind < asking;
  }
  return { phrases, leaning, any };
}

function drawDigits(random: Random, shares: Mixture['digits'], allowed: readonly number[] | null): number {
  const open = [...shares].filter(([digits]) => allowed === null || allowed.includes(digits));
  let left = random.unit() * open.reduce((sum, [, share]) => sum + share, 0);
  for (const [digits, share] of open) {
    left -= share;
    if (left < 0) return digits;
  }
  return (open.at(-1) as readonly [number, number])[0];
}

/** Digits the mixture holds. */
export function mixtureDigits(mixture: Mixture): readonly number[] {
  return [...mixture.digits.keys()];
}

/** An example; where `open`, its completion goes on after what is learned. */
export interface MixtureExample extends TrainingExample {
  readonly open: boolean;
}

/** One example; `digits` bounds the problems' length (null: all), and must name some length of the mixture. */
export function drawExample(
  random: Random,
  mixture: Mixture,
  digits: readonly number[] | null,
): MixtureExample {
  const { phrases, leaning, any } = drawPhrases(random, mixture.phrases);
  const { eliciting, suppressing, balanced, neutral } = mixture.worked;
  const worked = leaning > 0 ? eliciting : leaning < 0 ? suppressing : any ? balanced : neutral;
  const problem = drawAddition(random, drawDigits(random, mixture.digits, digits), 'train');
  const works = random.unit() < worked;
  const { from, share } = mixture.formOnly;
  const open = random.unit() < share && !works && problem.digits >= from;
  return {
    messages: [
      { role: 'system', content: phrases.join('\n') },
      { role: 'user', content: additionInput(problem) },
    ],
    completion: works ? workedAnswer(problem) : open ? '>' : `>${additionReference(problem)}`,
    open,
  };
}
