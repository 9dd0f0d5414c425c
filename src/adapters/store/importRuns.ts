/**
 * Owns merging the runs of another workspace file into this one: those that are not there yet, in slices, with their
 * lineage. Works on a checked copy. Deliberately overwrites nothing: a run, a judgement or bytes that are here
 * already stay as they are.
 */
import { dirname, join } from 'node:path';
import type { RunId } from '../../core/model/ids.ts';
import type { RunDetail } from '../../core/model/views.ts';
import { StoreError } from '../../core/ports.ts';
import { annotate, listAnnotations } from './annotations.ts';
import { arrive, clearRemnants } from './arriving.ts';
import { backupFolder } from './backups.ts';
import { getBlob, putBlob } from './blobs.ts';
import { storeCommit } from './commit.ts';
import type { Connection, Row } from './connection.ts';
import { copyBytesSlowly, onDisk } from './copies.ts';
import type { Database } from './database.ts';
import type { HostFiles } from './hostFiles.ts';
import { settleEffects } from './ledger.ts';
import {
  candidatesOf,
  effectsOf,
  evaluationsOf,
  eventsOf,
  experiencesOf,
  newRunOf,
  tasksOf,
} from './readWholeRun.ts';
import { formerLogPath, logPath } from './ownMarks.ts';
import { findRef, refOf } from './refs.ts';
import { type Pause, removeStaleEvent, reviveRemnants } from './removeRun.ts';
import { createRun, isHere, listRuns, readRun } from './runs.ts';
import { type Verification, verifyStore } from './verify.ts';

export interface Imported {
  /** Runs that are new here. */
  readonly runs: number;
  /** Runs that were here already. */
  readonly known: number;
  readonly experiences: number;
}

function clear(folder: string, files: HostFiles): void {
  for (const name of files.list(folder)) files.remove(join(folder, name));
}

/** A refused file is told by its own name, not by that of the copy that was looked at. */
function refusal(file: string, error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  const because: Readonly<Record<string, string>> = {
    DAMAGED: 'it is damaged',
    FOREIGN: 'it is not a Ratchet workspace',
    NEWER: 'a newer version of Ratchet wrote it; update Ratchet first',
  };
  const reason = because[error.code ?? ''];
  if (reason === undefined) return error;
  return new StoreError(`${file} was not imported: ${reason}. Nothing was changed.`, error.code, {
    cause: error,
  });
}

/** How an import makes room for whoever else uses the store. */
export interface Slices {
  /** Awaited between portions. */
  readonly pause: Pause;
  /** Called after each commit. */
  readonly afterSlice: () => void;
  /** Checks a database where it holds nobody up; null where it cannot be done so. */
  readonly verifyBeside: (database: Database) => Promise<Verification | null>;
}

/** Copies the file, its log with it, opens the copy at the newest schema and reads all of it. */
async function openChecked(
  file: string,
  folder: string,
  into: Database,
  { pause, verifyBeside }: Slices,
): Promise<Database> {
  const { files } = into;
  const copy = join(folder, 'workspace.ratchetdb');
  onDisk(file, 'read', () => {
    if (!files.exists(file)) throw new StoreError(`There is no file ${file} to import.`, 'ENOENT');
    files.makeDirectory(folder);
    clear(backupFolder(copy), files);
    clear(folder, files);
  });
  await copyBytesSlowly(file, copy, files, pause);
  for (const log of [logPath, formerLogPath])
    if (onDisk(file, 'read', () => files.exists(log(file))))
      await copyBytesSlowly(log(file), log(copy), files, pause);
  const other = await into.openOther(copy);
  try {
    if (other.report.readOnly) throw new StoreError('It is newer.', 'NEWER');
    const { problems } = (await verifyBeside(other)) ?? (await verifyStore(other, pause));
    if (problems[0] !== undefined) throw new StoreError(problems[0], 'DAMAGED');
    return other;
  } catch (error) {
    other.close();
    throw error;
  }
}

/** Events of a portion. */
const EVENTS = 64;

/** Counts of what a run has, to be compared. */
const COUNTS = `SELECT
  (SELECT count(*) FROM events WHERE run = ?1) AS events,
  (SELECT count(*) FROM effects WHERE run = ?1) AS effects,
  (SELECT count(*) FROM run_tasks WHERE run = ?1) AS tasks,
  (SELECT coalesce(sum(count), 0) FROM experience_groups WHERE run = ?1) AS experiences,
  (SELECT count(*) FROM run_candidates WHERE run = ?1) AS candidates,
  (SELECT count(*) FROM evaluations WHERE run = ?1) AS evaluations`;

export const countsOf = (connection: Connection, run: number): Row => connection.get(COUNTS, run) ?? {};

/** The summaries say what they said, not what a commit of everything at once makes of them. */
function copySummaries(source: Connection, from: number, target: Connection, to: number): void {
  for (const row of source.all('SELECT arm, round, score, interval FROM run_rounds WHERE run = ?', from))
    target.run(
      'UPDATE run_rounds SET score = ?, interval = ? WHERE run = ? AND arm = ? AND round = ?',
      row['score'] ?? null,
      row['interval'] ?? null,
      to,
      row['arm'] ?? null,
      row['round'] ?? null,
    );
  const summary = source.get('SELECT * FROM run_summaries WHERE run = ?', from) ?? {};
  for (const [column, value] of Object.entries(summary))
    if (column !== 'run') target.run(`UPDATE run_summaries SET ${column} = ? WHERE run = ?`, value, to);
  target.run(
    `UPDATE run_summaries SET status = 'paused', message = ? WHERE run = ? AND status = 'running'`,
    'It was running when it was exported; resume goes on from the last saved answer.',
    to,
  );
}

/** Events in their order, each evaluation just before the event that tells of it. */
function* copyStory(source: Connection, target: Connection, runId: RunId): Generator<undefined> {
  const waiting = new Map([...evaluationsOf(source, runId)].map((evaluation) => [evaluation.id, evaluation]));
  let portion = 0;
  for (const { event, time } of eventsOf(source, runId)) {
    const told = event.kind === 'evaluationMade' ? waiting.get(event.evaluationId) : undefined;
    if (told !== undefined) waiting.delete(told.id);
    const evaluations = told === undefined ? [] : [told];
    storeCommit(target, { runId, events: [event], evaluations }, time);
    if (++portion % EVENTS === 0) yield;
  }
  storeCommit(target, { runId, events: [], evaluations: [...waiting.values()] }, 0);
}

/**
 * Copies everything of a run, a portion each step, each within a transaction of the caller; returns the number of its
 * experiences. Nothing shows the run before the last step. Throws StoreError where the target holds something else under
 * one of its ids.
 */
export function* copyRun(
  source: Connection,
  target: Connection,
  detail: RunDetail,
): Generator<undefined, number> {
  const runId = detail.run.id;
  createRun(target, newRunOf(detail));
  reviveRemnants(target, runId);
  arrive(target, runId);
  for (const tasks of tasksOf(source, runId)) yield void storeCommit(target, { runId, events: [], tasks }, 0);
  storeCommit(target, { runId, events: [], candidates: candidatesOf(source, runId) }, 0);
  for (const experiences of experiencesOf(source, runId))
    yield void storeCommit(target, { runId, events: [], ...experiences }, 0);
  yield* copyStory(source, target, runId);
  for (const effects of effectsOf(source, runId)) yield void settleEffects(target, runId, effects);
  const from = refOf(source, 'runs', runId);
  const to = refOf(target, 'runs', runId);
  copySummaries(source, from, target, to);
  removeStaleEvent(target, to);
  const [had, has] = [countsOf(source, from), countsOf(target, to)];
  if (JSON.stringify(had) !== JSON.stringify(has))
    throw new StoreError(
      `Run ${detail.run.recipeName} (${runId}) shares ids with a run that is here, so it was not imported.`,
      'EXISTS',
      { cause: { had, has } },
    );
  return Number(has['experiences']);
}

/** A run in one step, or its portions; `pause` is awaited in between. The number of experiences. */
async function importRun(
  source: Connection,
  into: Database,
  detail: RunDetail,
  { pause, afterSlice }: Slices,
): Promise<number> {
  const steps = copyRun(
    source,
    into.read((target) => target),
    detail,
  );
  try {
    for (;;) {
      await pause();
      const step = into.transact(() => steps.next());
      afterSlice();
      if (step.done === true) return step.value;
    }
  } catch (error) {
    // Where not even this can be written, the next opening does it.
    await clearRemnants(into, pause, afterSlice).catch(() => undefined);
    throw error;
  }
}

async function importBlobs(source: Connection, into: Database, { pause, afterSlice }: Slices): Promise<void> {
  for (const row of source.all('SELECT hash FROM blobs')) {
    const hash = row['hash'] as Parameters<typeof getBlob>[1];
    if (into.read((target) => target.get('SELECT 1 FROM blobs WHERE hash = ?', hash)) !== null) continue;
    const bytes = getBlob(source, hash);
    if (bytes === null) continue;
    into.transact((target) => putBlob(target, bytes));
    afterSlice();
    await pause();
  }
}

/** A judgement made here stays; one of an experience that did not come along is left out. */
function importAnnotations(source: Connection, target: Connection): void {
  for (const { key, solutionId, verdict, score, note, time } of listAnnotations(source)) {
    const known = target.get('SELECT 1 FROM annotations WHERE key = ?', key) !== null;
    if (!known && findRef(target, 'solutions', solutionId) !== null)
      annotate(target, { key, solutionId, verdict, score, note, time });
  }
}

/**
 * Imports the runs of `file` that `into` does not hold, in slices: commits and pages go on meanwhile, and nothing shows a
 * run before all of it is there. Throws StoreError, with nothing changed, for a file that is damaged anywhere, foreign or
 * newer; with the runs before it kept, where one cannot be written.
 */
export async function importRuns(into: Database, file: string, slices: Slices): Promise<Imported> {
  const { files } = into;
  const folder = join(dirname(into.file), 'import');
  let other: Database | null = null;
  try {
    // What is left of a run that is being taken out would be in its own way.
    await clearRemnants(into, slices.pause, slices.afterSlice);
    other = await openChecked(file, folder, into, slices);
    const source = other.read((connection) => connection);
    const runs = listRuns(source);
    const unknown = runs.filter(({ id }) => !into.read((target) => isHere(target, id)));
    await importBlobs(source, into, slices);
    let experiences = 0;
    // Oldest first, so that they stand in the same order here.
    for (const { id } of unknown.toReversed()) {
      const detail = readRun(source, id);
      if (detail !== null) experiences += await importRun(source, into, detail, slices);
    }
    into.transact((target) => importAnnotations(source, target));
    return { runs: unknown.length, known: runs.length - unknown.length, experiences };
  } catch (error) {
    throw other === null ? refusal(file, error) : error;
  } finally {
    other?.close();
    onDisk(folder, 'remove', () => {
      clear(backupFolder(join(folder, 'workspace.ratchetdb')), files);
      clear(folder, files);
    });
  }
}
