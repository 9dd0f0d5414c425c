/**
 * Owns `revise` of an instruction by phrase edits, in the manner of GrIPS (Prasad et al. 2023): each draft differs from
 * the instruction in use by one edit. A draft is not a candidate: only `update` makes those (law 1). Pure given its stream.
 */
import { pick, type Random } from '../measure/random.ts';
import { editPhrases, joinPhrases, splitPhrases, type PhraseEdit } from '../prompt/phrases.ts';

export interface Draft {
  readonly instruction: string;
  /** What was changed, for people. */
  readonly note: string;
}

/** At most `n` different drafts, none equal to the instruction; fewer when the edits allow no more. */
export function reviseInstruction(
  instruction: string,
  options: { readonly edits: readonly PhraseEdit[]; readonly n: number; readonly phrases: readonly string[] },
  random: Random,
): Draft[] {
  const phrases = splitPhrases(instruction);
  const drafts = new Map<string, Draft>();
  for (let tries = 0; tries < options.n * 20 && drafts.size < options.n; tries++) {
    const edited = editPhrases(phrases, pick(random, options.edits), options.phrases, random);
    if (edited === null) continue;
    const text = joinPhrases(edited.phrases);
    if (text !== instruction && !drafts.has(text)) drafts.set(text, { instruction: text, note: edited.note });
  }
  return [...drafts.values()];
}
