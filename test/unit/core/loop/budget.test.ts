import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBudget, worstCaseTokens } from '../../../../src/core/loop/budget.ts';
import type { ModelRequest } from '../../../../src/core/ports.ts';

const none = { calls: 0, inputTokens: 0, outputTokens: 0 };
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
      createBudget({ calls: 10 }, { ...none, calls: 9 }, still).reserve([request('a', 1), request('b', 1)]),
    ).toBe(1);
    expect(worstCaseTokens(request('é€😀', 1)) - worstCaseTokens(request('', 1))).toBe(9);
  });

  it('has no cap where none is given', () => {
    expect(
      createBudget({}, none, still).reserve(Array.from({ length: 5000 }, () => request('x', 30_000))),
    ).toBe(5000);
  });
});
