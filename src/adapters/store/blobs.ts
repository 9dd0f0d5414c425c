/** Owns bytes stored once by their sha256 and checked against it on every read. */
import { createHash } from 'node:crypto';
import { asId, type ContentHash } from '../../core/model/ids.ts';
import type { Connection } from './connection.ts';
import { damageError } from './storeFault.ts';

export function hashBytes(bytes: Uint8Array): ContentHash {
  return asId<ContentHash>(createHash('sha256').update(bytes).digest('hex'));
}

export function getBlob(connection: Connection, hash: ContentHash): Uint8Array | null {
  const bytes = connection.get('SELECT bytes FROM blobs WHERE hash = ?', hash)?.['bytes'];
  if (bytes === undefined) return null;
  if (!(bytes instanceof Uint8Array) || hashBytes(bytes) !== hash)
    throw damageError(connection.path, `blob ${hash} does not have the content it was stored with`);
  return bytes;
}

export function putBlob(connection: Connection, bytes: Uint8Array): ContentHash {
  const hash = hashBytes(bytes);
  if (connection.get('SELECT 1 FROM blobs WHERE hash = ?', hash) === null)
    connection.run('INSERT INTO blobs (hash, bytes) VALUES (?, ?)', hash, bytes);
  return hash;
}
