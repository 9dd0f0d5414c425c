/**
 * Owns exporting a whole store: a small one compactly and at once, a big one piece by piece beside the commits. Deliberately
 * knows nothing of the copies themselves (copies.ts, sliceCopy.ts).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreError } from '../../core/ports.ts';
import { onDisk } from './copies.ts';
import type { Database } from './database.ts';

/** About a tenth of a second for whoever waits behind it. */
const SMALL_BYTES = 8 << 20;
const AGAIN_MS = 200;
/** A backup of a million experiences takes a few seconds. */
const MOST_TRIES = 300;

/** Writes a copy that any SQLite reads. Throws StoreError when `target` exists or cannot be written whole. */
export async function exportStore(database: Database, target: string): Promise<void> {
  const bytes = Number(onDisk(database.file, 'read', () => database.files.factsAt(database.file).size));
  if (bytes + database.logBytes() <= SMALL_BYTES || database.report.readOnly) {
    database.exportTo(target);
    return;
  }
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    if (await database.copyBeside(target, { forOthers: true, replace: false })) return;
    await sleep(AGAIN_MS);
  }
  throw new StoreError('The workspace data is being copied already. Try again in a moment.', 'BUSY');
}
