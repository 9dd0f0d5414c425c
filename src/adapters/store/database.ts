/**
 * Owns the database of a workspace on its file: opening it, what may be done with it, and copies of it. How one is made and
 * connected to is openingSteps.ts, how it is written to heldConnection.ts. Deliberately does not lock out other processes
 * (design: processes).
 */
import { dirname } from 'node:path';
import { StoreError } from '../../core/ports.ts';
import { accessAround } from './access.ts';
import type { Connection } from './connection.ts';
import { type Contents, readContents } from './contents.ts';
import { copyTo, onDisk, removeIfThere, type CopyContext } from './copies.ts';
import { type HeldConnection, holdConnection } from './heldConnection.ts';
import { type HostFiles, nodeFiles } from './hostFiles.ts';
import { inspectFile, type Inspection } from './inspectFile.ts';
import { MIGRATIONS, type Migration, newestVersion } from './migrations.ts';
import { readSalts } from './logFile.ts';
import { lostCommits, lostContents } from './openingReport.ts';
import { connectExisting, create, readyForPlace, type OpeningContext } from './openingSteps.ts';
import { adoptFormerLog, formerLogPath, logPath } from './ownMarks.ts';
import {
  clearRestore,
  finishRestore,
  restoreBackup,
  type Restored,
  wasThere,
  withOffer,
} from './recovery.ts';
import { readSequence, writeSequence, type SequenceNote } from './sequenceFile.ts';
import { copyInSlices, type CopyUse, FOR_RATCHET } from './sliceCopy.ts';
import { loadSqlite } from './sqlite.ts';
import { damageError, newerError } from './storeFault.ts';

export interface DatabaseOptions {
  /** The database file; it and its folder are made when missing. */
  readonly file: string;
  /** Content of sql.js's wasm file. */
  readonly wasm: Uint8Array<ArrayBuffer>;
  readonly files?: HostFiles;
  readonly migrations?: readonly Migration[];
  /** Milliseconds since 1970, for the names of backups. */
  readonly now?: () => number;
  /** What it holds can be made again: where it is missing it is made anew, whatever else is in its folder. */
  readonly derived?: boolean;
}

/** What there is to know about how a database was opened. */
export interface OpeningReport {
  /** A newer version made it: it is read, and every write is refused. */
  readonly readOnly: boolean;
  /** One sentence each, for people: commits that are missing, a restore that was finished. */
  readonly warnings: readonly string[];
}

export interface Database {
  readonly file: string;
  readonly files: HostFiles;
  readonly report: OpeningReport;
  /** Reads; commits that wait are spread first. Throws StoreError. */
  read<Result>(work: (connection: Connection) => Result): Result;
  /** Reads the same, and leaves on the medium what waits as it waits. */
  glimpse<Result>(work: (connection: Connection) => Result): Result;
  /** Reads tables that no waiting commit belongs to, as they are. Throws StoreError. */
  peek<Result>(work: (connection: Connection) => Result): Result;
  /**
   * Runs `work` in one transaction that is durable when this returns; commits that wait are spread first. Throws StoreError,
   * with nothing of it kept.
   */
  transact<Result>(work: (connection: Connection) => Result): Result;
  /** The same for work that leaves commits waiting, spreads them itself, or has nothing to do with their tables. */
  append<Result>(work: (connection: Connection) => Result): Result;
  /** About how long the log is, in bytes. */
  logBytes(): number;
  /** Copies the log into the database; with `shorten` the log is emptied, too. False when it could not; nothing is lost then. */
  fold(shorten: boolean): boolean;
  /** Writes a compact copy that any SQLite reads, and reads it back. Throws StoreError when the target exists. */
  exportTo(target: string): void;
  /**
   * Writes a copy piece by piece while commits go on; folding waits as long. False when another is under way or the file
   * was written to meanwhile: nothing is left then, try again. Throws StoreError.
   */
  copyBeside(target: string, use?: CopyUse): Promise<boolean>;
  /**
   * Runs `work` while nothing is folded into the file: commits go to the log, so that others may read the file. Null when
   * another holds it already, or it was written to all the same: then what came of the work counts for nothing.
   */
  holdStill<Result>(work: (isStill: () => boolean) => Promise<Result>): Promise<Result | null>;
  /** Replaces the file by a compact copy of itself; its bytes before and after. Throws StoreError, with the file as it was. */
  compact(): Compaction;
  /** Opens another database file the way this one was opened. */
  openOther(file: string): Promise<Database>;
  /** Notes beside the file how far it has come (sequenceFile.ts). Throws what the files throw. */
  noteSequence(): void;
  /** Notes durably that it holds less than it does: what is about to be taken out. Throws what the files throw. */
  noteLess(less: Pick<Contents, 'runs' | 'experiences'>): void;
  close(): void;
}

export interface Compaction {
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

function createDatabase(
  held: HeldConnection,
  { file, files, context, openOther }: OpenedFile,
  report: OpeningReport,
): Database {
  const writable = (): void => {
    if (report.readOnly) throw newerError(file);
  };
  const note = (contents: Contents, durably: boolean): void => {
    const salts = readSalts(logPath(file), files);
    writeSequence(file, { salts, commits: held.commits(), contents }, files, durably);
  };
  const { settle, ...access } = accessAround(held, writable, report.readOnly);
  const { holdStill, isHeld } = stillness(held, settle);
  return {
    file,
    files,
    report,
    ...access,
    logBytes: () => held.present()?.logBytes() ?? 0,
    fold: (shorten) => {
      if (report.readOnly || isHeld()) return false;
      try {
        held.fold(shorten);
        return true;
      } catch {
        return false;
      }
    },
    openOther,
    exportTo: (target) =>
      void access.read((connection) =>
        report.readOnly
          ? writableAside(connection, () => copyTo(connection, target, context))
          : copyTo(connection, target, context),
      ),
    holdStill,
    copyBeside: async (target, use = FOR_RATCHET) => {
      const copied = await holdStill((isStill) =>
        copyInSlices(file, target, readContents(held.live()), { ...context, ...use }, isStill),
      );
      return copied ?? false;
    },
    compact: () => {
      settle();
      held.fold(true);
      const target = `${file}.compact`;
      onDisk(target, 'remove', () => removeIfThere(target, files));
      copyTo(held.live(), target, context);
      readyForPlace(target, context);
      return onDisk(file, 'compact', () => {
        held.letGo();
        return replaceBy(target, file, files);
      });
    },
    noteSequence: () => {
      const connection = held.present();
      if (connection === null || report.readOnly) return;
      attempt(settle);
      note(readContents(connection), false);
    },
    noteLess: ({ runs, experiences }) => {
      settle();
      const has = readContents(held.live());
      note({ ...has, runs: has.runs - runs, experiences: has.experiences - experiences }, true);
    },
    close: () => {
      if (report.readOnly) held.present()?.abandon();
      else if (held.present() !== null) attempt(settle);
      held.close();
      if (report.readOnly) removeEmptyLog(file, files);
    },
  };
}

/** Holding the file as it is: one at a time, with all that waited in its place. */
function stillness(
  held: HeldConnection,
  settle: () => void,
): Pick<Database, 'holdStill'> & { readonly isHeld: () => boolean } {
  let isHeld = false;
  return {
    isHeld: () => isHeld,
    holdStill: async (work) => {
      if (isHeld) return null;
      settle();
      held.fold(true);
      const folds = held.folds();
      const isStill = (): boolean => held.folds() === folds;
      isHeld = true;
      try {
        const result = await work(isStill);
        return isStill() ? result : null;
      } finally {
        isHeld = false;
      }
    },
  };
}

/** SQLite refuses to write even another file for a connection that only reads. */
function writableAside<Result>(connection: Connection, work: () => Result): Result {
  connection.run('PRAGMA query_only = OFF');
  try {
    return work();
  } finally {
    connection.run('PRAGMA query_only = ON');
  }
}

/** What cannot be spread now waits on; at the end, for the next opening. A note says less then, never more. */
function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // Durable it is all the same.
  }
}

/** SQLite makes an empty log even for reading; nothing stays of that. */
function removeEmptyLog(file: string, files: HostFiles): void {
  try {
    const log = logPath(file);
    if (files.exists(log) && files.factsAt(log).size === 0n) files.remove(log);
  } catch {
    // An empty log does no harm.
  }
}

/**
 * The old log must be gone for good before the new file has the name: after a power cut it would be read as the new one's,
 * and neither SQLite's cutting it off nor its removal is durable by itself.
 */
function replaceBy(target: string, file: string, files: HostFiles): Compaction {
  const log = logPath(file);
  if (files.exists(log)) {
    if (files.factsAt(log).size > 0n) {
      files.remove(target);
      throw new StoreError(`${file} could not be closed whole, so it was left as it was. Try again.`);
    }
    files.remove(log);
  }
  files.syncDirectory(dirname(file));
  const bytesBefore = Number(files.factsAt(file).size);
  files.rename(target, file);
  files.syncDirectory(dirname(file));
  return { bytesBefore, bytesAfter: Number(files.factsAt(file).size) };
}

interface OpenedFile {
  readonly file: string;
  readonly files: HostFiles;
  /** How the file was before SQLite touched it; null for one just made. */
  readonly found: Inspection | null;
  readonly note: SequenceNote | null;
  readonly context: CopyContext;
  readonly openOther: Database['openOther'];
}

function openInspected(opened: OpenedFile, opening: OpeningContext, restored: boolean): Database {
  const { file, files, found, note } = opened;
  const readOnly = (found?.version ?? 0) > opened.context.newestVersion;
  const warnings: string[] = [];
  if (restored)
    warnings.push(`A restore of ${file} that was cut short is finished now; the damaged file is beside it.`);
  if (found !== null && !readOnly) warnings.push(...lostCommits(file, found.log, note, files, opening.now()));
  const report = { readOnly, warnings };
  const held = holdConnection(() => connectExisting(opening), file, found?.log.commits ?? 0);
  const database = createDatabase(held, opened, report);
  try {
    if (note !== null && !readOnly)
      warnings.push(
        ...lostContents(file, note, database.glimpse(readContents), found?.log ?? null, files, opening.now()),
      );
    clearRestore(file, files);
    return database;
  } catch (error) {
    // Closing would fold the log into a file that was just found damaged.
    held.present()?.abandon();
    throw error;
  }
}

/**
 * Opens the database of a workspace, making it when it is missing. Never opens a file as an empty database, never
 * overwrites or deletes one: throws StoreError, naming the file, the newest good backup and a way forward, for one that is
 * empty, cut off, foreign or gone. One of a newer version is only read.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { file, files = nodeFiles, migrations = MIGRATIONS, now = Date.now } = options;
  const sqlite = await loadSqlite(options.wasm);
  const newest = newestVersion(migrations);
  const context: CopyContext = { sqlite, files, newestVersion: newest };
  const opening: OpeningContext = { ...context, file, migrations, now };
  const openOther = (other: string): Promise<Database> => openDatabase({ ...options, file: other });
  try {
    const restored = finishRestore(file, files, now());
    const stranger = onDisk(file, 'open', () => adoptFormerLog(file, files));
    const found = inspectFile(file, files, newest);
    const note = onDisk(file, 'read', () => readSequence(file, files));
    if (found === null) {
      if (options.derived !== true && onDisk(file, 'open', () => wasThere(file, files)))
        throw damageError(file, 'it is missing');
      create(opening);
    }
    const database = openInspected({ file, files, found, note, context, openOther }, opening, restored);
    if (!stranger) return database;
    const said = `${formerLogPath(file)} is another program's, so nothing of it was read. Move it away.`;
    const report = { ...database.report, warnings: [...database.report.warnings, said] };
    return { ...database, report };
  } catch (error) {
    throw withOffer(error, file, context);
  }
}

/** `restoreBackup` of recovery.ts on a database that nobody has open. */
export async function restoreDatabase(options: DatabaseOptions): Promise<Restored> {
  const { file, files = nodeFiles, migrations = MIGRATIONS, now = Date.now } = options;
  const sqlite = await loadSqlite(options.wasm);
  return restoreBackup(file, { sqlite, files, newestVersion: newestVersion(migrations) }, now());
}
