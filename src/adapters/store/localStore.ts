/**
 * Owns the Store port over a database in this thread: what a method reads or writes, group commit, and when the log is
 * folded into the database. Deliberately spawns nothing; worker.ts serves this store to another thread.
 */
import { type Store, StoreError } from '../../core/ports.ts';
import { annotate, listAnnotations } from './annotations.ts';
import { archiveRun, type Archived, type ArchiveRequest } from './archiveRun.ts';
import { clearRemnants } from './arriving.ts';
import { type Backup, listBackups } from './backups.ts';
import { getBlob, putBlob } from './blobs.ts';
import { listCandidates, readCandidate } from './candidates.ts';
import type { Connection } from './connection.ts';
import { type Contents, readContents } from './contents.ts';
import type { Compaction, Database, OpeningReport } from './database.ts';
import { listEvaluations, readEvaluation } from './evaluations.ts';
import { readExperience } from './experienceDetail.ts';
import { experienceCounts } from './experienceGroups.ts';
import { exportStore } from './exportStore.ts';
import { experiencePage } from './experiencePages.ts';
import { groupCommit } from './groupCommit.ts';
import { type Imported, importRuns } from './importRuns.ts';
import { effectPage, findEffects, settleEffects, spent, usageBySteps } from './ledger.ts';
import { type Search, searchWithoutIndex } from './search.ts';
import { verifyStore, type Verification } from './verify.ts';
import { foldingOnly, type Upkeep } from './upkeep.ts';
import { createRun, listEvents, listRuns, readRun } from './runs.ts';

export interface FileStore extends Store {
  /** Reads and checks everything; commits go on meanwhile. Damage is an answer here, not an error. */
  verify(): Promise<Verification>;
  /** Writes a copy of the whole store that any SQLite reads, compact where it is small; commits go on meanwhile. Throws StoreError when the file exists. */
  exportTo(file: string): Promise<void>;
  /**
   * Adds the runs of another workspace file that are not here yet, each seen once it is whole; commits and pages go on
   * meanwhile. Throws StoreError for a file that is damaged, foreign or newer, with nothing changed.
   */
  importFrom(file: string): Promise<Imported>;
  /**
   * Moves a run that stands still into a file of its own, which any SQLite reads and an import brings back; commits go on
   * meanwhile. Judgements and candidates stay here, too. Throws StoreError, with the run where it was, unless the file is
   * whole and durable.
   */
  archiveRun(request: ArchiveRequest): Promise<Archived>;
  /** Replaces the file by a compact copy of itself. Throws StoreError, with the file as it was. */
  compact(): Promise<Compaction>;
  /** How it was opened, what it holds, and its backups. */
  status(): Promise<StoreStatus>;
  /** Answers what was asked, folds the log and closes the file. */
  close(): Promise<void>;
}

/** What there is to know about the store as a whole. */
export interface StoreStatus extends OpeningReport {
  readonly contents: Contents;
  /** Newest first. */
  readonly backups: readonly Backup[];
  /** Why the newest backup could not be made; null when it could. */
  readonly backupTrouble: string | null;
}

/** None where their folder cannot be read: that is no reason not to show the rest. */
function backupsOf({ file, files }: Database): readonly Backup[] {
  try {
    return listBackups(file, files);
  } catch {
    return [];
  }
}

/** Commits and pages that wait go first. */
const briefly = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 1));
const AFTER_OPENING_MS = 1_000;

/** Import, archiving and compaction, of which one is done at a time; `before` is awaited first. */
function oneAtATime(before: () => Promise<void>) {
  let underWay: string | null = null;
  return {
    isFree: (): boolean => underWay === null,
    /** `doing` says it to whoever comes meanwhile. Throws StoreError. */
    alone: async <Result>(doing: string, work: () => Promise<Result>): Promise<Result> => {
      if (underWay !== null) throw new StoreError(`${underWay} Wait for its end, then try again.`, 'BUSY');
      underWay = doing;
      try {
        await before();
        return await work();
      } finally {
        underWay = null;
      }
    },
  };
}

/** Goes on with taking out what a crash left of archiving or importing a run, once the opening is over. */
function resumeRemoval(database: Database, isFree: () => boolean, afterSlice: () => void): void {
  const resume = (): void => {
    // An import begins with this itself.
    if (!isFree()) return;
    // Closed, or a fault of the disk: the next opening goes on.
    clearRemnants(database, briefly, afterSlice).catch(() => undefined);
  };
  setTimeout(resume, AFTER_OPENING_MS).unref();
}

/** `peek` is for tables that no waiting commit belongs to. */
function readers(database: Database, search: Search) {
  return {
    read: async <Result>(work: (connection: Connection) => Result): Promise<Result> => {
      search.afterUse();
      return database.read(work);
    },
    peek: async <Result>(work: (connection: Connection) => Result): Promise<Result> => {
      search.afterUse();
      return database.peek(work);
    },
  };
}

export function createStore(
  database: Database,
  now: () => number = Date.now,
  upkeep: Upkeep = foldingOnly(database),
  search: Search = searchWithoutIndex(database),
  verifyElsewhere: (which: Database) => Promise<Verification | null> = () => Promise.resolve(null),
): FileStore {
  const commits = groupCommit(database, () => {
    upkeep.afterCommit();
    search.afterUse();
  });
  const { read, peek } = readers(database, search);
  const { alone, isFree } = oneAtATime(() => commits.drain());
  const afterSlice = (): void => upkeep.afterCommit();
  if (!database.report.readOnly) resumeRemoval(database, isFree, afterSlice);
  return {
    get: (hash) => peek((connection) => getBlob(connection, hash)),
    put: (bytes) => commits.writeAside((connection) => putBlob(connection, bytes)),
    createRun: (run) => commits.writeAside((connection) => createRun(connection, run)),
    commit: async (commit) => {
      const stored = await commits.commit(commit, now());
      if (commit.status !== undefined && commit.status.status !== 'running') upkeep.afterRun();
      return stored;
    },
    findEffects: (runId, keys) => peek((connection) => findEffects(connection, runId, keys)),
    settleEffects: (runId, records) =>
      commits.writeAside((connection) => settleEffects(connection, runId, records)),
    spent: (runId) => peek((connection) => spent(connection, runId)),
    annotations: () => peek(listAnnotations),
    effects: (runId, after, limit) => read((connection) => effectPage(connection, runId, after, limit)),
    usageBySteps: (runId) => read((connection) => usageBySteps(connection, runId)),
    runs: () => read(listRuns),
    run: (id) => read((connection) => readRun(connection, id)),
    events: (runId, afterSeq, limit) => read((connection) => listEvents(connection, runId, afterSeq, limit)),
    experienceCounts: (runId) => read((connection) => experienceCounts(connection, runId)),
    experiences: (filter, after, limit) =>
      read((connection) => experiencePage(connection, filter, after, limit)),
    searchExperiences: async (text, filter, after, limit) => search.page(text, filter, after, limit),
    experience: (id) => read((connection) => readExperience(connection, id)),
    evaluations: (runId) => peek((connection) => listEvaluations(connection, runId)),
    evaluation: (id) => peek((connection) => readEvaluation(connection, id)),
    candidates: (runId) => peek((connection) => listCandidates(connection, runId)),
    candidate: (id) => peek((connection) => readCandidate(connection, id)),
    annotate: (annotation) => commits.write((connection) => annotate(connection, annotation)),
    verify: async () => {
      await commits.drain();
      return (await verifyElsewhere(database)) ?? verifyStore(database, briefly);
    },
    exportTo: async (file) => {
      await commits.drain();
      await exportStore(database, file);
    },
    importFrom: (file) =>
      alone('Runs are being imported into this workspace.', () =>
        importRuns(database, file, { pause: briefly, afterSlice, verifyBeside: verifyElsewhere }),
      ),
    archiveRun: (request) =>
      alone('A run of this workspace is being archived.', () =>
        archiveRun(database, request, briefly, afterSlice),
      ),
    compact: () => alone('The workspace data is being compacted.', async () => database.compact()),
    status: async () => ({
      ...database.report,
      contents: database.read(readContents),
      backups: backupsOf(database),
      backupTrouble: upkeep.trouble(),
    }),
    close: async () => {
      await commits.drain();
      search.stop();
      upkeep.stop();
      database.close();
    },
  };
}
