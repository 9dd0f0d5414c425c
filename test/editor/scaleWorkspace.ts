// Owns a workspace of 100,000 experiences for the editor's tests: the sample's loop files beside a database of four old
// runs, written by the real store and kept in the cache. Its texts are drawn by number, so each build is the same.
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { cacheFolder } from '../../scripts/lib/places.ts';
import { openDatabase } from '../../src/adapters/store/database.ts';
import { createStore, type FileStore } from '../../src/adapters/store/localStore.ts';
import { MIGRATIONS, newestVersion } from '../../src/adapters/store/migrations.ts';
import type { Position, RunEvent } from '../../src/core/model/event.ts';
import { asId, type RunId } from '../../src/core/model/ids.ts';
import type { Commit } from '../../src/core/ports.ts';
import {
  digest,
  evaluated,
  interval,
  place,
  sampleCandidate,
  sampleEvaluation,
  sampleRun,
  sampleTask,
  unsynced,
  wasm,
} from '../unit/adapters/store/samples.ts';

/** What the old runs hold; the last is the newest. One in `rareEvery` replies has the word "zeppelin". */
export const oldRuns = [
  { id: 'old-1', recipe: 'instruction-search', rounds: 5, experiences: 10_000 },
  { id: 'old-2', recipe: 'own-tasks', rounds: 5, experiences: 10_000 },
  { id: 'old-3', recipe: 'hint-free-star', rounds: 10, experiences: 20_000 },
  { id: 'old-4', recipe: 'hint-free-star', rounds: 6, experiences: 60_000 },
] as const satisfies readonly OldRun[];
export const rareEvery = 10_000;

export interface OldRun {
  readonly id: string;
  readonly recipe: string;
  readonly rounds: number;
  readonly experiences: number;
}

const tasks = 500;
const portion = 500;
const textBytes = 1500;
const words = 'carry the tens before adding what remains of both numbers then check twice'.split(' ');

function outputOf(index: number): string {
  let text = index % rareEvery === rareEvery / 2 ? 'A zeppelin drifts by. ' : '';
  for (let word = index; text.length < textBytes; word = (word * 31 + 7) % 1_000_003)
    text += `${words[word % words.length] ?? ''} `;
  return `${text}>${index % 997}`;
}

function idOf(kind: string, run: string, index: number): string {
  return createHash('md5').update(`${kind} ${run} ${index}`).digest('hex');
}

/** Experiences of a round, its control beside it at one in four; two in three are kept. */
function experiences(run: OldRun, offset: number, from: number, to: number, round: number): Commit {
  const numbers = Array.from({ length: to - from }, (_, index) => from + index);
  const at = (index: number): Position => place(round, '0.solve', index % 4 === 3 ? 'control' : 'main');
  const ids = numbers.map((index) => idOf('solution', run.id, index));
  return {
    runId: asId<RunId>(run.id),
    events: [],
    solutions: numbers.map((index, nth) => ({
      id: asId(ids[nth] ?? ''),
      taskId: asId(`task${index % tasks}`),
      candidateId: asId('start'),
      sample: index % 4,
      output: outputOf(offset + index),
      answer: String((offset + index) % 997),
      temperature: 1,
      finish: 'stop',
      usage: { input: 12, output: 300 },
      at: at(index),
      key: asId(idOf('key', run.id, index)),
    })),
    feedback: numbers.map((index, nth) => ({
      id: asId(idOf('feedback', run.id, index)),
      solutionId: asId(ids[nth] ?? ''),
      source: 'metric',
      by: 'exact',
      value: { kind: 'score', score: index % 3 === 0 ? 0 : 1 },
    })),
    refinements: numbers.map((index, nth) => ({
      id: asId(idOf('refinement', run.id, index)),
      solutionId: asId(ids[nth] ?? ''),
      verdict: index % 3 === 0 ? 'dropped' : 'kept',
      reason: index % 3 === 0 ? 'below the threshold' : 'at the threshold',
      cites: [asId(idOf('feedback', run.id, index))],
    })),
  };
}

async function storeRound(store: FileStore, run: OldRun, offset: number, round: number): Promise<void> {
  const runId = asId<RunId>(run.id);
  const arms = ['main', 'control'] as const;
  const events = arms.flatMap((arm): RunEvent[] => [
    { kind: 'roundStarted', at: place(round, '', arm) },
    { kind: 'stepStarted', phase: 'acquire', operator: 'solve', at: place(round, '0.solve', arm) },
  ]);
  await store.commit({ runId, events });
  const share = run.experiences / run.rounds;
  for (let next = (round - 1) * share; next < round * share; next += portion)
    await store.commit(experiences(run, offset, next, Math.min(round * share, next + portion), round));
  for (const arm of arms) {
    const count = arm === 'control' ? share / 4 : (share * 3) / 4;
    const score = arm === 'control' ? 0.1 : round / (run.rounds + 1);
    const evaluation = `${run.id} ${arm} ${round}`;
    const scores = Array.from({ length: 100 }, (_, index) => (index < 100 * score ? 1 : 0));
    const place1 = place(round, '3.evaluate', arm);
    await store.commit({
      runId,
      evaluations: [{ ...sampleEvaluation(evaluation, 'start', place1, scores), interval }],
      events: [
        {
          kind: 'solutionsAcquired',
          ...{ count, failed: 0, finish: { stop: count }, meanOutputTokens: 300, digest },
          at: place(round, '0.solve', arm),
        },
        { ...evaluated(evaluation, 'start', score), at: place1 },
      ],
    });
  }
}

/** `offset` is the number of experiences before it, `nth` that of runs. */
export async function storeRun(store: FileStore, run: OldRun, offset: number, nth: number): Promise<void> {
  const id = asId<RunId>(run.id);
  await store.createRun({
    ...sampleRun(id),
    recipeName: run.recipe,
    recipePath: `${run.recipe}.loop.yaml`,
    rounds: run.rounds,
    startedAt: 1_700_000_000_000 + nth * 86_400_000,
  });
  const start = place(0, '');
  await store.commit({
    runId: id,
    events: [],
    tasks: Array.from({ length: tasks }, (_, index) => sampleTask(index)),
    candidates: [sampleCandidate('start', start), sampleCandidate('start', { ...start, arm: 'control' })],
  });
  for (let round = 1; round <= run.rounds; round += 1) await storeRound(store, run, offset, round);
  const message = `${run.rounds} rounds`;
  await store.commit({
    runId: id,
    events: [{ kind: 'runEnded', outcome: 'done', message, at: place(run.rounds, '') }],
    status: { status: 'done', message },
  });
}

async function build(file: string): Promise<void> {
  const store = createStore(await openDatabase({ file, wasm, files: unsynced }));
  try {
    let offset = 0;
    for (const [nth, run] of oldRuns.entries()) {
      await storeRun(store, run, offset, nth);
      offset += run.experiences;
    }
  } finally {
    await store.close();
  }
}

const dayMs = 86_400_000;

/** Databases that other versions of this code made. */
function removeOld(parent: string): void {
  for (const name of readdirSync(parent)) {
    const folder = path.join(parent, name);
    if (Date.now() - statSync(folder).mtimeMs > dayMs) rmSync(folder, { recursive: true, force: true });
  }
}

/** The folder of the workspace; its database is made when the cache has none that this code and schema would make. */
export async function scaleWorkspace(sample: string): Promise<string> {
  const code = createHash('sha256')
    .update(readFileSync(import.meta.filename))
    .update(String(newestVersion(MIGRATIONS)));
  const parent = path.join(cacheFolder(), 'scale-workspace');
  const folder = path.join(parent, code.digest('hex').slice(0, 12));
  const workspace = path.join(folder, 'hundred-thousand');
  if (!existsSync(folder)) {
    mkdirSync(parent, { recursive: true });
    removeOld(parent);
    const unfinished = path.join(parent, `${process.pid}.new`);
    await build(path.join(unfinished, 'hundred-thousand', '.ratchet', 'workspace.ratchetdb'));
    renameSync(unfinished, folder);
  }
  cpSync(sample, workspace, { recursive: true });
  return workspace;
}

if (import.meta.main) {
  const began = performance.now();
  const made = await scaleWorkspace(path.resolve(import.meta.dirname, '../../media/sample'));
  process.stdout.write(`${made} in ${Math.round(performance.now() - began)} ms\n`);
}
