/** Answers of earlier runs: found for the very same call, missed for any other, and never taken where they are not whole. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAccount } from '../../../../src/core/loop/journal.ts';
import { type Call, type EffectPlace, openLedger } from '../../../../src/core/loop/ledger.ts';
import { asId, type ContentHash, type RunId } from '../../../../src/core/model/ids.ts';
import type { LanguageModel, ModelAnswer, ModelRequest } from '../../../../src/core/ports.ts';
import { memoryStore, type MemoryStore } from '../../../fakes/memoryStore.ts';
import { testRun } from '../../../fakes/runServices.ts';

const place: EffectPlace = { step: 'solve', round: 1, at: { arm: 'main', round: 1, step: 'solve' } };
const whole: ModelAnswer = {
  ok: true,
  text: 'x',
  finish: 'stop',
  usage: { input: 3, output: 1 },
  model: 'm',
  requestId: null,
};

const request: ModelRequest = {
  messages: [{ role: 'user', content: 'one' }],
  temperature: 0,
  maxTokens: 10,
  seed: 5,
  weights: null,
  responseFormat: { name: 'form', schema: { type: 'object' } },
  logprobs: 2,
};
const call: Call = { item: 'a', sample: 0, request };

interface Asked {
  readonly run: string;
  readonly seed?: number;
  readonly cache?: boolean;
  readonly name?: string;
  readonly endpoint?: string | null;
  readonly place?: EffectPlace;
  readonly call?: Call;
  readonly answer?: ModelAnswer;
}

/** One run with one call; gives how often its model was asked, and the run's cost. */
async function ask(store: MemoryStore, asked: Asked) {
  const { run, seed = 1, cache = true, name = 'm', endpoint = 'here', answer = whole } = asked;
  let calls = 0;
  const model: LanguageModel = {
    name,
    price: { input: 1, output: 1 },
    ...(endpoint === null ? {} : { endpoint }),
    async *generate(requests) {
      calls += requests.length;
      for (const index of requests.keys()) yield { index, answer };
    },
  };
  const id = asId<RunId>(run);
  const seeds = { first: 1, second: 1, other: 2 } as const;
  const earlierRuns = async () =>
    Object.entries(seeds).map(([earlier, its]) => ({ id: asId<RunId>(earlier), seed: its }));
  const services = { ...testRun({ store }).services, store, earlierRuns };
  const facts = { recipe: '', data: '', caps: {}, origin: null, attempts: 0, cache };
  const account = await readAccount(store, id);
  const ledger = await openLedger({ id, model, seed, facts, account }, services, {
    aborted: false,
    reason: null,
  });
  const [given] = await ledger.ask(asked.place ?? place, [asked.call ?? call], () => undefined);
  return { calls, given, meter: ledger.meter() };
}

const warm: ModelRequest = { ...request, temperature: 0.7 };

/** Where a call is made, and what is drawn there: at temperature 0 none of it can change the answer. */
const moves: Readonly<Record<string, Partial<Asked> & { readonly call: Call }>> = {
  'the step': { place: { ...place, step: 'other' }, call },
  'the round': { place: { ...place, round: 2 }, call },
  'the item': { call: { ...call, item: 'b' } },
  'the sample': { call: { ...call, sample: 1 } },
  'the seed of the call': { call: { ...call, request: { ...request, seed: 6 } } },
};

const changes: Readonly<Record<string, Partial<Asked>>> = {
  'the model': { name: 'n' },
  'the endpoint': { endpoint: 'there' },
  'an endpoint that is not said': { endpoint: null },
  'the attempt': { call: { ...call, attempt: 1 } },
  'a recipe that wants none': { cache: false },
  ...Object.fromEntries(
    (
      [
        ['words', { messages: [{ role: 'user', content: 'two' }] }],
        ['a role', { messages: [{ role: 'system', content: 'one' }] }],
        ['one more message', { messages: [...request.messages, ...request.messages] }],
        ['the temperature', { temperature: 0.1 }],
        ['the limit', { maxTokens: 11 }],
        ['the weights', { weights: asId<ContentHash>('w') }],
        ['the name of the form', { responseFormat: { name: 'other', schema: { type: 'object' } } }],
        ['the form', { responseFormat: { name: 'form', schema: { type: 'array' } } }],
        ['log-probabilities', { logprobs: 3 }],
      ] as const
    ).map(([name, change]) => [name, { call: { ...call, request: { ...request, ...change } } }]),
  ),
};

describe('an equal call of an earlier run', () => {
  it('is not paid again, and is counted by itself; the second run needs the first no more', async () => {
    const store = memoryStore();
    expect((await ask(store, { run: 'first' })).calls).toBe(1);
    const second = await ask(store, { run: 'second' });
    expect(second).toMatchObject({ calls: 0, given: whole });
    expect(second.meter).toMatchObject({ calls: 0, cached: 1, reused: 0, usd: 0 });
    for (const key of [...store.effects.keys()]) if (key.startsWith('first ')) store.effects.delete(key);
    const resumed = await ask(store, { run: 'second' });
    expect(resumed).toMatchObject({ calls: 0, given: whole });
    expect(resumed.meter).toMatchObject({ calls: 0, cached: 1 });
  });

  it.each(Object.entries(changes))('is missed where %s differs', async (_, change) => {
    const store = memoryStore();
    await ask(store, { run: 'first' });
    expect((await ask(store, { run: 'second', ...change })).calls).toBe(1);
  });

  it.each(Object.entries(moves))('is found at temperature 0 where %s differs', async (_, change) => {
    const store = memoryStore();
    await ask(store, { run: 'first' });
    const moved = await ask(store, { run: 'second', ...change });
    expect(moved).toMatchObject({ calls: 0, given: whole });
    for (const key of [...store.effects.keys()]) if (key.startsWith('first ')) store.effects.delete(key);
    // What was found is found from there in its turn, and by the run itself.
    expect((await ask(store, { run: 'second', ...change })).calls).toBe(0);
    expect((await ask(store, { run: 'other', seed: 2 })).calls).toBe(0);
  });

  it.each(Object.entries(moves))('is missed above temperature 0 where %s differs', async (_, change) => {
    const store = memoryStore();
    await ask(store, { run: 'first', call: { ...call, request: warm } });
    const { seed } = change.call.request;
    const moved = { ...change, call: { ...change.call, request: { ...warm, seed } } };
    expect((await ask(store, { run: 'second', ...moved })).calls).toBe(1);
  });

  it('prefers the very same call to one like it', async () => {
    const store = memoryStore();
    await ask(store, { run: 'first' });
    await ask(store, { run: 'first', call: { ...call, sample: 1 }, answer: { ...whole, text: 'y' } });
    const second = await ask(store, { run: 'second', call: { ...call, sample: 1 } });
    expect(second).toMatchObject({ calls: 0, given: { text: 'y' } });
  });

  it('is missed by any other request', async () => {
    const requests = fc.record({
      messages: fc.array(
        fc.record({
          role: fc.constantFrom('system', 'user', 'assistant'),
          content: fc.string({ maxLength: 3 }),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      temperature: fc.constantFrom(0, 0.5, 1),
      maxTokens: fc.integer({ min: 1, max: 4 }),
      seed: fc.integer({ min: 0, max: 4 }),
      weights: fc.constantFrom(null, asId<ContentHash>('w')),
    });
    await fc.assert(
      fc.asyncProperty(requests, requests, async (one, other) => {
        const store = memoryStore();
        await ask(store, { run: 'first', call: { ...call, request: one } });
        const { calls } = await ask(store, { run: 'second', call: { ...call, request: other } });
        const drawn = (asked: ModelRequest) => ({ ...asked, seed: asked.temperature === 0 ? 0 : asked.seed });
        expect(calls).toBe(JSON.stringify(drawn(one)) === JSON.stringify(drawn(other)) ? 0 : 1);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['failed', { ok: false, reason: 'no' }],
    ['was cut', { ...whole, finish: 'length' }],
    ['was refused', { ...whole, finish: 'refusal' }],
  ] as const)('is asked anew where it %s', async (_, answer) => {
    const store = memoryStore();
    await ask(store, { run: 'first', answer });
    expect((await ask(store, { run: 'second' })).calls).toBe(1);
  });

  it('is shared by seeds at temperature 0 alone', async () => {
    const drawn = { ...call, request: warm };
    const store = memoryStore();
    await ask(store, { run: 'other', seed: 2, call: drawn });
    expect((await ask(store, { run: 'first', seed: 1, call: drawn })).calls).toBe(1);
    expect((await ask(store, { run: 'second', seed: 1, call: drawn })).calls).toBe(0);
    const cold = memoryStore();
    await ask(cold, { run: 'other', seed: 2 });
    expect((await ask(cold, { run: 'first', seed: 1 })).calls).toBe(0);
  });

  it('is not taken from a run whose model has moved', async () => {
    const store = memoryStore();
    await ask(store, { run: 'first' });
    await ask(store, { run: 'first', endpoint: 'there', call: { ...call, item: 'b' } });
    expect((await ask(store, { run: 'second' })).calls).toBe(1);
  });
});
