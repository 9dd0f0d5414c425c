/** Owns what must hold when a store is opened on the files a crash left: nothing promised is lost, the rest is all or nothing. */
import type { Database } from '../../src/adapters/store/database.ts';
import type { Migration } from '../../src/adapters/store/migrations.ts';
import { contentOf, difference } from './contents.ts';
import type { CrashState } from './crashStates.ts';
import { type DiskOperation, type MemoryFiles, memoryFiles } from './memoryFiles.ts';
import {
  MIGRATIONS,
  openDatabase,
  openSearchIndex,
  putBlob,
  searchExperiences,
  verifyStore,
  wasm,
} from './shipped.ts';
import { type Promised, SEARCH_INDEX, STORE, UPGRADED } from './workload.ts';

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

const FINISHED_RESTORE = /^A restore of .* that was cut short is finished now/;
/** Beginnings of words that some texts of the workload have, and others have not. */
const SEARCHED = ['1', 'a', 'zz'];

const copiesSeen = new Set<string>();

function isCopy(path: string): boolean {
  const isUnfinished = /(-log|-journal|-seq|\.new|\.compact|\.restoring)$/.test(path);
  return !isUnfinished && path !== STORE && path !== SEARCH_INDEX && !/\/import\/|\.damaged-/.test(path);
}

async function copyProblem(
  path: string,
  bytes: Uint8Array,
  key: string,
  expected: Expected,
): Promise<string | null> {
  if (copiesSeen.has(key)) return null;
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
    copiesSeen.add(key);
    return null;
  }
  return `the copy ${path} is of no known schema`;
}

/** A crash is no damage: nothing should be said to be missing, and nothing kept aside. */
function alarmOf({ report }: Database, { names }: MemoryFiles): string | null {
  const warnings = report.warnings.filter((warning) => !FINISHED_RESTORE.test(warning));
  if (warnings.length > 0) return warnings.join(' ');
  // A restore keeps the file whose place it takes, damaged or not.
  const aside = [...names.keys()].find((path) => /-log\.damaged-/.test(path));
  return aside === undefined ? null : `${aside} was kept aside though nothing is damaged`;
}

/** Filled up from wherever the crash left it, the index finds what comparing every text finds. */
async function searchProblem(database: Database, { files }: MemoryFiles): Promise<string | null> {
  const index = await openSearchIndex(database, { file: SEARCH_INDEX, wasm, files });
  while (index.enterBatch());
  const find = (text: string, used: typeof index | null): string =>
    database.read((connection) => {
      const { items } = searchExperiences(connection, used, { text, filter: {}, after: null, limit: 1000 });
      return items.map(({ solutionId }) => solutionId).join(' ');
    });
  const wrong = SEARCHED.find((text) => find(text, index) !== find(text, null));
  index.close();
  return wrong === undefined ? null : `a search for "${wrong}" with the index finds something else`;
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
  { files, keys }: Pick<CrashState, 'files' | 'keys'>,
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
      (files.has(SEARCH_INDEX) ? await searchProblem(database, memory) : null) ??
      (thorough ? await thoroughProblem(database, opening, promise) : null);
    over = true;
    database.close();
    if (problem !== null) return answer(problem);
  } catch (error) {
    return answer(`cannot be opened: ${String(error)}`);
  }
  for (const [path, bytes] of files)
    if (isCopy(path)) {
      const problem = await copyProblem(path, bytes, `${path} ${keys.get(path) ?? ''}`, expected);
      if (problem !== null) return answer(problem);
    }
  return answer(null);
}
