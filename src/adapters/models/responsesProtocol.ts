/**
 * Owns the Responses API: the request body, and a response as an endpoint really sends it. Deliberately asks the endpoint
 * to keep nothing (`store: false`), and sends no seed, which this API has not.
 */
import type { ResponseCreateParams } from 'openai/resources/responses/responses';
import type { FinishReason, TokenUsage } from '../../core/model/task.ts';
import type { ModelAnswer, ModelRequest, TokenLogprob } from '../../core/ports.ts';
import { formField, formFields, messagesOf } from './answerForm.ts';
import { EndpointFault } from './endpointFault.ts';
import { errorFault, throwErrorInside } from './errorInside.ts';
import { failed, type Json, listOf, modelNamed, objectOf, tokenCount } from './json.ts';
import type { OptionalField } from './judgeFault.ts';
import { readLogprobs } from './logprobs.ts';
import type { AskedFor, Protocol, StreamReader } from './protocol.ts';

const optional: readonly OptionalField[] = ['temperature', 'store'];

function bodyOf({ request, model, stream, refused }: AskedFor): ResponseCreateParams {
  return {
    model,
    input: messagesOf(request, refused).map(({ role, content }) => ({ role, content })),
    max_output_tokens: request.maxTokens,
    ...(refused.has('store') ? {} : { store: false }),
    ...(refused.has('temperature') ? {} : { temperature: request.temperature }),
    ...formOf(request, refused),
    ...(request.logprobs === undefined || refused.has('logprobs')
      ? {}
      : { include: ['message.output_text.logprobs'], top_logprobs: request.logprobs }),
    ...(stream ? { stream } : {}),
  };
}

function formOf(
  request: ModelRequest,
  refused: ReadonlySet<OptionalField>,
): Pick<ResponseCreateParams, 'text'> {
  const { responseFormat } = request;
  const form = formField(request, refused);
  if (responseFormat === undefined || form === null) return {};
  if (form === 'json_object') return { text: { format: { type: 'json_object' } } };
  const { name, schema } = responseFormat;
  return { text: { format: { type: 'json_schema', name, schema: { ...schema }, strict: true } } };
}

/** Of all parts of the text, in order; null where any gives none. */
function logprobsOf(output: readonly unknown[]): readonly TokenLogprob[] | null {
  const parts = output
    .flatMap((item) => listOf(objectOf(item)?.['content']).map(objectOf))
    .filter((part) => part?.['type'] === 'output_text')
    .map((part) => readLogprobs(part?.['logprobs']));
  const given = parts.filter((part) => part !== null && part.length > 0);
  return given.length === 0 || given.length < parts.length ? null : given.flatMap((part) => part ?? []);
}

function usageOf(value: unknown): TokenUsage {
  const usage = objectOf(value);
  return { input: tokenCount(usage?.['input_tokens']), output: tokenCount(usage?.['output_tokens']) };
}

/** All text of one kind in the messages of an output; null when there is none of that kind. */
function textOf(output: readonly unknown[], type: 'output_text' | 'refusal'): string | null {
  const field = type === 'output_text' ? 'text' : 'refusal';
  const parts = output.flatMap((item) => {
    const message = objectOf(item);
    return message?.['type'] === 'message' ? listOf(message['content']).map(objectOf) : [];
  });
  const texts = parts.flatMap((part) => {
    const text = part?.['type'] === type ? part[field] : null;
    return typeof text === 'string' ? [text] : [];
  });
  return texts.length === 0 ? null : texts.join('');
}

function finishOf(answer: Json, declined: boolean): FinishReason {
  const reason = objectOf(answer['incomplete_details'])?.['reason'];
  if (declined || reason === 'content_filter') return 'refusal';
  return answer['status'] === 'incomplete' ? 'length' : 'stop';
}

/** A response in one piece. */
export function readResponse(body: unknown, asked: string, requestId: string | null): ModelAnswer {
  const answer = objectOf(body);
  if (answer === null || !Array.isArray(answer['output']))
    return failed('the endpoint sent something that is no response');
  if (answer['status'] === 'cancelled') return failed('the endpoint cancelled the response');
  const output = listOf(answer['output']);
  const declined = textOf(output, 'refusal');
  const text = declined ?? textOf(output, 'output_text');
  const finish = finishOf(answer, declined !== null);
  if (text === null && finish === 'stop') {
    const called = output.some((item) => String(objectOf(item)?.['type']).endsWith('_call'));
    return failed(
      called
        ? 'the model answered with a tool call instead of text'
        : 'the endpoint sent a response without text',
    );
  }
  return {
    ok: true,
    text: text ?? '',
    finish: text === '' && finish === 'stop' ? 'refusal' : finish,
    usage: usageOf(answer['usage']),
    model: modelNamed(answer['model'], asked),
    requestId,
    logprobs: logprobsOf(output),
  };
}

/** The last event holds the whole response; what comes before only shows that the endpoint is at work. */
function responseReader(): StreamReader {
  let response: unknown = null;
  return {
    take(data) {
      if (data.trim() === '[DONE]') return true;
      const event = objectOf(JSON.parse(data));
      if (event === null) throw new EndpointFault({ kind: 'malformed' });
      throwErrorInside(event);
      switch (event['type']) {
        case 'response.failed':
          throw errorFault(objectOf(event['response'])?.['error'] ?? {});
        case 'response.completed':
        case 'response.incomplete':
          response = event['response'] ?? null;
          return true;
      }
      return false;
    },
    whole: () => response,
  };
}

export const responsesProtocol: Protocol = {
  path: '/v1/responses',
  bodyOf,
  sent: ({ request, refused }) => [
    ...optional.filter((field) => !refused.has(field)),
    ...formFields(request, refused),
  ],
  send: (client, asked) => client.responses.create(bodyOf(asked)).asResponse(),
  reader: responseReader,
  leastTokens: 16,
  read: readResponse,
  readSamples: null,
};
