/**
 * Owns a step's calls asked by batches through a real ledger over a store in memory, as often as a test resumes it.
 * Each session has its own model, budget and control; the store is what they share.
 */
import { hostGates } from '../../../../src/adapters/models/hostGate.ts';
import { openaiModel } from '../../../../src/adapters/models/openaiModel.ts';
import type { OpenAiEndpoint } from '../../../../src/adapters/models/session.ts';
import { readAccount } from '../../../../src/core/loop/journal.ts';
import { type Ledger, openLedger } from '../../../../src/core/loop/ledger.ts';
import type { Recipe } from '../../../../src/core/loop/recipe.ts';
import type { RunControl } from '../../../../src/core/loop/services.ts';
import { asId, type RunId } from '../../../../src/core/model/ids.ts';
import type { ModelAnswer } from '../../../../src/core/ports.ts';
import { type MemoryStore, memoryStore } from '../../../fakes/memoryStore.ts';
import { testRun } from '../../../fakes/runServices.ts';
import { canary, request } from './askEndpoint.ts';

export const CALLS = 40;

export interface BatchSession {
  readonly control: RunControl;
  readonly progress: { readonly done: number; readonly note: string | undefined }[];
  /** What this session's run has cost so far. */
  readonly meter: () => ReturnType<Ledger['meter']>;
  readonly ask: () => Promise<readonly ModelAnswer[]>;
}

export interface BatchRun extends BatchSession {
  readonly store: MemoryStore;
  /** Another session over the same ledger. */
  readonly session: (caps?: Recipe['budget']) => BatchSession;
}

const runId = asId<RunId>('batch-run');

export function batchRun(
  baseURL: string,
  change: Partial<OpenAiEndpoint> = {},
  { count = CALLS, store = memoryStore() }: { readonly count?: number; readonly store?: MemoryStore } = {},
): BatchRun {
  const calls = Array.from({ length: count }, (_, index) => ({
    item: String(index),
    sample: 0,
    request: request(String(index), { maxTokens: 16, seed: index + 1 }),
  }));
  const session = (caps: Recipe['budget'] = {}): BatchSession => {
    const { services, control } = testRun({ store });
    const price = { input: 2, output: 8, asOf: '2026-04', source: 'test', batchShare: 0.5 };
    const model = openaiModel({
      provider: 'local',
      baseURL,
      model: 'fake',
      apiKey: async () => canary,
      gates: hostGates(),
      random: () => 0.5,
      prices: [{ host: new URL(baseURL).host, model: 'fake', ...price }],
      ...change,
      limits: { backoffMs: 1, pollMs: [1, 5], ...change.limits },
    });
    const progress: { done: number; note: string | undefined }[] = [];
    let ledger: Ledger | null = null;
    return {
      control,
      progress,
      meter: () => {
        if (ledger === null) throw new Error('nothing was asked yet');
        return ledger.meter();
      },
      async ask() {
        const facts = { recipe: '', data: '', caps, origin: null, attempts: 0 };
        const account = await readAccount(store, runId);
        ledger = await openLedger({ id: runId, model, facts, account }, services, control);
        const at = { arm: 'main', round: 1, step: '1.solve' } as const;
        return ledger.ask({ step: at.step, round: 1, at, batch: true }, calls, (done, _settled, note) =>
          progress.push({ done, note }),
        );
      },
    };
  };
  return { store, session, ...session() };
}
