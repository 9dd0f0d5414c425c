// Owns the check of prices: unknown is unknown, the user's own go first, and sums of money are exact.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costOf, isPrice, listPrices, perDollar, priceOf } from '../../../../src/core/measure/prices.ts';

const row = { host: 'api.openai.com', model: 'gpt-4.1', asOf: '2026-11', source: 'contract' };

describe('a price', () => {
  it('is that of the table, by exact name at exact host', () => {
    expect(priceOf('api.openai.com', 'gpt-4.1', [])).toEqual({ input: 2, output: 8 });
    for (const [host, model] of [
      ['api.openai.com', 'gpt-4.1-2025-04-14'],
      ['api.openai.com', 'ft:gpt-4.1:me'],
      ['api.openai.com', 'GPT-4.1'],
      ['api.openai.com:8443', 'gpt-4.1'],
      ['openrouter.ai', 'gpt-4.1'],
      ['localhost:8000', 'qwen'],
    ] as const)
      expect(priceOf(host, model, [])).toBeNull();
  });

  it('is the user’s own where there is one, also nothing at all', () => {
    expect(priceOf('api.openai.com', 'gpt-4.1', [{ ...row, input: 1, output: 3 }])).toEqual({
      input: 1,
      output: 3,
    });
    const local = { ...row, host: 'localhost:8000', model: 'qwen', input: 0, output: 0 };
    expect(priceOf('localhost:8000', 'qwen', [local])).toEqual({ input: 0, output: 0 });
  });

  it('is unknown where the user’s own is no price, not the table’s and not 0', () => {
    for (const input of [NaN, -1, Infinity])
      expect(priceOf('api.openai.com', 'gpt-4.1', [{ ...row, input, output: 1 }])).toBeNull();
  });

  it('is dated and says where it is from', () => {
    const names = new Set(listPrices.map(({ host, model }) => `${host} ${model}`));
    expect(names.size).toBe(listPrices.length);
    for (const each of listPrices) {
      expect(isPrice(each)).toBe(true);
      expect(each.output).toBeGreaterThanOrEqual(each.input);
      expect(each.asOf).toMatch(/^20\d\d-(?:0[1-9]|1[0-2])$/u);
      expect(each.source).not.toBe('');
    }
  });
});

describe('a cost', () => {
  it('is what the list says', () => {
    expect(costOf({ input: 2, output: 8 }, 1_000_000, 1_000_000)).toBe(10 * perDollar);
    expect(costOf({ input: 0.05, output: 0.4 }, 1, 1)).toBe(450);
    expect(costOf({ input: 0.1, output: 0.2 }, 1, 1)).toBe(300);
    expect(costOf({ input: 0.0001, output: 0 }, 1, 0)).toBe(1);
    expect(costOf({ input: 0, output: 0 }, 1_000, 1_000)).toBe(0);
  });

  it('is whole, never less than exact by more than rounding, and grows with tokens', () => {
    const part = fc.double({ min: 0, max: 500, noNaN: true });
    const tokens = fc.integer({ min: 0, max: 2_000_000 });
    fc.assert(
      fc.property(part, part, tokens, tokens, tokens, (input, output, read, written, more) => {
        const cost = costOf({ input, output }, read, written);
        const exact = (input * read + output * written) * 1000;
        expect(Number.isSafeInteger(cost)).toBe(true);
        expect(cost).toBeGreaterThanOrEqual(exact * (1 - 1e-11));
        expect(cost).toBeLessThan(exact + 1.000_001);
        expect(costOf({ input, output }, read, written + more)).toBeGreaterThanOrEqual(cost);
      }),
    );
  });
});
