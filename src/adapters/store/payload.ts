/**
 * Owns how free text is kept and how damage to it is noticed: SQLite checks neither.
 * Deliberately not a defence against a person who edits the file on purpose.
 */
import { crc32 } from 'node:zlib';
import type { SqlValue } from './connection.ts';

/**
 * Any string as a column of type ANY: TEXT where UTF-8 can hold it, else its UTF-16LE bytes
 * (a NUL ends a text for many readers, a lone surrogate has no UTF-8).
 */
export function encodeText(text: string): string | Uint8Array {
  return text.includes('\0') || !text.isWellFormed() ? Buffer.from(text, 'utf16le') : text;
}

/** The string that `encodeText` kept; null for anything it never makes. */
export function decodeText(value: SqlValue | undefined): string | null {
  if (typeof value === 'string') return value;
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf16le') : null;
}

/** CRC-32 of a row's id and payload, in [0, 2^32). Which part a character belongs to counts. */
export function checksum(...parts: readonly (string | number | null)[]): number {
  return crc32(JSON.stringify(parts));
}
