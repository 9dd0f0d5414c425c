/** Owns what steps made by name, and what a step with `from:` reads of it. Deliberately pure. */
import type { RoundValues } from './arm.ts';

/** What each step of a round made, by its path. */
export type Outputs = ReadonlyMap<string, Partial<RoundValues>>;

/** The newest values, with those of the named steps in their place; solutions of several steps are put together. */
export function valuesFrom(values: RoundValues, outputs: Outputs, names: readonly string[]): RoundValues {
  const named = names.flatMap((name) => {
    const made = outputs.get(name);
    return made === undefined ? [] : [made];
  });
  if (named.length === 0) return values;
  const merged = named.reduce<RoundValues>((all, made) => ({ ...all, ...made }), values);
  const experiences = named.flatMap((made) => made.experiences ?? []);
  return experiences.length === 0 ? merged : { ...merged, experiences };
}
