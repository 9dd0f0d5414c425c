/**
 * Owns what a fault means for the call and for the run: ask again, give this one task up, or stop using the provider.
 * Pure, so that every fault is a row of a table in the tests. Deliberately never retries an outcome (a refusal, a wrong
 * or cut answer): only what kept an answer from coming.
 */
import type { FaultKind } from './endpointFault.ts';
import { type HeaderReader, rateWindow, retryAfter } from './rateHeaders.ts';

/** A request field that not every endpoint takes. */
export type OptionalField =
  | 'seed'
  | 'temperature'
  | 'max_tokens'
  | 'stream_options'
  | 'store'
  /** Several samples of one request. */
  | 'n'
  | 'logprobs'
  /** A schema the answer is held to; without it, that it be JSON at all; without both, words. */
  | 'json_schema'
  | 'json_object';

export type Verdict =
  /** Ask again, at most `tries` times in all, after a growing pause. `certain`: no other call would fare better. */
  | { readonly kind: 'retry'; readonly tries: number; readonly reason: string; readonly certain: boolean }
  /** The endpoint is busy: everyone waits, and asking again costs no try. `afterMs` null means it did not say how long. */
  | { readonly kind: 'wait'; readonly afterMs: number | null; readonly reason: string }
  /** Ask again at once without this field. */
  | { readonly kind: 'adapt'; readonly field: OptionalField }
  /** This call failed, with the reason; the run goes on. */
  | { readonly kind: 'item'; readonly reason: string }
  /** The provider cannot answer at all; one sentence for people. */
  | { readonly kind: 'provider'; readonly message: string };

export interface Asked {
  readonly host: string;
  readonly model: string;
  /** Fields the request had. */
  readonly sent: readonly OptionalField[];
  /** Milliseconds since 1970. */
  readonly now: number;
  /** False where the exchange carried no key. */
  readonly keyed?: boolean;
  /** `batches`: that there be any at all; `batch`: one that was made. An answer when absent. */
  readonly what?: 'answer' | 'embedding' | 'batches' | 'batch';
}

/** Longer waits are for a person to decide. */
export const longestWaitMs = 3_600_000;
const manyTries = 5;

const item = (reason: string): Verdict => ({ kind: 'item', reason });
const stop = (message: string): Verdict => ({ kind: 'provider', message });
const retry = (tries: number, reason: string, certain = false): Verdict => ({
  kind: 'retry',
  tries,
  reason,
  certain,
});

interface ServerError {
  /** What the endpoint says, one line, at most 300 characters, '' when it says nothing readable. */
  readonly message: string;
  readonly code: string;
  readonly param: string;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

/** The error object of OpenAI's form, or of FastAPI's (`detail`), or plain text; a page of HTML says nothing. */
export function serverError(text: string): ServerError {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { message: /^\s*</u.test(text) ? '' : oneLine(text), code: '', param: '' };
  }
  const error = fieldOf(body, 'error') ?? body;
  const said = fieldOf(error, 'message') ?? fieldOf(error, 'detail') ?? error;
  const message = typeof said === 'string' ? said : said === undefined ? '' : JSON.stringify(said);
  const word = (value: unknown): string =>
    typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  const code = [word(fieldOf(error, 'code')), word(fieldOf(error, 'type'))].join(' ').trim();
  return { message: oneLine(message), code, param: word(fieldOf(error, 'param')) };
}

function oneLine(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  const characters = [...plain.slice(0, 1_000)];
  return characters.length > 300 ? `${characters.slice(0, 300).join('')}…` : characters.join('');
}

const said = (message: string): string => (message === '' ? '' : `: ${message.replace(/[.\s]+$/u, '')}`);

/** That the field itself is not taken; a value out of range is the request's own fault and must not be dropped silently. */
const refusesField =
  /unsupported|not support|unrecogni[sz]ed|unknown|unexpected|extra.{0,12}(?:input|field|param|forbidden)|not permitted|not allowed/iu;
const tooLong =
  /context.{0,20}(?:length|window)|maximum context|too many tokens|too long|exceeds? the.{0,30}tokens/iu;
const outOfCredit = /insufficient_quota|billing|credit|exceeded your current quota/iu;

/** What endpoints call a field that has another name here, or none of its own. */
const alsoCalled: Readonly<Partial<Record<OptionalField, readonly string[]>>> = {
  json_schema: ['response_format', 'text.format', 'format'],
  json_object: ['response_format', 'text.format', 'format'],
  logprobs: ['top_logprobs', 'include'],
};
/** How else they say that they do not take a form of answers. */
const refusesForm = /unavailable|invalid (?:value|schema|parameter)|supported values|must be/iu;

function refusedField(error: ServerError, sent: readonly OptionalField[]): OptionalField | null {
  const all = `${error.message} ${error.code}`;
  const refused = (field: OptionalField): boolean =>
    refusesField.test(all) || (field.startsWith('json_') && refusesForm.test(all));
  const names = (field: OptionalField): readonly string[] => [field, ...(alsoCalled[field] ?? [])];
  const said = (field: OptionalField): boolean =>
    names(field).some((name) => new RegExp(`\\b${name.replace('.', '\\.')}\\b`, 'u').test(error.message));
  const candidates = sent.filter(refused);
  const exact = candidates.find((field) =>
    names(field).some((name) => error.param === name || error.param.startsWith(`${name}.`)),
  );
  return exact ?? candidates.find(said) ?? null;
}

/** 400, 413, 422: the request is at fault; whether all requests are or this one is decides between provider and item. */
function judgeRequest(error: ServerError, asked: Asked): Verdict {
  const all = `${error.message} ${error.code}`;
  if (tooLong.test(all)) return item(`too long for the model${said(error.message)}`);
  const field = refusedField(error, asked.sent);
  if (field !== null) return { kind: 'adapt', field };
  if (/model_not_found|model.{0,40}(?:not exist|not found)/iu.test(all)) return noModel(error, asked);
  if (/unknown_parameter|unsupported_parameter|extra_forbidden/iu.test(all))
    return stop(`${asked.host} does not take this kind of request${said(error.message)}.`);
  return item(`the endpoint refused the request${said(error.message)}`);
}

function noModel(error: ServerError, { host, model, what }: Asked): Verdict {
  if (what === 'batches')
    return stop(
      `${host} offers no batches at this address${said(error.message)}; take mode: batch and batch: true out of the recipe.`,
    );
  if (what === 'batch')
    return stop(
      `${host} knows nothing of a batch or file of this run${said(error.message)}; use the key it was submitted with, then resume.`,
    );
  return stop(
    `${host} has no model "${model}" at this address${said(error.message)}; check the model's name and the base URL.`,
  );
}

function judgeBusy(status: number, error: ServerError, headers: HeaderReader, asked: Asked): Verdict {
  if (status === 429 && outOfCredit.test(`${error.code} ${error.message}`))
    return stop(
      `The account at ${asked.host} is out of credit${said(error.message)}; add credit, then resume.`,
    );
  const window = rateWindow(headers, asked.now);
  const afterMs = retryAfter(headers, asked.now) ?? (window?.requests === 0 ? window.ms : null);
  if (afterMs !== null && afterMs > longestWaitMs)
    return stop(`${asked.host} asks to wait ${Math.round(afterMs / 60_000)} minutes; resume the run then.`);
  return { kind: 'wait', afterMs, reason: `${asked.host} is busy (${status})` };
}

function judgeStatus(status: number, headers: HeaderReader, text: string, asked: Asked): Verdict {
  const { host } = asked;
  const error = serverError(text);
  if (status === 429 || status === 503) return judgeBusy(status, error, headers, asked);
  switch (status) {
    case 400:
    case 413:
    case 422:
      return judgeRequest(error, asked);
    case 401:
      return stop(
        asked.keyed === false
          ? `${host} wants a key and has none; run "Ratchet: Set API Key..." or set the environment variable for it, then resume.`
          : `${host} rejected the key; set a valid key for it.`,
      );
    case 402:
      return stop(`The account at ${host} is out of credit${said(error.message)}; add credit, then resume.`);
    case 403:
      return stop(
        `${host} does not allow this key to use the model${said(error.message)}; use another key or model.`,
      );
    case 404:
    case 405:
    case 410:
      return noModel(error, asked);
    case 409:
      return retry(3, `${host} answered with status 409${said(error.message)}`);
  }
  const reason = `${host} answered with status ${status}${said(error.message)}`;
  const again = status >= 500 || status === 408 || status === 425;
  return again && headers.get('x-should-retry') !== 'false' ? retry(manyTries, reason) : item(reason);
}

function slowness({ wait, seconds }: Extract<FaultKind, { kind: 'slow' }>, host: string): string {
  switch (wait) {
    case 'first':
      return `${host} did not begin to answer within ${seconds} s`;
    case 'idle':
      return `${host} fell silent for ${seconds} s in the middle of an answer`;
    case 'total':
      return `${host} gave no whole answer within ${seconds} s`;
  }
}

/** What to do about a fault. Messages name the host and never a key. */
export function judgeFault(fault: FaultKind, asked: Asked): Verdict {
  const { host } = asked;
  switch (fault.kind) {
    case 'status':
      return judgeStatus(fault.status, fault.headers, fault.text, asked);
    case 'redirect':
      return stop(
        `${host} redirects to another address, which is not followed; set the final address as base URL.`,
      );
    case 'proxySignIn':
      return stop(`The proxy on the way to ${host} wants a sign-in; set the proxy up, then resume.`);
    case 'proxyDown':
      return retry(
        3,
        `cannot reach ${host} through the proxy ${fault.proxy} (${fault.code}); check the proxy`,
        true,
      );
    case 'tls':
      return stop(
        `The certificate of ${host} is not accepted (${fault.code}); check the address and the certificate.`,
      );
    case 'unreachable':
      return retry(
        3,
        `cannot reach ${host} (${fault.code}); check that it runs and that the address is right`,
        true,
      );
    case 'dropped':
      return retry(manyTries, `the connection to ${host} broke off (${fault.code})`);
    case 'slow':
      return retry(2, slowness(fault, host));
    case 'incomplete':
      return retry(manyTries, `the stream from ${host} ended before the answer did`);
    case 'tooLarge':
      return item(`the answer is larger than ${fault.megabytes} MB`);
    case 'notJson':
      return stop(
        `${host} answered with ${fault.contentType === '' ? 'something unnamed' : fault.contentType} instead of an API answer; check the base URL and whether a sign-in page is in the way.`,
      );
    case 'malformed':
      return retry(3, `${host} sent an answer that is empty or not JSON`);
    case 'badKey':
      return stop(`The key for ${host} has characters a key cannot have; set it again.`);
  }
}
