/** Owns content hashing: canonical JSON and sha256. Deliberately knows no noun's fields; callers say what counts. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { ContentHash } from '../model/ids.ts';

export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/** JSON with object keys sorted and undefined members left out: equal values give equal text. Numbers must be finite. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item as Json)).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(value)
      .filter((entry): entry is [string, Json] => entry[1] !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new RangeError('A hash needs finite numbers.');
  return JSON.stringify(value);
}

/** sha256 of the canonical JSON, lower-case hexadecimal. */
export function hashOf(value: Json): ContentHash {
  return bytesToHex(sha256(utf8ToBytes(canonicalJson(value)))) as ContentHash;
}

/** First 32 bits of the hash as an unsigned integer: the seed of a named random stream. */
export function hash32(value: Json): number {
  const digest = sha256(utf8ToBytes(canonicalJson(value)));
  return new DataView(digest.buffer, digest.byteOffset, 4).getUint32(0);
}
