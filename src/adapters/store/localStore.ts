/**
 * Owns the Store port over a database in this thread: what a method reads or writes, group commit, and when the log is
 * folded into the database. Deliberately spawns nothing; worker.ts serves this store to another thread.
 */
import type { Store } from '../../core/ports.ts';
import { annotate, listAnnotations } from './annotations.ts';
import { getBlob, putBlob } from './blobs.ts';
import { listCandidates, readCandidate } from './candidates.ts';
import { storeCommit } from './commit.ts';
import type { Connection } from './connection.ts';
import type { Database } from './database.ts';
import { listEvaluations, readEvaluation } from './evaluations.ts';
import { readExperience } from './experienceDetail.ts';
import { experienceCounts } from './experienceGroups.ts';
import { experiencePage } from './experiencePages.ts';
import { groupCommit } from './groupCommit.ts';
import { findEffects, settleEffects, spent } from './ledger.ts';
import { verifyStore, type Verification } from './verify.ts';
import { createRun, listEvents, listRuns, readRun } from './runs.ts';

export interface FileStore extends Store {
  /** Reads and checks everything; commits go on meanwhile. Damage is an answer here, not an error. */
  verify(): Promise<Verification>;
  /** Writes a compact copy of the whole store that any SQLite reads. Throws StoreError when the file exists. */
  exportTo(file: string): Promise<void>;
  /** Answers what was asked, folds the log and closes the file. */
  close(): Promise<void>;
}

/** Fold once the log holds about a thousand pages of 4 KiB: soon enough to stay short, rare enough not to matter. */
const FOLD_AT_BYTES = 4 << 20;
/** And when nothing was written for this long. */
const IDLE_MS = 500;

/** Folds the log after commits were answered, never before. */
function logFolder(database: Database) {
  let idle: NodeJS.Timeout | null = null;
  return {
    afterCommit: (): void => {
      if (database.logBytes() >= FOLD_AT_BYTES) setImmediate(() => database.fold(false));
      if (idle !== null) clearTimeout(idle);
      idle = setTimeout(() => database.fold(true), IDLE_MS);
      idle.unref();
    },
    stop: (): void => {
      if (idle !== null) clearTimeout(idle);
    },
  };
}

export function createStore(database: Database, now: () => number = Date.now): FileStore {
  const folder = logFolder(database);
  const commits = groupCommit(database, folder.afterCommit);
  const read = async <Result>(work: (connection: Connection) => Result): Promise<Result> =>
    database.read(work);
  return {
    get: (hash) => read((connection) => getBlob(connection, hash)),
    put: (bytes) => commits.write((connection) => putBlob(connection, bytes)),
    createRun: (run) => commits.write((connection) => createRun(connection, run)),
    commit: (commit) => commits.write((connection) => storeCommit(connection, commit, now())),
    findEffects: (runId, keys) => read((connection) => findEffects(connection, runId, keys)),
    settleEffects: (runId, records) =>
      commits.write((connection) => settleEffects(connection, runId, records)),
    spent: (runId) => read((connection) => spent(connection, runId)),
    annotations: () => read(listAnnotations),
    runs: () => read(listRuns),
    run: (id) => read((connection) => readRun(connection, id)),
    events: (runId, afterSeq, limit) => read((connection) => listEvents(connection, runId, afterSeq, limit)),
    experienceCounts: (runId) => read((connection) => experienceCounts(connection, runId)),
    experiences: (filter, after, limit) =>
      read((connection) => experiencePage(connection, filter, after, limit)),
    experience: (id) => read((connection) => readExperience(connection, id)),
    evaluations: (runId) => read((connection) => listEvaluations(connection, runId)),
    evaluation: (id) => read((connection) => readEvaluation(connection, id)),
    candidates: (runId) => read((connection) => listCandidates(connection, runId)),
    candidate: (id) => read((connection) => readCandidate(connection, id)),
    annotate: (annotation) => commits.write((connection) => annotate(connection, annotation)),
    verify: async () => {
      await commits.drain();
      return verifyStore(database, () => new Promise((resolve) => setImmediate(resolve)));
    },
    exportTo: async (file) => {
      await commits.drain();
      database.exportTo(file);
    },
    close: async () => {
      await commits.drain();
      folder.stop();
      database.close();
    },
  };
}
