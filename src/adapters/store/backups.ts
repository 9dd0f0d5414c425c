/**
 * Owns the backups of a workspace: their folder and names, which are kept, and when one is due.
 * Deliberately makes none itself (copies.ts) and trusts none that was not opened (recovery.ts).
 */
import { basename, dirname, join } from 'node:path';
import type { HostFiles } from './hostFiles.ts';

export interface Backup {
  readonly file: string;
  /** Milliseconds since 1970. */
  readonly madeAt: number;
  readonly schema: number;
  readonly bytes: number;
}

const NAME = /^(.+)-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)\.(\d{3})Z-schema-(\d+)\.ratchetdb$/;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** Beside the database. */
export function backupFolder(database: string): string {
  return join(dirname(database), 'backups');
}

/** A time as part of a file's name: 20261122T174838.123Z. */
export function stamp(time: number): string {
  return new Date(time).toISOString().replaceAll(/[-:]/g, '');
}

/** The folder may lie beside several databases: a backup is named after its own. */
function nameOf(database: string): string {
  return basename(database, '.ratchetdb');
}

export function backupFile(database: string, madeAt: number, schema: number): string {
  return join(backupFolder(database), `${nameOf(database)}-${stamp(madeAt)}-schema-${schema}.ratchetdb`);
}

function readName(database: string, name: string, files: HostFiles): Backup | null {
  const match = NAME.exec(name);
  if (match?.[1] !== nameOf(database)) return null;
  const [year, month, day, hour, minute, second, ms, schema] = match.slice(2).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const file = join(backupFolder(database), name);
  const madeAt = Date.UTC(year, month - 1, day, hour, minute, second, ms);
  return { file, madeAt, schema, bytes: Number(files.factsAt(file).size) };
}

/** Newest first. Throws what the files throw. */
export function listBackups(database: string, files: HostFiles): readonly Backup[] {
  return files
    .list(backupFolder(database))
    .flatMap((name) => readName(database, name, files) ?? [])
    .sort((one, other) => other.madeAt - one.madeAt);
}

/** Generations that are always kept, days that keep their newest one beside those, and what a big workspace keeps. */
const KEPT = { newest: 3, days: 4, ofBig: 2 };
const BIG_BYTES = 256 << 20;

/**
 * Which backups go: all but the three newest, the newest of each of the last four days that have any, and the newest of
 * each older schema. Of those over 256 MiB only the two newest stay. `backups` are newest first.
 */
export function superfluous(backups: readonly Backup[]): readonly Backup[] {
  const kept = new Set<Backup>();
  const days = new Set<number>();
  const schemas = new Set<number>();
  for (const [index, backup] of backups.entries()) {
    const day = Math.floor(backup.madeAt / DAY_MS);
    const newDay = !days.has(day) && days.size < KEPT.days;
    const small = backup.bytes <= BIG_BYTES;
    if (index < (small ? KEPT.newest : KEPT.ofBig)) kept.add(backup);
    else if (small && (newDay || !schemas.has(backup.schema))) kept.add(backup);
    days.add(day);
    schemas.add(backup.schema);
  }
  return backups.filter((backup) => !kept.has(backup));
}

/** Removes what is superfluous and what an interrupted backup left. Throws what the files throw. */
export function pruneBackups(database: string, files: HostFiles): void {
  for (const { file } of superfluous(listBackups(database, files))) files.remove(file);
  const folder = backupFolder(database);
  for (const name of files.list(folder))
    if (name.endsWith('.ratchetdb.new') && NAME.test(basename(name, '.new')))
      files.remove(join(folder, name));
}

/** How much of a database a minute's wait is worth: backing up then takes a small share of the time at any size. */
const BYTES_A_MINUTE = 4 << 20;

/**
 * Whether a backup may be made now: the newest one must be older than a minute for each 4 MiB of the database
 * (1 MiB: 15 seconds, 1 GiB: 4.3 hours). One from the future says that the clock was set back; it does not count.
 */
export function isOldEnough(newest: Backup | undefined, bytes: number, now: number): boolean {
  if (newest === undefined || newest.madeAt > now) return true;
  return now - newest.madeAt >= (bytes / BYTES_A_MINUTE) * MINUTE_MS;
}
