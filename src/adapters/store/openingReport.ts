/**
 * Owns noticing at the opening that something acknowledged is gone: commits behind a damaged frame of the log, or fewer
 * rows than were noted. Deliberately refuses nothing: what is whole opens, what is missing is said.
 */
import { dirname } from 'node:path';
import { StoreError } from '../../core/ports.ts';
import { stamp } from './backups.ts';
import { type Contents, missingFrom, sayMissing } from './contents.ts';
import { copyBytes, onDisk } from './copies.ts';
import type { HostFiles } from './hostFiles.ts';
import { HEADER_BYTES, type LogContent } from './logFile.ts';
import { logPath } from './ownMarks.ts';
import type { SequenceNote } from './sequenceFile.ts';

/**
 * Commits that were acknowledged and that the log does not give any more, at least. The note counts those of its log. Even
 * without it: a commit is durable before the next is begun, so of those that end behind the damage only the last was not.
 */
function countLost(log: LogContent, note: SequenceNote | null): number {
  const noted =
    note !== null && note.salts !== null && note.salts === log.salts ? note.commits - log.commits : 0;
  return Math.max(0, noted, log.commitsBehind - 1);
}

/** Keeps the damaged log: the next commit would write over what is behind the damage. */
function keepLog(path: string, files: HostFiles, now: number): string {
  const kept = `${path}.damaged-${stamp(now)}`;
  onDisk(kept, 'create', () => {
    copyBytes(path, kept, files);
    files.syncDirectory(dirname(kept));
  });
  return kept;
}

/** Must be asked before SQLite reads the log. One sentence, or none. Throws StoreError when the log cannot be kept. */
export function lostCommits(
  file: string,
  log: LogContent,
  note: SequenceNote | null,
  files: HostFiles,
  now: number,
): readonly string[] {
  const path = logPath(file);
  // Nothing behind its beginning: it was emptied once all of it was in its place, whichever beginning a crash left.
  const isEmptied = onDisk(
    path,
    'open',
    () => files.exists(path) && files.factsAt(path).size <= HEADER_BYTES,
  );
  const lost = countLost(log, isEmptied ? null : note);
  if (lost === 0) return [];
  if (!files.exists(path)) throw new StoreError(`${path} is gone. Try again.`);
  const commits = lost === 1 ? '1 commit' : `${lost} commits`;
  return [
    `The log of ${file} is damaged: at least ${commits} in it could not be read. Everything before opens; the damaged log is kept as ${keepLog(path, files, now)}.`,
  ];
}

/**
 * What was noted and is not there, asked before anything is written; one sentence, or none. A log that could not be read
 * from its very beginning is kept, too. Throws StoreError when it cannot be.
 */
export function lostContents(
  file: string,
  note: SequenceNote,
  has: Contents,
  log: LogContent | null,
  files: HostFiles,
  now: number,
): readonly string[] {
  const missing = sayMissing(missingFrom(has, note.contents));
  if (missing === '') return [];
  const path = logPath(file);
  const unread = log?.salts === null && files.exists(path) && files.factsAt(path).size > 0n;
  const kept = unread ? ` The log, which could not be read, is kept as ${keepLog(path, files, now)}.` : '';
  return [
    `${file} holds less than it did: missing are ${missing}.${kept} A run that is resumed makes again what is missing of it.`,
  ];
}
