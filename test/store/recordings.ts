/** Owns which recording has which number: of three, two are rounds of a run, one is a store's upkeep. */
import { recordUpkeep } from './upkeepWork.ts';
import { recordWorkload, type Recording } from './workload.ts';

const ROUNDS = 3;

/** `number` from 1; the same gives the same operations. */
export function record(number: number): Promise<Recording> {
  return number % 3 === 0 ? recordUpkeep(number / 3) : recordWorkload(number, ROUNDS);
}
