/**
 * Owns moving a run into a file of its own: written beside, checked row by row, put in its place durably, and only then
 * taken out of the workspace. At each moment the run is here, in the file, or in both. Works in portions, so that commits
 * and pages go on. Deliberately knows nothing of how rows are removed (removeRun.ts).
 */
import { dirname, join } from 'node:path';
import type { RunId } from '../../core/model/ids.ts';
import type { RunDetail } from '../../core/model/views.ts';
import { StoreError } from '../../core/ports.ts';
import { annotate, listAnnotations } from './annotations.ts';
import { clearRemnants } from './arriving.ts';
import { backupFolder } from './backups.ts';
import { getBlob, putBlob } from './blobs.ts';
import type { Connection } from './connection.ts';
import { onDisk } from './copies.ts';
import type { Database } from './database.ts';
import type { HostFiles } from './hostFiles.ts';
import { copyRun } from './importRuns.ts';
import { candidatesOf } from './readWholeRun.ts';
import { checkStandsStill, finishRemoval, hideRun, type Pause } from './removeRun.ts';
import { readRun } from './runs.ts';
import { solutionsMayHaveKey } from './solutionLookup.ts';
import { newerError } from './storeFault.ts';
import { verifyStore } from './verify.ts';

export interface Archived {
  readonly experiences: number;
  /** Of the archive's file. */
  readonly bytes: number;
}

export interface ArchiveRequest {
  readonly runId: RunId;
  /** The whole path of the archive. */
  readonly file: string;
  /** Whether a file that is there may be replaced, once the new one is whole. */
  readonly replace: boolean;
}

function clear(folder: string, files: HostFiles): void {
  for (const name of files.list(folder)) files.remove(join(folder, name));
}

function checkRequest(database: Database, { runId, file, replace }: ArchiveRequest): RunDetail {
  if (database.report.readOnly) throw newerError(database.file);
  const detail = database.read((connection) => readRun(connection, runId));
  if (detail === null) throw new StoreError('This run is not in the workspace any more.', 'UNKNOWN');
  if (detail.run.status === 'running')
    throw new StoreError('The run is going on; pause or stop it, then archive it.', 'BUSY');
  const folder = dirname(database.file);
  if (dirname(file) === folder || dirname(file) === backupFolder(database.file))
    throw new StoreError(`${folder} is Ratchet's own. Name a file in another folder.`, 'EEXIST');
  onDisk(file, 'create', () => {
    if (!replace && database.files.exists(file))
      throw new StoreError(`${file} exists already. Name another file.`, 'EEXIST');
  });
  return detail;
}

/** Weights and the like that the run's candidates name. */
function copyBlobs(source: Connection, target: Connection, runId: RunId): void {
  for (const { state } of candidatesOf(source, runId)) {
    const bytes = state.weights === null ? null : getBlob(source, state.weights);
    if (bytes !== null) putBlob(target, bytes);
  }
}

/** Judgements of what the run has, by whichever run's experience they are kept. */
function copyJudgements(source: Connection, target: Connection): void {
  for (const { key, verdict, score, note, time } of listAnnotations(source)) {
    const own = target.get(
      'SELECT id FROM solutions WHERE ref IN (SELECT value FROM json_each(?)) AND key = ? LIMIT 1',
      JSON.stringify(solutionsMayHaveKey(target, key)),
      key,
    )?.['id'];
    if (typeof own === 'string')
      annotate(target, {
        key,
        solutionId: own as Parameters<typeof annotate>[1]['solutionId'],
        verdict,
        score,
        note,
        time,
      });
  }
}

/** Writes the run into `other`, an empty store; the number of its experiences. */
async function write(database: Database, other: Database, detail: RunDetail, pause: Pause): Promise<number> {
  const runId = detail.run.id;
  const source = database.read((connection) => connection);
  const target = other.read((connection) => connection);
  const steps = copyRun(source, target, detail);
  for (;;) {
    await pause();
    checkStandsStill(source, runId);
    const step = other.transact(() => steps.next());
    other.fold(false);
    if (step.done !== true) continue;
    other.transact(() => copyBlobs(source, target, runId));
    other.transact(() => copyJudgements(source, target));
    const { problems } = await verifyStore(other, pause);
    if (problems[0] !== undefined)
      throw new StoreError(
        `The archive was not written whole, so nothing was removed: ${problems[0]}`,
        'DAMAGED',
      );
    return step.value;
  }
}

/** The run in a file of its own, whole and durable under its name. The number of its experiences. */
async function writeArchive(
  database: Database,
  detail: RunDetail,
  { file, replace }: ArchiveRequest,
  pause: Pause,
): Promise<number> {
  const { files } = database;
  const folder = join(dirname(database.file), 'archive');
  const copy = join(folder, 'workspace.ratchetdb');
  onDisk(folder, 'create', () => {
    files.makeDirectory(folder);
    clear(folder, files);
  });
  const other = await database.openOther(copy);
  try {
    const experiences = await write(database, other, detail, pause);
    if (!(await other.copyBeside(file, { forOthers: true, replace })))
      throw new StoreError(`${file} could not be written whole. Try again.`);
    return experiences;
  } finally {
    other.close();
    onDisk(folder, 'remove', () => clear(folder, files));
  }
}

/**
 * Archives a run that stands still. Throws StoreError, with the run where it was, for one that is unknown or goes on, a
 * file that is there, or an archive that could not be written whole. `afterSlice` is called after each commit of the
 * removal, which another opening goes on with where this one ends.
 */
export async function archiveRun(
  database: Database,
  request: ArchiveRequest,
  pause: Pause,
  afterSlice: () => void,
): Promise<Archived> {
  const detail = checkRequest(database, request);
  const { runId, file } = request;
  // Only one leaves at a time.
  await clearRemnants(database, pause, afterSlice);
  const experiences = await writeArchive(database, detail, request, pause);
  const bytes = Number(onDisk(file, 'read', () => database.files.factsAt(file).size));
  hide(database, runId, `Archived to ${file}.`, experiences);
  afterSlice();
  await finishRemoval(database, pause, afterSlice);
  return { experiences, bytes };
}

/** What was noted beside the database must never be more than it holds, so less is noted first, durably. */
function hide(database: Database, runId: RunId, message: string, experiences: number): void {
  onDisk(database.file, 'note', () => database.noteLess({ runs: 1, experiences }));
  database.transact((connection) => hideRun(connection, runId, message));
}
