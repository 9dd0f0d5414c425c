/**
 * Owns the check of several samples asked for in one call: what goes together, what comes back under which index, what is
 * asked again alone, how usage is shared out, and that nobody waits for a neighbour that does not come.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sampleGroups } from '../../../../src/adapters/models/sampleGroups.ts';
import { readSamples } from '../../../../src/adapters/models/chatProtocol.ts';
import type { CallSource, ModelRequest, TakenCall } from '../../../../src/core/ports.ts';
import { apiError, completionBody, json, type Reply, type SeenRequest } from '../../../fakes/openaiServer.ts';
import { all, modelOf, request, serve } from './askEndpoint.ts';

/** `tasks` tasks of `samples` samples each, neighbours that differ in the seed only. */
const calls = (tasks: number, samples: number): ModelRequest[] =>
  Array.from({ length: tasks * samples }, (_, index) =>
    request(`task ${Math.floor(index / samples)}`, { seed: index + 1 }),
  );
const countOf = ({ body }: SeenRequest): number => (typeof body['n'] === 'number' ? body['n'] : 1);
const promptOf = ({ body }: SeenRequest): string =>
  (body['messages'] as readonly { content: string }[])[0]?.content ?? '';

/** Choices under these indices, each with its own text; 10 tokens written for each, 100 read. */
const choices = (indices: readonly number[], text: (index: number) => string): Reply =>
  json(
    200,
    completionBody('', 'stop', {
      choices: indices.map((index) => ({ index, message: { content: text(index) }, finish_reason: 'stop' })),
      usage: { prompt_tokens: 100, completion_tokens: 10 * indices.length },
    }),
    { 'x-request-id': 'req-1' },
  );
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const honest: Reply = (response, seen) =>
  choices(upTo(countOf(seen)), (index) => `${promptOf(seen)} #${index}`)(response, seen);

describe('samples of one request', () => {
  test('go one by one, each with its seed, unless the provider is set to more', async () => {
    const server = await serve(honest);
    await all(modelOf(server), calls(3, 4));
    expect(server.seen).toHaveLength(12);
    expect(server.seen.every(({ body }) => body['n'] === undefined)).toBe(true);
    expect(new Set(server.seen.map(({ body }) => body['seed'])).size).toBe(12);
  });

  test('go as one call without a seed; usage adds up to what the call cost', async () => {
    const server = await serve(honest);
    const answers = await all(modelOf(server, { samplesPerCall: 3 }), calls(5, 4));
    expect(server.seen.map(countOf).sort()).toEqual([1, 1, 1, 1, 1, 3, 3, 3, 3, 3]);
    for (const seen of server.seen) expect(seen.body['seed'] === undefined).toBe(countOf(seen) > 1);
    expect(answers.size).toBe(20);
    let input = 0;
    let output = 0;
    for (const [index, answer] of answers) {
      expect(answer).toMatchObject({ ok: true, model: 'fake-1', requestId: 'req-1' });
      if (!answer.ok) continue;
      expect(answer.text).toBe(`task ${Math.floor(index / 4)} #${index % 4 === 3 ? 0 : index % 4}`);
      input += answer.usage.input ?? NaN;
      output += answer.usage.output ?? NaN;
    }
    expect(input).toBe(100 * server.seen.length);
    expect(output).toBe(200);
  });

  test('are keyed by index: in any order, twice, beyond what was asked; what lacks is asked alone', async () => {
    const server = await serve((response, seen) =>
      countOf(seen) === 4
        ? choices([3, 1, 1, 9], (index) => `together #${index}`)(response, seen)
        : choices([0], () => `alone ${String(seen.body['seed'])}`)(response, seen),
    );
    const answers = await all(modelOf(server, { samplesPerCall: 4 }), calls(1, 4));
    const texts = upTo(4)
      .map((index) => answers.get(index))
      .map((answer) => (answer?.ok ? answer.text : ''));
    expect(texts).toEqual(['alone 1', 'together #1', 'alone 3', 'together #3']);
    expect(server.seen.map(countOf)).toEqual([4, 1, 1]);
  });

  test('are asked one by one from then on where the field is refused, or does nothing', async () => {
    const refusing: Reply = (response, seen) =>
      countOf(seen) > 1
        ? apiError(400, { message: 'Unsupported parameter: n', param: 'n' })(response, seen)
        : honest(response, seen);
    const deaf: Reply = (response, seen) =>
      choices([0], () => `${promptOf(seen)} ${String(seen.body['seed'])}`)(response, seen);
    for (const [reply, before] of [
      [refusing, 0],
      [deaf, 1],
    ] as const) {
      const server = await serve(reply);
      const answers = await all(modelOf(server, { samplesPerCall: 4, concurrency: 1 }), calls(3, 4));
      expect([...answers.values()].every(({ ok }) => ok)).toBe(true);
      expect(answers.size).toBe(12);
      expect(server.seen.filter((seen) => countOf(seen) > 1)).toHaveLength(1);
      // The refused call brought nothing; the one whose field did nothing brought one answer.
      expect(server.seen).toHaveLength(1 + 12 - before);
    }
  });

  test('go one by one as a stream and through the Responses API, which have no such field', async () => {
    const server = await serve(apiError(400));
    await all(modelOf(server, { samplesPerCall: 4, stream: true }), calls(1, 4));
    await all(modelOf(server, { samplesPerCall: 4, api: 'responses' }), calls(1, 4));
    expect(server.seen).toHaveLength(8);
    expect(server.seen.every(({ body }) => body['n'] === undefined)).toBe(true);
  });

  test('fail together where the call fails', async () => {
    const server = await serve(apiError(400, { message: 'bad' }));
    const answers = await all(modelOf(server, { samplesPerCall: 4 }), calls(2, 4));
    expect([...answers.values()].map(({ ok }) => ok)).toEqual(Array.from({ length: 8 }, () => false));
    expect(server.seen).toHaveLength(2);
  });
});

test('usage of samples: unknown stays unknown, and a sample without text has none', () => {
  const body = {
    choices: [
      { index: 1, message: { content: 'b' }, finish_reason: 'stop' },
      { index: 0, message: { content: null }, finish_reason: 'stop' },
    ],
  };
  const [first, second] = readSamples(body, 'm', null, 2);
  expect(first).toMatchObject({ ok: false });
  expect(second).toMatchObject({ ok: true, text: 'b', usage: { input: null, output: null } });
});

/** A source that hands out one call at a time, and the next only when `free` says so. */
function slowSource(requests: readonly ModelRequest[], together: number) {
  let next = 0;
  let open = 0;
  let closed = false;
  const returned: number[] = [];
  const waiters: (() => void)[] = [];
  const wake = (): void => waiters.splice(0).forEach((waiter) => waiter());
  const source: CallSource = {
    size: requests.length,
    async next(): Promise<TakenCall | null> {
      while (!closed && next < requests.length && open >= together)
        await new Promise<void>((resolve) => waiters.push(resolve));
      const request = requests[next];
      if (closed || request === undefined) return null;
      open += 1;
      return { index: next++, request };
    },
    giveBack: (index) => void returned.push(index),
    close() {
      closed = true;
      wake();
    },
  };
  const settle = (count: number): void => {
    open -= count;
    wake();
  };
  return { source, settle, returned };
}

describe('whoever hands calls out', () => {
  test('may wait for the answers to those taken: nobody waits for a neighbour', async () => {
    const { source, settle } = slowSource(calls(1, 6), 2);
    const groups = sampleGroups(source, () => 4);
    const sizes: number[] = [];
    for (;;) {
      const unit = await groups.next();
      if (unit === null) break;
      sizes.push(unit.length);
      settle(unit.length);
    }
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(6);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2);
  });

  test('gets every call back that was taken ahead, and each call is handed out once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 12 }),
        async (samples, size, units) => {
          const requests = samples.flatMap((count, task) =>
            upTo(count).map((seed) => request(String(task), { seed })),
          );
          const { source, returned } = slowSource(requests, Infinity);
          const groups = sampleGroups(source, () => size);
          const handed: number[] = [];
          for (let count = 0; count < units; count++) {
            const unit = await groups.next();
            if (unit === null) break;
            expect(unit.length).toBeLessThanOrEqual(size);
            expect(new Set(unit.map((call) => call.request.messages[0]?.content)).size).toBe(1);
            handed.push(...unit.map(({ index }) => index));
          }
          await groups.finish();
          const all = [...handed, ...returned].sort((a, b) => a - b);
          expect(all).toEqual(upTo(all.length));
          expect(returned.length).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 60 },
    );
  });
});
