/** Owns the whole content of a store as one text, so that two can be compared row by row. Follows whatever tables there are. */
import type { Connection } from '../../src/adapters/store/connection.ts';
import type { Database } from '../../src/adapters/store/database.ts';

const queries = new Map<string, string>();

/** One statement that gives each table's name and rows, in the order of their keys. */
function contentQuery(connection: Connection): string {
  const tables = connection.all(
    "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
  );
  const schema = tables.map(({ sql }) => String(sql)).join(';');
  let query = queries.get(schema);
  if (query === undefined) {
    query = tables
      .map(({ name }) => {
        const columns = connection
          .all(`PRAGMA table_info(${String(name)})`)
          .map((column) => `quote("${String(column['name'])}")`);
        return `SELECT '${String(name)}' AS name, group_concat(${columns.join(" || ',' || ")}, ';') AS rows FROM ${String(name)}`;
      })
      .join(' UNION ALL ');
    queries.set(schema, query);
  }
  return query;
}

/** Every row of every table. Throws StoreError where a page is damaged. */
export function contentOf(database: Database): string {
  return database.read((connection) =>
    connection
      .all(contentQuery(connection))
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
