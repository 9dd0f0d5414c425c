/**
 * What the ledger promises, against a provider that keeps its own books: nothing is overspent and nothing settled is paid
 * again, whatever is in flight, wherever the process is killed, however often it is resumed.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunCaps } from '../../../../src/core/model/cost.ts';
import { asId, type RunId } from '../../../../src/core/model/ids.ts';
import { Halted } from '../../../../src/core/loop/halt.ts';
import { readAccount } from '../../../../src/core/loop/journal.ts';
import { callKey } from '../../../../src/core/loop/effectKeys.ts';
import { type Call, type Ledger, openLedger } from '../../../../src/core/loop/ledger.ts';
import type { RunControl, RunServices } from '../../../../src/core/loop/services.ts';
import { stream, type Random } from '../../../../src/core/measure/random.ts';
import { costOf, perDollar } from '../../../../src/core/measure/prices.ts';
import { StoreError, type LanguageModel, type ModelRequest } from '../../../../src/core/ports.ts';
import { memoryStore, type MemoryStore } from '../../../fakes/memoryStore.ts';
import { type Paid, payingProvider } from '../../../fakes/payingProvider.ts';
import { testRun } from '../../../fakes/runServices.ts';

const id = asId<RunId>('run');
const place = { step: 'solve', round: 1, at: { arm: 'main', round: 1, step: 'solve' } } as const;
const price = { input: 2, output: 8 };

function callsOf(count: number, random: Random): Call[] {
  return Array.from({ length: count }, (_, index) => ({
    item: String(index),
    sample: 0,
    request: {
      messages: [{ role: 'user', content: 'é'.repeat(random.int(60)) }],
      temperature: 1,
      maxTokens: 1 + random.int(100),
      seed: index,
      weights: null,
    } satisfies ModelRequest,
  }));
}

/** One session over what the store holds, as a resumed run opens it. */
async function session(
  store: MemoryStore,
  model: LanguageModel,
  caps: RunCaps,
  control: RunControl = { aborted: false, reason: null },
): Promise<Ledger> {
  const services: RunServices = { ...testRun({ store }).services, store };
  const account = await readAccount(store, id);
  const facts = { recipe: '', data: '', caps, origin: null, attempts: 0 };
  return openLedger({ id, model, facts, account }, services, control);
}

/** The store as a killed process leaves it: what it acknowledged, and no write after that. */
function freezing(store: MemoryStore): { readonly store: MemoryStore; freeze: () => void } {
  let frozen = false;
  const held: MemoryStore = {
    ...store,
    settleEffects: async (run, records) => {
      if (frozen) await new Promise<never>(() => undefined);
      await store.settleEffects(run, records);
      // Written, but the process never hears of it.
      if (frozen) await new Promise<never>(() => undefined);
    },
  };
  return {
    store: held,
    freeze: () => {
      frozen = true;
    },
  };
}

interface Books {
  readonly paid: readonly Paid[];
  /** Calls paid again although their answer was durable when they were. */
  readonly again: number;
  readonly twice: number;
  readonly openAtKills: number;
  readonly mostInFlight: number;
  readonly kills: number;
}

const money = (paid: readonly Paid[]): number =>
  paid.reduce((sum, { input, output }) => sum + costOf(price, input, output), 0);
const tokens = (paid: readonly Paid[]): number =>
  paid.reduce((sum, { input, output }) => sum + input + output, 0);

/** A run that is killed at random moments and resumed until it stands still by itself. */
async function killedRun(seed: number, caps: RunCaps, concurrency: number, count: number): Promise<Books> {
  const random = stream(seed, 'killed');
  const store = memoryStore();
  const calls = callsOf(count, stream(seed, 'calls'));
  const paid: Paid[] = [];
  const books = { again: 0, openAtKills: 0, mostInFlight: 0, kills: 0 };
  const requestKeys = new Map(calls.map((call) => [call.request, callKey(place, call, 0, 'paying')]));
  for (;;) {
    const durable = new Set(store.effects.keys());
    const { store: held, freeze } = freezing(store);
    const killAt = books.kills < 4 && random.unit() < 0.8 ? random.int(count) : Infinity;
    const killed = Promise.withResolvers<'killed'>();
    const provider = payingProvider({
      random,
      concurrency,
      price,
      silent: 0.2,
      failing: 0.1,
      onTaken: (taken) => {
        if (taken <= killAt) return;
        provider.kill();
        freeze();
        killed.resolve('killed');
      },
    });
    const ledger = await session(held, provider.model, caps);
    const asked = ledger
      .ask(place, calls, () => undefined)
      .then(
        () => 'done',
        (error: unknown) => {
          if (!(error instanceof Halted)) throw error;
          return error.kind;
        },
      );
    const end = await Promise.race([asked, killed.promise]);
    paid.push(...provider.paid);
    books.mostInFlight = Math.max(books.mostInFlight, provider.inFlight.most);
    for (const { request } of provider.paid)
      if (durable.has(`${id} ${requestKeys.get(request) ?? ''}`)) books.again += 1;
    if (end !== 'killed') {
      const distinct = new Set(paid.map(({ request }) => request)).size;
      return { ...books, paid, twice: paid.length - distinct };
    }
    books.kills += 1;
    books.openAtKills += (await readAccount(store, id)).open;
  }
}

describe('a run killed and resumed', () => {
  it('never passes a cap and never pays again for what was durable: 1,000 runs, up to 512 calls in flight', async () => {
    let most = 0;
    let kills = 0;
    let repeats = 0;
    let capped = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 0x7fff_ffff }),
        fc.constantFrom(1, 8, 64, 512),
        fc.constantFrom('usd', 'tokens', 'calls', 'none'),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        async (seed, concurrency, kind, share) => {
          const count = concurrency === 512 ? 600 : 80;
          const limit = { usd: 0.0006 * count, tokens: 120 * count, calls: count, none: 0 }[kind] * share;
          const cap = kind === 'usd' ? limit : Math.max(1, Math.floor(limit));
          const books = await killedRun(seed, kind === 'none' ? {} : { [kind]: cap }, concurrency, count);
          if (kind === 'usd') expect(money(books.paid)).toBeLessThanOrEqual(cap * perDollar);
          if (kind === 'tokens') expect(tokens(books.paid)).toBeLessThanOrEqual(cap);
          if (kind === 'calls') expect(books.paid.length).toBeLessThanOrEqual(cap);
          expect(books.again).toBe(0);
          expect(books.twice).toBeLessThanOrEqual(books.openAtKills);
          if (kind === 'none') expect(new Set(books.paid.map(({ request }) => request)).size).toBe(count);
          else if (books.paid.length < count) capped += 1;
          most = Math.max(most, books.mostInFlight);
          kills += books.kills;
          repeats += books.twice;
        },
      ),
      { numRuns: 1_000 },
    );
    // The runs above could have failed: they were killed, paid twice for what was in flight, and met their caps.
    expect(most).toBe(512);
    expect(kills).toBeGreaterThan(500);
    expect(repeats).toBeGreaterThan(100);
    expect(capped).toBeGreaterThan(100);
  }, 240_000);
});

describe('an account', () => {
  const hundred = callsOf(100, stream(1, 'hundred'));
  const quiet = (changes: object = {}) =>
    payingProvider({ random: stream(2, 'quiet'), concurrency: 8, price, ...changes });

  it('counts what earlier sessions left at its worst case, and says how much that is', async () => {
    const store = memoryStore();
    const silent = quiet({ silent: 1 });
    const first = await session(store, silent.model, {});
    await first.ask(place, hundred, () => undefined);
    expect(first.meter()).toMatchObject({ calls: 100, worstCaseCalls: 100 });
    expect(await store.spent(id)).toEqual({ calls: 100, inputTokens: 0, outputTokens: 0 });
    const second = await session(store, silent.model, {});
    expect({ ...second.meter(), ms: 0 }).toEqual({ ...first.meter(), ms: 0 });
    expect(second.meter().usd).toBeGreaterThan(0);
  });

  it('gives back what was reserved ahead and never taken when a person pauses', async () => {
    const store = memoryStore();
    const control: RunControl = { aborted: false, reason: null };
    const provider = quiet({
      onTaken: (taken: number) => {
        if (taken === 20) Object.assign(control, { finishing: true, reason: 'pause' });
      },
    });
    const ledger = await session(store, provider.model, {}, control);
    await expect(ledger.ask(place, hundred, () => undefined)).rejects.toMatchObject({ kind: 'paused' });
    expect(provider.paid).toHaveLength(20);
    expect(await readAccount(store, id)).toMatchObject({ open: 0, charged: { lost: 0 } });
    expect(ledger.meter().calls).toBe(20);
    // What was in flight came to its end and is not asked again.
    const rest = quiet();
    await (await session(store, rest.model, {})).ask(place, hundred, () => undefined);
    expect(rest.paid).toHaveLength(80);
  });

  it('goes on under a higher cap from where the lower one stopped it', async () => {
    const store = memoryStore();
    const provider = quiet();
    const low = await session(store, provider.model, { calls: 30 });
    await expect(low.ask(place, hundred, () => undefined)).rejects.toMatchObject({
      kind: 'budget',
      message: 'The budget of 30 calls is used up.',
    });
    expect(provider.paid).toHaveLength(30);
    expect(await readAccount(store, id)).toMatchObject({ open: 0, charged: { lost: 0 } });
    const high = await session(store, provider.model, { calls: 100 });
    await high.ask(place, hundred, () => undefined);
    expect(provider.paid).toHaveLength(100);
  });

  it('counts minutes over all sessions', async () => {
    const store = memoryStore();
    let now = 0;
    const services = { ...testRun({ store, now: () => now }).services, store };
    const open = async () => {
      const facts = { recipe: '', data: '', caps: { minutes: 1 }, origin: null, attempts: 0 };
      const run = { id, model: provider.model, facts, account: await readAccount(store, id) };
      return openLedger(run, services, { aborted: false, reason: null });
    };
    const provider = quiet({
      onTaken: () => {
        now += 1_000;
      },
    });
    const first = await open();
    await first.ask(place, hundred.slice(0, 40), () => undefined);
    const used = (await readAccount(store, id)).charged.ms;
    expect(used).toBeGreaterThan(30_000);
    await expect((await open()).ask(place, hundred, () => undefined)).rejects.toMatchObject({
      message: 'The budget of 1 minutes is used up.',
    });
    expect(provider.paid.length).toBeLessThan(75);
  });

  it('makes no call whose reservation could not be made durable', async () => {
    const store = memoryStore();
    const provider = quiet();
    const ledger = await session(store, provider.model, {});
    store.beforeWrite = () => {
      throw new StoreError('The disk is full.', 'ENOSPC');
    };
    await expect(ledger.ask(place, hundred, () => undefined)).rejects.toThrow('The disk is full.');
    expect(provider.paid).toHaveLength(0);
  });
});

describe('the key of an effect', () => {
  const request = {
    messages: [{ role: 'user', content: 'a' }],
    temperature: 0.5,
    maxTokens: 10,
    seed: 1,
    weights: null,
  } satisfies ModelRequest;
  const base = { step: 'solve', round: 1, item: 'i', sample: 0, attempt: 0, again: 0, model: 'm', request };
  const keyOf = ({ step, round, item, sample, attempt, again, model, request: asked }: typeof base) =>
    callKey({ step, round }, { item, sample, attempt, request: asked }, again, model);

  it('changes with every member of the request and of the place', () => {
    const words = fc.string({ minLength: 1, maxLength: 8 });
    const others: { readonly [Member in keyof ModelRequest]-?: fc.Arbitrary<ModelRequest[Member]> } = {
      messages: fc.oneof(
        fc
          .record({ role: fc.constantFrom('user', 'system', 'assistant'), content: words })
          .map((one) => [one]),
        fc.constant([
          { role: 'user' as const, content: 'a' },
          { role: 'user' as const, content: '' },
        ]),
      ),
      temperature: fc.double({ min: 0, max: 2, noNaN: true }),
      maxTokens: fc.integer({ min: 1, max: 100 }),
      seed: fc.nat(0xffff_ffff),
      weights: words.map((hash) => asId<NonNullable<ModelRequest['weights']>>(hash)),
      responseFormat: fc.record({ name: words, schema: fc.record({ type: words }) }),
      logprobs: fc.integer({ min: 0, max: 20 }),
    };
    const flips = Object.entries(others).map(([member, other]) =>
      (other as fc.Arbitrary<unknown>).map((value) => ({
        ...base,
        request: { ...request, [member]: value },
      })),
    );
    const places = [
      words.map((step) => ({ ...base, step })),
      fc.nat(20).map((round) => ({ ...base, round })),
      words.map((item) => ({ ...base, item })),
      fc.nat(9).map((sample) => ({ ...base, sample })),
      fc.nat(9).map((attempt) => ({ ...base, attempt })),
      fc.nat(9).map((again) => ({ ...base, again })),
      words.map((model) => ({ ...base, model })),
    ];
    for (const flip of [...flips, ...places])
      fc.assert(
        fc.property(flip, (changed) => {
          fc.pre(JSON.stringify(changed) !== JSON.stringify(base));
          expect(keyOf(changed)).not.toBe(keyOf(base));
        }),
        { numRuns: 60 },
      );
    expect(keyOf({ ...base })).toBe(keyOf(base));
  });
});
