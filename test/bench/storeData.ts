/**
 * Owns the experiences the store's benches are made of, the same for every size: one run of a hundred rounds, its
 * solutions of 1.5 KB with feedback and a refinement. Deliberately random only in ids, which are as scattered as real ones.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { storeCommit } from '../../src/adapters/store/commit.ts';
import { openDatabase } from '../../src/adapters/store/database.ts';
import { createRun } from '../../src/adapters/store/runs.ts';
import { SCHEMA_1 } from '../../src/adapters/store/schema.ts';
import { SCHEMA_2 } from '../../src/adapters/store/schema2.ts';
import { SCHEMA_3 } from '../../src/adapters/store/schema3.ts';
import { SCHEMA_4 } from '../../src/adapters/store/schema4.ts';
import { SCHEMA_5 } from '../../src/adapters/store/schema5.ts';
import { sweepSlice, unswept } from '../../src/adapters/store/solutionLookup.ts';
import { asId, type FeedbackId } from '../../src/core/model/ids.ts';
import type { Commit } from '../../src/core/ports.ts';
import {
  place,
  runId,
  sampleCandidate,
  sampleFeedback,
  sampleRefinement,
  sampleRun,
  sampleSolution,
  sampleTask,
  unsynced,
  wasm,
} from '../unit/adapters/store/samples.ts';

const TASKS = 500;
export const ROUNDS = 100;
const TEXT_BYTES = 1500;
const BULK = 1000;
const SWEEP_AT = 16_384;
const WORDS = 'carry the tens before adding what remains of both numbers then check twice'.split(' ');

/** 128 bits, in hexadecimal, in no order. */
function idOf(kind: string, index: number): string {
  return createHash('md5').update(`${kind}${index}`).digest('hex');
}

const feedbackOf = (index: number) => asId<FeedbackId>(idOf('feedback', index));

function outputOf(index: number): string {
  let text = `answer${index} `;
  for (let word = index; text.length < TEXT_BYTES; word = (word * 31 + 7) % 1_000_003)
    text += `${WORDS[word % WORDS.length] ?? ''} `;
  return text;
}

/** Experience number `index` of a run of `rows`: a solution of a task, with feedback. */
export function experience(index: number, rows: number): Commit {
  const at = place(1 + Math.min(ROUNDS - 1, Math.floor((index * ROUNDS) / rows)), '0.solve');
  const id = idOf('solution', index);
  const solution = sampleSolution(id, `task${index % TASKS}`, at, outputOf(index));
  return {
    runId,
    events: [],
    solutions: [{ ...solution, key: asId(idOf('key', index)) }],
    feedback: [{ ...sampleFeedback(id, index % 2), id: feedbackOf(index) }],
  };
}

/** The same with what became of it. */
function refined(index: number, rows: number): Commit {
  const refinement = sampleRefinement(idOf('solution', index), index % 2 === 0 ? 'dropped' : 'kept');
  const id = asId<typeof refinement.id>(idOf('refinement', index));
  return {
    ...experience(index, rows),
    refinements: [{ ...refinement, id, cites: [feedbackOf(index)] }],
  };
}

/** One commit with the rows of all of these. */
export function merge(commits: readonly Commit[]): Commit {
  return {
    runId,
    events: [],
    solutions: commits.flatMap(({ solutions }) => solutions ?? []),
    feedback: commits.flatMap(({ feedback }) => feedback ?? []),
    refinements: commits.flatMap(({ refinements }) => refinements ?? []),
  };
}

/** What a run begins with. */
export const opening: Commit = {
  runId,
  events: [],
  tasks: Array.from({ length: TASKS }, (_, index) => sampleTask(index)),
  candidates: [sampleCandidate('start', place(0, ''))],
};

/** Fills a new store with `rows` experiences; milliseconds it took. */
async function fill(file: string, rows: number): Promise<number> {
  const database = await openDatabase({ file, wasm, files: unsynced });
  const start = performance.now();
  try {
    database.transact((connection) => {
      createRun(connection, sampleRun());
      storeCommit(connection, opening, 1);
    });
    for (let next = 0; next < rows; next += BULK) {
      const size = Math.min(BULK, rows - next);
      const batch = merge(Array.from({ length: size }, (_, index) => refined(next + index, rows)));
      database.transact((connection) => storeCommit(connection, batch, 1));
      if (database.read(unswept) >= SWEEP_AT) while (database.transact(sweepSlice)());
      database.fold(false);
    }
    return performance.now() - start;
  } finally {
    database.close();
  }
}

export interface Filled {
  readonly file: string;
  /** Null when the file was made by an earlier bench. */
  readonly fillMs: number | null;
}

/** A store of `rows` experiences in the cache folder, made when it is not there. To be copied, not opened: it stays at that size. */
export async function filledStore(cache: string, rows: number): Promise<Filled> {
  const schema = createHash('sha256')
    .update(SCHEMA_1 + SCHEMA_2 + SCHEMA_3 + SCHEMA_4 + SCHEMA_5)
    .digest('hex')
    .slice(0, 8);
  const folder = path.join(cache, `${schema}-${rows}`);
  const file = path.join(folder, 'workspace.ratchetdb');
  const done = path.join(folder, 'done');
  if (existsSync(done)) return { file, fillMs: null };
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const fillMs = await fill(file, rows);
  writeFileSync(done, '');
  return { file, fillMs };
}
