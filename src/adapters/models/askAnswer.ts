/** Owns what one model call is to an endpoint: the request in the endpoint's way of speaking, and its answer as the loop knows it. */
import type { ModelAnswer, ModelRequest } from '../../core/ports.ts';
import { ProviderError } from '../../core/ports.ts';
import { formField, isJsonObject } from './answerForm.ts';
import { type Ask, adapt } from './askEndpoint.ts';
import { failed } from './json.ts';
import type { AskedFor } from './protocol.ts';
import type { Session } from './session.ts';

/** Throws ProviderError for a request that no endpoint can answer. */
export function refuseWeights({ address }: Session, requests: readonly ModelRequest[]): void {
  if (requests.every(({ weights }) => weights === null)) return;
  throw new ProviderError(
    `${address.host} cannot answer with weights trained here; use a model that can be trained.`,
  );
}

export function askedFor(
  { endpoint, refused }: Session,
  request: ModelRequest,
  stream = endpoint.stream === true,
): AskedFor {
  return { request, model: endpoint.model, stream, refused };
}

export function askAnswer(session: Session, request: ModelRequest): Ask<ModelAnswer> {
  const { protocol } = session;
  return {
    sent: () => protocol.sent(askedFor(session, request)),
    send: (client) => protocol.send(client, askedFor(session, request)),
    read: (body, requestId) => readAnswerTo(session, request, body, requestId),
    failed,
    answeredBy: (answer) => (answer.ok ? answer.model : null),
  };
}

/** How many samples of one request may go in one call now. */
export function samplesAtOnce({ endpoint, protocol, refused }: Session): number {
  const can = protocol.readSamples !== null && endpoint.stream !== true && !refused.has('n');
  return can ? Math.max(1, endpoint.samplesPerCall ?? 1) : 1;
}

/** `count` answers to one request, in one call; null for those that did not come. */
export function askSamples(
  session: Session,
  request: ModelRequest,
  count: number,
): Ask<readonly (ModelAnswer | null)[]> {
  const { protocol, endpoint } = session;
  const asked = (): AskedFor => ({ ...askedFor(session, request, false), samples: count });
  return {
    sent: () => protocol.sent(asked()),
    send: (client) => protocol.send(client, asked()),
    read: (body, requestId) => {
      const answers = protocol.readSamples?.(body, endpoint.model, requestId, count) ?? [];
      const came = answers.filter((answer) => answer !== null);
      // Some endpoints take the field and do nothing about it.
      if (came.length === 1) adapt(session, 'n');
      if (came.length === 0) return [readAnswerTo(session, request, body, requestId)];
      return answers.map((answer) => (answer === null ? null : asWanted(session, request, answer)));
    },
    failed: (reason) => Array.from({ length: count }, () => failed(reason)),
    answeredBy: (answers) => answers.find((answer) => answer?.ok === true)?.model ?? null,
  };
}

/** An answer as the request wants it: log-probabilities only where they were asked for, and a note where its form was not kept. */
export function readAnswerTo(
  session: Session,
  request: ModelRequest,
  body: unknown,
  requestId: string | null,
): ModelAnswer {
  const { endpoint, protocol } = session;
  return asWanted(session, request, protocol.read(body, endpoint.model, requestId));
}

function asWanted(session: Session, request: ModelRequest, answer: ModelAnswer): ModelAnswer {
  if (!answer.ok) return answer;
  const form = formField(request, session.refused);
  // Some endpoints take the field and do nothing about it; from now on they are told in words, too.
  if (form !== null && answer.finish === 'stop' && !isJsonObject(answer.text)) adapt(session, form);
  const { logprobs = null, ...rest } = answer;
  return request.logprobs === undefined ? rest : { ...rest, logprobs };
}
