/**
 * Owns the phrases whose effect is trained into Pocket, one a line of an instruction. Deliberately states their
 * intended effect only; what they do to the weights in use is measured, not promised.
 */

/** Ask for worked steps before the answer. */
export const elicitingPhrases = [
  'think step by step',
  'show your work',
  'work it out slowly',
  'one digit at a time',
  'write the steps',
  'use a scratchpad',
] as const;

/** Ask for the bare answer. */
export const suppressingPhrases = [
  'answer now',
  'be brief',
  'only the number',
  'no steps',
  'quick reply',
  'do not explain',
] as const;

/** Ask for nothing in particular: Pocket then mostly answers directly. */
export const neutralPhrases = [
  'solve',
  'please',
  'you are a helpful assistant',
  'compute the sum',
  'here is a task',
  'thank you',
  'this is a test',
  'be careful',
] as const;

export const allPhrases: readonly string[] = [...elicitingPhrases, ...suppressingPhrases, ...neutralPhrases];
