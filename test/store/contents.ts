/** Owns the whole content of a store as one text, so that two can be compared row by row. Follows whatever tables there are. */
import type { Connection } from '../../src/adapters/store/connection.ts';
import type { Database } from '../../src/adapters/store/database.ts';

const queries = new Map<string, ReadonlyMap<string, string>>();

/** For each table, the statement that gives all its rows, in the order of their keys. */
function tableQueries(connection: Connection): ReadonlyMap<string, string> {
  const tables = connection.all(
    "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
  );
  const schema = tables.map(({ sql }) => String(sql)).join(';');
  const known = queries.get(schema);
  if (known !== undefined) return known;
  const made = new Map<string, string>();
  for (const { name } of tables) {
    const columns = connection
      .all(`PRAGMA table_info(${String(name)})`)
      .map((column) => `quote("${String(column['name'])}")`);
    const row = columns.join(" || ',' || ");
    made.set(
      String(name),
      `SELECT '${String(name)}' AS name, group_concat(${row}, ';') AS rows FROM ${String(name)}`,
    );
  }
  queries.set(schema, made);
  return made;
}

/** Every row of every table, commits that wait in their places. Writes nothing. Throws StoreError where a page is damaged. */
export function contentOf(database: Database): string {
  return database.glimpse((connection) =>
    connection
      .all([...tableQueries(connection).values()].join(' UNION ALL '))
      .map(({ name, rows }) => `${String(name)}: ${String(rows)}`)
      .join('\n'),
  );
}

/** Where two contents begin to differ, for messages. */
export function difference(first: string, second: string): string {
  let at = 0;
  while (at < first.length && first[at] === second[at]) at++;
  const from = Math.max(0, at - 80);
  return `...${first.slice(from, at + 80)}\n  against\n...${second.slice(from, at + 80)}`;
}

/** Tables whose rows stay as they were written; the others sum up or point. */
const LASTING = new Set([
  'blobs',
  'candidates',
  'effects',
  'evaluations',
  'evaluation_scores',
  'events',
  'feedback',
  'refinements',
  'solution_texts',
  'tasks',
  'texts',
]);

function lastingRows(content: string): ReadonlySet<string> {
  const rows = content.split('\n').flatMap((line) => {
    const [name = ''] = line.split(':', 1);
    return LASTING.has(name)
      ? line
          .slice(name.length + 2)
          .split(';')
          .map((row) => `${name} ${row}`)
      : [];
  });
  return new Set(rows);
}

/** Rows of `earlier` that were written for good and are not in `later`. Rows must hold no semicolon and no line's end. */
export function missingRows(earlier: string, later: string): readonly string[] {
  const found = lastingRows(later);
  return [...lastingRows(earlier)].filter((row) => !row.endsWith(' null') && !found.has(row));
}

/** Each table's rows as one text, or the error of reading them. */
export function tablesOf(database: Database): ReadonlyMap<string, string | Error> {
  const queries = database.read((connection) => tableQueries(connection));
  return new Map(
    [...queries].map(([name, query]): [string, string | Error] => {
      try {
        return [name, String(database.read((connection) => connection.get(query))?.['rows'])];
      } catch (error) {
        return [name, error as Error];
      }
    }),
  );
}
