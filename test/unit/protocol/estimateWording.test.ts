import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RunEstimate } from '../../../src/core/model/estimate.ts';
import { estimateParts, estimateSource, rounded } from '../../../src/protocol/estimateWording.ts';

const estimate: RunEstimate = {
  calls: { low: 3_712, high: 4_051 },
  inputTokens: { low: 40_210, high: 80_900 },
  outputTokens: { low: 9_800, high: 10_020 },
  usd: { low: 0.0123, high: 0.0371 },
  ms: { low: 62_000, high: 118_000 },
  measured: 0,
  cap: null,
};
const said = (part: Partial<RunEstimate> = {}) =>
  estimateParts({ ...estimate, ...part }).map((words) => words.replaceAll('\u00a0', ' '));

test('calls, tokens, money and time are ranges that claim no more than two digits', () => {
  expect(said()).toEqual([
    '3 700 to 4 100 calls',
    '50 000 to 91 000 tokens',
    '$0.012 to $0.038',
    '1 min 2 s to 2 min 0 s',
  ]);
});

test('what is not known is said, and never 0; what costs nothing is free', () => {
  expect(said({ usd: null, ms: null }).slice(2)).toEqual(['price unknown', 'time unknown']);
  expect(said({ usd: { low: 0, high: 0 } })[2]).toBe('free');
  expect(said({ usd: { low: 0.1812, high: 3.57 } })[2]).toBe('$0.18 to $3.60');
  expect(said({ calls: { low: 1, high: 1 } })[0]).toBe('1 call');
  expect(estimateSource(estimate)).toContain('wide');
  expect(estimateSource({ ...estimate, measured: 41 })).toContain('41 answers');
});

test('rounding never narrows a range, and leaves one number as it is', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1e9, noNaN: true }),
      fc.double({ min: 0, max: 1e9, noNaN: true }),
      (a, b) => {
        const range = { low: Math.min(a, b), high: Math.max(a, b) };
        const { low, high } = rounded(range);
        if (range.low === range.high) expect({ low, high }).toEqual(range);
        // Dividing and multiplying again may lose the last bit.
        expect(low).toBeLessThanOrEqual(range.low * (1 + 1e-12));
        expect(high).toBeGreaterThanOrEqual(range.high * (1 - 1e-12));
      },
    ),
  );
});
