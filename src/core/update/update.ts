/** Owns `update`: the only maker of candidates (law 1). Deliberately moves no pointer: that is `select` over candidates. */
import { candidateId } from '../measure/identity.ts';
import type { Candidate, ModelState } from '../model/candidate.ts';

export function startCandidate(state: ModelState): Candidate {
  return { id: candidateId(state), state, parents: [], note: 'the start' };
}

/** A candidate whose state differs from its first parent's by these slots; a slot set to nothing is absent (model/candidate.ts). */
export function updateState(
  parents: readonly [Candidate, ...Candidate[]],
  changes: { readonly [Slot in keyof ModelState]?: ModelState[Slot] | undefined },
  note: string,
): Candidate {
  const merged = Object.entries({ ...parents[0].state, ...changes }).filter(([, value]) => !isNothing(value));
  const state = Object.fromEntries(merged) as unknown as ModelState;
  return { id: candidateId(state), state, parents: parents.map(({ id }) => id), note };
}

function isNothing(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0);
}
