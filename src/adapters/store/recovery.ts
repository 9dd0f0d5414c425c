/**
 * Owns what happens to a damaged database: the newest good backup is found and offered, and on request put in its place
 * while the damaged file is kept under another name. Deliberately deletes nothing and never acts by itself, except that
 * it finishes a restore that was cut short.
 */
import { dirname } from 'node:path';
import { StoreError } from '../../core/ports.ts';
import { type Backup, listBackups, stamp } from './backups.ts';
import { type Contents, missingFrom, sayContents, sayMissing } from './contents.ts';
import { copyBytes, onDisk, readCopy, removeIfThere, type CopyContext } from './copies.ts';
import type { HostFiles } from './hostFiles.ts';
import { readyForPlace } from './openingSteps.ts';
import { formerLogPath, logPath } from './ownMarks.ts';
import { readSequence, sequencePath } from './sequenceFile.ts';

export interface GoodBackup extends Backup {
  readonly contents: Contents;
}

export interface Restored {
  readonly backup: GoodBackup;
  /** What the damaged file is called now; null where there was none. */
  readonly keptAs: string | null;
  /** What was known to be there and is not in the backup. */
  readonly missing: Contents;
}

/** The names that belong to a database beside its own. */
const COMPANIONS: readonly ((database: string) => string)[] = [
  logPath,
  formerLogPath,
  (database) => `${database}-journal`,
  sequencePath,
];

/** The newest backup that opens; with `thorough` every page of it is read first. Null where there is none. */
export function newestGoodBackup(
  database: string,
  context: CopyContext,
  thorough: boolean,
): GoodBackup | null {
  const { sqlite, files, newestVersion } = context;
  for (const backup of listBackups(database, files)) {
    if (backup.schema > newestVersion) continue;
    try {
      const { contents } = readCopy(sqlite, backup.file, files, newestVersion, thorough);
      return { ...backup, contents };
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    }
  }
  return null;
}

function sayTime(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function missingFromBackup(database: string, backup: GoodBackup, files: HostFiles): Contents {
  const known = readSequence(database, files)?.contents ?? backup.contents;
  return missingFrom(backup.contents, known);
}

/** The sentence that offers what there is to go on with. */
function offer(database: string, context: CopyContext): string {
  const backup = newestGoodBackup(database, context, false);
  if (backup === null)
    return `There is no good backup yet; to start anew, move the files of ${dirname(database)} away.`;
  const missing = sayMissing(missingFromBackup(database, backup, context.files));
  const later = missing === '' ? '' : `; made later and not in it: ${missing}`;
  return `The newest good backup is of ${sayTime(backup.madeAt)} (${sayContents(backup.contents)}${later}): ${backup.file}`;
}

/** The same error with what can be put in the file's place; any other error as it is. */
export function withOffer(error: unknown, database: string, context: CopyContext): unknown {
  if (!(error instanceof StoreError) || (error.code !== 'DAMAGED' && error.code !== 'FOREIGN')) return error;
  try {
    return new StoreError(`${error.message} ${offer(database, context)}`, error.code, { cause: error });
  } catch {
    // The backups cannot be read either; the first trouble is the one to tell.
    return error;
  }
}

/** Whether files beside a missing database say that there was one. */
export function wasThere(database: string, files: HostFiles): boolean {
  return files.exists(sequencePath(database)) || listBackups(database, files).length > 0;
}

const restoringPath = (database: string): string => `${database}.restoring`;

/** Renames the database and what belongs to it; its own name first, so that it is never open to be read without its log. */
function setAside(database: string, aside: string, files: HostFiles): boolean {
  const there = files.exists(database);
  if (there) files.rename(database, aside);
  for (const companion of COMPANIONS)
    if (files.exists(companion(database))) files.rename(companion(database), companion(aside));
  files.syncDirectory(dirname(database));
  return there;
}

function putInPlace(database: string, files: HostFiles): void {
  files.rename(restoringPath(database), database);
  files.syncDirectory(dirname(database));
}

/** Goes on with a restore whose process died between the two names. True when there was one. */
export function finishRestore(database: string, files: HostFiles, now: number): boolean {
  return onDisk(database, 'restore', () => {
    if (files.exists(database) || !files.exists(restoringPath(database))) return false;
    setAside(database, `${database}.damaged-${stamp(now)}`, files);
    putInPlace(database, files);
    return true;
  });
}

/** Removes what a restore that was given up left behind. */
export function clearRestore(database: string, files: HostFiles): void {
  removeIfThere(restoringPath(database), files);
  removeIfThere(`${restoringPath(database)}.new`, files);
}

/**
 * Puts the newest backup that is whole in the place of the database, which must not be open. The damaged file stays as
 * FILE.damaged-TIME, its log beside it. Killed at any point, the next opening finds the damaged file or the whole backup.
 * Throws StoreError when there is no good backup.
 */
export function restoreBackup(database: string, context: CopyContext, now: number): Restored {
  const { files } = context;
  return onDisk(database, 'restore', () => {
    const backup = newestGoodBackup(database, context, true);
    if (backup === null)
      throw new StoreError(`There is no good backup of ${database}, so nothing was changed.`, 'NO_BACKUP');
    const missing = missingFromBackup(database, backup, files);
    clearRestore(database, files);
    const unfinished = `${restoringPath(database)}.new`;
    copyBytes(backup.file, unfinished, files);
    readyForPlace(unfinished, context);
    files.rename(unfinished, restoringPath(database));
    files.syncDirectory(dirname(database));
    const aside = `${database}.damaged-${stamp(now)}`;
    const kept = setAside(database, aside, files);
    putInPlace(database, files);
    return { backup, keptAs: kept ? aside : null, missing };
  });
}
