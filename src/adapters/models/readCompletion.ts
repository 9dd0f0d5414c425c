/**
 * Owns reading a chat completion as an endpoint really sends it, whatever its type declaration says.
 * Deliberately guesses nothing: what is missing is unknown, and an answer without text is a failed call.
 */
import type { TokenUsage } from '../../core/model/task.ts';
import type { ModelAnswer } from '../../core/ports.ts';

type Json = Readonly<Record<string, unknown>>;

function objectOf(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

/** Tokens are counted in whole numbers from 0; anything else an endpoint says is unknown. */
function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

function usageOf(value: unknown): TokenUsage {
  const usage = objectOf(value);
  return { input: count(usage?.['prompt_tokens']), output: count(usage?.['completion_tokens']) };
}

const failed = (reason: string): ModelAnswer => ({ ok: false, reason });

/** `asked` is the model's name in the request, for endpoints that do not name the one that answered. */
export function readCompletion(body: unknown, asked: string, requestId: string | null): ModelAnswer {
  const answer = objectOf(body);
  if (answer === null) return failed('the endpoint sent something that is no completion');
  const choices = answer['choices'];
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
  const message = objectOf(objectOf(choice)?.['message']);
  if (message === null) return failed('the endpoint sent a completion without an answer in it');
  const finish = objectOf(choice)?.['finish_reason'];
  const { content, refusal, tool_calls: calls } = message;
  const declined = typeof refusal === 'string' && refusal !== '' ? refusal : null;
  const named = answer['model'];
  const rest = {
    ok: true,
    usage: usageOf(answer['usage']),
    model: typeof named === 'string' && named !== '' ? named.slice(0, 200) : asked,
    requestId,
  } as const;
  if (declined !== null || finish === 'content_filter') {
    const text = declined ?? (typeof content === 'string' ? content : '');
    return { ...rest, text, finish: 'refusal' };
  }
  if (typeof content !== 'string') {
    return failed(
      Array.isArray(calls) && calls.length > 0
        ? 'the model answered with a tool call instead of text'
        : 'the endpoint sent a completion without text',
    );
  }
  if (finish === 'length') return { ...rest, text: content, finish: 'length' };
  // An answer of nothing is a model declining to answer; asking again would be retrying an outcome.
  return { ...rest, text: content, finish: content === '' ? 'refusal' : 'stop' };
}

/** The error some gateways send with status 200: its status if it names one, and its text; null when there is none. */
export function errorInside(body: unknown): { readonly status: number | null; readonly text: string } | null {
  const error = objectOf(body)?.['error'];
  if (error === undefined || error === null) return null;
  const code = objectOf(error)?.['code'];
  const status = Number(typeof code === 'number' || typeof code === 'string' ? code : NaN);
  return {
    status: Number.isInteger(status) && status >= 400 && status <= 599 ? status : null,
    text: JSON.stringify({ error }),
  };
}
