/**
 * Owns what a built-in recipe says of itself in the comments it opens with, and the line that names its model. Deliberately
 * reads text alone: whether the recipe can run is the engine's to say.
 */

export interface RecipeHead {
  /** What it is for, as people look for it: "reasoning", "on Pocket". */
  readonly objective: string;
  readonly description: string;
  /** Its place among those for the same; those that name none stand last, by name. */
  readonly rank: number;
  /** What a whole run of it takes, in model calls; empty where it does not say. */
  readonly run: string;
  /** What a person must have, without what comes along with it. */
  readonly needs: string;
  /** What it cannot run without yet; null where it can. */
  readonly waits: string | null;
  /** Whether a person must say which model it runs on. */
  readonly asksForModel: boolean;
  /** Files it reads its tasks from or writes to, beside it. */
  readonly files: readonly string[];
}

const anyModel = /^model: provider\/model$/m;

export function readHead(text: string): RecipeHead {
  const said = (part: string) => new RegExp(`^# ${part}: (\\S.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  return {
    objective: said('Objective'),
    description: unquoted(/^description:\s*(\S.*)$/m.exec(text)?.[1]?.trim() ?? ''),
    rank: Number(said('Rank') || Number.MAX_SAFE_INTEGER),
    run: said('Run'),
    needs: said('Needs').split(';')[0] ?? '',
    waits: said('Waits') || null,
    asksForModel: anyModel.test(text),
    files: [...new Set([...text.matchAll(/\bfile: ([\w-]+\.jsonl)\b/g)].flatMap(([, file]) => file ?? []))],
  };
}

const unquoted = (value: string) => value.replace(/^"(.*)"$/, '$1');

/** The recipe under this name; only another name is written, and as one text whatever it holds. */
export function withName(text: string, name: string): string {
  return text.replace(/^name: (.+)$/m, (line, own: string) =>
    own === name ? line : `name: ${JSON.stringify(name)}`,
  );
}

/** The recipe on this model; a name is quoted, so that none of it is read as anything else. */
export function withModel(text: string, model: string): string {
  return text.replace(anyModel, () => `model: ${JSON.stringify(model)}`);
}

export const capital = (words: string) => words.charAt(0).toUpperCase() + words.slice(1);

/** Recipes by objective, those that need nothing first, then by rank and name. */
export function byObjective<Item extends { readonly head: RecipeHead; readonly name: string }>(
  items: readonly Item[],
): readonly { readonly title: string; readonly items: readonly Item[] }[] {
  const groups = Map.groupBy(
    items.toSorted((a, b) => a.head.rank - b.head.rank || (a.name < b.name ? -1 : 1)),
    ({ head }) => head.objective,
  );
  const offline = (objective: string) => (objective === 'on Pocket' ? 0 : 1);
  return [...groups]
    .sort(([a], [b]) => offline(a) - offline(b) || (a < b ? -1 : 1))
    .map(([objective, group]) => ({
      title: objective === 'on Pocket' ? 'On Pocket, offline' : capital(objective),
      items: group,
    }));
}
