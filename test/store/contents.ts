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
