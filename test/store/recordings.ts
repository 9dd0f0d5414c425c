/** Owns which recording has which number: of three, two are rounds of a run, one is a store's upkeep. */
import type { HostFiles } from '../../src/adapters/store/hostFiles.ts';
import { recordUpkeep } from './upkeepWork.ts';
import { recordWorkload, type Recording } from './workload.ts';

const ROUNDS = 3;

/** `number` from 1; the same gives the same operations. `around` may put a fault into the files the store works with. */
export function record(number: number, around?: (files: HostFiles) => HostFiles): Promise<Recording> {
  return number % 3 === 0 ? recordUpkeep(number / 3, around) : recordWorkload(number, ROUNDS, around);
}
