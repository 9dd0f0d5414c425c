// Owns the check of the host-wide pace: how many at once, pauses, windows, and when a host counts as down.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adaptiveLimit } from '../../../../src/adapters/models/adaptiveLimit.ts';
import { circuit } from '../../../../src/adapters/models/circuit.ts';
import { backoff, hostGate, hostGates, type Pass } from '../../../../src/adapters/models/hostGate.ts';
import { rateWindow } from '../../../../src/adapters/models/rateHeaders.ts';

const pace = { backoffMs: 20, random: () => 0.5 };
const open = new AbortController().signal;

async function entered(gate: ReturnType<typeof hostGate>, signal = open): Promise<Pass> {
  const pass = await gate.enter(signal);
  if (pass === null) throw new Error('was not let through');
  return pass;
}

/** Milliseconds until the gate lets one more through. */
async function waitOf(gate: ReturnType<typeof hostGate>): Promise<number> {
  const start = performance.now();
  (await entered(gate)).left();
  return performance.now() - start;
}

describe('how many at once', () => {
  test('stays between 1 and the ceiling, halves on bad news and returns on good', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 600 }),
        fc.array(fc.boolean(), { maxLength: 300 }),
        (most, news) => {
          const limit = adaptiveLimit();
          limit.allow(most);
          for (const good of news) {
            const before = limit.now;
            if (good) limit.increase();
            else limit.decrease();
            expect(limit.now).toBeGreaterThanOrEqual(1);
            expect(limit.now).toBeLessThanOrEqual(most);
            if (!good) expect(limit.now).toBe(Math.max(1, Math.floor(before / 2)));
          }
          for (let answers = 0; answers < 700 * most; answers++) limit.increase();
          expect(limit.now).toBe(most);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('a burst of bad news halves once, later bad news again', async () => {
    const gate = hostGate(pace);
    gate.allow(64);
    const burst = await Promise.all(Array.from({ length: 64 }, () => entered(gate)));
    for (const pass of burst) pass.busy(null);
    expect(gate.limit).toBe(32);
    (await entered(gate)).busy(null);
    expect(gate.limit).toBe(16);
  });

  test('is one number for all that ask the same origin', () => {
    const gates = hostGates();
    gates('https://a.example', pace).allow(4);
    gates('https://a.example', pace).allow(9);
    expect(gates('https://a.example', pace).limit).toBe(9);
    expect(gates('https://b.example', pace).limit).toBe(0);
  });

  test('those who wait go in order, and those who leave the queue are not let through', async () => {
    const gate = hostGate(pace);
    gate.allow(1);
    const first = await entered(gate);
    const gone = new AbortController();
    const order: string[] = [];
    const second = gate.enter(gone.signal).then((pass) => order.push(pass === null ? 'gone' : 'second'));
    const third = gate.enter(open).then((pass) => {
      order.push('third');
      pass?.left();
    });
    gone.abort();
    first.left();
    await Promise.all([second, third]);
    expect(order).toEqual(['gone', 'third']);
    expect(await gate.enter(gone.signal)).toBeNull();
  });
});

describe('pauses', () => {
  test('hold for everyone, for as long as the host asked', async () => {
    const gate = hostGate(pace);
    gate.allow(8);
    (await entered(gate)).busy(150);
    const waits = await Promise.all([waitOf(gate), waitOf(gate), waitOf(gate)]);
    for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(145);
  });

  test('grow while the host is busy without saying for how long, and say how long that has been', async () => {
    const gate = hostGate(pace);
    gate.allow(8);
    const busyMs: number[] = [];
    for (let turn = 0; turn < 4; turn++) busyMs.push((await entered(gate)).busy(null));
    expect(busyMs[3]).toBeGreaterThanOrEqual(20 + 40 + 80 + 160 - 10);
    expect(busyMs).toEqual([...busyMs].sort((a, b) => a - b));
    (await entered(gate)).answered(null);
    expect((await entered(gate)).busy(null)).toBeLessThan(40);
  });

  test('never exceed a minute, and spread by a quarter either way', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (number, drawn) => {
          const exact = Math.min(60_000, 500 * 2 ** (number - 1));
          const wait = backoff(number, { backoffMs: 500, random: () => drawn });
          expect(wait).toBeGreaterThanOrEqual(0.75 * exact);
          expect(wait).toBeLessThanOrEqual(1.25 * exact);
        },
      ),
    );
  });

  test('an empty window is waited out, before it lets through too many', async () => {
    const gate = hostGate(pace);
    gate.allow(8);
    (await entered(gate)).answered({ requests: 2, ms: 150 });
    expect(await waitOf(gate)).toBeLessThan(50);
    expect(await waitOf(gate)).toBeLessThan(50);
    expect(await waitOf(gate)).toBeGreaterThanOrEqual(90);
  });
});

describe('what headers say of the window', () => {
  const now = Date.parse('2030-01-01T00:00:00Z');
  test.each<[Record<string, string>, { requests: number; ms: number } | null]>([
    [
      { 'x-ratelimit-remaining-requests': '3', 'x-ratelimit-reset-requests': '6m0s' },
      { requests: 3, ms: 360_000 },
    ],
    [
      { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '20ms' },
      { requests: 0, ms: 20 },
    ],
    [
      { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': '1.5' },
      { requests: 1, ms: 1_500 },
    ],
    [
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now / 1000 + 9) },
      { requests: 0, ms: 9_000 },
    ],
    [
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now + 9_000) },
      { requests: 0, ms: 9_000 },
    ],
    [
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '2030-01-01T00:00:07Z' },
      { requests: 0, ms: 7_000 },
    ],
    [
      { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '1m1s' },
      { requests: 0, ms: 61_000 },
    ],
    [{ 'x-ratelimit-remaining-tokens': '900', 'x-ratelimit-reset-tokens': '1m1s' }, null],
    [
      {
        'x-ratelimit-remaining-requests': '5',
        'x-ratelimit-reset-requests': '1s',
        'x-ratelimit-remaining-tokens': '0',
        'x-ratelimit-reset-tokens': '2s',
      },
      { requests: 0, ms: 2_000 },
    ],
    [{ 'x-ratelimit-remaining-requests': '-1', 'x-ratelimit-reset-requests': '1s' }, null],
    [{ 'x-ratelimit-remaining-requests': '1', 'x-ratelimit-reset-requests': 'soon' }, null],
    [{ 'x-ratelimit-remaining-requests': '1' }, null],
    [{}, null],
  ])('%j', (headers, window) => expect(rateWindow(new Headers(headers), now)).toEqual(window));
});

describe('a host that fails', () => {
  const fault = { probe: false, together: 1, certain: false };
  test('is probed after a row of faults, and any answer ends that', () => {
    const breaker = circuit();
    for (let count = 1; count <= 5; count++) {
      expect(breaker.probing).toBe(false);
      expect(breaker.faulted(fault)).toBe(false);
    }
    expect(breaker.probing).toBe(true);
    breaker.answered();
    expect(breaker).toMatchObject({ probing: false, inRow: 0, failedProbes: 0 });
  });

  test('is down after eight failed probes, whatever was still in flight before', () => {
    const breaker = circuit();
    while (!breaker.probing) breaker.faulted({ ...fault, together: 512 });
    expect(breaker.inRow).toBe(16);
    for (let late = 0; late < 500; late++) expect(breaker.faulted({ ...fault, together: 512 })).toBe(false);
    const probe = { ...fault, probe: true };
    for (let count = 1; count < 8; count++) expect(breaker.faulted(probe)).toBe(false);
    expect(breaker.faulted(probe)).toBe(true);
    expect(breaker.probing).toBe(true);
    for (let count = 1; count < 8; count++) expect(breaker.faulted(probe)).toBe(false);
  });

  test('where nothing listens is probed at once, and twice', () => {
    const breaker = circuit();
    expect(breaker.faulted({ ...fault, certain: true })).toBe(false);
    expect(breaker.faulted({ ...fault, certain: true, probe: true })).toBe(false);
    expect(breaker.faulted({ ...fault, certain: true, probe: true })).toBe(true);
  });

  test('is asked by one call at a time while probed', async () => {
    const gate = hostGate({ ...pace, backoffMs: 1 });
    gate.allow(16);
    const burst = await Promise.all(Array.from({ length: 16 }, () => entered(gate)));
    for (const pass of burst) expect(pass.faulted(false)).toBe(false);
    let through = 0;
    const waiting = Array.from({ length: 4 }, async () => {
      const pass = await entered(gate);
      through += 1;
      return pass;
    });
    const probe = await Promise.race(waiting);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(through).toBe(1);
    probe.answered(null);
    for (const pass of await Promise.all(waiting.slice(1))) pass.left();
    expect(through).toBe(4);
  });
});
