/**
 * Owns reading one column of a row as the type it was written with. A value of another type is damage, and says which row.
 * Deliberately knows no table.
 */
import type { Row } from './connection.ts';
import { decodeText } from './payload.ts';
import { damageError } from './storeFault.ts';

export interface RowReader {
  text(column: string): string;
  textOrNull(column: string): string | null;
  number(column: string): number;
  numberOrNull(column: string): number | null;
  /** One of the given words. */
  word<const Word extends string>(column: string, words: readonly Word[]): Word;
  /** A column that holds JSON this store wrote. */
  json<Value>(column: string): Value;
  /** Throws StoreError when the checksum does not fit what was read. */
  verify(expected: number): void;
}

/**
 * Reads a row of the database in `file`; `what` names it in an error ("solution 3f..").
 * Every method throws StoreError when the column is not what it should be.
 */
export function readRow(file: string, what: string, row: Row): RowReader {
  const damage = (column: string): Error => damageError(file, `${what} has an unreadable ${column}`);
  const textOrNull = (column: string): string | null => {
    const value = row[column];
    if (value === null) return null;
    const text = decodeText(value);
    if (text === null) throw damage(column);
    return text;
  };
  const numberOrNull = (column: string): number | null => {
    const value = row[column];
    if (value === null || typeof value === 'number') return value;
    throw damage(column);
  };
  const text = (column: string): string => {
    const value = textOrNull(column);
    if (value === null) throw damage(column);
    return value;
  };
  const number = (column: string): number => {
    const value = numberOrNull(column);
    if (value === null) throw damage(column);
    return value;
  };
  return {
    text,
    textOrNull,
    number,
    numberOrNull,
    word: (column, words) => {
      const found = words.find((word) => word === row[column]);
      if (found === undefined) throw damage(column);
      return found;
    },
    json: <Value>(column: string) => {
      try {
        return JSON.parse(text(column)) as Value;
      } catch {
        throw damage(column);
      }
    },
    verify: (expected) => {
      if (row['checksum'] !== expected) throw damage('content: its checksum does not fit');
    },
  };
}
