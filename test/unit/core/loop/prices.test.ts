/** Money over sessions: what was charged at a judge's price or a batch's stays charged at that after a resume. */
import { describe, expect, it } from 'vitest';
import { costSoFar } from '../../../../src/core/loop/budget.ts';
import { readAccount } from '../../../../src/core/loop/journal.ts';
import { type Call, type Ledger, openLedger } from '../../../../src/core/loop/ledger.ts';
import { costOf, perDollar } from '../../../../src/core/measure/prices.ts';
import type { RunCaps } from '../../../../src/core/model/cost.ts';
import { asId, type RunId } from '../../../../src/core/model/ids.ts';
import type { LanguageModel, ModelAnswer, ModelRequest } from '../../../../src/core/ports.ts';
import { estimateRun } from '../../../../src/core/loop/estimate.ts';
import { parseRecipe } from '../../../../src/core/loop/parseRecipe.ts';
import { files, recipe as recipeOf } from '../../../fakes/doublingWorld.ts';
import { memoryStore, type MemoryStore } from '../../../fakes/memoryStore.ts';
import { testRun } from '../../../fakes/runServices.ts';

const id = asId<RunId>('run');
const place = { step: 'solve', round: 1, at: { arm: 'main', round: 1, step: 'solve' } } as const;
const price = { input: 1, output: 2 };
const usage = { input: 7, output: 5 };
const nothing = () => undefined;

const callsOf = (name: string, count: number): Call[] =>
  Array.from({ length: count }, (_, index) => ({
    item: `${name} ${index}`,
    sample: 0,
    request: {
      messages: [{ role: 'user', content: `${name} ${index}` }],
      temperature: 1,
      maxTokens: 10,
      seed: index,
      weights: null,
    } satisfies ModelRequest,
  }));

const answered = (known: boolean): ModelAnswer => ({
  ok: true,
  text: 'x',
  finish: 'stop',
  usage: known ? usage : { input: null, output: null },
  model: 'm',
  requestId: null,
});

const model = (
  name: string,
  own: LanguageModel['price'],
  more: Partial<LanguageModel> = {},
): LanguageModel => ({
  name,
  price: own ?? null,
  async *generate(requests) {
    for (const index of requests.keys()) yield { index, answer: answered(true) };
  },
  ...more,
});

async function session(store: MemoryStore, main: LanguageModel, caps: RunCaps = {}): Promise<Ledger> {
  const services = { ...testRun({ store }).services, store };
  const account = await readAccount(store, id);
  const facts = { recipe: '', data: '', caps, origin: null, attempts: 0 };
  return openLedger({ id, model: main, facts, account }, services, { aborted: false, reason: null });
}

const cost = async (store: MemoryStore) =>
  costSoFar({ spent: await store.spent(id), charged: (await readAccount(store, id)).charged }, price);

describe('money over sessions', () => {
  it("keeps a judge's calls at the judge's price", async () => {
    const store = memoryStore();
    const main = model('main', price);
    const judge = model('judge', { input: 100, output: 1000 });
    const first = await session(store, main);
    await first.ask(place, callsOf('a', 3), nothing);
    await first.of(judge).ask(place, callsOf('b', 4), nothing);
    const paid = 3 * costOf(price, 7, 5) + 4 * costOf({ input: 100, output: 1000 }, 7, 5);
    expect(first.meter().usd).toBe(paid / perDollar);
    expect((await cost(store)).usd).toBe(paid / perDollar);
    const second = await session(store, main, { usd: paid / perDollar });
    expect(second.meter()).toMatchObject({ usd: paid / perDollar, calls: 7 });
    await expect(second.ask(place, callsOf('c', 1), nothing)).rejects.toThrow(/no room for another call/);
  });

  it("never counts calls of a judge of unknown price at the model's own: the sum is unknown from then on", async () => {
    const store = memoryStore();
    const main = model('main', price);
    const first = await session(store, main, { usd: 1, tokens: 1_000_000 });
    await first.ask(place, callsOf('a', 3), nothing);
    expect(first.meter().usd).toBe((3 * costOf(price, 7, 5)) / perDollar);
    await first.of(model('judge', null)).ask(place, callsOf('b', 4), nothing);
    expect(first.meter()).toMatchObject({ usd: null, calls: 7, inputTokens: 49 });
    expect((await cost(store)).usd).toBeNull();
    // What is known still holds its cap: only the model's own three calls are money, before and after a resume.
    const usd = (3 * costOf(price, 7, 5) + costOf(price, 200, 10)) / perDollar;
    const second = await session(store, main, { usd, tokens: 1_000_000 });
    expect(second.meter()).toMatchObject({ usd: null, calls: 7 });
    await second.ask(place, callsOf('c', 1), nothing);
  });

  it('refuses a judge of unknown price under a cap in money alone', async () => {
    const ledger = await session(memoryStore(), model('main', price), { usd: 1 });
    expect(() => ledger.of(model('judge', null))).toThrow('The price of judge is not known');
  });

  it("keeps a judge's call that was lost at no price but an unknown one", async () => {
    const store = memoryStore();
    const main = model('main', price);
    const first = await session(store, main, { tokens: 1_000_000 });
    const never = new Promise<never>(() => undefined);
    const silent = model('judge', null, {
      async *generate() {
        await never;
      },
    });
    void first.of(silent).ask(place, callsOf('b', 1), nothing);
    await new Promise((resolve) => setTimeout(resolve, 10));
    const { charged } = await readAccount(store, id);
    expect(charged).toMatchObject({ lost: 1, unpriced: { output: 10 } });
    expect((await cost(store)).usd).toBeNull();
  });

  it('keeps what was paid when the price changes between sessions', async () => {
    const store = memoryStore();
    await (await session(store, model('main', price))).ask(place, callsOf('a', 3), nothing);
    const later = await session(store, model('main', { input: 50, output: 50 }));
    expect(later.meter().usd).toBe((3 * costOf(price, 7, 5)) / perDollar);
  });

  it("keeps a lost call of a judge at the judge's worst case", async () => {
    const store = memoryStore();
    const stuck = model(
      'judge',
      { input: 100, output: 1000 },
      {
        async *answer(source) {
          await source.next();
          await new Promise<never>(nothing);
        },
      },
    );
    const ledger = await session(store, model('main', price));
    void ledger.of(stuck).ask(place, callsOf('b', 1), nothing);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const lost = costOf({ input: 100, output: 1000 }, 3 + 8, 10);
    expect(await cost(store)).toMatchObject({ usd: lost / perDollar, worstCaseCalls: 1 });
  });

  it('charges a batch at its own price, and what says nothing of its usage at its worst case, before and after', async () => {
    const store = memoryStore();
    const half = { input: 0.5, output: 1 };
    const batching = model('main', price, {
      batches: {
        price: half,
        fits: (calls) => calls.length,
        submit: async () => 'batch-1',
        cancel: async () => undefined,
        async *collect(_batch, calls) {
          for (const [index, call] of calls.entries())
            yield { kind: 'answer', id: call.id, answer: answered(index !== 1) };
          yield { kind: 'end', end: { kind: 'over', reason: 'completed' } };
        },
      },
    });
    const ledger = await session(store, batching);
    const asked = callsOf('a', 3);
    expect(await ledger.ask({ ...place, batch: true }, asked, nothing)).toHaveLength(3);
    const paid = 2 * costOf(half, 7, 5) + costOf(half, 3 + 8, 10);
    expect(ledger.meter()).toMatchObject({ calls: 3, usd: paid / perDollar, worstCaseCalls: 1 });
    expect(await cost(store)).toMatchObject({
      calls: 3,
      usd: paid / perDollar,
      worstCaseCalls: 1,
      inputTokens: 2 * 7 + 3 + 8,
      outputTokens: 2 * 5 + 10,
    });
    expect((await readAccount(store, id)).open).toBe(0);
    const again = await session(store, batching);
    expect(again.meter()).toMatchObject({ calls: 3, usd: paid / perDollar, worstCaseCalls: 1 });
  });
});

describe('an estimate of a run with a judge', () => {
  const text = recipeOf(`
  - solve: {}
  - assess: { source: judge, panel: [j] }
  - evaluate: { suite: dev }`);
  const loaded = Object.fromEntries(
    Object.entries(files).map(([name, tasks]) => [name, { tasks, skipped: [] }]),
  );
  const history = { operators: new Map(), msPerCall: null };

  it.each([
    ['at its own price', { input: 500, output: 500 }, true],
    ['as unknown where its price is', null, false],
  ])('counts its calls %s', async (_what, judge, known) => {
    const { recipe } = parseRecipe(text);
    if (recipe === null) throw new Error('The recipe is wrong.');
    const asked: string[] = [];
    const priceOf = async (provider: string) => {
      asked.push(provider);
      return judge;
    };
    const { services } = testRun({ files: loaded });
    const { usd } = await estimateRun(recipe, services.files, { input: 1, output: 1 }, history, priceOf);
    const alone = await estimateRun(recipe, services.files, { input: 1, output: 1 }, history, async () => ({
      input: 1,
      output: 1,
    }));
    expect(asked).toEqual(['j']);
    if (known) expect(usd?.high).toBeGreaterThan(10 * (alone.usd?.high ?? Infinity));
    else expect(usd).toBeNull();
  });
});
