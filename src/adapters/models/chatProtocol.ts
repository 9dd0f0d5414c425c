/**
 * Owns chat completions: the request body, and an answer as an endpoint really sends it, whatever its type declaration
 * says. Deliberately learns what an endpoint refuses from refusals by name: no table of models, which would be out of date.
 */
import type { ChatCompletionCreateParams } from 'openai/resources/chat/completions';
import type { TokenUsage } from '../../core/model/task.ts';
import type { ModelAnswer, ModelRequest } from '../../core/ports.ts';
import { formField, formFields, messagesOf } from './answerForm.ts';
import { EndpointFault } from './endpointFault.ts';
import { throwErrorInside } from './errorInside.ts';
import { failed, listOf, modelNamed, objectOf, shares, tokenCount } from './json.ts';
import type { OptionalField } from './judgeFault.ts';
import { readLogprobs } from './logprobs.ts';
import type { AskedFor, Protocol, StreamReader } from './protocol.ts';

const optional: readonly OptionalField[] = ['seed', 'temperature', 'max_tokens'];

/** One seed cannot be that of several samples. */
const several = ({ samples = 1, refused }: AskedFor): boolean => samples > 1 && !refused.has('n');

/** `max_tokens`, once refused, goes by its newer name. */
function bodyOf(asked: AskedFor): ChatCompletionCreateParams {
  const { request, model, stream, refused, samples = 1 } = asked;
  return {
    model,
    messages: messagesOf(request, refused).map(({ role, content }) => ({ role, content })),
    ...(several(asked) ? { n: samples } : {}),
    ...(refused.has('seed') || several(asked) ? {} : { seed: request.seed }),
    ...(refused.has('temperature') ? {} : { temperature: request.temperature }),
    ...(refused.has('max_tokens')
      ? { max_completion_tokens: request.maxTokens }
      : { max_tokens: request.maxTokens }),
    ...formOf(request, refused),
    ...(request.logprobs === undefined || refused.has('logprobs')
      ? {}
      : { logprobs: true, top_logprobs: request.logprobs }),
    ...(stream ? { stream } : {}),
    ...(stream && !refused.has('stream_options') ? { stream_options: { include_usage: true } } : {}),
  };
}

function formOf(
  request: ModelRequest,
  refused: ReadonlySet<OptionalField>,
): Pick<ChatCompletionCreateParams, 'response_format'> {
  const { responseFormat } = request;
  const form = formField(request, refused);
  if (responseFormat === undefined || form === null) return {};
  if (form === 'json_object') return { response_format: { type: 'json_object' } };
  const { name, schema } = responseFormat;
  return {
    response_format: { type: 'json_schema', json_schema: { name, schema: { ...schema }, strict: true } },
  };
}

function usageOf(value: unknown): TokenUsage {
  const usage = objectOf(value);
  return { input: tokenCount(usage?.['prompt_tokens']), output: tokenCount(usage?.['completion_tokens']) };
}

/** The one answer asked for: that with index 0, wherever it stands; endpoints that give no index give one answer. */
function firstChoice(choices: unknown): ReturnType<typeof objectOf> {
  const list = listOf(choices).map(objectOf);
  return list.find((choice) => choice?.['index'] === 0) ?? list[0] ?? null;
}

/** A chat completion in one piece. */
export function readCompletion(body: unknown, asked: string, requestId: string | null): ModelAnswer {
  const answer = objectOf(body);
  if (answer === null) return failed('the endpoint sent something that is no completion');
  const choice = firstChoice(answer['choices']);
  const message = objectOf(choice?.['message']);
  if (message === null) return failed('the endpoint sent a completion without an answer in it');
  const finish = choice?.['finish_reason'];
  const { content, refusal, tool_calls: calls } = message;
  const declined = typeof refusal === 'string' && refusal !== '' ? refusal : null;
  const rest = {
    ok: true,
    usage: usageOf(answer['usage']),
    model: modelNamed(answer['model'], asked),
    requestId,
    logprobs: readLogprobs(objectOf(choice?.['logprobs'])?.['content']),
  } as const;
  if (declined !== null || finish === 'content_filter') {
    const text = declined ?? (typeof content === 'string' ? content : '');
    return { ...rest, text, finish: 'refusal' };
  }
  if (listOf(calls).length > 0 && (typeof content !== 'string' || content === ''))
    return failed('the model answered with a tool call instead of text');
  if (typeof content !== 'string') return failed('the endpoint sent a completion without text');
  if (finish === 'length') return { ...rest, text: content, finish: 'length' };
  // An answer of nothing is a model declining to answer; asking again would be retrying an outcome.
  return { ...rest, text: content, finish: content === '' ? 'refusal' : 'stop' };
}

/**
 * The answers to a call for several, each under its own index: endpoints may send them in any order, twice, or fewer. What
 * was read is counted to the first, what was written is split evenly: endpoints report the call as a whole.
 */
export function readSamples(
  body: unknown,
  asked: string,
  requestId: string | null,
  count: number,
): readonly (ModelAnswer | null)[] {
  const answer = objectOf(body);
  const choices = new Map<number, unknown>();
  listOf(answer?.['choices']).forEach((choice, place) => {
    const index = tokenCount(objectOf(choice)?.['index']) ?? place;
    if (index < count && !choices.has(index)) choices.set(index, choice);
  });
  const { input, output } = usageOf(answer?.['usage']);
  const written = shares(
    output,
    [...choices.keys()].map(() => 1),
  );
  const order = [...choices.keys()].sort((a, b) => a - b);
  return Array.from({ length: count }, (_, index) => {
    const place = order.indexOf(index);
    if (place < 0) return null;
    const one = readCompletion({ ...answer, choices: [choices.get(index)] }, asked, requestId);
    const usage = { input: input === null || place === 0 ? input : 0, output: written[place] ?? null };
    return one.ok ? { ...one, usage } : one;
  });
}

/**
 * Chunks to a completion. Complete with a finish reason or the closing `[DONE]`, whichever comes: with neither, half an
 * answer would pass for a whole one. Usage is that of the last chunk that has any.
 */
function chatReader(): StreamReader {
  const text: string[] = [];
  const refusal: string[] = [];
  const calls: unknown[] = [];
  const logprobs: unknown[] = [];
  let model: unknown = null;
  let usage: unknown = null;
  let finish: unknown = null;
  let closed = false;
  return {
    take(data) {
      if (data.trim() === '[DONE]') {
        closed = true;
        return true;
      }
      const chunk = objectOf(JSON.parse(data));
      if (chunk === null) throw new EndpointFault({ kind: 'malformed' });
      throwErrorInside(chunk);
      model ??= chunk['model'];
      usage = chunk['usage'] ?? usage;
      const choice = firstChoice(chunk['choices']);
      if (choice !== null && (choice['index'] ?? 0) === 0) {
        const delta = objectOf(choice['delta']);
        if (typeof delta?.['content'] === 'string') text.push(delta['content']);
        if (typeof delta?.['refusal'] === 'string') refusal.push(delta['refusal']);
        calls.push(...listOf(delta?.['tool_calls']));
        logprobs.push(...listOf(objectOf(choice['logprobs'])?.['content']));
        finish = choice['finish_reason'] ?? finish;
      }
      return false;
    },
    whole() {
      if (!closed && finish === null) return null;
      const message = { content: text.join(''), refusal: refusal.join(''), tool_calls: calls };
      const given = logprobs.length === 0 ? null : { content: logprobs };
      return { model, usage, choices: [{ index: 0, message, finish_reason: finish, logprobs: given }] };
    },
  };
}

export const chatProtocol: Protocol = {
  path: '/v1/chat/completions',
  bodyOf,
  sent: ({ request, stream, refused, samples = 1 }) => [
    ...[
      ...optional,
      ...(stream ? (['stream_options'] as const) : []),
      ...(samples > 1 ? (['n'] as const) : []),
    ].filter((field) => !refused.has(field)),
    ...formFields(request, refused),
  ],
  send: (client, asked) => client.chat.completions.create(bodyOf(asked)).asResponse(),
  reader: chatReader,
  leastTokens: 1,
  read: readCompletion,
  readSamples,
};
