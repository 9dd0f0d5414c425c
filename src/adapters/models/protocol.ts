/** Owns the shape both ways of asking an endpoint share. Deliberately neither of them: chatProtocol.ts, responsesProtocol.ts. */
import type OpenAI from 'openai';
import type { ModelAnswer, ModelRequest } from '../../core/ports.ts';
import type { OptionalField } from './judgeFault.ts';

/** Puts the events of one streamed answer together. */
export interface StreamReader {
  /** Takes the data of one event; true when nothing more is to come. Throws EndpointFault for an error event. */
  take(data: string): boolean;
  /** The answer as it would have come in one piece; null while it is not complete. */
  whole(): unknown;
}

export interface AskedFor {
  readonly request: ModelRequest;
  readonly model: string;
  readonly stream: boolean;
  /** Fields this endpoint has been found not to take. */
  readonly refused: ReadonlySet<OptionalField>;
  /** Answers wanted of this one call; 1 when absent. */
  readonly samples?: number;
}

export interface Protocol {
  /** Where a batch's requests go, as its lines name it. */
  readonly path: '/v1/chat/completions' | '/v1/responses';
  /** The request as it is sent. */
  bodyOf(asked: AskedFor): object;
  /** Fields of the request that an endpoint may refuse. */
  sent(asked: AskedFor): readonly OptionalField[];
  /** Sends the request through the client; the answer comes beside it (exchangeContext.ts). */
  send(client: OpenAI, asked: AskedFor): Promise<unknown>;
  readonly reader: () => StreamReader;
  /** The smallest answer limit the protocol takes, in tokens. */
  readonly leastTokens: number;
  /** `asked` is the model's name in the request, for endpoints that do not name the one that answered. */
  read(body: unknown, asked: string, requestId: string | null): ModelAnswer;
  /** The answers to a call for several, by their index; null for one that is not there. Null where one call has one answer. */
  readonly readSamples:
    | ((
        body: unknown,
        asked: string,
        requestId: string | null,
        count: number,
      ) => readonly (ModelAnswer | null)[])
    | null;
}
