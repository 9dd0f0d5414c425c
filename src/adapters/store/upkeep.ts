/**
 * Owns what a store does beside answering: folding the log, noting how far it came, and backing up when runs ended. All of
 * it after commits were acknowledged and while nothing is asked. Deliberately never fails a commit: what goes wrong here is
 * told in `trouble` and tried again later.
 */
import { StoreError } from '../../core/ports.ts';
import { backupFile, isOldEnough, listBackups, pruneBackups } from './backups.ts';
import type { Database } from './database.ts';
import { MIGRATIONS, newestVersion } from './migrations.ts';

export interface Upkeep {
  afterCommit(): void;
  /** A run ended or paused: a backup is wanted once the store is idle. */
  afterRun(): void;
  /** Why the newest backup could not be made; null when it could. */
  trouble(): string | null;
  /** Ends it. Makes a backup that is due where the database is small enough for nobody to wait for it. */
  stop(): void;
}

export interface UpkeepOptions {
  readonly now: () => number;
  /** Milliseconds without a commit before a backup may begin. */
  readonly quietMs: number;
}

export const USUAL_UPKEEP: UpkeepOptions = { now: Date.now, quietMs: 2_000 };

/** Fold once the log holds about a thousand pages of 4 KiB: soon enough to stay short, rare enough not to matter. */
const FOLD_AT_BYTES = 4 << 20;
/** And when nothing was written for this long. */
const IDLE_MS = 500;
const NOTE_MS = 1_000;
/** About a tenth of a second of copying at once; what is bigger is copied piece by piece, and not at the end. */
const SMALL_BYTES = 8 << 20;

/** Calls `work` once, a while after it was asked for. `again` puts it off, `soon` does not. */
function later(ms: number, work: () => void) {
  let timer: NodeJS.Timeout | null = null;
  const start = (): void => {
    timer = setTimeout(() => {
      timer = null;
      work();
    }, ms).unref();
  };
  const stop = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
  };
  return {
    again: (): void => {
      stop();
      start();
    },
    soon: (): void => {
      if (timer === null) start();
    },
    stop,
  };
}

/** Only folds the log. */
export function foldingOnly(database: Database): Upkeep {
  const idle = later(IDLE_MS, () => void database.fold(true));
  return {
    afterCommit: () => {
      if (database.logBytes() >= FOLD_AT_BYTES) setImmediate(() => database.fold(false));
      idle.again();
    },
    afterRun: () => undefined,
    trouble: () => null,
    stop: idle.stop,
  };
}

function newestEnd(database: Database): number {
  const newest = database.read((connection) =>
    connection.get('SELECT max(ended_at) AS newest FROM run_summaries'),
  )?.['newest'];
  return typeof newest === 'number' ? newest : 0;
}

/** Whether a run ended after the newest backup. */
function isBehind(database: Database): boolean {
  const newest = listBackups(database.file, database.files)[0]?.madeAt ?? 0;
  return newestEnd(database) > newest;
}

/** Where the next backup is to go; null when the newest one is too fresh for the size of the database. */
function dueBackup({ file, files }: Database, mostBytes: number, now: number): string | null {
  const bytes = Number(files.factsAt(file).size);
  if (bytes > mostBytes || !isOldEnough(listBackups(file, files)[0], bytes, now)) return null;
  return backupFile(file, now, newestVersion(MIGRATIONS));
}

/** Folds, notes and backs up. */
export function fullUpkeep(database: Database, { now, quietMs }: UpkeepOptions): Upkeep {
  const folding = foldingOnly(database);
  if (database.report.readOnly) return { ...folding, afterCommit: () => undefined };
  let due = false;
  let trouble: string | null = null;
  const tell = (error: unknown): void => {
    trouble = error instanceof StoreError ? error.message : String(error);
  };
  const attempt = (work: () => unknown): void => {
    try {
      work();
    } catch (error) {
      tell(error);
    }
  };
  let copying = false;
  const made = (): void => {
    due = false;
    trouble = null;
    pruneBackups(database.file, database.files);
  };
  /** A small one at once. */
  const backUpSmall = (): boolean => {
    const target = dueBackup(database, SMALL_BYTES, now());
    if (target === null) return false;
    database.exportTo(target);
    made();
    return true;
  };
  /** A big one beside the commits. */
  const backUpBig = async (): Promise<void> => {
    const target = dueBackup(database, Infinity, now());
    if (target === null) return;
    copying = true;
    try {
      if (await database.copyBeside(target)) made();
    } catch (error) {
      tell(error);
    } finally {
      copying = false;
    }
  };
  const backUpIfDue = (): void =>
    attempt(() => {
      if (due && !copying && !backUpSmall()) void backUpBig();
    });
  const note = (): void => {
    try {
      database.noteSequence();
    } catch {
      // The note is a help for later; the next second tries again.
    }
  };
  const noting = later(NOTE_MS, note);
  const quiet = later(quietMs, backUpIfDue);
  attempt(() => {
    due = isBehind(database);
  });
  if (due) quiet.again();
  return {
    afterCommit: () => {
      folding.afterCommit();
      noting.soon();
      if (due) quiet.again();
    },
    afterRun: () => {
      due = true;
      quiet.again();
    },
    trouble: () => trouble,
    stop: () => {
      folding.stop();
      noting.stop();
      quiet.stop();
      attempt(() => due && !copying && backUpSmall());
      database.fold(true);
      note();
    },
  };
}
