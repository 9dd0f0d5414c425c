/**
 * Owns pages of search results, newest first, over all runs or one. Words are looked up in the index as far as it reaches
 * and compared in the texts beyond; conditions are SQL. The work of a page is bounded: one that was not filled within its
 * bound says where to go on. Deliberately gives the same results whatever the index has reached.
 */
import { asId, type RunId } from '../../core/model/ids.ts';
import type { ExperienceFilter, ExperienceHit, ExperienceSearchPage } from '../../core/model/views.ts';
import type { Connection, Row, SqlValue } from './connection.ts';
import { experienceSummaries } from './experiencePages.ts';
import { OUTPUT } from './longTexts.ts';
import { pageStart } from './pageRange.ts';
import { decodeText } from './payload.ts';
import { findRef } from './refs.ts';
import type { SearchIndex } from './searchIndex.ts';
import { hasLiterals, hasText, parseSearch, type SearchQuery } from './searchQuery.ts';
import { IS_HERE } from './words.ts';

/** Solutions looked at in one statement. */
const CHUNK = 256;
/** What a page may cost: the texts it may compare, the rows or hits of the index it may look at. */
const MOST_TEXTS = 2048;
const MOST_ROWS = 16_384;
/** Row numbers a statement without words passes over. */
const WINDOW = 4096;

/** Groups that the conditions leave, and the bounds of their row numbers. */
interface Scope {
  readonly groups: string;
  readonly first: number;
  readonly last: number;
}

interface Sql {
  readonly text: string;
  readonly values: readonly SqlValue[];
}

function scopeOf(
  connection: Connection,
  filter: Partial<ExperienceFilter>,
  query: SearchQuery,
): Scope | null {
  const run = filter.runId === undefined ? null : findRef(connection, 'runs', filter.runId);
  if (run === null && filter.runId !== undefined) return null;
  const both = <Value>(one: Value | undefined, other: Value | null): readonly (Value | null)[] => [
    one ?? null,
    other,
  ];
  const arms = both(filter.arm, query.arm);
  const verdicts = both(filter.verdict, query.verdict);
  const from = Math.max(filter.round ?? 0, query.rounds?.from ?? 0);
  const to = Math.min(filter.round ?? Number.MAX_SAFE_INTEGER, query.rounds?.to ?? Number.MAX_SAFE_INTEGER);
  const rows = connection.all(
    `SELECT ref, first_solution, last_solution FROM experience_groups
     WHERE count > 0 AND run IN (SELECT run FROM run_summaries WHERE ${IS_HERE}) AND run = coalesce(?, run) AND arm = coalesce(?, arm) AND arm = coalesce(?, arm)
       AND verdict = coalesce(?, verdict) AND verdict = coalesce(?, verdict) AND round BETWEEN ? AND ?`,
    run,
    ...arms,
    ...verdicts,
    from,
    to,
  );
  if (rows.length === 0) return null;
  return {
    groups: JSON.stringify(rows.map((row) => row['ref'])),
    first: rows.reduce((least, row) => Math.min(least, Number(row['first_solution'])), Infinity),
    last: rows.reduce((most, row) => Math.max(most, Number(row['last_solution'])), 0),
  };
}

/** The score a person is shown: a judgement of theirs before all others (experiencePages.ts). */
const SHOWN_SCORE = `coalesce(a.score, CASE a.verdict WHEN 'accept' THEN 1.0 WHEN 'reject' THEN 0.0 END, s.score)`;

/** A statement of the solutions in scope; `?` stands for what `from` needs. */
function selection(
  scope: Scope,
  filter: Partial<ExperienceFilter>,
  query: SearchQuery,
  from: Sql,
  texts: boolean,
): Sql {
  const conditions = ['s.experience_group IN (SELECT value FROM json_each(?))'];
  const values: SqlValue[] = [scope.groups];
  const judged = query.scores.length > 0 || query.unscored;
  for (const { operator, score } of query.scores) {
    conditions.push(`${SHOWN_SCORE} ${operator} ?`);
    values.push(score);
  }
  if (query.unscored) conditions.push(`${SHOWN_SCORE} IS NULL`);
  for (const annotated of [filter.annotated, query.annotated]) {
    if (annotated === undefined || annotated === null) continue;
    conditions.push('s.annotated = ?');
    values.push(annotated ? 1 : 0);
  }
  return {
    text: `SELECT s.ref ${texts ? `, t.input, t.context, ${OUTPUT} AS output` : ''} FROM ${from.text}
      ${judged ? 'LEFT JOIN annotations a ON s.annotated = 1 AND a.key = s.key' : ''}
      ${texts ? 'CROSS JOIN solution_texts x ON x.solution = s.ref CROSS JOIN tasks t ON t.ref = s.task' : ''}
      WHERE ${conditions.join(' AND ')}`,
    values: [...from.values, ...values],
  };
}

const refsOf = (rows: readonly Row[]): number[] => rows.map((row) => Number(row['ref']));
const textsOf = (row: Row): readonly string[] =>
  ['input', 'context', 'output'].map((column) => decodeText(row[column]) ?? '');

/** One look at what lies under a row number: what fits, where to go on, what it cost. */
interface Look {
  readonly found: readonly number[];
  /** Nothing under this was looked at; 0 at the end. */
  readonly below: number;
  readonly texts: number;
  readonly rows: number;
}

interface Search {
  readonly connection: Connection;
  readonly index: SearchIndex | null;
  readonly query: SearchQuery;
  readonly filter: Partial<ExperienceFilter>;
  readonly scope: Scope;
}

/** Compares texts, newest first, down to `above`. */
function lookAtTexts({ connection, query, filter, scope }: Search, above: number, below: number): Look {
  const base = selection(scope, filter, query, { text: 'solutions s', values: [] }, true);
  const rows = connection.all(
    `${base.text} AND s.ref > ? AND s.ref < ? ORDER BY s.ref DESC LIMIT ?`,
    ...base.values,
    Math.max(above, below - WINDOW),
    below,
    CHUNK,
  );
  const found = refsOf(rows.filter((row) => hasText(query, textsOf(row))));
  const last = rows.length === CHUNK ? Number(rows.at(-1)?.['ref']) : Math.max(above + 1, below - WINDOW + 1);
  return { found, below: last, texts: rows.length, rows: below - last };
}

/** Asks the index for the words, then the tables for the rest. */
function lookAtIndex(search: Search, index: SearchIndex, below: number): Look {
  const { connection, query, filter, scope } = search;
  const hits = index.find(query.phrases, scope.first - 1, below, CHUNK);
  const texts = query.literals.length > 0;
  const from = {
    text: 'json_each(?) j CROSS JOIN solutions s ON s.ref = j.value',
    values: [JSON.stringify(hits)],
  };
  const base = selection(scope, filter, query, from, texts);
  const rows = connection.all(`${base.text} ORDER BY j.key`, ...base.values);
  const found = refsOf(texts ? rows.filter((row) => hasLiterals(query, textsOf(row))) : rows);
  const last = hits.length === CHUNK ? Number(hits.at(-1)) : 0;
  return { found, below: last, texts: texts ? rows.length : 0, rows: CHUNK };
}

/** Conditions without words. */
function lookAtRows({ connection, query, filter, scope }: Search, below: number): Look {
  const base = selection(scope, filter, query, { text: 'solutions s', values: [] }, false);
  const rows = connection.all(
    `${base.text} AND s.ref > ? AND s.ref < ? ORDER BY s.ref DESC LIMIT ?`,
    ...base.values,
    below - WINDOW,
    below,
    CHUNK,
  );
  const last = rows.length === CHUNK ? Number(rows.at(-1)?.['ref']) : Math.max(0, below - WINDOW + 1);
  return { found: refsOf(rows), below: last, texts: 0, rows: below - last };
}

function look(search: Search, below: number): Look {
  const { index, query } = search;
  const hasWords = query.phrases.length > 0;
  if (!hasWords && query.literals.length === 0) return lookAtRows(search, below);
  const reached = index !== null && hasWords ? index.reached() : 0;
  if (index !== null && below <= reached + 1 && hasWords) return lookAtIndex(search, index, below);
  return lookAtTexts(search, reached, below);
}

/** At most `limit` row numbers under `below`, and where the next page begins; null at the end. */
function collect(search: Search, below: number, limit: number) {
  const found: number[] = [];
  let [texts, rows] = [0, 0];
  let at = Math.min(below, search.scope.last + 1);
  while (at > search.scope.first && found.length < limit && texts < MOST_TEXTS && rows < MOST_ROWS) {
    const next = look(search, at);
    found.push(...next.found);
    [at, texts, rows] = [next.below, texts + next.texts, rows + next.rows];
  }
  if (found.length > limit) {
    found.length = limit;
    return { found, next: found.at(-1) ?? null };
  }
  return { found, next: at > search.scope.first ? at : null };
}

function withRuns(connection: Connection, refs: readonly number[]): readonly ExperienceHit[] {
  const runs = connection.all(
    'SELECT r.id FROM json_each(?) j CROSS JOIN solutions s ON s.ref = j.value CROSS JOIN runs r ON r.ref = s.run ORDER BY j.key',
    JSON.stringify(refs),
  );
  return experienceSummaries(connection, refs).map((summary, place) => ({
    ...summary,
    runId: asId<RunId>(String(runs[place]?.['id'])),
  }));
}

/** `after` is a page's `next`. Throws StoreError for a limit outside 1 to 1,000 or a place no page gave; never for a query. */
export function searchExperiences(
  connection: Connection,
  index: SearchIndex | null,
  request: {
    readonly text: string;
    readonly filter: Partial<ExperienceFilter>;
    readonly after: string | null;
    readonly limit: number;
  },
): ExperienceSearchPage {
  const { text, filter, after, limit } = request;
  const below = pageStart(after, limit, Number.MAX_SAFE_INTEGER, 1);
  const query = parseSearch(text);
  const scope = scopeOf(connection, filter, query);
  if (scope === null) return { items: [], next: null, problems: query.problems };
  const { found, next } = collect({ connection, index, query, filter, scope }, below, limit);
  return {
    items: withRuns(connection, found),
    next: next === null ? null : String(next),
    problems: query.problems,
  };
}
