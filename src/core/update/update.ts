/** Owns `update`: the only maker of candidates (law 1). Deliberately moves no pointer: that is `select` over candidates. */
import { candidateId } from '../measure/identity.ts';
import type { Candidate, ModelState } from '../model/candidate.ts';
import type { ContentHash } from '../model/ids.ts';

export function startCandidate(state: ModelState): Candidate {
  return { id: candidateId(state), state, parents: [], note: 'the start' };
}

function child(parent: Candidate, state: ModelState, note: string): Candidate {
  return { id: candidateId(state), state, parents: [parent.id], note };
}

export function updateInstruction(parent: Candidate, instruction: string, note: string): Candidate {
  return child(parent, { ...parent.state, instruction }, note);
}

export function updateWeights(parent: Candidate, weights: ContentHash, note: string): Candidate {
  return child(parent, { ...parent.state, weights }, note);
}
