/**
 * Owns the check of every fault an API can have, each at three moments: the first call of a run, in the middle with 16 in
 * flight, and the last call. The rows are in apiFaultRows.ts; their kinds:
 *   again    asked again, and every call of the run is answered
 *   item     that call failed with a reason, asked once (or as often as `asked` says), and all others are answered
 *   outcome  an answer like any other, asked once
 *   paused   the run pauses with one sentence, answers before it are kept, and nothing is asked any more
 * In files of their own, at the same three moments: 20 to 23 and 44's GOAWAY, which are faults of the way there
 * (connectionFaults.test.ts), and 41 where several answers are asked for at once (sampleFaults.test.ts).
 * Otherwise: 9 is held to the end of the test and not for two minutes; that 14 halves is in hostGate.test.ts.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OpenAiEndpoint } from '../../../../src/adapters/models/session.ts';
import type { LanguageModel, ModelAnswer } from '../../../../src/core/ports.ts';
import {
  completion,
  type FakeServer,
  later,
  type Reply,
  stream,
  streamed,
} from '../../../fakes/openaiServer.ts';
import { again, busy, item, outcome, paused, type Row } from './apiFaultRows.ts';
import { all, modelOf, refusal, request, serve } from './askEndpoint.ts';

const CALLS = 60;
const IN_FLIGHT = 16;
const moments = [
  ['first', 0],
  ['middle', 20],
  ['last', CALLS - 1],
] as const;

const tasks = Array.from({ length: CALLS }, (_, index) => request(String(index)));

function itemOf(body: Readonly<Record<string, unknown>>): number {
  return Number((body['messages'] as readonly { content: string }[])[0]?.content);
}

/** Answers every item with its own number, but has `fault` for one of them: the first time, or each time. */
function faultAt(at: number, fault: Reply, always: boolean): Reply {
  let times = 0;
  return (response, seen) => {
    const item = itemOf(seen.body);
    if (item === at && (always || times++ === 0))
      // The last call is alone by then.
      return at === CALLS - 1 ? later(60, fault)(response, seen) : fault(response, seen);
    const good = seen.body['stream'] === true ? stream(streamed(String(item))) : completion(String(item));
    // The first sixteen are slow enough to be in flight together.
    return later(item < IN_FLIGHT ? 40 : 5 + (item % 7), good)(response, seen);
  };
}

const unhandled: unknown[] = [];
const note = (error: unknown): number => unhandled.push(error);
beforeAll(() => void process.on('unhandledRejection', note));
afterAll(() => {
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

/** On a machine with much else to do nothing may be slow by itself. */
const patient = { firstMs: 20_000, idleMs: 20_000, totalMs: 20_000 };

function modelWith(server: FakeServer, change: Partial<OpenAiEndpoint> = {}): LanguageModel {
  return modelOf(server, { concurrency: IN_FLIGHT, ...change, limits: { ...patient, ...change.limits } });
}

const timesAsked = (server: FakeServer, at: number): number =>
  server.seen.filter(({ body }) => itemOf(body) === at).length;

/** When nothing more arrives: what was sent before may still be on its way. */
async function quiet(server: FakeServer): Promise<void> {
  for (let seen = -1; seen !== server.seen.length; ) {
    seen = server.seen.length;
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
}

async function answersOf(
  row: Row,
  at: number,
  always: boolean,
): Promise<{ server: FakeServer; answers: Map<number, ModelAnswer>; timesAsked: number }> {
  const server = await serve(faultAt(at, row.reply, always));
  const answers = await all(modelWith(server, row.change), tasks);
  expect(answers.size).toBe(CALLS);
  for (const [index, answer] of answers)
    if (index !== at) expect(answer).toMatchObject({ ok: true, text: String(index) });
  return { server, answers, timesAsked: timesAsked(server, at) };
}

describe.each(moments)('at the %s call', (moment, at) => {
  test.each(again.map((row) => [row.fault, row.name, row] as const))(
    '%i %s is asked again',
    async (_fault, _name, row) => {
      const { server, answers, timesAsked } = await answersOf(row, at, false);
      expect(answers.get(at)).toMatchObject({ ok: true, text: String(at) });
      expect(timesAsked).toBe(2);
      if (moment === 'middle') expect(server.peak).toBeGreaterThanOrEqual(IN_FLIGHT);
    },
  );

  test.each(item.map((row) => [row.fault, row.name, row] as const))(
    '%i %s fails that call',
    async (_fault, _name, row) => {
      const { answers, timesAsked } = await answersOf(row, at, true);
      const answer = answers.get(at);
      expect(answer?.ok === false ? answer.reason : '').toMatch(row.reason);
      expect(timesAsked).toBe(row.asked ?? 1);
    },
  );

  test.each(outcome.map((row) => [row.fault, row.name, row] as const))(
    '%i %s is an outcome',
    async (_fault, _name, row) => {
      const warnings: string[] = [];
      const log = {
        info: () => undefined,
        warn: (text: string) => warnings.push(text),
        error: () => undefined,
      };
      const { answers, timesAsked } = await answersOf({ ...row, change: { ...row.change, log } }, at, true);
      expect(answers.get(at)).toMatchObject(row.answer);
      expect(timesAsked).toBe(1);
      expect(warnings.length > 0).toBe(row.fault === 43);
    },
  );

  test.each(paused.map((row) => [row.fault, row.name, row] as const))(
    '%i %s pauses the run',
    async (_fault, _name, row) => {
      const server = await serve(faultAt(at, row.reply, true));
      const got = new Set<number>();
      const run = async (): Promise<void> => {
        const model = modelWith(server, row.change);
        for await (const { index } of model.generate(tasks, { aborted: false })) got.add(index);
      };
      const sentence = await refusal(run());
      expect(sentence).toMatch(row.sentence);
      expect(sentence).toContain(server.host);
      expect(got.has(at)).toBe(false);
      if (moment === 'last') expect(got.size).toBe(CALLS - 1);
      await quiet(server);
      expect(server.seen.length).toBeLessThanOrEqual(got.size + IN_FLIGHT);
      expect(timesAsked(server, at)).toBeLessThanOrEqual(1);
    },
  );

  test('19 a server that goes away pauses the run', async () => {
    const away: Reply = async () => {
      await server.close();
    };
    const server: FakeServer = await serve((response, seen) => faultAt(at, away, true)(response, seen));
    const work = all(modelWith(server), tasks);
    expect(await refusal(work)).toMatch(/cannot reach 127\.0\.0\.1:\d+ \(ECONNREFUSED\)/);
  });

  test('14 a server that stays busy pauses the run, and is not asked much meanwhile', async () => {
    let since = false;
    const server = await serve((response, seen) => {
      since ||= itemOf(seen.body) === at;
      return (since ? busy({}) : completion(String(itemOf(seen.body))))(response, seen);
    });
    expect(await refusal(all(modelWith(server, { limits: { patienceMs: 150 } }), tasks))).toMatch(
      /is busy \(429\) and still is/,
    );
    expect(server.seen.length).toBeLessThan(CALLS + 4 * IN_FLIGHT);
  });

  test('9 two minutes to wait are waited, by everyone, and burn no try', async () => {
    const server = await serve(faultAt(at, busy({ 'retry-after': '120' }), true));
    const stop = { aborted: false };
    const got = all(modelWith(server), tasks, stop);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await quiet(server);
    const asked = server.seen.length;
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(server.seen).toHaveLength(asked);
    expect(timesAsked(server, at)).toBe(1);
    const start = performance.now();
    stop.aborted = true;
    expect((await got).has(at)).toBe(false);
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  test('45 Stop ends all calls within a second and keeps what came', async () => {
    const stop = { aborted: false };
    let stoppedAt = Infinity;
    const server = await serve((response, seen) => {
      const index = itemOf(seen.body);
      if (index < at) return completion(String(index))(response, seen);
      if (index === Math.min(at + IN_FLIGHT, CALLS) - 1)
        setTimeout(() => {
          stop.aborted = true;
          stoppedAt = performance.now();
        }, 30);
      return undefined;
    });
    const got = await all(modelWith(server), tasks, stop);
    expect(performance.now() - stoppedAt).toBeLessThan(1_000);
    expect([...got.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: at }, (_, index) => index));
    await quiet(server);
    expect(server.seen).toHaveLength(Math.min(at + IN_FLIGHT, CALLS));
  });
});
