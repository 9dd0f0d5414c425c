/**
 * Owns the generated task family `addition`: problems "a+b" whose split is a property of the problem itself.
 * Deliberately never draws a train problem that could be a dev or test problem, in either order of its terms:
 * what a suite measures was not seen by any training draw, pre-training included.
 */
import { hash32 } from '../measure/hash.ts';
import type { Random } from '../measure/random.ts';

export interface AdditionProblem {
  readonly a: number;
  readonly b: number;
  readonly digits: number;
}

type GeneratedSplit = 'train' | 'dev' | 'test';

/** Uniform over numbers of exactly this many digits (one digit includes 0). */
function drawNumber(random: Random, digits: number): number {
  const low = digits === 1 ? 0 : 10 ** (digits - 1);
  return low + random.int(10 ** digits - low);
}

/** The split a problem belongs to, by hash of its unordered terms: 10 % dev, 10 % test, the rest train. */
export function additionSplit(a: number, b: number): GeneratedSplit {
  const bucket = hash32(['addition', Math.min(a, b), Math.max(a, b)]) % 10;
  return bucket === 0 ? 'dev' : bucket === 1 ? 'test' : 'train';
}

/** A problem of the split, both terms of `digits` digits (1 to 9). */
export function drawAddition(random: Random, digits: number, split: GeneratedSplit): AdditionProblem {
  for (;;) {
    const a = drawNumber(random, digits);
    const b = drawNumber(random, digits);
    if (additionSplit(a, b) === split) return { a, b, digits };
  }
}

export function additionInput(problem: AdditionProblem): string {
  return `${problem.a}+${problem.b}`;
}

export function additionReference(problem: AdditionProblem): string {
  return String(problem.a + problem.b);
}
