import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RunCost } from '../../../src/core/model/cost.ts';
import { resumeRun } from '../../../src/protocol/engine.ts';
import { capUses, readCap, wrongCap } from '../../../src/host/runCaps.ts';
import { runId, runOf } from './builders.ts';

const cost: RunCost = {
  calls: 500,
  inputTokens: 9_000,
  outputTokens: 1_000,
  usd: 0.25,
  worstCaseCalls: 0,
  reused: 0,
  ms: 90_000,
};

describe('the caps a person may raise', () => {
  test('the cap nearest its end stands first, with what is used of it', () => {
    const uses = capUses(runOf({ cost, caps: { minutes: 30, calls: 500, usd: 1, tokens: 20_000 } }));
    expect(uses.map(({ name }) => name)).toEqual(['calls', 'tokens', 'usd', 'minutes']);
    expect(uses.map(({ words }) => words.replaceAll('\u00a0', ' '))).toEqual([
      '500 of 500',
      '10 000 of 20 000',
      '$0.2500 of $1.00',
      '1 min 30 s of 30 min 0 s',
    ]);
    expect(capUses(runOf({ cost }))).toEqual([]);
  });

  test('what is offered is always taken: by the question itself and by the engine', () => {
    const amount = fc.double({ min: 0.01, max: 900_000, noNaN: true });
    fc.assert(
      fc.property(
        amount,
        amount,
        fc.integer({ min: 1, max: 1e9 }),
        fc.integer({ min: 0, max: 1e9 }),
        (usd, spent, cap, calls) => {
          const caps = { usd, calls: cap, tokens: cap, minutes: Math.min(usd, 90_000) };
          const run = runOf({
            caps,
            cost: { ...cost, calls: Math.min(calls, cap), usd: Math.min(spent, usd) },
          });
          for (const use of capUses(run)) {
            if (use.used >= 1_000_000_000) continue;
            expect(wrongCap(use, String(use.offer))).toBeNull();
            const wish = { runId, caps: { [use.name]: readCap(String(use.offer)) } };
            expect(resumeRun.params.safeParse(wish).success).toBe(true);
          }
        },
      ),
    );
  });

  test('a cap that is none, or not above what is used, is refused in a sentence', () => {
    const [calls] = capUses(runOf({ cost, caps: { calls: 500 } }));
    const [usd] = capUses(runOf({ cost, caps: { usd: 0.2 } }));
    if (calls === undefined || usd === undefined) throw new Error('no cap');
    for (const text of ['', 'many', '500', '499', '500.5', '2000000000'])
      expect(wrongCap(calls, text)).toMatch(/^Write .*\.$/);
    expect(wrongCap(calls, '501')).toBeNull();
    expect(wrongCap(calls, '1 000')).toBeNull();
    expect(readCap('1 000')).toBe(1000);
    expect(wrongCap(usd, '0.25')).not.toBeNull();
    expect(wrongCap(usd, '0.3')).toBeNull();
  });
});
