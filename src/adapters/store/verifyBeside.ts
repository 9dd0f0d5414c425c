/**
 * Owns the full check of a store in a thread of its own, so that commits and pages go on as if nothing were: SQLite's own
 * check of a big file cannot be cut in pieces. As long as it takes, nothing is folded into the file. Deliberately checks
 * nothing itself (verify.ts).
 */
import { Worker } from 'node:worker_threads';
import { StoreError } from '../../core/ports.ts';
import { onDisk, removeIfThere } from './copies.ts';
import type { Database, DatabaseOptions } from './database.ts';
import { nodeFiles } from './hostFiles.ts';
import type { StoreAnswer, WorkerStart } from './messages.ts';
import { logPath } from './ownMarks.ts';
import { loadSqlite } from './sqlite.ts';
import { type Verification, verifyStore } from './verify.ts';

/** In the thread of its own: reads the file and its log as they are, and writes nothing. Throws StoreError. */
export async function verifyReadOnly({ file, wasm }: DatabaseOptions): Promise<Verification> {
  const sqlite = await loadSqlite(wasm);
  const log = logPath(file);
  const hadLog = nodeFiles.exists(log);
  const connection = sqlite.connect(file, nodeFiles);
  try {
    connection.run('PRAGMA query_only = ON');
    connection.all('PRAGMA locking_mode = EXCLUSIVE');
    return await verifyStore({ read: (work) => work(connection) }, () => Promise.resolve());
  } finally {
    connection.abandon();
    if (!hadLog) onDisk(log, 'remove', () => removeIfThere(log, nodeFiles));
  }
}

/** What a thread that runs `script` for this store finds. Rejects with StoreError. */
function inThread(script: URL, start: WorkerStart): Promise<Verification> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(script, { workerData: start });
    worker.once('message', (answer: StoreAnswer) => {
      if (answer.ok) resolve(answer.result as Verification);
      else reject(new StoreError(answer.error.message, answer.error.code));
    });
    worker.once('error', reject);
    worker.once('exit', () => reject(new StoreError('The check ended before it was done. Try again.')));
  });
}

/** Null where it cannot be done so now: the file is being copied, changed meanwhile, or is only to be read. */
export async function verifyBeside(
  database: Database,
  script: URL,
  start: Omit<WorkerStart, 'task'>,
): Promise<Verification | null> {
  if (database.report.readOnly) return null;
  return database.holdStill(() => inThread(script, { ...start, task: 'verify' }));
}
