/**
 * Owns the batch API of an OpenAI-compatible endpoint (/files, /batches): submitting, waiting, collecting, cancelling
 * (OpenAI API reference, "Batch", and guide "Batch API"). Each exchange passes the same gate, clocks and judgement of
 * faults as a model call. Deliberately remembers no batch: whoever submits one does.
 */
import { batchPriceOf } from '../../core/measure/prices.ts';
import type { BatchCall, BatchNews, ModelBatches, StopSignal } from '../../core/ports.ts';
import { ProviderError } from '../../core/ports.ts';
import { type Ask, adapt, askEndpoint } from './askEndpoint.ts';
import { fitting, uploadOf } from './batchFile.ts';
import { batchLines, type BatchLines } from './batchLines.ts';
import { type BatchFault, type BatchState, batchState } from './batchState.ts';
import { channel } from './channel.ts';
import { EndpointFault } from './endpointFault.ts';
import { askedFor, refuseWeights } from './askAnswer.ts';
import { listOf, objectOf } from './json.ts';
import { judgeFault, type OptionalField } from './judgeFault.ts';
import { pause } from './pause.ts';
import type { Session } from './session.ts';
import { watchStop } from './watchStop.ts';

/** What a question of housekeeping came to; it may not fail quietly. */
type Said<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly reason: string };

const never = new AbortController().signal;

function question<Value>(
  what: 'batches' | 'batch',
  send: Ask<Said<Value>>['send'],
  read: (body: unknown) => Value | null,
): Ask<Said<Value>> {
  return {
    what,
    send,
    sent: () => [],
    read: (body) => {
      const value = read(body);
      if (value === null) throw new EndpointFault({ kind: 'malformed' });
      return { ok: true, value };
    },
    failed: (reason) => ({ ok: false, reason }),
    answeredBy: () => null,
  };
}

/** Null when `signal` ended it. Throws ProviderError where it cannot be had. */
async function answerTo<Value>(
  session: Session,
  asked: Ask<Said<Value>>,
  signal: AbortSignal,
): Promise<Value | null> {
  const outcome = await askEndpoint(session, asked, signal);
  if (outcome === null || outcome === 'unsent') return null;
  const { answer } = outcome;
  if (!answer.ok)
    throw new ProviderError(
      `${session.address.host}, asked for a batch: ${answer.reason}; resume the run later.`,
    );
  return answer.value;
}

const fileId = (body: unknown): string | null => {
  const id = objectOf(body)?.['id'];
  return typeof id === 'string' && id !== '' ? id : null;
};

/** Answers read ahead of whoever makes them durable: a file is not held because a disk is slow. */
const mostAhead = 2_000;

/** Pages of a hundred that are looked through for a batch of ours. */
const mostPages = 100;

/** The batch with this tag; null when there is none, or no list to look in. */
async function find(session: Session, tag: string): Promise<BatchState | null> {
  const { endpoint, address } = session;
  let after: string | null = null;
  for (let page = 0; page < mostPages; page++) {
    const query: { limit: number; after?: string } = after === null ? { limit: 100 } : { limit: 100, after };
    const asked = question(
      'batches',
      (client) => client.batches.list(query).asResponse(),
      (body) => {
        const listed = objectOf(body);
        return listed !== null && Array.isArray(listed['data'])
          ? { batches: listOf(listed['data']).map(batchState), more: listed['has_more'] === true }
          : null;
      },
    );
    const outcome = await askEndpoint(session, asked, never).catch((error: unknown) => {
      if (!(error instanceof ProviderError)) throw error;
      return null;
    });
    if (outcome === null || outcome === 'unsent' || !outcome.answer.ok) {
      endpoint.log?.warn(
        `${address.host} gives no list of its batches: if one was submitted just before the run was broken off, it is submitted again.`,
      );
      return null;
    }
    const { batches, more } = outcome.answer.value;
    const found = batches.find((batch) => batch?.tag === tag);
    if (found !== undefined) return found;
    after = batches.at(-1)?.id ?? null;
    if (!more || after === null) return null;
  }
  return null;
}

async function submit(
  session: Session,
  calls: readonly BatchCall[],
  tag: string,
  lookFirst: boolean,
  stop: StopSignal,
): Promise<string | null> {
  refuseWeights(
    session,
    calls.map(({ request }) => request),
  );
  const earlier = lookFirst ? await find(session, tag) : null;
  if (earlier !== null) return earlier.id;
  const watched = watchStop(stop);
  try {
    const upload = uploadOf(session, calls);
    const send: Ask<unknown>['send'] = (client) => client.post('/files', {}).asResponse();
    const file = await answerTo(session, { ...question('batches', send, fileId), upload }, watched.signal);
    if (file === null || watched.signal.aborted) return null;
    const create = question(
      'batches',
      (client) =>
        client.batches
          .create({
            input_file_id: file,
            endpoint: session.protocol.path,
            completion_window: '24h',
            metadata: { ratchet: tag },
          })
          .asResponse(),
      batchState,
    );
    // Not broken off by a stop: whether there is a batch must be known.
    const beforeAgain = async () => {
      const made = await find(session, tag);
      return made === null ? null : ({ ok: true, value: made } as const);
    };
    const made = await answerTo(session, { ...create, beforeAgain }, never);
    return made?.id ?? null;
  } finally {
    watched.done();
  }
}

/** The state in which the batch ends; null when `signal` ended the waiting. */
async function awaitEnd(
  session: Session,
  id: string,
  signal: AbortSignal,
  onCounts: (answered: number) => void,
): Promise<BatchState | null> {
  const [first, longest] = session.limits.pollMs;
  const asked = question('batch', (client) => client.batches.retrieve(id).asResponse(), batchState);
  let told = -1;
  for (let wait = first; ; wait = Math.min(longest, wait * 1.5)) {
    const state = await answerTo(session, asked, signal);
    if (state === null) return null;
    const answered = state.counts === null ? -1 : state.counts.completed + state.counts.failed;
    if (answered > told) onCounts((told = answered));
    if (state.status !== 'working') return state;
    await pause(wait * (0.75 + 0.5 * session.random()), signal);
    if (signal.aborted) return null;
  }
}

/**
 * Gives every line of a file to `lines`. A file that ends early, or names fewer calls than it must, was cut and is asked
 * for again; what it then still lacks counts as not answered. Throws ProviderError where it cannot be had at all.
 */
async function readFile(
  session: Session,
  file: string | null,
  lines: BatchLines,
  atLeast: number,
  room: Collecting['room'],
  signal: AbortSignal,
): Promise<void> {
  if (file === null) return;
  const before = lines.named;
  let cut = false;
  const send: Ask<unknown>['send'] = (client) => client.files.content(file).asResponse();
  const asked: Ask<Said<true>> = {
    ...question('batch', send, () => {
      cut = lines.endedBadly || lines.named - before < atLeast;
      if (cut) throw new EndpointFault({ kind: 'incomplete' });
      return true as const;
    }),
    onLine: (line) => {
      lines.take(line);
      return room();
    },
  };
  const outcome = await askEndpoint(session, asked, signal);
  if (outcome === null || outcome === 'unsent' || outcome.answer.ok) return;
  const { reason } = outcome.answer;
  if (!cut)
    throw new ProviderError(`The answers of a batch cannot be read: ${reason}; resume the run later.`);
  session.endpoint.log?.warn(
    `${session.address.host} gave a file of a batch that is cut; what it lacks is asked again.`,
  );
}

interface Collecting {
  readonly session: Session;
  readonly calls: readonly BatchCall[];
  readonly whole: boolean;
  readonly sent: readonly OptionalField[];
  readonly tell: (news: BatchNews) => void;
  /** Null while whoever is told keeps up; else resolves once they do. */
  readonly room: () => Promise<void> | null;
}

/** What was asked for is read, whatever the end; null when `signal` ended it. */
async function collect(collecting: Collecting, id: string, signal: AbortSignal): Promise<void> {
  const { session, calls, sent, tell, room } = collecting;
  const state = await awaitEnd(session, id, signal, (answered) => tell({ kind: 'counts', answered }));
  if (state === null) return;
  if (state.status === 'failed') {
    refusedBatch(collecting, state.errors);
    return;
  }
  const lines = batchLines(session, calls, sent, tell);
  await readFile(session, state.outputFile, lines, state.counts?.completed ?? 0, room, signal);
  await readFile(session, state.errorFile, lines, 0, room, signal);
  if (signal.aborted) return;
  const { host } = session.address;
  const reason = {
    completed: `${host} ended the batch without an answer to some of its requests`,
    expired: `${host} did not get through the batch within its 24 hours`,
    cancelled: `the batch ${id} was cancelled at ${host}`,
    working: '',
  }[state.status];
  if (state.status === 'completed' && lines.trouble === null)
    for (const call of lines.missing) tell({ kind: 'fault', id: call, reason });
  if (lines.trouble !== null) tell({ kind: 'end', end: { kind: 'stopped', reason: lines.trouble } });
  else if (state.status === 'cancelled')
    tell({
      kind: 'end',
      end: {
        kind: 'stopped',
        reason: `The batch ${id} was cancelled at ${host}; resume the run to ask for the rest.`,
      },
    });
  else tell({ kind: 'end', end: { kind: 'over', reason } });
}

const queueFull =
  /token_limit_exceeded|enqueued token|too_many_batches|batch.{0,20}limit (?:reached|exceeded)/iu;

/** The input was not accepted, so nothing was asked: the calls at fault fail, a field not taken goes, or the run must stand still. */
function refusedBatch(
  { session, calls, whole, sent, tell }: Collecting,
  errors: readonly BatchFault[],
): void {
  const { host } = session.address;
  const said =
    errors.map(({ message, code }) => message || code).find((text) => text !== '') ?? 'it gives no reason';
  const reason = `${host} did not accept the batch: ${said.replace(/[.\s]+$/u, '').slice(0, 300)}`;
  if (errors.some(({ code, message }) => queueFull.test(`${code} ${message}`))) {
    tell({ kind: 'end', end: { kind: 'tooMuch', reason } });
    return;
  }
  let understood = 0;
  let trouble: string | null = null;
  for (const error of errors) {
    const text = JSON.stringify({ error });
    const asked = { host, model: session.endpoint.model, sent, now: Date.now() };
    const fault = { kind: 'status', status: 400, headers: new Headers(), text } as const;
    const verdict = judgeFault(fault, asked);
    const call = error.line === null ? undefined : calls[error.line - 1];
    if (verdict.kind === 'adapt') adapt(session, verdict.field);
    else if (verdict.kind === 'provider') trouble ??= verdict.message;
    else if (call !== undefined && whole)
      tell({
        kind: 'answer',
        id: call.id,
        answer: { ok: false, reason: verdict.kind === 'item' ? verdict.reason : reason },
      });
    // The lines of an earlier session's batch are not known any more; what is left is submitted anew.
    else if (error.line === null) continue;
    understood += 1;
  }
  const end = trouble === null && understood > 0 ? 'over' : 'stopped';
  tell({
    kind: 'end',
    end: {
      kind: end,
      reason: end === 'over' ? reason : (trouble ?? `${reason}; resume the run to try again.`),
    },
  });
}

async function* news(
  session: Session,
  id: string,
  asked: Pick<Collecting, 'calls' | 'whole'>,
  stop: StopSignal,
): AsyncGenerator<BatchNews> {
  const watched = watchStop(stop);
  const came = channel<BatchNews>();
  const first = asked.calls[0];
  const sent = first === undefined ? [] : session.protocol.sent(askedFor(session, first.request, false));
  const tell = (item: BatchNews): void => came.send(item);
  const room = () => came.room(mostAhead);
  const work = collect({ session, ...asked, sent, tell, room }, id, watched.signal).then(
    () => came.close(),
    (error: unknown) => came.close(error),
  );
  try {
    yield* came;
  } finally {
    watched.abort();
    watched.done();
    await work;
  }
}

export function openaiBatches(session: Session): ModelBatches {
  const { endpoint, address } = session;
  return {
    price: batchPriceOf(address.host, endpoint.model, endpoint.prices ?? []),
    fits: (calls) => fitting(session, calls),
    submit: (calls, tag, lookFirst, stop) => submit(session, calls, tag, lookFirst, stop),
    collect: (batch, calls, whole, stop) => news(session, batch, { calls, whole }, stop),
    async cancel(batch) {
      const asked = question('batch', (client) => client.batches.cancel(batch).asResponse(), batchState);
      try {
        await answerTo(session, asked, never);
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        endpoint.log?.warn(`The batch ${batch} could not be cancelled: ${error.message}`);
      }
    },
  };
}
