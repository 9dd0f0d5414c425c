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

/** An answer as the request wants it: log-probabilities only where they were asked for, and a note where its form was not kept. */
export function readAnswerTo(
  session: Session,
  request: ModelRequest,
  body: unknown,
  requestId: string | null,
): ModelAnswer {
  const { endpoint, protocol, refused } = session;
  const answer = protocol.read(body, endpoint.model, requestId);
  if (!answer.ok) return answer;
  const form = formField(request, refused);
  // Some endpoints take the field and do nothing about it; from now on they are told in words, too.
  if (form !== null && answer.finish === 'stop' && !isJsonObject(answer.text)) adapt(session, form);
  const { logprobs = null, ...rest } = answer;
  return request.logprobs === undefined ? rest : { ...rest, logprobs };
}
