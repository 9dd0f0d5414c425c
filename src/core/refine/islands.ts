/**
 * Owns islands of a population: groups whose parents and mates are drawn among their own, so that one early success does
 * not take over all, with the best moving on to the next group in a ring now and then (the island model: Tanese 1989,
 * Whitley et al. 1999; for programs written by models: FunSearch, Romera-Paredes et al. 2023). Pure.
 */
import type { CandidateId } from '../model/ids.ts';

/** Members of each island; a candidate may be in several. */
export type Islands = readonly ReadonlySet<CandidateId>[];

export function foundIslands(count: number, first: CandidateId): Islands {
  return Array.from({ length: count }, () => new Set([first]));
}

/** A newcomer lives where its draft was made; where that is not known, wherever its first parent does. */
export function settle(
  islands: Islands,
  id: CandidateId,
  homes: readonly number[],
  parent: CandidateId | undefined,
): Islands {
  return islands.map((members, index) => {
    const home = homes.length > 0 ? homes.includes(index) : parent !== undefined && members.has(parent);
    return home && !members.has(id) ? new Set([...members, id]) : members;
  });
}

export interface Migration {
  readonly islands: Islands;
  /** Members that are new somewhere. */
  readonly moved: number;
}

/** The `best` of each island join the next one, all at once; those nobody scored stay. Ties go to the older. */
export function migrate(
  islands: Islands,
  scoreOf: (id: CandidateId) => number | null,
  best: number,
): Migration {
  const leaving = islands.map((members) =>
    [...members]
      .flatMap((id) => {
        const score = scoreOf(id);
        return score === null ? [] : [{ id, score }];
      })
      .sort((a, b) => b.score - a.score)
      .slice(0, best)
      .map(({ id }) => id),
  );
  let moved = 0;
  const next = islands.map((members, index) => {
    const coming = leaving[(index + islands.length - 1) % islands.length] ?? [];
    const fresh = coming.filter((id) => !members.has(id));
    moved += fresh.length;
    return fresh.length === 0 ? members : new Set([...members, ...fresh]);
  });
  return { islands: next, moved };
}
