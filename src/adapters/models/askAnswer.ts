/** Owns what one model call is to an endpoint: the request in the endpoint's way of speaking, and its answer as the loop knows it. */
import type { ModelAnswer, ModelRequest } from '../../core/ports.ts';
import { ProviderError } from '../../core/ports.ts';
import type { Ask } from './askEndpoint.ts';
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
  const { endpoint, protocol } = session;
  return {
    sent: () => protocol.sent(askedFor(session, request)),
    send: (client) => protocol.send(client, askedFor(session, request)),
    read: (body, requestId) => protocol.read(body, endpoint.model, requestId),
    failed,
    answeredBy: (answer) => (answer.ok ? answer.model : null),
  };
}
