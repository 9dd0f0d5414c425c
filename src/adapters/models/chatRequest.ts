/**
 * Owns the request body of a chat completion, and what an endpoint has been found not to take.
 * Deliberately learns only from refusals by name: no table of models, which would be out of date.
 */
import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import type { ModelRequest } from '../../core/ports.ts';
import type { OptionalField } from './judgeFault.ts';

export interface ChatBody {
  readonly body: ChatCompletionCreateParamsNonStreaming;
  /** The fields in it that an endpoint may refuse. */
  readonly sent: readonly OptionalField[];
}

/** `refused` holds the fields this endpoint does not take; `max_tokens` then goes by its newer name. */
export function chatBody(
  request: ModelRequest,
  model: string,
  refused: ReadonlySet<OptionalField>,
): ChatBody {
  const sent = (['seed', 'temperature', 'max_tokens'] as const).filter((field) => !refused.has(field));
  return {
    body: {
      model,
      messages: request.messages.map(({ role, content }) => ({ role, content })),
      ...(refused.has('seed') ? {} : { seed: request.seed }),
      ...(refused.has('temperature') ? {} : { temperature: request.temperature }),
      ...(refused.has('max_tokens')
        ? { max_completion_tokens: request.maxTokens }
        : { max_tokens: request.maxTokens }),
    },
    sent,
  };
}

/** What dropping a field means for the person who asked for it. */
export const withoutField: Readonly<Record<OptionalField, string>> = {
  seed: 'does not take a seed: the same request may be answered differently',
  temperature: 'does not take a temperature: its own default is used',
  max_tokens: 'takes the answer limit by another name',
};
