import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { FaultKind } from '../../../../src/adapters/models/endpointFault.ts';
import { diagnose, type Problem } from '../../../../src/adapters/models/connectionFault.ts';
import type { OpenAiEndpoint } from '../../../../src/adapters/models/session.ts';
import { testConnection } from '../../../../src/adapters/models/testConnection.ts';
import {
  apiError,
  completion,
  completionBody,
  halfBody,
  hang,
  json,
  raw,
  responseBody,
  stall,
  stream,
  streamed,
  trickle,
  type Reply,
} from '../../../fakes/openaiServer.ts';
import { canary, serve } from './askEndpoint.ts';

const listed = json(200, { object: 'list', data: [{ id: 'fake' }, { id: 'fake-2' }] });
const noList = apiError(404, { message: 'Not Found' });

/** The list of models, then every other request. */
const server =
  (list: Reply, rest: Reply): Reply =>
  (response, request) =>
    (request.path.split('?')[0]?.endsWith('/models') === true ? list : rest)(response, request);

const quick = { totalMs: 1_500, firstMs: 500, idleMs: 150 };
const endpoint = (baseURL: string, change: Partial<OpenAiEndpoint> = {}): OpenAiEndpoint => ({
  provider: 'p',
  baseURL,
  model: 'fake',
  apiKey: async () => canary,
  limits: quick,
  ...change,
});

interface Row {
  readonly what: string;
  readonly list?: Reply;
  readonly reply: Reply;
  readonly change?: Partial<OpenAiEndpoint>;
  /** null: it works. */
  readonly problem: Problem | null;
  readonly says: RegExp;
}

const rows: readonly Row[] = [
  {
    what: 'works',
    reply: completion('OK'),
    problem: null,
    says: /^fake-1 at .* answers, with the key, in \d+\.\d s; it lists 2 models\.$/,
  },
  {
    what: 'works without a list',
    list: noList,
    reply: completion('OK'),
    problem: null,
    says: /with the key, in \d+\.\d s\.$/,
  },
  {
    what: 'works without a key',
    reply: completion('OK'),
    change: { apiKey: async () => null },
    problem: null,
    says: /without a key/,
  },
  {
    what: 'works as a stream',
    reply: stream(streamed('OK')),
    change: { stream: true },
    problem: null,
    says: /answers/,
  },
  {
    what: 'works by the Responses API',
    reply: json(200, responseBody('OK')),
    change: { api: 'responses' },
    problem: null,
    says: /answers/,
  },
  {
    what: 'answers nothing within one token',
    reply: completion('', 'length'),
    problem: null,
    says: /answers/,
  },
  {
    what: 'thinks longer than one token',
    reply: apiError(400, {
      message: 'Could not finish the message because max_tokens or model output limit was reached.',
    }),
    problem: null,
    says: /^fake at .* answers/,
  },
  {
    what: 'an older name of a field',
    reply: (response, request) =>
      ('max_tokens' in request.body
        ? apiError(400, {
            message:
              "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            param: 'max_tokens',
            code: 'unsupported_parameter',
          })
        : completion('OK'))(response, request),
    problem: null,
    says: /answers/,
  },
  {
    what: '401 with a key',
    reply: apiError(401, { message: `Incorrect API key provided: ${canary}` }),
    problem: 'key',
    says: /does not accept the key .*; run "Ratchet: Set API Key\.\.\."/,
  },
  {
    what: '401 without a key',
    reply: apiError(401),
    change: { apiKey: async () => null },
    problem: 'key',
    says: /wants a key and none is set; run/,
  },
  {
    what: '401 at the list already',
    list: apiError(401),
    reply: completion('never'),
    problem: 'key',
    says: /does not accept the key/,
  },
  {
    what: '403 with a key',
    reply: apiError(403, { message: 'no access' }),
    problem: 'key',
    says: /not allowed to use "fake" .*another key or model/,
  },
  {
    what: '403 without a key',
    reply: apiError(403),
    change: { apiKey: async () => null },
    problem: 'key',
    says: /lets nobody in without a key/,
  },
  {
    what: 'a key with a line break in it',
    reply: completion('never'),
    change: { apiKey: async () => 'sk\u0000bad' },
    problem: 'key',
    says: /characters a key cannot have/,
  },
  {
    what: '404 for the model',
    list: noList,
    reply: apiError(404, { message: 'The model `fake` does not exist', code: 'model_not_found' }),
    problem: 'model',
    says: /has no model "fake".*check the model's name/,
  },
  {
    what: '404 and a list without it',
    list: json(200, { data: [{ id: 'a' }, { id: 'b' }] }),
    reply: apiError(404, { message: 'Not Found' }),
    problem: 'model',
    says: /has no model "fake"; it offers a, b/,
  },
  {
    what: 'Azure, without that deployment',
    list: noList,
    reply: apiError(404, {
      code: 'DeploymentNotFound',
      message: 'The API deployment for this resource does not exist.',
    }),
    problem: 'model',
    says: /has no model "fake"/,
  },
  {
    what: 'Ollama, without that model',
    list: noList,
    reply: apiError(404, { message: 'model "fake" not found, try pulling it first' }),
    problem: 'model',
    says: /try pulling it first/,
  },
  {
    what: '400 for the model',
    list: noList,
    reply: apiError(400, { message: 'Invalid model: fake is not a valid model ID, unknown' }),
    problem: 'model',
    says: /does not take the model "fake"/,
  },
  {
    what: 'the path lacks /v1',
    list: noList,
    reply: raw(404, { 'content-type': 'text/plain' }, '404 page not found'),
    problem: 'address',
    says: /There is no API under/,
  },
  {
    what: 'out of credit, 429',
    reply: apiError(429, { message: 'You exceeded your current quota', code: 'insufficient_quota' }),
    problem: 'quota',
    says: /out of credit/,
  },
  { what: 'out of credit, 402', reply: apiError(402), problem: 'quota', says: /out of credit/ },
  {
    what: 'too fast',
    reply: apiError(429, { message: 'slow down' }, { 'retry-after': '7' }),
    problem: 'quota',
    says: /limiting how fast it may be asked \(it says: slow down\); try again in 7 s/,
  },
  { what: 'overloaded', reply: apiError(503), problem: 'quota', says: /try again in a minute/ },
  {
    what: 'failed inside',
    reply: apiError(500, { message: 'CUDA out of memory' }),
    problem: 'network',
    says: /failed with status 500 \(it says: CUDA out of memory\); look into its own log/,
  },
  {
    what: 'a web page',
    list: raw(200, { 'content-type': 'text/html' }, '<html>'),
    reply: raw(200, { 'content-type': 'text/html' }, '<html>Sign in</html>'),
    problem: 'address',
    says: /answered with a web page/,
  },
  {
    what: 'plain text',
    reply: raw(200, { 'content-type': 'text/plain' }, 'hello'),
    problem: 'address',
    says: /answered with text\/plain/,
  },
  {
    what: 'not JSON',
    reply: raw(200, { 'content-type': 'application/json' }, 'hello'),
    problem: 'address',
    says: /empty or not JSON/,
  },
  {
    what: 'JSON of another shape',
    reply: json(200, { hello: 'world' }),
    problem: 'answer',
    says: /does not answer the way OpenAI's API does/,
  },
  {
    what: 'no choices',
    reply: json(200, completionBody('x', 'stop', { choices: [] })),
    problem: 'answer',
    says: /does not answer the way/,
  },
  {
    what: 'elsewhere',
    reply: raw(307, { location: 'https://elsewhere.example/v1' }, ''),
    problem: 'address',
    says: /redirects to another address/,
  },
  {
    what: 'nothing said',
    list: noList,
    reply: hang,
    problem: 'network',
    says: /said nothing for 1 s; it may still be loading the model/,
  },
  { what: 'fell silent', reply: stall, problem: 'network', says: /began an answer and did not end it/ },
  { what: 'a trickle', reply: trickle(40), problem: 'network', says: /began an answer and did not end it/ },
  { what: 'half an answer', reply: halfBody, problem: 'network', says: /hung up without an answer/ },
  {
    what: 'half a stream',
    reply: stream(streamed('OK').slice(0, 2)),
    change: { stream: true },
    problem: 'answer',
    says: /ended before the answer did/,
  },
  {
    what: 'refused for another reason',
    reply: apiError(422, { message: 'no' }),
    problem: 'answer',
    says: /refused the request with status 422/,
  },
];

const sockets: Server[] = [];
afterEach(() => sockets.splice(0).forEach((each) => each.close()));
async function listener(onData: string | null): Promise<string> {
  const made = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => (onData === null ? socket.destroy() : socket.end(onData)));
  });
  sockets.push(made);
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(made.address() as AddressInfo).port}`;
}

const wholeSentence = (message: string) => {
  expect(message).not.toContain('CANARY');
  expect(message).toMatch(/^[A-Za-z0-9"].*\.$/u);
  expect(message).not.toMatch(/[\p{Cc}]/u);
};

describe('trying a connection', () => {
  it.each(rows)('$what', async ({ list = listed, reply, change, problem, says }) => {
    const { baseURL, seen } = await serve(server(list, reply));
    const report = await testConnection(endpoint(baseURL, change));
    expect(report).toMatchObject({ ok: problem === null, problem });
    expect(report.message).toMatch(says);
    wholeSentence(report.message);
    // A person watches: one list and one call, and one more for each field that had to be left out.
    expect(seen.length).toBeLessThanOrEqual(3);
    const calls = seen.filter(({ path }) => !path.endsWith('/models'));
    for (const { body } of calls) {
      const limit = body['max_tokens'] ?? body['max_completion_tokens'] ?? body['max_output_tokens'];
      expect(limit).toBe(change?.api === 'responses' ? 16 : 1);
    }
  });

  it('only looks and lists where no model is named', async () => {
    const { baseURL, seen } = await serve(server(listed, completion('never')));
    expect(await testConnection(endpoint(baseURL, { model: '' }))).toMatchObject({
      ok: true,
      models: ['fake', 'fake-2'],
    });
    expect(seen).toHaveLength(1);
    const none = await serve(server(noList, completion('never')));
    const report = await testConnection(endpoint(none.baseURL, { model: '' }));
    expect(report).toMatchObject({ ok: true, models: [] });
    expect(report.message).toContain('lists no models');
  });

  it('names the address to try where the base URL lacks its /v1', async () => {
    const { baseURL } = await serve((response, request) =>
      (request.path.startsWith('/v1/')
        ? completion('OK')
        : raw(404, { 'content-type': 'text/html' }, '<html>404'))(response, request),
    );
    const { message, problem } = await testConnection(endpoint(baseURL.replace('/v1', '')));
    expect(problem).toBe('address');
    expect(message).toMatch(/There is no API under "\/" at .*; most base URLs end in \/v1, so try \/v1\.$/u);
    wholeSentence(message);
  });

  it('tells a port where nobody listens, one that is no web server, and one without TLS', async () => {
    const closed = await listener(null);
    sockets.splice(0).forEach((each) => each.close());
    const cases: readonly [string, Problem, RegExp][] = [
      [`http://${closed}/v1`, 'network', /Nothing listens at/],
      [`http://${await listener(null)}/v1`, 'network', /hung up without an answer/],
      [`http://${await listener('SSH-2.0-OpenSSH\r\n')}/v1`, 'network', /hung up without an answer/],
      [
        `https://${await listener('HTTP/1.1 400 Bad Request\r\n\r\n')}/v1`,
        'address',
        /does not speak TLS at this port/,
      ],
      [
        'https://no-such-host.invalid/v1',
        'address',
        /There is no host named no-such-host\.invalid|could not be looked up/,
      ],
    ];
    for (const [baseURL, problem, says] of cases) {
      const report = await testConnection(endpoint(baseURL));
      expect(report.message, baseURL).toMatch(says);
      if (!report.message.includes('looked up')) expect(report.problem, baseURL).toBe(problem);
      wholeSentence(report.message);
    }
  });

  it('names the proxy where that is what fails', async () => {
    const closed = await listener(null);
    sockets.splice(0).forEach((each) => each.close());
    const down = await testConnection(endpoint('https://api.example.com/v1', { proxy: `http://${closed}` }));
    expect(down).toMatchObject({ ok: false, problem: 'network' });
    expect(down.message).toContain(`The proxy ${closed} makes no connection`);
    const refusing = await listener(
      'HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n',
    );
    const report = await testConnection(
      endpoint('https://api.example.com/v1', { proxy: `http://${refusing}` }),
    );
    expect(report.message).toMatch(/wants a sign-in/);
  });

  it.each(['nonsense', 'http://example.com/v1', 'https://u:p@example.com', 'https://example.com/?x', ''])(
    'refuses the address %o without connecting',
    async (baseURL) => {
      const report = await testConnection(endpoint(baseURL));
      expect(report).toMatchObject({ ok: false, problem: 'address' });
      wholeSentence(report.message);
    },
  );

  it('has a sentence of its own for each fault of TLS', () => {
    const tried = { host: 'h:1', hostname: 'h', path: '/v1', model: 'm', keyed: true, listed: null, now: 0 };
    const tls = (code: string) => diagnose({ kind: 'tls', code } satisfies FaultKind, tried).message;
    expect(tls('ERR_TLS_CERT_ALTNAME_INVALID')).toContain('for another name');
    expect(tls('CERT_HAS_EXPIRED')).toContain('out of date');
    expect(tls('DEPTH_ZERO_SELF_SIGNED_CERT')).toContain('NODE_EXTRA_CA_CERTS');
    expect(tls('UNABLE_TO_VERIFY_LEAF_SIGNATURE')).toContain('NODE_EXTRA_CA_CERTS');
    expect(tls('EPROTO')).toContain('does not speak TLS');
    const slow = diagnose({ kind: 'unreachable', code: 'UND_ERR_CONNECT_TIMEOUT' }, tried).message;
    expect(slow).toContain('takes no connection');
    for (const code of ['EAI_AGAIN', 'ENETUNREACH', 'ECONNREFUSED', 'ENOTFOUND'])
      wholeSentence(diagnose({ kind: 'unreachable', code }, tried).message);
  });
});
