/**
 * Owns the check of batches against a server that speaks the documented API: what is sent, what its files mean, and what
 * comes of each fault. Runs go through the ledger, as real ones do. Kills are batchKills.test.ts.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { OpenAiEndpoint } from '../../../../src/adapters/models/session.ts';
import { type BatchRun, batchRun, CALLS } from './batchRun.ts';
import {
  badLine,
  type BatchServer,
  type BatchServerOptions,
  goodLine,
  startBatchServer,
} from '../../../fakes/batchServer.ts';
import { canary } from './askEndpoint.ts';

const servers: BatchServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});
async function serve(options: BatchServerOptions = {}): Promise<BatchServer> {
  const server = await startBatchServer(options);
  servers.push(server);
  return server;
}
async function run(
  options: BatchServerOptions,
  change: Partial<OpenAiEndpoint> = {},
  count = CALLS,
): Promise<BatchRun & { readonly server: BatchServer }> {
  const server = await serve(options);
  return { ...batchRun(server.baseURL, change, { count }), server };
}
const promptOf = (line: { body: object }): string =>
  ((line.body as { messages: { content: string }[] }).messages[0] as { content: string }).content;

describe('a step asked by batches', () => {
  test('is answered in order, with usage, model and request id of each, for half the price', async () => {
    const it = await run({});
    const answers = await it.ask();
    expect(answers).toHaveLength(CALLS);
    answers.forEach((answer, index) =>
      expect(answer).toMatchObject({
        ok: true,
        text: `re: ${index}`,
        finish: 'stop',
        usage: { input: 11, output: 3 },
        model: 'fake-1',
        requestId: expect.stringMatching(/^req-/) as unknown,
      }),
    );
    expect(it.server.batches).toHaveLength(1);
    const [batch] = it.server.batches;
    expect(batch?.lines).toHaveLength(CALLS);
    expect(batch?.lines[0]).toMatchObject({
      method: 'POST',
      url: '/v1/chat/completions',
      body: { model: 'fake', max_tokens: 16, seed: 1 },
    });
    expect(new Set(it.server.calls.map(({ key }) => key))).toEqual(new Set([`Bearer ${canary}`]));
    // 40 answers of 11 and 3 tokens at half of $2 and $8 for a million.
    expect(it.meter().usd).toBeCloseTo((CALLS * (11 * 1 + 3 * 4)) / 1e6, 12);
    // Found in the ledger: nothing is asked again.
    const before = it.server.calls.length;
    expect(await it.ask()).toEqual(answers);
    expect(it.server.calls).toHaveLength(before);
  });

  test('says how far the provider is while it works', async () => {
    const it = await run({ looks: 6 });
    await it.ask();
    const notes = it.progress.filter(({ note }) => note === "answered by the provider's batch");
    const done = notes.map(({ done: count }) => count);
    expect(done.some((count) => count > 0 && count < CALLS)).toBe(true);
    expect([...done].sort((a, b) => a - b)).toEqual(done);
    expect(done.at(-1)).toBe(CALLS);
  });

  test('goes in several batches where one may not hold it, by requests and by bytes', async () => {
    const byCount = await run({}, { limits: { batch: { requests: 15, bytes: 1e9 } } });
    await byCount.ask();
    expect(byCount.server.batches.map(({ lines }) => lines.length).sort()).toEqual([10, 15, 15]);
    const byBytes = await run({}, { limits: { batch: { requests: 1_000, bytes: 3_000 } } });
    await byBytes.ask();
    expect(byBytes.server.batches.length).toBeGreaterThan(3);
    expect(byBytes.server.largest).toBeLessThan(3_500);
    expect([...byBytes.server.paid.values()].every((times) => times === 1)).toBe(true);
  });

  test('through the Responses API', async () => {
    const response = (text: string) => ({
      status: 'completed',
      model: 'fake-2',
      output: [{ type: 'message', content: [{ type: 'output_text', text }] }],
      usage: { input_tokens: 5, output_tokens: 2 },
    });
    const it = await run(
      {
        answer: ({ body }) => ({
          output: {
            status_code: 200,
            request_id: `resp-req-${(body['input'] as { content: string }[])[0]?.content}`,
            body: response(String((body['input'] as { content: string }[])[0]?.content)),
          },
        }),
      },
      { api: 'responses' },
    );
    expect((await it.ask())[7]).toMatchObject({
      ...{ ok: true, text: '7', usage: { input: 5, output: 2 } },
      ...{ finish: 'stop', model: 'fake-2', requestId: 'resp-req-7' },
    });
    expect(it.server.batches[0]?.lines[0]?.url).toBe('/v1/responses');
  });

  test('fails the calls whose requests are at fault, and only those', async () => {
    const it = await run({
      answer: (line) =>
        Number(promptOf(line)) % 10 === 3
          ? badLine(400, { message: 'maximum context length', code: 'context_length_exceeded' })
          : goodLine(line),
    });
    (await it.ask()).forEach((answer, index) => {
      if (index % 10 === 3)
        expect(answer).toMatchObject({ ok: false, reason: expect.stringMatching(/^too long/) as unknown });
      else expect(answer).toMatchObject({ ok: true, text: `re: ${index}` });
    });
    expect(it.server.batches).toHaveLength(1);
  });

  test('asks again what failed in passing, in a second batch, and gives up at the third', async () => {
    const it = await run({
      answer: (line, attempt) => {
        const item = Number(promptOf(line));
        if (item === 5) return badLine(500, { message: 'oops' });
        return item === 6 && attempt === 0 ? badLine(429, { message: 'busy' }) : goodLine(line);
      },
    });
    const answers = await it.ask();
    expect(answers[5]).toMatchObject({ ok: false, reason: expect.stringContaining('status 500') as unknown });
    expect(answers[6]).toMatchObject({ ok: true });
    expect(it.server.batches.map(({ lines }) => lines.length)).toEqual([CALLS, 2, 1]);
  });

  test('asks again what the window was too short for', async () => {
    const it = await run({ end: (_batch, number) => (number === 1 ? 'expired' : 'completed') });
    expect((await it.ask()).every(({ ok }) => ok)).toBe(true);
    expect(it.server.batches.map(({ lines }) => lines.length)).toEqual([CALLS, CALLS / 2]);
    expect([...it.server.paid.values()].every((times) => times === 1)).toBe(true);
  });

  test('pauses when batch after batch expires without an answer', async () => {
    const it = await run({ end: () => 'expired', answer: () => ({ neither: true }) });
    await expect(it.ask()).rejects.toThrow(/did not get through the batch within its 24 hours; resume/);
    expect(it.server.batches).toHaveLength(4);
  });

  test('asks again what no line answers, ignores names nobody asked for and second answers', async () => {
    const it = await run({
      answer: (line, attempt) =>
        promptOf(line) === '9' && attempt === 0 ? { neither: true } : goodLine(line),
      file: (text) => {
        const [first = ''] = text.split('\n');
        const stranger = first.replace(/"custom_id":"[^"]+"/, '"custom_id":"nobody"');
        const again = first.replace(/re: \d+/, 'a second word');
        return `${stranger}\n${text}${again}\n`;
      },
    });
    const answers = await it.ask();
    answers.forEach((answer, index) => expect(answer).toMatchObject({ ok: true, text: `re: ${index}` }));
    expect(it.server.batches.map(({ lines }) => lines.length)).toEqual([CALLS, 1]);
  });

  test.each([
    ['within a line', (text: string) => text.slice(0, text.length / 2)],
    ['between two lines', (text: string) => text.slice(0, text.lastIndexOf('\n', text.length / 2) + 1)],
  ])('reads a file anew that is cut %s', async (_where, cut) => {
    const it = await run({ file: (text, number) => (number === 1 ? cut(text) : text) });
    const answers = await it.ask();
    answers.forEach((answer, index) => expect(answer).toMatchObject({ ok: true, text: `re: ${index}` }));
    expect(it.server.batches).toHaveLength(1);
  });

  test('asks again what a file lacks that stays cut', async () => {
    let first = true;
    const it = await run({
      file: (text) => {
        if (it.server.batches.length > 1) first = false;
        return first ? text.slice(0, text.length / 2) : text;
      },
    });
    expect((await it.ask()).every(({ ok }) => ok)).toBe(true);
    expect(it.server.batches).toHaveLength(2);
  });

  test('fails the lines an endpoint does not accept, and submits the others', async () => {
    const it = await run({
      validate: (_batch, number) =>
        number === 1 ? [{ code: 'invalid_request', message: 'Bad line.', param: null, line: 4 }] : [],
    });
    const answers = await it.ask();
    expect(answers[3]).toEqual({ ok: false, reason: 'the endpoint refused the request: Bad line' });
    expect(answers.filter(({ ok }) => ok)).toHaveLength(CALLS - 1);
    expect(it.server.batches.map(({ lines }) => lines.length)).toEqual([CALLS, CALLS - 1]);
  });

  test('leaves out a field that is not taken, at validation and in the error file', async () => {
    const it = await run({
      validate: (batch) =>
        batch.lines[0]?.body['seed'] === undefined
          ? []
          : [
              {
                code: 'unsupported_parameter',
                message: 'Unsupported parameter: seed',
                param: 'seed',
                line: 1,
              },
            ],
      answer: (line) =>
        line.body['max_tokens'] === undefined
          ? goodLine(line)
          : badLine(400, { message: "Unsupported parameter: 'max_tokens'", param: 'max_tokens' }),
    });
    expect((await it.ask()).every(({ ok }) => ok)).toBe(true);
    expect(it.server.batches.at(-1)?.lines[0]?.body).toMatchObject({ max_completion_tokens: 16 });
  });

  test('pauses with the endpoint’s words when it accepts nothing, and tries anew when resumed', async () => {
    const it = await run({
      validate: (_batch, number) => (number === 1 ? [{ code: 'x', message: 'No batches for you.' }] : []),
    });
    await expect(it.ask()).rejects.toThrow(/did not accept the batch: No batches for you; resume/);
    expect((await it.session().ask()).every(({ ok }) => ok)).toBe(true);
  });

  test('pauses when a person cancels it elsewhere, keeps what was answered, and asks for the rest when resumed', async () => {
    const it = await run({ end: (_batch, number) => (number === 1 ? 'cancelled' : 'completed') });
    await expect(it.ask()).rejects.toThrow(/was cancelled at .*; resume the run to ask for the rest/);
    expect((await it.session().ask()).every(({ ok }) => ok)).toBe(true);
    expect(it.server.batches.map(({ lines }) => lines.length)).toEqual([CALLS, CALLS / 2]);
  });

  test('waits for one batch before the next, or cuts it, where the queue is full', async () => {
    const full = [{ code: 'token_limit_exceeded', message: 'Enqueued token limit reached', line: null }];
    const open = (server: BatchServer): number =>
      server.batches.filter(({ status }) => ['validating', 'in_progress', 'finalizing'].includes(status))
        .length;
    const it = await run(
      {
        validate: (batch) =>
          batch.looks === 1 && (batch.lines.length > 10 || open(it.server) > 1) ? full : [],
      },
      { limits: { batch: { requests: 20, bytes: 1e9 } } },
    );
    expect((await it.ask()).every(({ ok }) => ok)).toBe(true);
    expect([...it.server.paid.values()].every((times) => times === 1)).toBe(true);
  });

  test('that is stopped for good is cancelled; one that is paused goes on', async () => {
    for (const reason of ['stop', 'pause'] as const) {
      const it = await run({ looks: 1_000_000 });
      const asked = it.ask();
      await expect.poll(() => it.server.batches.length).toBe(1);
      it.control.reason = reason;
      it.control.aborted = true;
      await expect(asked).rejects.toMatchObject({ name: 'Halted' });
      expect(it.server.batches[0]?.status === 'cancelling').toBe(reason === 'stop');
    }
  });

  test('at an endpoint that has none says so, and what to change', async () => {
    const it = await run({
      intercept: ({ done }, response) => {
        if (done) return false;
        response.writeHead(404, { 'content-type': 'application/json' });
        response.end('{"error":{"message":"Not Found"}}');
        return true;
      },
    });
    await expect(it.ask()).rejects.toThrow(/offers no batches .*take mode: batch and batch: true out/);
  });

  test('a connection that breaks at the making of a batch does not make two', async () => {
    let cut = 0;
    const it = await run({
      intercept: ({ done }, response) => {
        if (!done || cut > 0) return false;
        cut += 1;
        response.destroy();
        return true;
      },
    });
    expect((await it.ask()).every(({ ok }) => ok)).toBe(true);
    expect(cut).toBe(1);
    expect(it.server.batches).toHaveLength(1);
  });

  test('never costs more than its cap: what does not fit is not submitted', async () => {
    const it = await run({}, {}, CALLS);
    const capped = it.session({ calls: 25 });
    await expect(capped.ask()).rejects.toMatchObject({ name: 'Halted', kind: 'budget' });
    const submitted = it.server.batches.reduce((sum, { lines }) => sum + lines.length, 0);
    expect(submitted).toBe(25);
    expect((await it.session({ calls: CALLS }).ask()).every(({ ok }) => ok)).toBe(true);
    expect([...it.server.paid.values()].every((times) => times === 1)).toBe(true);
  });
});
