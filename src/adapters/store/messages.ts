/**
 * Owns the messages between a store's worker and whoever uses it: a request and an answer for each method.
 * Deliberately holds no behaviour.
 */
import type { FileStore } from './localStore.ts';

export type StoreMethod = keyof FileStore;

interface MethodDescriptor {
  /** The answer's bytes are handed over instead of copied: the worker keeps no other use of them. */
  readonly handsOver: boolean;
}

/** One descriptor for each method of the store. */
export const STORE_METHODS: Readonly<Record<StoreMethod, MethodDescriptor>> = {
  get: { handsOver: true },
  put: { handsOver: false },
  createRun: { handsOver: false },
  commit: { handsOver: false },
  findEffects: { handsOver: false },
  settleEffects: { handsOver: false },
  spent: { handsOver: false },
  effects: { handsOver: false },
  usageBySteps: { handsOver: false },
  annotations: { handsOver: false },
  runs: { handsOver: false },
  run: { handsOver: false },
  events: { handsOver: false },
  experienceCounts: { handsOver: false },
  experiences: { handsOver: false },
  searchExperiences: { handsOver: false },
  experience: { handsOver: false },
  evaluations: { handsOver: false },
  evaluation: { handsOver: false },
  candidates: { handsOver: false },
  candidate: { handsOver: false },
  annotate: { handsOver: false },
  verify: { handsOver: false },
  exportTo: { handsOver: false },
  importFrom: { handsOver: false },
  archiveRun: { handsOver: false },
  compact: { handsOver: false },
  status: { handsOver: false },
  close: { handsOver: false },
};

/** What a worker is started with. */
export interface WorkerStart {
  readonly file: string;
  readonly wasmFile: string;
  /** Opens the file, or puts its newest good backup in its place and ends. */
  readonly task: 'open' | 'restore' | 'verify';
}

export interface StoreRequest {
  readonly id: number;
  readonly method: StoreMethod;
  readonly parameters: readonly unknown[];
}

export interface ErrorFacts {
  readonly name: string;
  readonly message: string;
  readonly code: string | null;
  /** For the log. */
  readonly cause: string | null;
}

/** Id 0 answers the opening itself. */
export type StoreAnswer =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly error: ErrorFacts };
