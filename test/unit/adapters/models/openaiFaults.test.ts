// Owns the check of every fault a local server can be told to have.
import { describe, expect, test } from 'vitest';
import { asId, type ContentHash } from '../../../../src/core/model/ids.ts';
import {
  apiError,
  completion,
  gzipBomb,
  halfBody,
  hang,
  inTurn,
  json,
  later,
  type Reply,
  raw,
  stall,
  trickle,
} from '../../../fakes/openaiServer.ts';
import { canary, serve, modelOf, request, all, one, refusal, matching } from './askEndpoint.ts';

describe('faults worth asking again', () => {
  test.each<[string, Reply]>([
    ['500', apiError(500)],
    ['502 with a page', raw(502, { 'content-type': 'text/html' }, '<html>bad gateway</html>')],
    ['529', apiError(529)],
    ['408', apiError(408)],
    ['409', apiError(409)],
    ['429 without a time', apiError(429)],
    ['503', apiError(503)],
    ['half a body', halfBody],
    ['JSON cut short', raw(200, { 'content-type': 'application/json' }, '{"choices":[')],
    ['an empty body', raw(200, { 'content-type': 'application/json' }, '')],
    ['204', raw(204, {}, '')],
    ['a body that goes silent', stall],
    ['an error inside with a status', json(200, { error: { code: 502, message: 'bad gateway' } })],
  ])('%s, then an answer', async (_name, fault) => {
    const server = await serve(inTurn(fault, completion('42')));
    expect(await one(server)).toMatchObject({ ok: true, text: '42' });
    expect(server.seen).toHaveLength(2);
  });

  test('an endless 500 is one failed call with the reason, after a bounded number of tries', async () => {
    const server = await serve(apiError(500, { message: 'boom\nat line 1' }));
    const answer = await one(server);
    expect(answer).toEqual({ ok: false, reason: `${server.host} answered with status 500: boom at line 1` });
    expect(server.seen).toHaveLength(5);
  });

  test('x-should-retry: false is obeyed', async () => {
    const server = await serve(apiError(500, { message: 'no' }, { 'x-should-retry': 'false' }));
    expect(await one(server)).toMatchObject({ ok: false });
    expect(server.seen).toHaveLength(1);
  });

  test('no answer in time, and an endless trickle, end', async () => {
    for (const reply of [hang, trickle(20)]) {
      const server = await serve(reply);
      const start = performance.now();
      const answer = await one(server, { limits: { totalMs: 300, firstMs: 5_000, idleMs: 10_000 } });
      expect(answer).toMatchObject({
        ok: false,
        reason: matching(/no whole answer within 0 s/),
      });
      expect(server.seen).toHaveLength(2);
      expect(performance.now() - start).toBeLessThan(3_000);
    }
  });

  test('Retry-After is waited out by every call, and costs no try', async () => {
    const busy = apiError(429, { message: 'slow down' }, { 'retry-after': '1' });
    const server = await serve(inTurn(busy, busy, later(5, completion('42'))));
    const answers = await all(
      modelOf(server, { concurrency: 2 }),
      Array.from({ length: 6 }, () => request('hi')),
    );
    expect([...answers.values()].every((answer) => answer.ok)).toBe(true);
    const [, second, third] = server.seen;
    expect((third?.at ?? 0) - (second?.at ?? 0)).toBeGreaterThanOrEqual(990);
    expect(server.seen).toHaveLength(8);
  });
});

describe('faults that fail one call only', () => {
  test.each<[string, Reply, RegExp]>([
    [
      'too long',
      apiError(400, {
        message: "This model's maximum context length is 8192 tokens",
        code: 'context_length_exceeded',
      }),
      /^too long for the model/,
    ],
    ['413', apiError(413, { message: 'payload' }), /refused the request: payload/],
    [
      'a filtered prompt',
      apiError(400, { message: 'The prompt was filtered', code: 'content_filter' }),
      /prompt was filtered/,
    ],
    ['a gzip bomb', gzipBomb(200), /larger than 8 MB/],
    ['418 with a page', raw(418, { 'content-type': 'text/html' }, '<script>x</script>'), /status 418$/],
  ])('%s', async (_name, reply, reason) => {
    const server = await serve(reply);
    const before = process.memoryUsage().rss;
    const answer = await one(server);
    expect(answer.ok ? '' : answer.reason).toMatch(reason);
    expect(server.seen).toHaveLength(1);
    expect(process.memoryUsage().rss - before).toBeLessThan(300e6);
  });

  test('the others are answered', async () => {
    const server = await serve(
      inTurn(completion('1'), apiError(400, { message: 'bad item' }), completion('3')),
    );
    const answers = await all(modelOf(server, { concurrency: 1 }), [
      request('a'),
      request('b'),
      request('c'),
    ]);
    expect([...answers.values()].map(({ ok }) => ok)).toEqual([true, false, true]);
  });
});

describe('faults of the provider as a whole', () => {
  test.each<[string, Reply, RegExp]>([
    [
      '401',
      apiError(401, { message: `Incorrect API key provided: ${canary}` }),
      /rejected the key; set a valid key/,
    ],
    [
      '403',
      apiError(403, { message: `no access for ${canary}\u001b[31m` }),
      /does not allow this key.*no access for \[key\]/,
    ],
    ['404', apiError(404, { message: 'The model does not exist' }), /no model "fake".*base URL/],
    ['402', apiError(402), /out of credit/],
    [
      'no quota',
      apiError(429, { message: 'You exceeded your current quota', type: 'insufficient_quota' }),
      /out of credit/,
    ],
    [
      'a wait of two hours',
      apiError(429, { message: 'x' }, { 'retry-after': '7200' }),
      /asks to wait 120 minutes/,
    ],
    [
      'a page',
      raw(200, { 'content-type': 'text/html' }, '<html>Sign in</html>'),
      /text\/html instead of an API answer/,
    ],
    ['no content type', raw(200, {}, 'hello'), /something unnamed instead/],
    [
      'an unknown parameter',
      apiError(400, { message: 'Unknown parameter: top_q', code: 'unknown_parameter', param: 'top_q' }),
      /does not take this kind of request/,
    ],
  ])('%s', async (_name, reply, message) => {
    const server = await serve(reply);
    const text = await refusal(one(server));
    expect(text).toMatch(message);
    expect(text).toContain(server.host);
    expect(text).not.toMatch(/\p{Cc}/u);
    expect(server.seen).toHaveLength(1);
  });

  test('a redirect is not followed, and the key goes nowhere', async () => {
    const thief = await serve(completion('stolen'));
    for (const status of [301, 302, 303, 307, 308]) {
      const server = await serve(raw(status, { location: `${thief.baseURL}/chat/completions` }, ''));
      expect(await refusal(one(server))).toMatch(/redirects to another address/);
      expect(server.seen).toHaveLength(1);
    }
    expect(thief.seen).toHaveLength(0);
  });

  test('nobody there', async () => {
    const server = await serve(completion('42'));
    await server.close();
    expect(await refusal(one(server))).toMatch(/cannot reach 127\.0\.0\.1:\d+ \(ECONNREFUSED\)/);
  });

  test('a server that fails every call is one message, not a thousand', async () => {
    const server = await serve(apiError(500, { message: 'down' }));
    const work = all(
      modelOf(server, { concurrency: 4 }),
      Array.from({ length: 1_000 }, () => request('hi')),
    );
    expect(await refusal(work)).toMatch(/failed \d+ times in a row, last because .*status 500: down/);
    expect(server.seen.length).toBeLessThan(60);
  });

  test('a busy server is waited for only so long', async () => {
    const server = await serve(apiError(429));
    expect(await refusal(one(server, { limits: { patienceMs: 100 } }))).toMatch(
      /is busy \(429\) and still is/,
    );
  });

  test('answers that came before are handed over', async () => {
    const server = await serve(inTurn(completion('1'), completion('2'), apiError(401)));
    const got: number[] = [];
    const requests = Array.from({ length: 10 }, () => request('hi'));
    const work = (async () => {
      for await (const { index } of modelOf(server, { concurrency: 1 }).generate(requests, {
        aborted: false,
      }))
        got.push(index);
    })();
    await refusal(work);
    expect(got).toEqual([0, 1]);
    expect(server.seen).toHaveLength(3);
  });

  test('a key that no header can carry is named as such', async () => {
    const server = await serve(completion('42'));
    for (const key of [`${canary}\nx-evil: 1`, 'sk-CANARY ключ'])
      expect(await refusal(one(server, { apiKey: async () => key }))).toMatch(/characters a key cannot have/);
    expect(server.seen).toHaveLength(0);
    expect(await one(server, { apiKey: async () => ` Bearer ${canary}\n` })).toMatchObject({ ok: true });
    expect(server.seen[0]?.headers.authorization).toBe(`Bearer ${canary}`);
  });

  test('weights trained here cannot be used there', async () => {
    const server = await serve(completion('42'));
    const weights = asId<ContentHash>('ab'.repeat(32));
    expect(await refusal(all(modelOf(server), [request('hi', { weights })]))).toMatch(/weights/);
  });
});
