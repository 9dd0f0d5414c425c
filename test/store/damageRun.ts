/**
 * Owns opening a damaged store and judging it: refused with its name, or every row it returns is as it was saved, and
 * what it does not return is named. Nothing of the damaged files may be gone afterwards.
 */
import type { Database } from '../../src/adapters/store/database.ts';
import { stream } from '../../src/core/measure/random.ts';
import { tablesOf } from './contents.ts';
import type { Damaged, Files, Stores } from './damage.ts';
import { memoryFiles } from './memoryFiles.ts';
import { createStore, MIGRATIONS, openDatabase, StoreError, verifyStore, wasm } from './shipped.ts';
import { BEGIN, openWatched, roundSteps, STORE } from './workload.ts';

/** `harmless`: all is there. `named`: rows are missing or unreadable, and it says so. */
export type Verdict = 'refused' | 'harmless' | 'named';

export interface Judged {
  readonly verdict: Verdict;
  readonly problem: string | null;
}

export type Saved = ReadonlyMap<string, string>;

/** A store with a long log, the same some commits earlier, another one, and what the first holds. */
export async function makeStores(seed: number): Promise<{ readonly stores: Stores; readonly saved: Saved }> {
  const grow = async (name: string, rounds: number) => {
    const memory = memoryFiles();
    const { store, database } = await openWatched(memory.files, MIGRATIONS, () => undefined);
    await BEGIN.run(store, database);
    const random = stream(seed, 'stores', name);
    for (let round = 1; round <= rounds; round++)
      for (const step of roundSteps(random, round, 3)) await step.run(store, database);
    return { memory, store, database, random };
  };
  const { memory, store, database, random } = await grow('one', 2);
  const earlier = memory.contents();
  for (const step of roundSteps(random, 3, 3)) if (step.name !== 'fold') await step.run(store, database);
  // At rest for a second, as a store mostly is: the note beside it is up to date.
  database.noteSequence();
  const now = memory.contents();
  const saved = tablesOf(database);
  await store.close();
  const second = await grow('other', 2);
  const other = second.memory.contents();
  await second.store.close();
  return { stores: { now, earlier, other }, saved: readable(saved) };
}

function readable(tables: ReturnType<typeof tablesOf>): Saved {
  return new Map(
    [...tables].map(([name, rows]) => {
      if (rows instanceof Error) throw rows;
      return [name, rows];
    }),
  );
}

/** The tables whose rows are missing or unreadable; throws what was changed. */
function compare(
  database: Database,
  saved: Saved,
): { readonly lost: readonly string[]; readonly change: string | null } {
  const lost: string[] = [];
  const tables = tablesOf(database);
  for (const [name, rows] of saved) {
    const found = tables.get(name);
    if (found instanceof Error) {
      if (!(found instanceof StoreError) || !found.message.includes(STORE))
        return { lost, change: `reading ${name} fails without naming the file: ${String(found)}` };
      lost.push(name);
    } else if (found !== rows) {
      const known = new Set(rows.split(';'));
      const strange = (found ?? '').split(';').find((row) => row !== 'null' && !known.has(row));
      // Rows of these tables change with time: an older one is a missing commit, not a change.
      if (strange !== undefined && !SUMMARIES.has(name))
        return { lost, change: `${name} has ${strange.slice(0, 200)}` };
      lost.push(name);
    }
  }
  return { lost, change: null };
}

/** Tables whose rows are updated by later commits. */
const SUMMARIES = new Set([
  'runs',
  'run_summaries',
  'run_rounds',
  'run_steps',
  'experience_groups',
  'solutions',
  'annotations',
]);

const PAGE = 4096;

/** Whether `bytes` are whole under some name, or its damaged pages are all where they were. */
function isKept(path: string, bytes: Uint8Array, after: Files, whole: Uint8Array | undefined): boolean {
  const damaged = Buffer.from(bytes);
  if ([...after.values()].some((other) => damaged.equals(other))) return true;
  const now = after.get(path);
  if (path !== STORE || now === undefined || whole === undefined) return false;
  for (let at = 0; at < bytes.length; at += PAGE) {
    const page = damaged.subarray(at, at + PAGE);
    if (!page.equals(whole.subarray(at, at + PAGE)) && !page.equals(now.subarray(at, at + PAGE)))
      return false;
  }
  return true;
}

/** The log goes on being written where it is whole; what was damaged must be found again. */
function gone(before: Files, after: Files, undamaged: Files): string | null {
  for (const [path, bytes] of before) {
    const whole = undamaged.get(path);
    const touched = undamaged !== before && whole !== undefined && Buffer.from(bytes).equals(whole);
    if (bytes.length > 0 && !touched && !isKept(path, bytes, after, whole))
      return `the damaged ${path} is gone`;
  }
  return null;
}

/** Opens, reads, verifies and closes the damaged store. */
export async function judge({ files, what }: Damaged, saved: Saved, undamaged: Files): Promise<Judged> {
  const memory = memoryFiles({ initial: files });
  const bad = (verdict: Verdict, problem: string): Judged => ({ verdict, problem: `${what}: ${problem}` });
  let database: Database;
  try {
    database = await openDatabase({ file: STORE, wasm, files: memory.files });
  } catch (error) {
    if (!(error instanceof StoreError)) return bad('refused', `not a StoreError: ${String(error)}`);
    if (!error.message.includes(STORE)) return bad('refused', `the file is not named: ${error.message}`);
    const lost = gone(files, memory.contents(), files);
    return lost === null ? { verdict: 'refused', problem: null } : bad('refused', lost);
  }
  const { lost, change } = compare(database, saved);
  const { problems } = await verifyStore(database, () => Promise.resolve());
  const said = [...database.report.warnings, ...problems];
  await createStore(database).close();
  if (change !== null && said.length === 0) return bad('harmless', `changed without a word: ${change}`);
  if (change === null && lost.length === 0) return { verdict: 'harmless', problem: null };
  if (said.length === 0) return bad('named', `rows of ${lost.join(', ')} are missing without a word`);
  const vanished = gone(files, memory.contents(), undamaged);
  return vanished === null ? { verdict: 'named', problem: null } : bad('named', vanished);
}
