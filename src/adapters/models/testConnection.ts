/**
 * Owns trying a provider before a run does: the list of its models where it has one, then one call of one token.
 * Deliberately asks each thing once and waits seconds, not minutes: a person is watching.
 */
import type { ModelAnswer, ModelRequest } from '../../core/ports.ts';
import { ProviderError } from '../../core/ports.ts';
import { askAnswer } from './askAnswer.ts';
import { exchange } from './askEndpoint.ts';
import { type Diagnosis, diagnose, type Problem, type Tried } from './connectionFault.ts';
import { type FaultKind, faultOf } from './endpointFault.ts';
import { type ExchangeContext, exchangeContext } from './exchangeContext.ts';
import { hostGates } from './hostGate.ts';
import { listOf, objectOf } from './json.ts';
import { judgeFault } from './judgeFault.ts';
import { type OpenAiEndpoint, openSession, type Session } from './session.ts';

export interface ConnectionReport {
  readonly ok: boolean;
  /** One sentence: what answers, or what exactly is wrong and what to do. */
  readonly message: string;
  /** Null where nothing is wrong. */
  readonly problem: Problem | null;
  /** Models the endpoint lists, in its order; empty where it lists none. */
  readonly models: readonly string[];
}

const limits = { totalMs: 30_000, firstMs: 20_000, idleMs: 10_000, backoffMs: 1 };
const mostModels = 2_000;
/** A request loses one field for each refusal, of which there are no more than this. */
const mostTries = 6;

/** The smallest request there is. The Responses API takes no fewer than 16 tokens; chat completions take one. */
function smallest(maxTokens: number): ModelRequest {
  return {
    messages: [{ role: 'user', content: 'Say OK.' }],
    temperature: 0,
    maxTokens,
    seed: 1,
    weights: null,
  };
}

/** Ids of the models an endpoint lists; null where it keeps no list. Gives a fault where nothing at all can be had. */
async function listModels(
  session: Session,
): Promise<readonly string[] | null | { readonly fault: FaultKind }> {
  const context: ExchangeContext = { signal: new AbortController().signal, answer: null };
  try {
    const client = await session.client();
    await exchangeContext.run(context, () => client.models.list().asResponse());
  } catch (error) {
    const fault = faultOf(error);
    if (fault === null) throw error;
    // No list is no fault: many servers have none, or show it to nobody.
    if (fault.kind === 'status' && ![401, 407].includes(fault.status)) return null;
    if (['notJson', 'malformed', 'redirect'].includes(fault.kind)) return null;
    return { fault };
  }
  const named = listOf(objectOf(context.answer?.body)?.['data']).map((item) => objectOf(item)?.['id']);
  const ids = named.filter((id): id is string => typeof id === 'string' && id !== '' && id.length <= 200);
  return ids.length === 0 ? null : ids.slice(0, mostModels);
}

/** A field an endpoint does not take is left out, as in a run. */
async function ask(
  session: Session,
  maxTokens: number,
): Promise<ModelAnswer | { readonly fault: FaultKind }> {
  const { address, endpoint, refused } = session;
  for (let tries = 1; ; tries += 1) {
    const done = await exchange(
      session,
      askAnswer(session, smallest(maxTokens)),
      new AbortController().signal,
    );
    if (done === null) throw new Error('The try ended by itself.');
    if ('answer' in done) return done.answer;
    const asked = { host: address.host, model: endpoint.model, sent: done.sent, now: Date.now() };
    const verdict = judgeFault(done.fault, asked);
    if (verdict.kind !== 'adapt' || tries >= mostTries) return { fault: done.fault };
    refused.add(verdict.field);
  }
}

/** Some models think before they speak and reject a limit this small; that they say so is the answer looked for. */
const thoughtTooLong = /max_(?:completion_|output_)?tokens|output limit/iu;

const failed = ({ problem, message }: Diagnosis, models: readonly string[]): ConnectionReport => ({
  ok: false,
  problem,
  message,
  models,
});

function passed(
  session: Session,
  ms: number,
  answeredBy: string,
  models: readonly string[],
): ConnectionReport {
  const { address, keyed } = session;
  const key = keyed ? 'with the key' : 'without a key';
  const list =
    models.length === 0 ? '' : `; it lists ${models.length} ${models.length === 1 ? 'model' : 'models'}`;
  const message = `${answeredBy} at ${address.host} answers, ${key}, in ${(ms / 1000).toFixed(1)} s${list}.`;
  return { ok: true, problem: null, message, models };
}

function judgeAnswer(answer: ModelAnswer, session: Session): string | null {
  if (answer.ok || thoughtTooLong.test(answer.reason)) return null;
  return `${session.address.host} does not answer the way OpenAI's API does: ${answer.reason}; check the base URL and the api setting.`;
}

/**
 * Tries an endpoint once. `model` '' only looks whether it can be reached and what it lists. Never throws for anything an
 * endpoint, a network or a setting does.
 */
export async function testConnection(endpoint: OpenAiEndpoint): Promise<ConnectionReport> {
  let session: Session;
  try {
    // A gate of its own: a run may be waiting at the host's.
    session = openSession({ ...endpoint, limits: { ...limits, ...endpoint.limits }, gates: hostGates() });
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return failed({ problem: 'address', message: error.message }, []);
  }
  const { address, protocol } = session;
  const { hostname, pathname } = new URL(address.baseURL);
  const path = pathname.replace(/\/+$/u, '');
  const { model } = endpoint;
  const tried = (listed: readonly string[] | null): Tried => ({
    ...{ host: address.host, hostname, path, model, listed },
    ...{ keyed: session.keyed, now: Date.now() },
  });
  const began = performance.now();
  const listed = await listModels(session);
  if (listed !== null && 'fault' in listed) return failed(diagnose(listed.fault, tried(null)), []);
  const models = listed ?? [];
  if (model === '') {
    const found = models.length === 0 ? 'lists no models; name one' : `lists ${models.length} models`;
    return { ok: true, problem: null, message: `${address.host} can be reached and ${found}.`, models };
  }
  const answer = await ask(session, protocol.leastTokens);
  if ('fault' in answer) {
    const { fault } = answer;
    const reached = fault.kind === 'status' && fault.status === 400 && thoughtTooLong.test(fault.text);
    return reached
      ? passed(session, performance.now() - began, model, models)
      : failed(diagnose(fault, tried(listed)), models);
  }
  const problem = judgeAnswer(answer, session);
  if (problem !== null) return failed({ problem: 'answer', message: problem }, models);
  const answeredBy = answer.ok ? answer.model : model;
  return passed(session, performance.now() - began, answeredBy, models);
}
