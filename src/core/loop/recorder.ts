/**
 * Owns making a run's account durable: reservations before their calls are made, answers before they are used, many in one
 * transaction. Deliberately decides nothing: what fits is the budget's, what is asked the ledger's.
 */
import type { RunId } from '../model/ids.ts';
import type { EffectRecord } from '../model/effect.ts';
import type { Clock, RunStore } from '../ports.ts';
import {
  addPaid,
  entryRow,
  type JournalEntry,
  nothingPaid,
  noTokens,
  type Paid,
  type Tokens,
  type Worst,
} from './journal.ts';
import { createSettler } from './settler.ts';

export interface Recorder {
  /** Resolves when durable, with the number of the first; only then may the calls be made. */
  reserve(worst: readonly Worst[]): Promise<number>;
  /** `number` is null for an answer of a batch, which holds no reservation here; `records` the answer and what goes with it. `onDurable` once they are. */
  settle(
    number: number | null,
    records: readonly EffectRecord[],
    cost: SettledCost,
    onDurable: () => void,
  ): void;
  /** Calls that were reserved and never made. */
  giveBack(numbers: readonly number[]): void;
  /** Records of another run made this run's own; `answers` of them are answers that run paid for. */
  adopt(records: readonly EffectRecord[], answers: number, from: 'origin' | 'cache'): void;
  /** True once something could not be made durable: nothing more is. */
  readonly broken: boolean;
  /** Resolves when everything so far is durable; rejects with the StoreError that kept it from that. */
  flush(): Promise<void>;
}

export interface SettledCost {
  /** Charged on top of the reported usage; null when all of it is known. */
  readonly beyond: Tokens | null;
  /** Null where the price is not known. */
  readonly paid: Paid | null;
  /** Another model's tokens of a price nobody knows; else null. */
  readonly unpriced: Tokens | null;
}

type Item =
  | {
      readonly kind: 'reserve';
      readonly worst: readonly Worst[];
      readonly done: PromiseWithResolvers<number>;
    }
  | {
      readonly kind: 'settle';
      readonly number: number | null;
      readonly records: readonly EffectRecord[];
      readonly cost: SettledCost;
      readonly onDurable: () => void;
    }
  | { readonly kind: 'giveBack'; readonly numbers: readonly number[] }
  | {
      readonly kind: 'adopt';
      readonly records: readonly EffectRecord[];
      readonly answers: number;
      readonly from: 'origin' | 'cache';
    };

interface Place {
  readonly runId: RunId;
  /** Which session of the run, from 1. */
  readonly session: number;
  readonly store: Pick<RunStore, 'settleEffects'>;
  readonly clock: Pick<Clock, 'monotonic'>;
}

export function createRecorder({ runId, session, store, clock }: Place): Recorder {
  const began = clock.monotonic();
  let entries = 0;
  let reservations = 0;
  const write = async (batch: readonly Item[]): Promise<void> => {
    const entry = entryOf(batch, Math.round(clock.monotonic() - began));
    const records = batch.flatMap((item) =>
      item.kind === 'settle' || item.kind === 'adopt' ? item.records : [],
    );
    await store.settleEffects(runId, [...records, entryRow(session, entries + 1, entry)]);
    entries += 1;
    for (const item of batch) {
      if (item.kind === 'settle') item.onDurable();
      if (item.kind !== 'reserve') continue;
      item.done.resolve(reservations);
      reservations += item.worst.length;
    }
  };
  const waiting = new Set<PromiseWithResolvers<number>>();
  const settler = createSettler<Item>(async (batch) => {
    try {
      await write(batch);
    } catch (error) {
      for (const done of waiting) done.reject(error);
      throw error;
    }
  });
  return {
    async reserve(worst) {
      const done = Promise.withResolvers<number>();
      waiting.add(done);
      if (!settler.add({ kind: 'reserve', worst, done })) await settler.finish();
      return done.promise.finally(() => waiting.delete(done));
    },
    settle: (number, records, cost, onDurable) =>
      void settler.add({ kind: 'settle', number, records, cost, onDurable }),
    giveBack: (numbers) => void (numbers.length > 0 && settler.add({ kind: 'giveBack', numbers })),
    adopt: (records, answers, from) => void settler.add({ kind: 'adopt', records, answers, from }),
    get broken() {
      return settler.failed;
    },
    flush: () => settler.finish(),
  };
}

const UNRESERVED = -1;

/** Reservations keep the order they were asked in, which is the order they are numbered in. */
function entryOf(batch: readonly Item[], ms: number): JournalEntry {
  const r: Worst[] = [];
  const s: number[] = [];
  const u: (readonly [number, number, number])[] = [];
  const x: number[] = [];
  let c = 0;
  let k = 0;
  let p = nothingPaid;
  let q = noTokens;
  for (const item of batch) {
    if (item.kind === 'reserve') r.push(...item.worst);
    else if (item.kind === 'giveBack') x.push(...item.numbers);
    else if (item.kind === 'adopt' && item.from === 'origin') c += item.answers;
    else if (item.kind === 'adopt') k += item.answers;
    else {
      const { number, cost } = item;
      p = addPaid(p, cost.paid ?? undefined);
      if (cost.unpriced !== null)
        q = { input: q.input + cost.unpriced.input, output: q.output + cost.unpriced.output };
      if (cost.beyond !== null) u.push([number ?? UNRESERVED, cost.beyond.input, cost.beyond.output]);
      else if (number !== null) s.push(number);
    }
  }
  return {
    ...{ r, s, u, x, c, ms },
    ...(k > 0 ? { k } : {}),
    ...(p.some((part) => part > 0) ? { p } : {}),
    ...(q.input + q.output > 0 ? { q: [q.input, q.output] } : {}),
  };
}
