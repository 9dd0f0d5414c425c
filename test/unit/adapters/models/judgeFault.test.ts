// Owns the check of what cannot be staged on a local server: certificates, unreachable networks, clocks, odd errors.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  EndpointFault,
  type FaultKind,
  faultOf,
  faultOfExchange,
} from '../../../../src/adapters/models/endpointFault.ts';
import { judgeFault, serverError } from '../../../../src/adapters/models/judgeFault.ts';
import { readCompletion } from '../../../../src/adapters/models/chatProtocol.ts';
import { retryAfter } from '../../../../src/adapters/models/rateHeaders.ts';
import { containing } from './askEndpoint.ts';

const asked = { host: 'api.example', model: 'm', sent: [], now: 0 };

function failure(code: string): Error {
  const cause = Object.assign(new Error('low level'), { code });
  return new TypeError('fetch failed', { cause });
}

describe('failed connections', () => {
  test.each([
    ['CERT_HAS_EXPIRED', 'tls'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls'],
    ['EPROTO', 'tls'],
    ['ECONNREFUSED', 'unreachable'],
    ['ENOTFOUND', 'unreachable'],
    ['EAI_AGAIN', 'unreachable'],
    ['ENETUNREACH', 'unreachable'],
    ['ECONNRESET', 'dropped'],
    ['UND_ERR_SOCKET', 'dropped'],
    ['UND_ERR_HEADERS_OVERFLOW', 'dropped'],
  ])('%s is %s', (code, kind) => expect(faultOfExchange(failure(code), null).kind).toBe(kind));

  test('the first of several addresses tells', () => {
    const several = new AggregateError([Object.assign(new Error(), { code: 'ECONNREFUSED' })]);
    expect(faultOfExchange(new TypeError('fetch failed', { cause: several }), null)).toEqual({
      kind: 'unreachable',
      code: 'ECONNREFUSED',
    });
  });

  test('a certificate fault stops at once and offers no way round it', () => {
    const verdict = judgeFault({ kind: 'tls', code: 'CERT_HAS_EXPIRED' }, asked);
    expect(verdict).toEqual({
      kind: 'provider',
      message:
        'The certificate of api.example is not accepted (CERT_HAS_EXPIRED); check the address and the certificate.',
    });
  });

  test('a proxy that wants a sign-in is named', () => {
    const cause = new Error('Proxy response (407) !== 200 when HTTP Tunneling');
    const fault = faultOfExchange(new TypeError('fetch failed', { cause }), 'proxy.example:3128');
    expect(judgeFault(fault, asked)).toMatchObject({ kind: 'provider', message: containing('proxy') });
  });

  test('is found through the errors of the client', () => {
    const fault: FaultKind = { kind: 'redirect' };
    const wrapped = new Error('Connection error.', {
      cause: new Error('x', { cause: new EndpointFault(fault) }),
    });
    expect(faultOf(wrapped)).toEqual(fault);
    expect(faultOf(new TypeError('x is undefined'))).toBeNull();
    expect(faultOf('text')).toBeNull();
  });
});

describe('retryAfter', () => {
  const now = Date.parse('2030-01-01T00:00:00Z');
  test.each<[Record<string, string>, number | null]>([
    [{ 'retry-after': '1' }, 1_000],
    [{ 'retry-after': ' 2.5 ' }, 2_500],
    [{ 'retry-after-ms': '250', 'retry-after': '9' }, 250],
    [{ 'retry-after': 'Tue, 01 Jan 2030 00:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Fri, 01 Jan 2027 00:00:30 GMT', date: 'Fri, 01 Jan 2027 00:00:00 GMT' }, 30_000],
    [{ 'retry-after': 'Fri, 01 Jan 2027 00:00:30 GMT' }, 0],
    [{ 'retry-after': '-5' }, null],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '1e9' }, null],
    [{ 'retry-after': '' }, null],
    [{}, null],
  ])('%j', (headers, ms) => expect(retryAfter(new Headers(headers), now)).toBe(ms));
});

describe('serverError', () => {
  test.each<[string, string]>([
    ['{"error":{"message":"no such model"}}', 'no such model'],
    ['{"error":"plain"}', 'plain'],
    ['{"message":"top"}', 'top'],
    ['{"detail":"fast"}', 'fast'],
    ['{"detail":[{"loc":["body","seed"]}]}', '[{"loc":["body","seed"]}]'],
    ['  <html>secret page</html>', ''],
    ['just text\u001b[31m\n more', 'just text [31m more'],
    ['', ''],
    ['null', 'null'],
  ])('%j says %j', (text, message) => expect(serverError(text).message).toBe(message));
  test('is at most 300 characters', () => expect(serverError('x'.repeat(5_000)).message.length).toBe(301));
});

describe('whatever an endpoint sends', () => {
  test('a status has a verdict with a short sentence and no control characters', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 999 }),
        fc.oneof(fc.json(), fc.string({ unit: 'binary' })),
        (status, text) => {
          const verdict = judgeFault({ kind: 'status', status, headers: new Headers(), text }, asked);
          const said =
            verdict.kind === 'provider' ? verdict.message : verdict.kind === 'adapt' ? '' : verdict.reason;
          expect(said).not.toMatch(/\p{Cc}/u);
          expect(said.length).toBeLessThan(600);
        },
      ),
    );
  });

  test('a body is an answer or a reason, never an exception', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const shapes = [value, { choices: value }, { choices: [value] }, { choices: [{ message: value }] }];
        for (const body of shapes) {
          const answer = readCompletion(body, 'm', null);
          if (!answer.ok) expect(answer.reason).not.toBe('');
        }
      }),
    );
  });
});
