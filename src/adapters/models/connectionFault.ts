/**
 * Owns what a fault of a first try means to a person who sets a provider up: what exactly is wrong, and what to do, in one
 * sentence. Pure, so that each fault is a row of a table. Deliberately apart from judgeFault.ts, which says what a run does.
 */
import type { FaultKind } from './endpointFault.ts';
import { serverError } from './judgeFault.ts';
import { retryAfter } from './rateHeaders.ts';

/** What a person would have to change. */
export type Problem = 'address' | 'network' | 'key' | 'model' | 'quota' | 'answer';

export interface Diagnosis {
  readonly problem: Problem;
  readonly message: string;
}

export interface Tried {
  readonly host: string;
  readonly hostname: string;
  /** Of the base URL, without a slash at its end; '' for none. */
  readonly path: string;
  readonly model: string;
  /** Whether a key was sent. */
  readonly keyed: boolean;
  /** The models the endpoint lists; null where it lists none. */
  readonly listed: readonly string[] | null;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const say = (problem: Problem, message: string): Diagnosis => ({ problem, message });
const quoted = (text: string): string => (text === '' ? '' : ` (it says: ${text.replace(/[.\s]+$/u, '')})`);
const setKey = 'run "Ratchet: Set API Key..." or set its environment variable';

function unreachable(code: string, { host, hostname }: Tried): Diagnosis {
  switch (code) {
    case 'ENOTFOUND':
      return say('address', `There is no host named ${hostname}; check the base URL for a slip.`);
    case 'EAI_AGAIN':
      return say('network', `The name ${hostname} could not be looked up; check this machine's network.`);
    case 'ECONNREFUSED':
      return say('network', `Nothing listens at ${host}; start the server there, or check the port.`);
    case 'UND_ERR_CONNECT_TIMEOUT':
      return say(
        'network',
        `${host} takes no connection within 10 s; check the address, the firewall, and whether a proxy is needed.`,
      );
    default:
      return say(
        'network',
        `${host} cannot be reached from this machine (${code}); check the network and the address.`,
      );
  }
}

function tls(code: string, { host }: Tried): Diagnosis {
  if (/ALTNAME|HOSTNAME/u.test(code))
    return say(
      'address',
      `The certificate at ${host} is for another name; use the name it was made for as base URL.`,
    );
  if (/EXPIRED|NOT_YET/u.test(code))
    return say('network', `The certificate of ${host} is out of date (${code}); have it renewed.`);
  if (/SELF_SIGNED|UNABLE_TO|DEPTH_ZERO|CERT_UNTRUSTED/u.test(code))
    return say(
      'network',
      `The certificate of ${host} is from nobody this machine trusts (${code}); name its authority's file in NODE_EXTRA_CA_CERTS and start the editor again.`,
    );
  return say(
    'address',
    `${host} does not speak TLS at this port (${code}); check the port, or use http:// where it is on this machine.`,
  );
}

function notFound(text: string, tried: Tried): Diagnosis {
  const { host, path, model, listed } = tried;
  const { message, code } = serverError(text);
  const aboutModel =
    /model/iu.test(`${message} ${code}`) ||
    (model !== '' && message.includes(model)) ||
    /deployment/iu.test(message);
  if (aboutModel || listed !== null) {
    const near = listed === null || listed.length === 0 ? '' : `; it offers ${listed.slice(0, 3).join(', ')}`;
    return say('model', `${host} has no model "${model}"${near}${quoted(message)}; check the model's name.`);
  }
  const versioned = /\/v\d/u.test(path) || path.includes('/deployments/');
  return say(
    'address',
    versioned
      ? `There is no API under ${path} at ${host}; check the path of the base URL.`
      : `There is no API under "${path === '' ? '/' : path}" at ${host}; most base URLs end in /v1, so try ${path}/v1.`,
  );
}

function busy(fault: Extract<FaultKind, { kind: 'status' }>, { host, now }: Tried): Diagnosis {
  const { message, code } = serverError(fault.text);
  if (/insufficient_quota|billing|credit|exceeded your current quota/iu.test(`${code} ${message}`))
    return say('quota', `The account at ${host} is out of credit${quoted(message)}; add credit there.`);
  const after = retryAfter(fault.headers, now);
  const wait = after === null ? 'in a minute' : `in ${Math.max(1, Math.round(after / 1000))} s`;
  return say('quota', `${host} is limiting how fast it may be asked${quoted(message)}; try again ${wait}.`);
}

function status(fault: Extract<FaultKind, { kind: 'status' }>, tried: Tried): Diagnosis {
  const { host, keyed, model } = tried;
  const { message, code } = serverError(fault.text);
  const all = `${message} ${code}`;
  switch (fault.status) {
    case 401:
      return say(
        'key',
        keyed
          ? `${host} does not accept the key${quoted(message)}; ${setKey}.`
          : `${host} wants a key and none is set; ${setKey}.`,
      );
    case 402:
      return say('quota', `The account at ${host} is out of credit${quoted(message)}; add credit there.`);
    case 403:
      return say(
        'key',
        keyed
          ? `The key is not allowed to use "${model}" at ${host}${quoted(message)}; use another key or model.`
          : `${host} lets nobody in without a key${quoted(message)}; ${setKey}.`,
      );
    case 404:
    case 405:
    case 410:
      return notFound(fault.text, tried);
    case 429:
    case 503:
      return busy(fault, tried);
  }
  if (fault.status >= 500)
    return say(
      'network',
      `${host} failed with status ${fault.status}${quoted(message)}; look into its own log.`,
    );
  if (/model/iu.test(all) && /not.{0,12}(?:found|exist|support)|unknown|invalid model/iu.test(all))
    return say(
      'model',
      `${host} does not take the model "${model}"${quoted(message)}; check the model's name.`,
    );
  return say('answer', `${host} refused the request with status ${fault.status}${quoted(message)}.`);
}

/** One sentence that names the host and never a key, for each way a try can fail. */
export function diagnose(fault: FaultKind, tried: Tried): Diagnosis {
  const { host } = tried;
  switch (fault.kind) {
    case 'status':
      return status(fault, tried);
    case 'redirect':
      return say(
        'address',
        `${host} redirects to another address, which is not followed; set the final address as base URL.`,
      );
    case 'proxySignIn':
      return say('network', `The proxy on the way to ${host} wants a sign-in; use one that does not.`);
    case 'proxyDown':
      return say(
        'network',
        `The proxy ${fault.proxy} makes no connection to ${host} (${fault.code}); check the proxy.`,
      );
    case 'tls':
      return tls(fault.code, tried);
    case 'unreachable':
      return unreachable(fault.code, tried);
    case 'dropped':
      return say(
        'network',
        `${host} hung up without an answer (${fault.code}); check that it is an HTTP server and that the port is right.`,
      );
    case 'slow':
      return say(
        'network',
        fault.wait === 'first'
          ? `${host} took the request and said nothing for ${fault.seconds} s; it may still be loading the model, so try again later.`
          : `${host} began an answer and did not end it within ${fault.seconds} s; look into its own log.`,
      );
    case 'incomplete':
      return say('answer', `The stream from ${host} ended before the answer did; look into its own log.`);
    case 'tooLarge':
      return say(
        'answer',
        `${host} answered with over ${fault.megabytes} MB, which no model does; check the base URL.`,
      );
    case 'notJson':
      return say(
        'address',
        fault.contentType === 'text/html'
          ? `${host} answered with a web page instead of an API's answer; check the base URL, and whether a sign-in page is in the way.`
          : `${host} answered with ${fault.contentType === '' ? 'something unnamed' : fault.contentType} instead of an API's answer; check the base URL.`,
      );
    case 'malformed':
      return say(
        'address',
        `${host} sent an answer that is empty or not JSON; check that it speaks OpenAI's protocol.`,
      );
    case 'badKey':
      return say('key', `The key for ${host} has characters a key cannot have; ${setKey} again.`);
  }
}
