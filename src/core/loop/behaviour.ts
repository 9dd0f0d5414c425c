/**
 * Owns the number of the engine's behaviour: raised whenever the same recipe, data, seed and ledger would give other events.
 * A run begun under another number is not gone on with silently (execute.ts). Deliberately no version of the product.
 */
export const behaviour = 4;
