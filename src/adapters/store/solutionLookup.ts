/**
 * Owns finding solutions by id and by key. The newest are found in memory, all others through lookup tables that a sweep
 * fills behind the commits: entered in the order of their hashes, many entries share a page. An entry may be stale (its
 * transaction was rolled back), so the row itself is always compared. Deliberately leaves to
 * others when to sweep (solutionSweep.ts).
 */
import { crc32 } from 'node:zlib';
import type { Connection } from './connection.ts';

/** Solutions that are not in the tables yet, by hash. */
interface Newest {
  /** Every solution up to this one is in the tables. */
  through: number;
  readonly ids: ByHash;
  readonly keys: ByHash;
  /** How many were entered since `through`. */
  count: number;
  sweep: Sweep | null;
}

/** What is being entered into the tables, sorted by hash. */
interface Sweep {
  readonly through: number;
  readonly ids: readonly Entry[];
  readonly keys: readonly Entry[];
  next: number;
}

/** Nearly always one solution a hash. */
type ByHash = Map<number, number | readonly number[]>;

type Entry = readonly [hash: number, solution: number];

/** Entries of a sweep that share a transaction: few milliseconds for whoever waits behind it. */
const SLICE = 1024;

const newestOf = new WeakMap<Connection, Newest>();

/** The CRC-32 as a signed number of 32 bits. */
function hashOf(text: string): number {
  return crc32(text) | 0;
}

function at(map: ByHash, hash: number): readonly number[] {
  const found = map.get(hash);
  if (found === undefined) return [];
  return typeof found === 'number' ? [found] : found;
}

function push(map: ByHash, hash: number, solution: number): void {
  map.set(hash, map.has(hash) ? [...at(map, hash), solution] : solution);
}

function reached(connection: Connection): number {
  return Number(connection.get("SELECT solution FROM reached WHERE work = 'lookup'")?.['solution'] ?? 0);
}

function newest(connection: Connection): Newest {
  let found = newestOf.get(connection);
  if (found === undefined) {
    const through = reached(connection);
    found = { through, ids: new Map(), keys: new Map(), count: 0, sweep: null };
    for (const row of connection.all('SELECT ref, id, key FROM solutions WHERE ref > ?', through))
      enter(found, Number(row['ref']), String(row['id']), String(row['key']));
    newestOf.set(connection, found);
  }
  return found;
}

function enter(into: Newest, solution: number, id: string, key: string): void {
  push(into.ids, hashOf(id), solution);
  push(into.keys, hashOf(key), solution);
  into.count++;
}

/** Must be called for every solution that is stored. */
export function enterSolution(connection: Connection, solution: number, id: string, key: string): void {
  enter(newest(connection), solution, id, key);
}

/** The row number of the solution with this id, or null. */
export function findSolution(connection: Connection, id: string): number | null {
  const hash = hashOf(id);
  for (const ref of at(newest(connection).ids, hash))
    if (connection.get('SELECT 1 FROM solutions WHERE ref = ? AND id = ?', ref, id) !== null) return ref;
  const ref = connection.get(
    `SELECT s.ref FROM solution_ids i CROSS JOIN solutions s ON s.ref = i.solution
     WHERE i.hash = ? AND s.id = ?`,
    hash,
    id,
  )?.['ref'];
  return typeof ref === 'number' ? ref : null;
}

/** Row numbers of those solutions that are stored, by id. */
export function findSolutions(connection: Connection, ids: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  if (ids.length === 0) return found;
  const { ids: recent } = newest(connection);
  const asked = new Set(ids);
  const hashes = [...asked].map(hashOf);
  const near = hashes.flatMap((hash) => at(recent, hash));
  const rows =
    near.length === 0
      ? []
      : connection.all(
          'SELECT s.ref, s.id FROM json_each(?) j CROSS JOIN solutions s ON s.ref = j.value',
          JSON.stringify(near),
        );
  const swept = connection.all(
    `SELECT s.ref, s.id FROM json_each(?) j CROSS JOIN solution_ids i ON i.hash = j.value
       CROSS JOIN solutions s ON s.ref = i.solution`,
    JSON.stringify(hashes),
  );
  for (const row of [...rows, ...swept]) {
    const id = String(row['id']);
    if (asked.has(id)) found.set(id, Number(row['ref']));
  }
  return found;
}

/** Row numbers of all solutions with this key; there may be others among them. */
export function solutionsMayHaveKey(connection: Connection, key: string): readonly number[] {
  const hash = hashOf(key);
  const swept = connection.all('SELECT solution FROM solution_keys WHERE hash = ?', hash);
  const near = at(newest(connection).keys, hash);
  return [...new Set([...near, ...swept.map((row) => Number(row['solution']))])];
}

/** Whether a solution can be found by its id and its key: in memory, or in both tables. */
export function isFindable(connection: Connection, solution: number, id: string, key: string): boolean {
  const { ids, keys } = newest(connection);
  const inTable = (table: string, hash: number): boolean =>
    connection.get(`SELECT 1 FROM ${table} WHERE hash = ? AND solution = ?`, hash, solution) !== null;
  const [idHash, keyHash] = [hashOf(id), hashOf(key)];
  return (
    (at(ids, idHash).includes(solution) || inTable('solution_ids', idHash)) &&
    (at(keys, keyHash).includes(solution) || inTable('solution_keys', keyHash))
  );
}

/** How many solutions are held in memory because no sweep has reached them. */
export function unswept(connection: Connection): number {
  return newest(connection).count;
}

function sorted(map: ByHash): readonly Entry[] {
  return [...map.keys()]
    .flatMap((hash) => at(map, hash).map((solution): Entry => [hash, solution]))
    .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

function beginSweep(connection: Connection, of: Newest): Sweep {
  const last = connection.get('SELECT max(ref) AS ref FROM solutions')?.['ref'];
  return {
    through: typeof last === 'number' ? last : of.through,
    ids: sorted(of.ids),
    keys: sorted(of.keys),
    next: 0,
  };
}

function insertEntries(connection: Connection, table: string, entries: readonly Entry[]): void {
  connection.run(
    `INSERT INTO ${table} (hash, solution) SELECT value ->> 0, value ->> 1 FROM json_each(?)
     WHERE true ON CONFLICT DO NOTHING`,
    JSON.stringify(entries),
  );
}

/**
 * Enters one more slice of what is in memory into the tables, inside the caller's transaction. Returns what must be done
 * when that transaction is durable: it says whether the sweep goes on.
 */
export function sweepSlice(connection: Connection): () => boolean {
  const of = newest(connection);
  const sweep = (of.sweep ??= beginSweep(connection, of));
  const to = sweep.next + SLICE;
  insertEntries(connection, 'solution_ids', sweep.ids.slice(sweep.next, to));
  insertEntries(connection, 'solution_keys', sweep.keys.slice(sweep.next, to));
  const goesOn = to < sweep.ids.length;
  if (!goesOn) connection.run("UPDATE reached SET solution = ? WHERE work = 'lookup'", sweep.through);
  return () => {
    sweep.next = to;
    if (!goesOn) forget(of, sweep.through);
    return goesOn;
  };
}

/** Fills the tables for all solutions of a store that had none, a portion at a time, inside the caller's transaction. */
export function fillLookups(connection: Connection): void {
  for (let through = 0; ; ) {
    const rows = connection.all(
      'SELECT ref, id, key FROM solutions WHERE ref > ? ORDER BY ref LIMIT ?',
      through,
      16 * SLICE,
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    through = Number(last['ref']);
    const entries = (column: string) =>
      rows.map((row): Entry => [hashOf(String(row[column])), Number(row['ref'])]).sort((a, b) => a[0] - b[0]);
    insertEntries(connection, 'solution_ids', entries('id'));
    insertEntries(connection, 'solution_keys', entries('key'));
    connection.run("UPDATE reached SET solution = ? WHERE work = 'lookup'", through);
  }
}

/** Lets go of what the tables hold now. */
function forget(of: Newest, through: number): void {
  of.sweep = null;
  of.through = through;
  of.count = 0;
  for (const map of [of.ids, of.keys])
    for (const hash of [...map.keys()]) {
      const left = at(map, hash).filter((solution) => solution > through);
      map.delete(hash);
      for (const solution of left) push(map, hash, solution);
    }
  for (const hash of of.ids.keys()) of.count += at(of.ids, hash).length;
}
