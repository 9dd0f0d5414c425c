/** Owns small, valid nouns for the store's tests and bench, and the places where those open a store. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DatabaseOptions } from '../../../../src/adapters/store/database.ts';
import { openDatabase } from '../../../../src/adapters/store/database.ts';
import { type HostFiles, nodeFiles } from '../../../../src/adapters/store/hostFiles.ts';
import { createStore, type FileStore } from '../../../../src/adapters/store/localStore.ts';
import type { Candidate, Evaluation, Gain, Interval } from '../../../../src/core/model/candidate.ts';
import type { Arm, EventBody, Position, RunEvent } from '../../../../src/core/model/event.ts';
import type { Feedback, Refinement, Verdict } from '../../../../src/core/model/feedback.ts';
import {
  asId,
  type ContentHash,
  type ExperienceKey,
  type RunId,
  type SolutionId,
} from '../../../../src/core/model/ids.ts';
import type { Solution, Task } from '../../../../src/core/model/task.ts';
import type { EffectRecord } from '../../../../src/core/model/effect.ts';
import type { NewRun } from '../../../../src/core/ports.ts';

export const wasmFile = createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.wasm');
export const wasm = new Uint8Array(readFileSync(wasmFile));
export const workerUrl = new URL('../../../../src/adapters/store/worker.ts', import.meta.url);

/** The real file system without waiting for the medium: what these tests look at survives anything but a power cut. */
export const unsynced: HostFiles = {
  ...nodeFiles,
  sync: () => undefined,
  syncDirectory: () => undefined,
};

/** A folder of its own for `work`, removed afterwards. */
export async function inFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ratchet-store-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A store on a fresh file for `work`; closed and removed afterwards. */
export async function withStore<Result>(
  work: (store: FileStore, file: string) => Promise<Result>,
  options: Partial<DatabaseOptions> = {},
): Promise<Result> {
  return inFolder(async (folder) => {
    const file = path.join(folder, '.ratchet', 'workspace.ratchetdb');
    const store = createStore(
      await openDatabase({ file, wasm, files: unsynced, ...options }),
      () => 1_700_000_000_000,
    );
    try {
      return await work(store, file);
    } finally {
      await store.close();
    }
  });
}

export const runId = asId<RunId>('run1');

export function sampleRun(id: RunId = runId): NewRun {
  return {
    id,
    recipeName: 'star-addition',
    recipePath: 'loops/star.loop.yaml',
    recipeText: 'ratchet: 1\nname: star-addition\n',
    seed: 7,
    rounds: 3,
    arms: ['main', 'control'],
    startedAt: 1_700_000_000_000,
  };
}

export function place(round: number, step: string, arm: Arm = 'main'): Position {
  return { arm, round, step };
}

export function sampleTask(index: number): Task {
  return { id: asId(`task${index}`), split: 'train', input: `${index} + 1`, reference: String(index + 1) };
}

export const interval: Interval = { low: 0.2, high: 0.4, confidence: 0.95, method: 'bootstrap' };

export function sampleCandidate(name: string, at: Position): Candidate & { readonly at: Position } {
  return {
    id: asId(name),
    state: { model: 'pocket', instruction: `be ${name}`, weights: null },
    parents: name === 'start' ? [] : [asId('start')],
    note: name === 'start' ? 'the start' : `made ${name}`,
    at,
  };
}

export function sampleSolution(
  id: string,
  task: string,
  at: Position,
  output = `the answer of ${id}`,
): Solution & { readonly at: Position; readonly key: ExperienceKey } {
  return {
    id: asId(id),
    taskId: asId(task),
    candidateId: asId('start'),
    sample: 0,
    output,
    answer: output.length > 3 ? output.slice(-3) : null,
    temperature: 1,
    finish: 'stop',
    usage: { input: 12, output: null },
    at,
    key: asId(`key of ${task} ${output}`),
  };
}

export function sampleFeedback(solution: string, score: number): Feedback {
  return {
    id: asId(`feedback of ${solution}`),
    solutionId: asId<SolutionId>(solution),
    source: 'metric',
    by: 'exact',
    value: { kind: 'score', score },
    reason: `scored ${score}`,
  };
}

export function sampleRefinement(solution: string, verdict: Verdict, step = 'filter'): Refinement {
  return {
    id: asId(`refinement of ${solution} in ${step}`),
    solutionId: asId<SolutionId>(solution),
    verdict,
    reason: `${verdict} by ${step}`,
    cites: [asId(`feedback of ${solution}`)],
  };
}

export function sampleEvaluation(
  id: string,
  candidate: string,
  at: Position,
  scores: readonly number[],
  suite: Evaluation['suite'] = 'dev',
): Evaluation & { readonly at: Position } {
  return {
    id: asId(id),
    candidateId: asId(candidate),
    suite,
    temperature: 0,
    scores: scores.map((score, index) => ({
      taskId: asId(`task${index}`),
      score,
      output: `${id} says ${score}`,
    })),
    mean: scores.reduce((sum, score) => sum + score, 0) / scores.length,
    interval,
    at,
  };
}

export function sampleEffect(key: string, at: Position, result = `{"text":"${key}"}`): EffectRecord {
  return { key: asId(key), kind: 'model', at, result, usage: { input: 10, output: 5 }, ms: 1.25 };
}

export const digest = asId<ContentHash>('digest');
export const gain: Gain = {
  tasks: 3,
  gain: 0.36,
  interval,
  better: 2,
  worse: 0,
  tied: 1,
  smallestVisible: 0.1,
};
export const start = place(0, '');
export const solve = place(1, '0.solve');

export const event = (at: RunEvent['at'], body: EventBody): RunEvent => ({ ...body, at });
export const begun = (store: FileStore) =>
  store.createRun(sampleRun()).then(() =>
    store.commit({
      runId,
      events: [],
      tasks: [0, 1, 2].map(sampleTask),
      candidates: [sampleCandidate('start', start), sampleCandidate('start', { ...start, arm: 'control' })],
    }),
  );
export const evaluated = (
  id: string,
  candidate: string,
  mean: number,
  suite: 'dev' | 'train' = 'dev',
): EventBody => ({
  kind: 'evaluationMade',
  evaluationId: asId(id),
  candidateId: asId(candidate),
  suite,
  tasks: 3,
  mean,
  interval,
  showcase: [],
  digest,
});
export const accepted = (candidate: string, measured: Gain | null = gain): EventBody => ({
  kind: 'candidateAccepted',
  candidateId: asId(candidate),
  previous: asId('start'),
  gain: measured,
  reason: 'better',
});
export const refused = (candidate: string, measured: Gain | null): EventBody => ({
  kind: 'candidateRefused',
  candidateId: asId(candidate),
  inUse: asId('start'),
  gain: measured,
  reason: 'not better',
});

export function withoutPlace<Noun extends { readonly at: Position }>(noun: Noun): Omit<Noun, 'at'> {
  return Object.fromEntries(Object.entries(noun).filter(([name]) => name !== 'at')) as Omit<Noun, 'at'>;
}
