/**
 * Owns what the lines of a batch's output and error files mean for the calls they name. Pure but for what is found not to
 * be taken by the endpoint. Deliberately treats a request in a batch like one made directly: the same faults, the same verdicts.
 */
import type { BatchCall, BatchNews } from '../../core/ports.ts';
import { readAnswerTo } from './askAnswer.ts';
import { adapt } from './askEndpoint.ts';
import { EndpointFault, faultOf } from './endpointFault.ts';
import { errorFault, throwErrorInside } from './errorInside.ts';
import { type Json, objectOf } from './json.ts';
import { judgeFault, type OptionalField } from './judgeFault.ts';
import type { Session } from './session.ts';

export interface BatchLines {
  take(line: unknown): void;
  /** Calls that no line named so far. */
  readonly missing: readonly string[];
  /** How many names there were, also of calls that are not wanted any more. */
  readonly named: number;
  /** Whether the newest line is none. */
  readonly endedBadly: boolean;
  /** Why the provider as a whole cannot answer, as the lines say; null when they do not. */
  readonly trouble: string | null;
}

/** The line's request was never made: it is asked again without being held against it. */
const notMade = /^batch_(?:expired|cancelled)$/u;

export function batchLines(
  session: Session,
  calls: readonly BatchCall[],
  sent: readonly OptionalField[],
  tell: (news: BatchNews) => void,
): BatchLines {
  const { address, endpoint } = session;
  const wanted = new Map(calls.map((call) => [call.id, call]));
  const seen = new Set<string>();
  let endedBadly = false;
  let trouble: string | null = null;
  const judge = (id: string, error: unknown): void => {
    const fault = faultOf(error);
    if (fault === null) throw error;
    const asked = { host: address.host, model: endpoint.model, sent, now: Date.now() };
    const verdict = judgeFault(fault, asked);
    switch (verdict.kind) {
      case 'item':
        tell({ kind: 'answer', id, answer: { ok: false, reason: verdict.reason } });
        return;
      case 'retry':
      case 'wait':
        tell({ kind: 'fault', id, reason: verdict.reason });
        return;
      case 'adapt':
        adapt(session, verdict.field);
        return;
      case 'provider':
        trouble ??= verdict.message;
    }
  };
  const read = (id: string, line: Json): void => {
    const error = objectOf(line['error']);
    if (error !== null && notMade.test(String(error['code']))) return;
    try {
      const response = objectOf(line['response']);
      if (response === null)
        throw error === null ? new EndpointFault({ kind: 'malformed' }) : errorFault(error);
      const { status_code: status, request_id: requestId, body } = response;
      throwStatus(status, body);
      throwErrorInside(body);
      const named = typeof requestId === 'string' && requestId !== '' ? requestId : null;
      const { request } = wanted.get(id) as BatchCall;
      tell({ kind: 'answer', id, answer: readAnswerTo(session, request, body, named) });
    } catch (thrown) {
      judge(id, thrown);
    }
  };
  return {
    take(line) {
      const entry = objectOf(line);
      endedBadly = entry === null;
      const id = entry?.['custom_id'];
      // The first word on a call counts: a file may be read twice, or name a call twice.
      if (entry === null || typeof id !== 'string' || seen.has(id)) return;
      seen.add(id);
      if (wanted.has(id)) read(id, entry);
    },
    get missing() {
      return [...wanted.keys()].filter((id) => !seen.has(id));
    },
    get named() {
      return seen.size;
    },
    get trouble() {
      return trouble;
    },
    get endedBadly() {
      return endedBadly;
    },
  };
}

function throwStatus(status: unknown, body: unknown): void {
  if (typeof status === 'number' && status >= 200 && status < 300) return;
  const code = typeof status === 'number' ? status : 500;
  const text = JSON.stringify(body ?? {});
  throw new EndpointFault({ kind: 'status', status: code, headers: new Headers(), text });
}
