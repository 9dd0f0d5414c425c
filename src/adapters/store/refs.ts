/** Owns finding a row's small number by its id. Deliberately fails where the row is missing: nothing is half linked. */
import { StoreError } from '../../core/ports.ts';
import type { Connection } from './connection.ts';
import { findSolution } from './solutionLookup.ts';

type Named = 'runs' | 'tasks' | 'candidates' | 'solutions' | 'evaluations';

const NOUN: Readonly<Record<Named, string>> = {
  runs: 'run',
  tasks: 'task',
  candidates: 'candidate',
  solutions: 'solution',
  evaluations: 'evaluation',
};

export function findRef(connection: Connection, table: Named, id: string): number | null {
  if (table === 'solutions') return findSolution(connection, id);
  const ref = connection.get(`SELECT ref FROM ${table} WHERE id = ?`, id)?.['ref'];
  return typeof ref === 'number' ? ref : null;
}

/** Throws StoreError when the store holds no such row. */
export function refOf(connection: Connection, table: Named, id: string): number {
  const ref = findRef(connection, table, id);
  if (ref === null) throw new StoreError(`The store holds no ${NOUN[table]} ${id}.`, 'UNKNOWN');
  return ref;
}

/** Remembers what was found, for the length of one commit. */
export function rememberRefs(connection: Connection, table: Named): (id: string) => number {
  const known = new Map<string, number>();
  return (id) => {
    let ref = known.get(id);
    if (ref === undefined) {
      ref = refOf(connection, table, id);
      known.set(id, ref);
    }
    return ref;
  };
}

/** The number the next row of a table takes. */
export function nextRef(
  connection: Connection,
  table: Named | 'effects' | 'experience_groups' | 'texts',
): number {
  const newest = connection.get(`SELECT max(ref) AS ref FROM ${table}`)?.['ref'];
  return typeof newest === 'number' ? newest + 1 : 1;
}
