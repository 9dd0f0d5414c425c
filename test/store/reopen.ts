/** Owns what must hold when a store is opened on the files a crash left: nothing promised is lost, the rest is all or nothing. */
import { createHash } from 'node:crypto';
import type { Database } from '../../src/adapters/store/database.ts';
import type { Migration } from '../../src/adapters/store/migrations.ts';
import { contentOf, difference } from './contents.ts';
import { type DiskOperation, type MemoryFiles, memoryFiles } from './memoryFiles.ts';
import { MIGRATIONS, openDatabase, putBlob, verifyStore, wasm } from './shipped.ts';
import { type Promised, STORE, UPGRADED } from './workload.ts';

export interface Expected {
  /** The newest content promised, and the one that was in the making; null where the caller compares. */
  readonly allowed: readonly string[] | null;
  readonly migrations: readonly Migration[];
  /** Contents a finished copy may have. */
  readonly copies: ReadonlySet<string>;
}

export interface Reopened {
  /** Null where all is as it must be. */
  readonly problem: string | null;
  /** Null where it could not be opened. */
  readonly content: string | null;
  /** What it says is missing though nothing is; null where it says nothing. */
  readonly alarm: string | null;
  /** What opening, and writing where it was thorough, did to the disk, and what was promised meanwhile. */
  readonly after: Recorded;
}

export interface Recorded {
  readonly operations: readonly DiskOperation[];
  readonly promised: readonly Promised[];
}

export interface ReopenOptions {
  /** Read every row through its checksum, check links and counts, then write and fold. */
  readonly thorough?: boolean;
  /** Which opening after the workload it is: the clock goes on. */
  readonly opening?: number;
}

/** Milliseconds since 1970, later than the workload's. */
const AFTERWARDS = 1_700_000_100_000;
const HOUR = 3_600_000;

const copiesSeen = new Set<string>();

function isCopy(path: string): boolean {
  return path !== STORE && !/(-wal|-journal|-seq|\.new|\.compact|\.restoring)$/.test(path);
}

async function copyProblem(path: string, bytes: Uint8Array, expected: Expected): Promise<string | null> {
  const hash = createHash('sha256').update(bytes).digest('base64');
  if (copiesSeen.has(hash)) return null;
  for (const migrations of [MIGRATIONS, UPGRADED]) {
    const { files } = memoryFiles({ initial: new Map([[path, bytes]]) });
    let content: string;
    try {
      const database = await openDatabase({ file: path, wasm, files, migrations });
      content = contentOf(database);
      database.close();
    } catch (error) {
      if (migrations === MIGRATIONS && (error as { code?: unknown }).code === 'NEWER') continue;
      return `the copy ${path} (${bytes.length} bytes) cannot be opened: ${String(error)}`;
    }
    if (!expected.copies.has(content)) return `the copy ${path} holds what was never there`;
    copiesSeen.add(hash);
    return null;
  }
  return `the copy ${path} is of no known schema`;
}

/** A crash is no damage: nothing should be said to be missing, and nothing kept aside. */
function alarmOf({ report }: Database, { names }: MemoryFiles): string | null {
  if (report.warnings.length > 0) return report.warnings.join(' ');
  const aside = [...names.keys()].find((path) => path.includes('damaged'));
  return aside === undefined ? null : `${aside} was kept aside though nothing is damaged`;
}

function contentProblem(database: Database, { allowed }: Expected): string | null {
  const check = database.read((connection) => connection.get('PRAGMA quick_check(1)'))?.['quick_check'];
  if (check !== 'ok') return `quick_check: ${String(check)}`;
  const content = contentOf(database);
  if (allowed === null || allowed.includes(content)) return null;
  return `the content is none that was promised: ${difference(content, allowed[0] ?? '')}`;
}

async function thoroughProblem(
  database: Database,
  opening: number,
  promise: () => void,
): Promise<string | null> {
  const { problems } = await verifyStore(database, () => Promise.resolve());
  if (problems.length > 0) return `verify: ${problems.join(' ')}`;
  const before = contentOf(database);
  const probe = new TextEncoder().encode(`opening ${opening} after the crash`);
  const hash = database.transact((connection) => putBlob(connection, probe));
  promise();
  database.transact((connection) => connection.run('DELETE FROM blobs WHERE hash = ?', hash));
  promise();
  if (!database.fold(true)) return 'the log could not be folded';
  return contentOf(database) === before ? null : 'writing and folding changed the content';
}

/** Opens the store on these files, in memory, and looks at everything in it. */
export async function reopen(
  files: ReadonlyMap<string, Uint8Array>,
  expected: Expected,
  { thorough = false, opening = 1 }: ReopenOptions = {},
): Promise<Reopened> {
  const operations: DiskOperation[] = [];
  const promised: Promised[] = [];
  const answer = (problem: string | null): Reopened => ({
    problem,
    alarm,
    content: promised[0]?.content ?? null,
    after: { operations, promised },
  });
  let alarm: string | null = null;
  let over = false;
  const memory = memoryFiles({
    initial: files,
    record: (operation) => operations.push(operation),
    // Closing would fold the log; the state is thrown away, so that work is spared.
    before: () => {
      if (over) throw Object.assign(new Error('over'), { code: 'EIO' });
    },
  });
  try {
    const database = await openDatabase({
      file: STORE,
      wasm,
      files: memory.files,
      migrations: expected.migrations,
      now: () => AFTERWARDS + opening * HOUR,
    });
    const promise = (): void => {
      promised.push({ operations: operations.length, content: contentOf(database) });
    };
    promise();
    alarm = alarmOf(database, memory);
    const problem =
      contentProblem(database, expected) ??
      (thorough ? await thoroughProblem(database, opening, promise) : null);
    over = true;
    database.close();
    if (problem !== null) return answer(problem);
  } catch (error) {
    return answer(`cannot be opened: ${String(error)}`);
  }
  for (const [path, bytes] of files)
    if (isCopy(path)) {
      const problem = await copyProblem(path, bytes, expected);
      if (problem !== null) return answer(problem);
    }
  return answer(null);
}
