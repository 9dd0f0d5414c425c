/**
 * Owns the note beside a database of how far it had come: SQLite drops everything behind a damaged frame of its log
 * without a word, so the next opening compares. Written at most each second and never synced: it says at least what was
 * durable, never more. Deliberately never trusted against the database: it can only add a warning.
 */
import { crc32 } from 'node:zlib';
import type { Contents } from './contents.ts';
import type { HostFiles } from './hostFiles.ts';

export interface SequenceNote {
  /** The log the commits are counted in; null while it was empty. */
  readonly salts: string | null;
  /** Commits in that log, at least. */
  readonly commits: number;
  readonly contents: Contents;
}

const MARK = 'RATCHET-SEQUENCE-1';
/** Always written whole: one write of one block. */
const NOTE_BYTES = 512;

export function sequencePath(database: string): string {
  return `${database}-seq`;
}

function crcOf(json: string): string {
  return crc32(json).toString(16).padStart(8, '0');
}

/** With `durably` the note reaches the medium before it returns. Throws what the files throw. */
export function writeSequence(database: string, note: SequenceNote, files: HostFiles, durably = false): void {
  const json = JSON.stringify(note);
  const bytes = Buffer.from(`${MARK} ${crcOf(json)} ${json}`.padEnd(NOTE_BYTES - 1) + '\n');
  const descriptor = files.open(sequencePath(database), {
    write: true,
    create: true,
    exclusive: false,
    truncate: false,
    permissions: 0o644,
  });
  try {
    files.write(descriptor, bytes, 0, bytes.length, 0);
    if (durably) files.sync(descriptor);
  } finally {
    files.close(descriptor);
  }
}

/** The note beside the database; null when there is none, or none that is whole. */
export function readSequence(database: string, files: HostFiles): SequenceNote | null {
  const path = sequencePath(database);
  if (!files.exists(path)) return null;
  const bytes = Buffer.alloc(NOTE_BYTES);
  const descriptor = files.open(path, {
    write: false,
    create: false,
    exclusive: false,
    truncate: false,
    permissions: 0,
  });
  try {
    files.read(descriptor, bytes, 0, NOTE_BYTES, 0);
  } finally {
    files.close(descriptor);
  }
  const match = /^(\S+) ([0-9a-f]{8}) (\{.*\}) *\n$/.exec(bytes.toString('utf8'));
  if (match?.[1] !== MARK || match[3] === undefined || crcOf(match[3]) !== match[2]) return null;
  return JSON.parse(match[3]) as SequenceNote;
}
