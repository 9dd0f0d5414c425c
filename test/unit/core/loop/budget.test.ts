import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBudget, nothingUsed, worstCaseTokens } from '../../../../src/core/loop/budget.ts';
import { Halted } from '../../../../src/core/loop/halt.ts';
import { costOf, type ModelPrice, perDollar } from '../../../../src/core/measure/prices.ts';
import { beginRun } from '../../../../src/core/loop/execute.ts';
import type { ModelRequest } from '../../../../src/core/ports.ts';
import { starRecipe } from '../../../fakes/recipes.ts';
import { testRun } from '../../../fakes/runServices.ts';

const none = nothingUsed;
const still = { now: () => 0, monotonic: () => 0 };
const request = (content: string, maxTokens: number): ModelRequest => ({
  messages: [{ role: 'user', content }],
  temperature: 0,
  maxTokens,
  seed: 0,
  weights: null,
});

describe('a budget', () => {
  it('is never passed by reservations and settlements together, whatever the order', () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant('reserve' as const),
        content: fc.string({ unit: 'grapheme' }),
        maxTokens: fc.integer({ min: 1, max: 50 }),
      }),
      fc.record({
        do: fc.constant('settle' as const),
        input: fc.option(fc.nat(10)),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      fc.record({ do: fc.constant('release' as const) }),
    );
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 200 }),
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 30 }),
        (steps, tokens, calls) => {
          const budget = createBudget({ tokens, calls }, none, still);
          const open: ModelRequest[] = [];
          let settledTokens = 0;
          let settledCalls = 0;
          for (const item of steps) {
            if (item.do === 'reserve') {
              const call = request(item.content, item.maxTokens);
              if (budget.reserve([call]) === 1) open.push(call);
            } else {
              const call = open.pop();
              if (call === undefined) continue;
              if (item.do === 'release') budget.release(call);
              else {
                const worst = worstCaseTokens(call);
                const used = item.input === null ? worst : Math.floor(worst * item.share);
                budget.settle(
                  call,
                  item.input === null ? { input: null, output: null } : { input: 0, output: used },
                );
                settledTokens += used;
                settledCalls += 1;
              }
            }
            const reserved = open.reduce((sum, call) => sum + worstCaseTokens(call), 0);
            expect(settledTokens + reserved).toBeLessThanOrEqual(tokens);
            expect(settledCalls + open.length).toBeLessThanOrEqual(calls);
          }
        },
      ),
    );
  });

  it('counts what earlier sessions settled, and bytes rather than characters', () => {
    expect(
      createBudget({ calls: 10 }, { ...none, spent: { ...none.spent, calls: 9 } }, still).reserve([
        request('a', 1),
        request('b', 1),
      ]),
    ).toBe(1);
    expect(worstCaseTokens(request('é€😀', 1)) - worstCaseTokens(request('', 1))).toBe(9);
  });

  it('has no cap where none is given', () => {
    expect(
      createBudget({}, none, still).reserve(Array.from({ length: 5000 }, () => request('x', 30_000))),
    ).toBe(5000);
  });
});

/** Reserved calls of a run, and what the settled ones cost, counted apart from the budget under test. */
function randomRun(seed: number, usd: number, price: ModelPrice, maxTokens: number) {
  let state = seed;
  const draw = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return state / 0x8000_0000;
  };
  const cap = Math.floor(usd * perDollar);
  const budget = createBudget({ usd }, none, still, price);
  const bytesOf = (call: ModelRequest) => worstCaseTokens(call) - call.maxTokens;
  const worstOf = (call: ModelRequest) => costOf(price, bytesOf(call), call.maxTokens);
  const open: ModelRequest[] = [];
  const counts = { blocked: 0, mostInFlight: 0 };
  let paid = 0;
  let reserved = 0;
  const ask = (): boolean => {
    const call = request('x'.repeat(Math.floor(draw() * 200)), 1 + Math.floor(draw() * maxTokens));
    if (budget.reserve([call]) === 0) return false;
    open.push(call);
    reserved += worstOf(call);
    return true;
  };
  const answer = (): void => {
    const [call] = open.splice(Math.floor(draw() * open.length), 1);
    if (call === undefined) return;
    reserved -= worstOf(call);
    const fate = draw();
    const input = Math.floor(bytesOf(call) * draw());
    const output = Math.floor(call.maxTokens * draw());
    if (fate < 0.1) budget.release(call);
    // An answer that never came, or that says nothing of its usage, may have cost anything up to the limit.
    else if (fate < 0.3) {
      budget.settle(call, { input: null, output: null });
      paid += worstOf(call);
    } else {
      budget.settle(call, { input, output });
      paid += costOf(price, input, output);
    }
  };
  for (let asked = 0; asked < 1_500; ) {
    while (open.length < 512 && asked < 1_500) {
      asked += 1;
      if (ask()) continue;
      counts.blocked += 1;
      break;
    }
    counts.mostInFlight = Math.max(counts.mostInFlight, open.length);
    for (let answers = 1 + Math.floor(draw() * 256); answers > 0; answers--) answer();
    if (paid + reserved > cap) throw new Error(`${paid + reserved} of ${cap} billionths of a dollar`);
    const counted = Math.round((budget.usd ?? NaN) * perDollar);
    if (counted !== paid + reserved) throw new Error(`counted ${counted}, not ${paid + reserved}`);
  }
  return counts;
}

describe('a budget in money', () => {
  const price = { input: 2, output: 8 };

  it('is never overspent: 1,000 runs with up to 512 calls in flight, answered in any order, some never', () => {
    let blocked = 0;
    let most = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 0x7fff_ffff }),
        fc.double({ min: 0.0001, max: 20, noNaN: true }),
        fc.record({
          input: fc.double({ min: 0, max: 75, noNaN: true }),
          output: fc.double({ min: 0.01, max: 150, noNaN: true }),
        }),
        fc.integer({ min: 1, max: 2_000 }),
        (seed, usd, each, maxTokens) => {
          const counts = randomRun(seed, usd, each, maxTokens);
          blocked += counts.blocked > 0 ? 1 : 0;
          most = Math.max(most, counts.mostInFlight);
        },
      ),
      { numRuns: 1_000 },
    );
    // The caps were met, and so was the concurrency: the runs above could have failed.
    expect(blocked).toBeGreaterThan(100);
    expect(most).toBe(512);
  }, 120_000);

  it('counts what earlier sessions settled, at its price', () => {
    const spent = { ...none, spent: { calls: 3, inputTokens: 100_000, outputTokens: 100_000 } };
    expect(createBudget({ usd: 1.0001 }, spent, still, price).reserve([request('', 10)])).toBe(1);
    expect(createBudget({ usd: 1 }, spent, still, price).reserve([request('', 10)])).toBe(0);
    expect(createBudget({ usd: 2 }, spent, still, price).usd).toBe(1);
  });

  it('does not start with an unknown price, unless a cap in tokens stands beside it', () => {
    expect(() => createBudget({ usd: 1 }, none, still, null)).toThrow(Halted);
    expect(() => createBudget({ usd: 1, calls: 5, minutes: 5 }, none, still, null)).toThrow(/not known/);
    const beside = createBudget({ usd: 1, tokens: 100 }, none, still, null);
    expect(beside.usd).toBeNull();
    expect(beside.reserve([request('', 50), request('', 50)])).toBe(1);
  });

  it('asks nothing of a model that costs nothing', () => {
    const free = createBudget({ usd: 0.000_001 }, none, still, { input: 0, output: 0 });
    expect(free.reserve(Array.from({ length: 100 }, () => request('x', 1_000)))).toBe(100);
    expect(free.usd).toBe(0);
  });

  it('is named when it is what stops a run', () => {
    const budget = createBudget({ usd: 0.001, tokens: 1_000_000 }, none, still, price);
    expect(budget.reserve([request('', 100), request('', 100)])).toBe(1);
    expect(budget.reason()).toBe('The budget of $0.001 has no room for another call.');
    const tokens = createBudget({ usd: 100, tokens: 150 }, none, still, price);
    expect(tokens.reserve([request('', 100), request('', 100)])).toBe(1);
    expect(tokens.reason()).toBe('The budget of 150 tokens has no room for another call.');
  });
});

describe('a run with a budget in money', () => {
  async function run(usd: number, price?: ModelPrice) {
    const { services, control, toy, store } = testRun();
    const model = price === undefined ? toy.model : { ...toy.model, price };
    const recipe = { recipePath: 'a.loop.yaml', recipeText: starRecipe({ budget: `{ usd: ${usd} }` }) };
    const { runId, end } = await beginRun(recipe, { ...services, model: () => model }, control);
    return { end: await end, spent: await store.spent(runId) };
  }

  it('makes no call where the price is not known', async () => {
    const { end, spent } = await run(1);
    expect(end).toMatchObject({ kind: 'budget', message: expect.stringContaining('not known') as string });
    expect(spent.calls).toBe(0);
  });

  it('is stopped by it with everything kept, and never costs more', async () => {
    const price = { input: 10, output: 50 };
    const { end, spent } = await run(0.05, price);
    expect(end).toEqual({ kind: 'budget', message: 'The budget of $0.05 has no room for another call.' });
    expect(spent.calls).toBeGreaterThan(10);
    const cost = costOf(price, spent.inputTokens, spent.outputTokens);
    expect(cost).toBeLessThanOrEqual(0.05 * perDollar);
    expect(cost).toBeGreaterThan(0);
  });

  it('goes to its end where the money is enough', async () => {
    expect((await run(1_000, { input: 10, output: 50 })).end.kind).toBe('done');
  });
});
