/**
 * Owns the way of one thing asked to its answer, over as many exchanges as that takes. Deliberately retries only what kept an
 * answer from coming (judgeFault.ts), under a host-wide pace (hostGate.ts).
 */
import type OpenAI from 'openai';
import { ProviderError } from '../../core/ports.ts';
import type { FaultKind } from './endpointFault.ts';
import { faultOf } from './endpointFault.ts';
import { throwErrorInside } from './errorInside.ts';
import { type ExchangeContext, exchangeContext, type Upload } from './exchangeContext.ts';
import { backoff, type Pass } from './hostGate.ts';
import type { Asked, OptionalField, Verdict } from './judgeFault.ts';
import { judgeFault, longestWaitMs } from './judgeFault.ts';
import { pause } from './pause.ts';
import { type RateWindow, rateWindow } from './rateHeaders.ts';
import type { Session } from './session.ts';

/** One thing to ask of an endpoint: how it is sent, and what its answer is taken for. */
export interface Ask<Answer> {
  /** What it is for, where a fault of it means something else than of an answer. */
  readonly what?: Asked['what'];
  /** Fields sent that the endpoint may refuse. */
  readonly sent: () => readonly OptionalField[];
  /** Sends it through the client; the answer comes beside it (exchangeContext.ts). */
  readonly send: (client: OpenAI) => Promise<unknown>;
  readonly read: (body: unknown, requestId: string | null) => Answer;
  /** What stands for an answer that could not be had. */
  readonly failed: (reason: string) => Answer;
  /** The model that answered, by the endpoint's word; null where that says nothing. */
  readonly answeredBy: (answer: Answer) => string | null;
  readonly upload?: Upload;
  readonly onLine?: (line: unknown) => Promise<void> | null;
  /** Looks whether a try that failed did its work all the same, where doing it twice would cost. */
  readonly beforeAgain?: () => Promise<Answer | null>;
}

/** A call's end. `doubtful`: given up after several tries, which may be the host's doing rather than the call's. */
export interface Outcome<Answer> {
  readonly answer: Answer;
  readonly doubtful: boolean;
}

/** What one exchange brought: an answer (of whatever kind), or a fault to be judged. */
export type Exchange<Answer> =
  | { readonly answer: Answer; readonly window: RateWindow | null }
  | { readonly fault: FaultKind; readonly sent: readonly OptionalField[] };

/** What dropping a field means for the person who asked for it. */
const withoutField: Readonly<Record<OptionalField, string>> = {
  seed: 'does not take a seed: the same request may be answered differently',
  temperature: 'does not take a temperature: its own default is used',
  max_tokens: 'takes the answer limit by another name',
  stream_options: 'does not report usage of streamed answers: tokens count at their worst case',
  store: 'cannot be asked to keep nothing: it may store answers',
  n: 'gives one answer a call: samples are asked for one by one',
  logprobs: 'gives no log-probabilities',
  json_schema: 'holds no answer to a JSON Schema: the form is asked for in words, too',
  json_object: 'cannot be held to JSON: the form is asked for in words alone',
};

/** One exchange. Null when `signal` ended it. Errors that are no fault of the endpoint are thrown on. */
export async function exchange<Answer>(
  session: Session,
  ask: Ask<Answer>,
  signal: AbortSignal,
): Promise<Exchange<Answer> | null> {
  const sent = ask.sent();
  const { upload = null, onLine = null } = ask;
  const context: ExchangeContext = { signal, upload, onLine, answer: null };
  try {
    const client = await session.client();
    await exchangeContext.run(context, () => ask.send(client));
    const { answer } = context;
    if (answer === null) throw new Error('The client made no exchange.');
    throwErrorInside(answer.body);
    const requestId = answer.headers.get('x-request-id');
    const window = rateWindow(answer.headers, Date.now());
    return { answer: ask.read(answer.body, requestId), window };
  } catch (error) {
    if (signal.aborted) return null;
    const fault = faultOf(error);
    if (fault === null) throw error;
    return { fault, sent };
  }
}

/** Sets a field aside for good; asking again is right also where another call did so meanwhile. */
export function adapt({ refused, endpoint, address }: Session, field: OptionalField): void {
  if (refused.has(field)) return;
  refused.add(field);
  endpoint.log?.warn(`${address.host} ${withoutField[field]}.`);
}

/** Endpoints that do not name the model that answered say nothing of a change. */
function noteModel(session: Session, model: string | null): void {
  const { answeredAs, address, endpoint } = session;
  if (model === null || model === endpoint.model) return;
  if (answeredAs !== null && answeredAs !== model)
    endpoint.log?.warn(`${address.host} now answers with model ${model}, before with ${answeredAs}.`);
  session.answeredAs = model;
}

function minutes(ms: number): string {
  return ms < 90_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} minutes`;
}

/** The host is busy: everyone waits. Throws ProviderError when it has been busy for too long. */
function waitOut(session: Session, pass: Pass, verdict: Extract<Verdict, { kind: 'wait' }>): void {
  const { limits, endpoint } = session;
  const busyMs = pass.busy(verdict.afterMs);
  if (busyMs > Math.max(limits.patienceMs, verdict.afterMs ?? 0))
    throw new ProviderError(`${verdict.reason} and still is after ${minutes(busyMs)}; resume the run later.`);
  if (verdict.afterMs !== null && verdict.afterMs >= 5_000)
    endpoint.log?.info(`${verdict.reason}; waiting ${minutes(verdict.afterMs)} as it asks.`);
}

/** Throws ProviderError when the host is down; else what is left to do is the caller's. */
function noteFault(session: Session, pass: Pass, verdict: Extract<Verdict, { kind: 'retry' }>): void {
  const { address, gate } = session;
  const inRow = gate.faultsInRow + 1;
  if (!pass.faulted(verdict.certain)) return;
  throw new ProviderError(
    verdict.certain
      ? `Ratchet ${verdict.reason}.`
      : `${address.host} failed ${inRow} times in a row, last because ${verdict.reason}; resume when it works again.`,
  );
}

/**
 * Null when `signal` ended it, 'unsent' when it did before anything was sent. Throws ProviderError when the provider as a
 * whole cannot answer.
 */
export async function askEndpoint<Answer>(
  session: Session,
  ask: Ask<Answer>,
  signal: AbortSignal,
): Promise<Outcome<Answer> | 'unsent' | null> {
  const { address, endpoint, gate, limits, random } = session;
  let sent = false;
  for (let tries = 1; ; ) {
    const pass = await gate.enter(signal);
    if (pass === null) return sent ? null : 'unsent';
    sent = true;
    const outcome = signal.aborted ? null : await tryOnce(session, ask, signal, pass);
    if (outcome === null) {
      pass.left();
      return null;
    }
    if ('answer' in outcome) {
      const { window } = outcome;
      pass.answered(window !== null && window.ms <= longestWaitMs ? window : null);
      noteModel(session, ask.answeredBy(outcome.answer));
      return { answer: outcome.answer, doubtful: false };
    }
    const { what = 'answer' } = ask;
    const asked = {
      host: address.host,
      model: endpoint.model,
      sent: outcome.sent,
      now: Date.now(),
      keyed: session.keyed,
      what,
    };
    const verdict = judgeFault(outcome.fault, asked);
    switch (verdict.kind) {
      case 'provider':
        pass.spoke();
        throw new ProviderError(verdict.message);
      case 'item':
        pass.spoke();
        return { answer: ask.failed(verdict.reason), doubtful: false };
      case 'adapt':
        pass.spoke();
        adapt(session, verdict.field);
        break;
      case 'wait':
        waitOut(session, pass, verdict);
        break;
      case 'retry':
        noteFault(session, pass, verdict);
        if (tries >= verdict.tries && !verdict.certain)
          return { answer: ask.failed(verdict.reason), doubtful: true };
        await pause(backoff(tries, { backoffMs: limits.backoffMs, random }), signal);
        tries += 1;
    }
    const done = verdict.kind === 'adapt' ? null : await ask.beforeAgain?.();
    if (done !== undefined && done !== null) return { answer: done, doubtful: false };
  }
}

/** An exchange whose pass is given back also when something unforeseen is thrown. */
async function tryOnce<Answer>(
  session: Session,
  ask: Ask<Answer>,
  signal: AbortSignal,
  pass: Pass,
): Promise<Exchange<Answer> | null> {
  try {
    return await exchange(session, ask, signal);
  } catch (error) {
    pass.left();
    throw error;
  }
}
