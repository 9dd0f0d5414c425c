/** Owns the settings of property tests over a real file: few runs, each costs disk work. */
import fc from 'fast-check';

export { fc };
export const FEW = { numRuns: 25 } as const;
