/** A RunStore in memory with the same promises about what is stored once, for loop tests. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../src/core/measure/hash.ts';
import { asId, type ContentHash, type EffectKey, type RunId } from '../../src/core/model/ids.ts';
import type { StoredEvent } from '../../src/core/model/event.ts';
import type { Annotation, Feedback, Refinement } from '../../src/core/model/feedback.ts';
import type { Candidate, Evaluation } from '../../src/core/model/candidate.ts';
import type { Task } from '../../src/core/model/task.ts';
import type { EffectRecord } from '../../src/core/model/effect.ts';
import type { Commit, NewRun, RunStore } from '../../src/core/ports.ts';

const REPEATABLE = new Set(['runPaused', 'runResumed', 'runEnded']);

export interface MemoryStore extends RunStore {
  readonly runs: Map<RunId, NewRun>;
  readonly events: StoredEvent[];
  readonly effects: Map<string, EffectRecord>;
  readonly solutions: Map<string, NonNullable<Commit['solutions']>[number]>;
  readonly feedback: Map<string, Feedback>;
  readonly refinements: Map<string, Refinement>;
  readonly candidates: Map<string, Candidate>;
  readonly evaluations: Map<string, Evaluation>;
  readonly tasks: Map<string, Task>;
  readonly statuses: NonNullable<Commit['status']>[];
  readonly judgements: (Annotation & { readonly task: Task; readonly output: string })[];
  /** Called before each write; may throw to act a fault. */
  beforeWrite: (what: 'commit' | 'settle' | 'blob') => void;
}

export function memoryStore(): MemoryStore {
  const blobs = new Map<string, Uint8Array>();
  const seen = new Set<string>();
  const store: MemoryStore = {
    runs: new Map(),
    events: [],
    effects: new Map(),
    solutions: new Map(),
    feedback: new Map(),
    refinements: new Map(),
    candidates: new Map(),
    evaluations: new Map(),
    tasks: new Map(),
    statuses: [],
    judgements: [],
    beforeWrite: () => undefined,
    async get(hash) {
      return blobs.get(hash) ?? null;
    },
    async put(bytes) {
      store.beforeWrite('blob');
      const hash = asId<ContentHash>(createHash('sha256').update(bytes).digest('hex'));
      blobs.set(hash, bytes);
      return hash;
    },
    async createRun(run) {
      store.runs.set(run.id, run);
    },
    async commit(commit) {
      store.beforeWrite('commit');
      const stored = commit.events.flatMap((event): StoredEvent[] => {
        const key = `${commit.runId} ${canonicalJson(JSON.parse(JSON.stringify(event)) as never)}`;
        if (!REPEATABLE.has(event.kind) && seen.has(key)) return [];
        seen.add(key);
        return [{ seq: store.events.length + 1, runId: commit.runId, time: 0, event }];
      });
      stored.forEach((item) => store.events.push({ ...item, seq: store.events.length + 1 }));
      for (const item of commit.tasks ?? []) store.tasks.set(item.id, item);
      for (const item of commit.solutions ?? []) store.solutions.set(item.id, item);
      for (const item of commit.feedback ?? []) store.feedback.set(item.id, item);
      for (const item of commit.refinements ?? []) store.refinements.set(item.id, item);
      for (const item of commit.candidates ?? []) store.candidates.set(item.id, item);
      for (const item of commit.evaluations ?? []) store.evaluations.set(item.id, item);
      if (commit.status) store.statuses.push(commit.status);
      return stored;
    },
    async findEffects(runId, keys) {
      const found = new Map<EffectKey, EffectRecord>();
      for (const key of keys) {
        const record = store.effects.get(`${runId} ${key}`);
        if (record) found.set(key, record);
      }
      return found;
    },
    async settleEffects(runId, records) {
      store.beforeWrite('settle');
      for (const record of records) store.effects.set(`${runId} ${record.key}`, record);
    },
    async spent(runId) {
      const mine = [...store.effects].filter(
        ([key, { kind }]) => key.startsWith(`${runId} `) && kind === 'model',
      );
      const sum = (field: 'input' | 'output') =>
        mine.reduce((total, [, { usage }]) => total + (usage[field] ?? 0), 0);
      return { calls: mine.length, inputTokens: sum('input'), outputTokens: sum('output') };
    },
    async annotations() {
      return store.judgements;
    },
  };
  return store;
}
