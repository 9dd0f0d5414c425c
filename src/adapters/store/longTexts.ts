/**
 * Owns long outputs: kept once by the hash of their content, for models repeat themselves over rounds and candidates. Who
 * reads a solution gets the output wherever it is kept, through `OUTPUT`, and checks it as ever. Deliberately not for texts
 * that are no UTF-8 (payload.ts): those stay with their solution.
 */
import { createHash } from 'node:crypto';
import type { Connection, Row } from './connection.ts';
import { nextRef } from './refs.ts';
import { damageError } from './storeFault.ts';

/** Bytes of UTF-8 from which on a text counts as long: about what fills a page of the file by itself. */
export const LONG_BYTES = 4096;

/** A solution's output; `x` is the alias of solution_texts. Null where its text is missing. */
export const OUTPUT =
  '(CASE WHEN x.text IS NULL THEN x.output ELSE (SELECT l.text FROM texts l WHERE l.ref = x.text) END)';

const PORTION = 500;

function hashOf(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}

/** The row number of the text with this UTF-8, stored now where it was not. */
export function putLongText(connection: Connection, bytes: Uint8Array): number {
  const hash = hashOf(bytes);
  const known = connection.get('SELECT ref FROM texts WHERE hash = ?', hash)?.['ref'];
  if (typeof known === 'number') return known;
  const ref = nextRef(connection, 'texts');
  connection.run('INSERT INTO texts (ref, hash, text) VALUES (?, ?, CAST(? AS TEXT))', ref, hash, bytes);
  return ref;
}

/** Row numbers of the texts these solutions (a JSON array) have. */
export function longTextsOf(connection: Connection, solutions: string): readonly number[] {
  return connection
    .all(
      `SELECT DISTINCT text FROM solution_texts
       WHERE text IS NOT NULL AND solution IN (SELECT value FROM json_each(?))`,
      solutions,
    )
    .map((row) => Number(row['text']));
}

/** Removes those of the texts that no solution has any more. */
export function removeUnused(connection: Connection, texts: readonly number[]): void {
  if (texts.length === 0) return;
  connection.run(
    `DELETE FROM texts WHERE ref IN (SELECT value FROM json_each(?))
       AND NOT EXISTS (SELECT 1 FROM solution_texts x WHERE x.text = texts.ref)`,
    JSON.stringify(texts),
  );
}

/** Moves the long outputs of a store that kept each with its solution, inside the caller's transaction. */
export function moveLongTexts(connection: Connection): void {
  for (let after = 0; ; ) {
    const rows = connection.all(
      `SELECT solution, CAST(output AS BLOB) AS output FROM solution_texts
       WHERE solution > ? AND typeof(output) = 'text' AND octet_length(output) >= ? ORDER BY solution LIMIT ?`,
      after,
      LONG_BYTES,
      PORTION,
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    after = Number(last['solution']);
    for (const { solution, output } of rows)
      if (output instanceof Uint8Array)
        connection.run(
          "UPDATE solution_texts SET output = '', text = ? WHERE solution = ?",
          putLongText(connection, output),
          Number(solution),
        );
  }
}

/** Columns: ref, hash, text as bytes. Throws StoreError when the text is not the one its hash is of. */
export function checkLongText(path: string, { ref, hash, text }: Row): void {
  if (hash instanceof Uint8Array && text instanceof Uint8Array && Buffer.from(hash).equals(hashOf(text)))
    return;
  throw damageError(path, `text ${String(ref)} does not have the content it was stored with`);
}
