/**
 * Owns asking a step's calls by the provider's batches: which batch holds which calls, and what became of it, noted in the
 * ledger before and after each move, so that a run killed anywhere finds its batches again and submits none twice.
 * Deliberately knows no file, no status and no limit of a provider (ModelBatches does), and not what an answer means.
 */
import { hashOf } from '../measure/hash.ts';
import type { ModelPrice } from '../measure/prices.ts';
import { asId, type ContentHash, type EffectKey, type RunId } from '../model/ids.ts';
import type { TokenUsage } from '../model/task.ts';
import type { EffectRecord } from '../model/effect.ts';
import type { ModelAnswer, ModelBatches, ModelRequest, StopSignal } from '../ports.ts';
import { ProviderError } from '../ports.ts';
import { type BatchNotes, batchNotes } from './batchNotes.ts';
import type { Budget, Settlement } from './budget.ts';
import type { Halted } from './halt.ts';
import type { EffectPlace } from './ledger.ts';
import type { Recorder } from './recorder.ts';
import type { RunServices } from './services.ts';
import { createSettler } from './settler.ts';

export interface KeyedCall {
  readonly key: EffectKey;
  readonly request: ModelRequest;
  readonly index: number;
  /** How often an operator has asked this before and could not use the answer. */
  readonly attempt: number;
}

export interface BatchAsking {
  readonly runId: RunId;
  readonly batches: ModelBatches;
  readonly services: RunServices;
  readonly budget: Budget;
  readonly recorder: Recorder;
  /** The model's own price, which a batch is taken to cost where its own is not known. */
  readonly price: ModelPrice | null;
  readonly stop: StopSignal;
  /** Whether the run ends for good: nobody will ever collect what is under way. */
  readonly forGood: () => boolean;
  readonly halted: () => Halted;
  readonly place: EffectPlace;
  /** What is made durable beside an answer; null for nothing. */
  readonly noteOf: (call: KeyedCall, answer: ModelAnswer) => EffectRecord | null;
  /** What is answered; grows as answers become durable. */
  readonly answers: Map<EffectKey, ModelAnswer>;
  /** `remote` are answered by the provider, and not collected yet. */
  readonly onSettled: (
    settled: readonly { readonly index: number; readonly answer: ModelAnswer }[],
    remote: number,
  ) => void;
}

/** Calls that go together, in order. The digest of their keys names them, in this session and in any other. */
interface Chunk {
  readonly calls: readonly KeyedCall[];
  readonly digest: ContentHash;
}

/** Batches under way at once; more wait at home rather than at the provider. */
const AT_ONCE = 16;
/** Answers made durable together, at most: more would be held, and copied to the store, at once. */
const GROUP = 1_000;
/** How often a call may fail in a way that may pass. */
const TRIES = 3;
/** Batches in a row that bring nothing, some of which may only show what the provider does not take. */
const BARREN = 4;
const UNKNOWN: TokenUsage = { input: null, output: null };

interface Work extends BatchAsking {
  readonly notes: BatchNotes;
  readonly flights: Flights;
  readonly failures: Map<EffectKey, number>;
  /** By digest: how many of a batch under way the provider says are answered, and are not collected. */
  readonly remote: Map<ContentHash, number>;
  /** Set with the first error: no more is submitted, and what is under way is left to the next session. */
  failed: boolean;
}

/** Every call that is not answered yet gets an answer. Throws Halted, ProviderError or StoreError; what was settled stays settled. */
export async function askByBatches(asking: BatchAsking, calls: readonly KeyedCall[]): Promise<void> {
  const work: Work = {
    ...asking,
    notes: batchNotes(asking.services, asking.runId, asking.place),
    flights: flights(),
    failures: new Map(),
    remote: new Map(),
    failed: false,
  };
  const queue = [...(await planned(work, calls))];
  const errors: unknown[] = [];
  let working = 0;
  const worker = async (): Promise<void> => {
    for (let chunk = queue.shift(); chunk !== undefined; chunk = queue.shift()) {
      working += 1;
      try {
        queue.unshift(...(await perform(work, chunk)));
      } catch (error) {
        errors.push(error);
        // A cap that is reached leaves alone what has been paid for already.
        work.failed ||= error instanceof Error && error.name !== 'Halted';
        return;
      } finally {
        working -= 1;
      }
    }
    // Somebody else's chunk may yet fall into pieces.
    if (working > 0 && (await work.flights.next())) await worker();
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, calls.length) }, worker));
  const first = errors.find((error) => !(error instanceof Error && error.name === 'Halted')) ?? errors[0];
  if (first !== undefined)
    throw first instanceof Error ? first : new Error('A batch failed.', { cause: first });
}

/** Cuts the calls into what one batch may hold, once: the cut is noted, since a provider's limits may change. */
async function planned(work: Work, calls: readonly KeyedCall[]): Promise<readonly Chunk[]> {
  const whole = chunkOf(calls);
  let sizes = await work.notes.plan(whole.digest);
  if (sizes === null) {
    const found: number[] = [];
    for (let start = 0; start < calls.length; start += found.at(-1) ?? 1)
      found.push(Math.max(1, work.batches.fits(calls.slice(start).map(named))));
    sizes = found;
    await work.notes.setPlan(whole.digest, sizes);
  }
  let start = 0;
  return sizes.map((size) => chunkOf(calls.slice(start, (start += size))));
}

const chunkOf = (calls: readonly KeyedCall[]): Chunk => ({
  calls,
  digest: hashOf(calls.map(({ key }) => key)),
});
const named = ({ key, request }: KeyedCall) => ({ id: key, request });

/**
 * Asks a chunk until it is answered, or gives the two it must be cut into. Each attempt is a batch of all that was not
 * answered when it was submitted; so at any later time those still without an answer were in the newest one.
 */
async function perform(work: Work, chunk: Chunk): Promise<readonly Chunk[]> {
  const { notes, answers, stop } = work;
  let barren = 0;
  for (let attempt = 0; ; attempt++) {
    const waiting = chunk.calls.filter(({ key }) => !answers.has(key));
    if (waiting.length === 0) return [];
    const past = await notes.read(chunk.digest, attempt);
    if (past.cut !== null) return cutAt(chunk, past.cut);
    if (past.over) continue;
    if (stop.aborted || work.failed) throw work.halted();
    const cut = past.batch === null ? await reserve(work, chunk, waiting) : commit(work, waiting);
    if (cut !== null) {
      await notes.setCut(chunk.digest, attempt, cut);
      return cutAt(chunk, cut);
    }
    const end = await flown(work, chunk, attempt, waiting);
    switch (end.kind) {
      case 'stopped':
        throw new ProviderError(end.reason);
      case 'over':
        barren = end.answered > 0 ? 0 : barren + 1;
        if (barren >= BARREN) throw new ProviderError(`${end.reason}; resume the run to try again.`);
        break;
      case 'tooMuch':
        if (await work.flights.next()) break;
        if (waiting.length === 1) throw new ProviderError(`${end.reason}; resume the run later.`);
        await notes.setCut(chunk.digest, attempt + 1, Math.ceil(chunk.calls.length / 2));
        return cutAt(chunk, Math.ceil(chunk.calls.length / 2));
    }
  }
}

const cutAt = ({ calls }: Chunk, at: number): readonly Chunk[] => [
  chunkOf(calls.slice(0, at)),
  chunkOf(calls.slice(at)),
];

/** Nothing where neither is known: what that means is for whoever keeps the budget to say. */
const terms = ({ batches, price }: Work): { readonly price?: ModelPrice } => {
  const own = batches.price ?? price;
  return own === null ? {} : { price: own };
};

/** Null when the worst case of all is reserved; else where to cut the chunk so that its first part would fit. Throws Halted. */
async function reserve(work: Work, chunk: Chunk, waiting: readonly KeyedCall[]): Promise<number | null> {
  const requests = waiting.map(({ request }) => request);
  for (;;) {
    if (work.stop.aborted || work.failed) throw work.halted();
    const fit = work.budget.reserve(requests, terms(work));
    if (fit === requests.length) return null;
    for (const request of requests.slice(0, fit)) work.budget.release(request, terms(work));
    // True costs are lower than worst cases: what is under way gives room as it ends.
    if (await work.flights.next()) continue;
    const next = waiting[fit];
    if (fit === 0 || next === undefined) throw work.halted();
    return chunk.calls.indexOf(next);
  }
}

/** An earlier session submitted these under its own reservation: they are being paid, whatever fits now. */
function commit(work: Work, waiting: readonly KeyedCall[]): null {
  const requests = waiting.map(({ request }) => request);
  work.budget.reserve(requests, { ...terms(work), committed: true });
  return null;
}

type Flown =
  | { readonly kind: 'over'; readonly reason: string; readonly answered: number }
  | { readonly kind: 'tooMuch' | 'stopped'; readonly reason: string };

/** One batch from wherever an earlier session left it to its end, which is noted. Reservations are settled or given back. */
async function flown(
  work: Work,
  chunk: Chunk,
  attempt: number,
  waiting: readonly KeyedCall[],
): Promise<Flown> {
  const open = new Map(waiting.map((call) => [call.key as string, call]));
  work.flights.begin();
  try {
    const submitted = await submit(work, chunk, attempt, waiting);
    const end = await collect(work, chunk, submitted, open);
    await work.notes.setOver(chunk.digest, attempt, end.reason);
    return end;
  } finally {
    for (const { request } of open.values()) work.budget.release(request, terms(work));
    work.remote.delete(chunk.digest);
    work.flights.end();
  }
}

interface Submitted {
  readonly batch: string;
  /** Whether `waiting` are all the batch holds. */
  readonly whole: boolean;
}

async function submit(
  work: Work,
  { digest }: Chunk,
  attempt: number,
  waiting: readonly KeyedCall[],
): Promise<Submitted> {
  const { notes, batches, stop } = work;
  const { batch, count, intended } = await notes.read(digest, attempt);
  if (batch !== null) return { batch, whole: count === waiting.length };
  if (!intended) await notes.setIntended(digest, attempt);
  const tag = hashOf([work.runId, digest, attempt]);
  const made = await batches.submit(waiting.map(named), tag, intended, stop);
  if (made === null) throw work.halted();
  await notes.setBatch(digest, attempt, made, waiting.length);
  return { batch: made, whole: true };
}

/** Collects what a batch brings, durably; calls leave `open` as they are settled. */
async function collect(
  work: Work,
  { digest }: Chunk,
  { batch, whole }: Submitted,
  open: Map<string, KeyedCall>,
): Promise<Flown> {
  const { batches, budget, services, stop } = work;
  const began = services.clock.monotonic();
  const before = open.size;
  const tell = (settled: readonly { index: number; answer: ModelAnswer }[]) =>
    work.onSettled(
      settled,
      [...work.remote.values()].reduce((sum, count) => sum + count, 0),
    );
  const settler = createSettler<Collected>(async (settled) => {
    const ms = services.clock.monotonic() - began;
    await makeDurable(work, settled, ms);
    for (const { call, answer } of settled) work.answers.set(call.key, answer);
    // Not before: what is collected and not durable yet would be missing from both counts.
    work.remote.set(digest, Math.max(0, (work.remote.get(digest) ?? 0) - settled.length));
    tell(settled.map(({ call: { index }, answer }) => ({ index, answer })));
  });
  const settle = (id: string, answer: ModelAnswer): void => {
    const call = open.get(id);
    if (call === undefined) return;
    open.delete(id);
    const cost = budget.settle(call.request, answer.ok ? answer.usage : UNKNOWN, terms(work));
    settler.add({ call, answer, cost });
  };
  let end: Flown | null = null;
  let group = 0;
  try {
    for await (const news of batches.collect(batch, [...open.values()].map(named), whole, stop)) {
      if (news.kind === 'answer') {
        settle(news.id, news.answer);
        if (++group % GROUP === 0) await settler.finish();
      } else if (news.kind === 'fault') {
        const failures = (work.failures.get(asId<EffectKey>(news.id)) ?? 0) + 1;
        work.failures.set(asId<EffectKey>(news.id), failures);
        if (failures >= TRIES) settle(news.id, { ok: false, reason: news.reason });
      } else if (news.kind === 'counts') {
        work.remote.set(digest, Math.max(0, Math.min(open.size, news.answered)));
        tell([]);
      } else {
        const { kind, reason } = news.end;
        end = kind === 'over' ? { kind, reason, answered: before - open.size } : { kind, reason };
      }
    }
  } finally {
    await settler.finish();
  }
  if (end !== null) return end;
  if (work.forGood()) await batches.cancel(batch);
  throw work.halted();
}

interface Collected {
  readonly call: KeyedCall;
  readonly answer: ModelAnswer;
  readonly cost: Settlement;
}

/**
 * Through the run's account, so that later sessions charge what this one did: a batch's price, and the worst case of what
 * says nothing of its usage. Without a reservation there: what a batch holds is collected later, not lost.
 */
async function makeDurable(work: Work, settled: readonly Collected[], ms: number): Promise<void> {
  const { recorder, place } = work;
  for (const { call, answer, cost } of settled) {
    const { input, output } = cost.beyond;
    const beyond = input + output === 0 ? null : cost.beyond;
    const record = effectOf(place, call.key, answer, ms);
    const note = work.noteOf(call, answer);
    const rows = note === null ? [record] : [record, note];
    recorder.settle(null, rows, { beyond, paid: cost.paid, unpriced: cost.unpriced }, () => undefined);
  }
  await recorder.flush();
}

function effectOf(place: EffectPlace, key: EffectKey, answer: ModelAnswer, ms: number): EffectRecord {
  const usage = answer.ok ? answer.usage : UNKNOWN;
  return { key, kind: 'model', at: place.at, result: JSON.stringify(answer), usage, ms };
}

interface Flights {
  begin(): void;
  end(): void;
  /** Resolves to true once one of those under way has ended; to false at once when none is. */
  next(): Promise<boolean>;
}

function flights(): Flights {
  let open = 0;
  let waiting: (() => void)[] = [];
  return {
    begin() {
      open += 1;
    },
    end() {
      open -= 1;
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
    },
    async next() {
      if (open === 0) return false;
      await new Promise<void>((resolve) => waiting.push(resolve));
      return true;
    },
  };
}
