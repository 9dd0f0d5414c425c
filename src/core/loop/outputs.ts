/** Owns what steps made by name, and what a step with `from:` reads of it. Deliberately pure. */
import type { RoundValues } from './arm.ts';

/** What each step of a round made, by its path. */
export type Outputs = ReadonlyMap<string, Partial<RoundValues>>;

type Made = Partial<RoundValues>;

function distinct<Item>(items: readonly Item[], nameOf: (item: Item) => string): readonly Item[] {
  return [...new Map(items.map((item) => [nameOf(item), item])).values()];
}

/** The newest values, with those of the named steps in their place; what several steps made of a kind is put together. */
export function valuesFrom(values: RoundValues, outputs: Outputs, names: readonly string[]): RoundValues {
  const named = names.flatMap((name): Made[] => {
    const made = outputs.get(name);
    return made === undefined ? [] : [made];
  });
  const lists = <Item>(of: (made: Made) => readonly Item[] | undefined, nameOf: (item: Item) => string) => {
    const found = named.flatMap((made) => of(made) ?? []);
    return named.some((made) => of(made) !== undefined) ? distinct(found, nameOf) : null;
  };
  const maps = <Key, Value>(of: (made: Made) => ReadonlyMap<Key, Value> | undefined) =>
    new Map(named.flatMap((made) => [...(of(made) ?? [])]));
  const { experiences, feedback, refinements, taskScores, ...newest } = named.reduce<RoundValues>(
    (all, made) => ({ ...all, ...made }),
    values,
  );
  return {
    ...newest,
    tasks:
      lists(
        ({ tasks }) => tasks,
        ({ id }) => id,
      ) ?? newest.tasks,
    experiences:
      lists(
        (made) => made.experiences,
        ({ solution }) => solution.id,
      ) ?? experiences,
    // What is known of an item does not become unknown by reading from the step that made it.
    feedback: new Map([...values.feedback, ...feedback]),
    refinements: new Map([...values.refinements, ...refinements, ...maps((made) => made.refinements)]),
    taskScores: new Map([...values.taskScores, ...taskScores]),
    knowledge:
      lists(
        (made) => made.knowledge,
        ({ id }) => id,
      ) ?? newest.knowledge,
    drafts:
      lists(
        (made) => made.drafts,
        ({ slot, text, island }) => `${slot} ${island ?? ''} ${text}`,
      ) ?? newest.drafts,
    contenders:
      lists(
        (made) => made.contenders,
        ({ id }) => id,
      ) ?? newest.contenders,
  };
}
