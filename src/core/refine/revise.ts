/**
 * Owns drafts of an instruction or a workflow, by phrase edits in the manner of GrIPS (Prasad et al. 2023). A draft is not a
 * candidate: only `update` makes those (law 1). Pure given its stream; drafts that a model writes are in mutate.ts.
 */
import { pick, type Random } from '../measure/random.ts';
import type { Candidate } from '../model/candidate.ts';
import { editPhrases, joinPhrases, splitPhrases, type PhraseEdit } from '../prompt/phrases.ts';

export interface Draft {
  readonly slot: 'instruction' | 'workflow';
  readonly text: string;
  /** What was changed, for people. */
  readonly note: string;
  /** What it was made from. */
  readonly parents: readonly Candidate[];
  /** The island it was made on; null where it is wherever its first parent is. */
  readonly island: number | null;
  /** The way a model was told to change its parent in; null where it was told none. */
  readonly way: string | null;
}

/** At most `n` different drafts, none equal to the parent's instruction; fewer when the edits allow no more. */
export function reviseInstruction(
  parent: Candidate,
  options: { readonly edits: readonly PhraseEdit[]; readonly n: number; readonly phrases: readonly string[] },
  random: Random,
): Draft[] {
  const { instruction } = parent.state;
  const phrases = splitPhrases(instruction);
  const drafts = new Map<string, Draft>();
  for (let tries = 0; tries < options.n * 20 && drafts.size < options.n; tries++) {
    const edited = editPhrases(phrases, pick(random, options.edits), options.phrases, random);
    if (edited === null) continue;
    const text = joinPhrases(edited.phrases);
    if (text !== instruction && !drafts.has(text))
      drafts.set(text, {
        slot: 'instruction',
        text,
        note: edited.note,
        parents: [parent],
        island: null,
        way: null,
      });
  }
  return [...drafts.values()];
}
